"""The fault matrix, charging: pauses, idle cars, session registers, what comes after the stop."""

from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.devices.simulator.loads import Point, with_pause
from evdesk.devices.simulator.loads import Session as Visit
from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.sessions import Flag
from tests.end_to_end.rig import (
    MINUTE_MS,
    WH,
    Blank,
    assert_clean,
    bay,
    fault,
    rig,
    slow,
    visit,
)

STATE, SESSION_RESET = FaultKind.STATE, FaultKind.SESSION_RESET
CHARGING = 7  # Heidelberg's C2
KEBA, SDM = "keba-p30", "eastron-sdm630"
POWER_MW = 11_000_000
FULL = ((0, POWER_MW), (50 * MINUTE_MS, POWER_MW))


def paused(*pauses: tuple[int, int], left: int = 65, phases: str = "123") -> Visit:
    """Return a car that charges at 11 kW from minute 5 to 55, less its pauses."""
    points: tuple[Point, ...] = FULL
    for begin, end in pauses:
        points = with_pause(points, (begin - 5) * MINUTE_MS, (end - 5) * MINUTE_MS)
    inside = tuple(point for point in points if point[0] <= (left - 5) * MINUTE_MS)
    return Visit(5 * MINUTE_MS, left * MINUTE_MS, inside, phases)


# -- pause/resume ----------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["heidelberg-energy-control", *slow(KEBA, "goe-gemini")])
def test_pauses_are_inside_one_session(tmp_path: Path, blank: Blank, profile: str) -> None:
    """Sun gone, limit 0, battery full for a while: plugged in all along."""
    car = paused((10, 14), (20, 21), (30, 45), left=80)
    with rig(tmp_path, blank, bay(profile=profile, visits=(car,))) as site:
        site.collect(until=85)
        assert_clean(site.the_session(), site.between_wh(4.9, 80))
        charging = timedelta(milliseconds=site.the_session().figures.charging_ms)
        assert abs(charging - timedelta(minutes=50)) <= timedelta(minutes=2)


def test_a_pause_of_a_night_is_inside_one_session(tmp_path: Path, blank: Blank) -> None:
    car = paused((10, 490), left=600)
    with rig(tmp_path, blank, bay(visits=(car,)), step_ms=60_000) as site:
        site.collect(until=610)
        assert_clean(site.the_session(), site.between_wh(4.9, 600))


def test_short_pauses_of_a_point_that_knows_no_cars_do_not_split_it(
    tmp_path: Path, blank: Blank
) -> None:
    """On a bare meter a session ends when nothing was drawn for a quarter of an hour."""
    car = paused((10, 14), (20, 30), left=80)
    with rig(tmp_path, blank, bay(profile=SDM, visits=(car,))) as site:
        site.collect(until=90)
        assert_clean(site.the_session(), site.between_wh(4.9, 80))


# -- session register resets on pause, phase switch, RFID stop/start -------------------------------


@pytest.mark.parametrize("resets", [(12, 33, 40), *slow(((12,),))])
def test_a_session_register_that_resets_on_a_pause_costs_no_wh(
    tmp_path: Path, blank: Blank, resets: tuple[int, ...]
) -> None:
    faults = [fault(SESSION_RESET, at) for at in resets]
    car = paused((12, 14), (33, 41), left=80)
    with rig(tmp_path, blank, bay(*faults, profile=KEBA, visits=(car,))) as site:
        site.collect(until=85)
        assert_clean(site.the_session(), site.between_wh(4.9, 80))


def test_a_session_register_that_resets_on_a_phase_switch_costs_no_wh(
    tmp_path: Path, blank: Blank
) -> None:
    """From three phases to one and back: a pause of a minute, a third of the power, a reset."""
    third = ((0, POWER_MW // 3), (20 * MINUTE_MS, POWER_MW // 3))
    points = (*((at, mw) for at, mw in FULL if at == 0), (9 * MINUTE_MS, POWER_MW))
    points += ((9 * MINUTE_MS, 0), *((at + 10 * MINUTE_MS, mw) for at, mw in third))
    car, reset = Visit(5 * MINUTE_MS, 40 * MINUTE_MS, points), fault(SESSION_RESET, 14)
    with rig(tmp_path, blank, bay(reset, profile=KEBA, visits=(car,))) as site:
        site.collect(until=45)
        assert_clean(site.the_session(), site.between_wh(4.9, 40))


def test_a_session_stopped_and_started_with_a_card_is_one_plug_in(
    tmp_path: Path, blank: Blank
) -> None:
    car = Visit(5 * MINUTE_MS, 65 * MINUTE_MS, paused((20, 30)).points, tag="04A1B2C3")
    with rig(tmp_path, blank, bay(fault(SESSION_RESET, 30), profile=KEBA, visits=(car,))) as site:
        site.collect(until=70)
        assert_clean(site.the_session(), site.between_wh(4.9, 65))


# -- session register resets at disconnect before it is read ---------------------------------------


@pytest.mark.parametrize("left", [25.09, *slow(24.99, 25.0, 25.01)])
def test_a_car_pulled_out_while_it_charges_is_counted_to_its_end(
    tmp_path: Path, blank: Blank, left: float
) -> None:
    """The session register is 0 again when the next read comes; the lifetime register is not."""
    car = visit(5, left, 3_662, left)
    with rig(tmp_path, blank, bay(profile=KEBA, visits=(car,))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), 3_662)


# -- session register sticks or shows nonsense, or the lifetime total ------------------------------


@pytest.mark.parametrize("kind", [FaultKind.SESSION_FREEZE, FaultKind.SESSION_LIFETIME])
def test_a_session_register_that_shows_nonsense_after_a_night_pause_is_not_billed(
    tmp_path: Path, blank: Blank, kind: FaultKind
) -> None:
    car = paused((15, 40), left=85)
    with rig(tmp_path, blank, bay(fault(kind, 38), profile=KEBA, visits=(car,))) as site:
        site.collect(until=90)
        assert_clean(site.the_session(), site.between_wh(4.9, 85))


# -- idle plugged ----------------------------------------------------------------------------------


def test_a_charger_that_says_charging_without_power_does_not_charge(
    tmp_path: Path, blank: Blank
) -> None:
    """C with 0 W for half an hour: plugged in, not charging."""
    device = bay(fault(STATE, 5, 60, CHARGING), visits=(visit(5, 60),), base_w=4)
    with rig(tmp_path, blank, device) as site:
        site.collect(until=65)
        found = site.the_session()
        assert_clean(found, site.between_wh(4.9, 60))
        assert timedelta(milliseconds=found.figures.charging_ms) <= timedelta(minutes=15.5)


def test_the_standby_of_a_charger_is_in_the_session_while_a_car_is_plugged_in(
    tmp_path: Path, blank: Blank
) -> None:
    """Preconditioning and electronics: 60 W for 35 minutes after the charge."""
    with rig(tmp_path, blank, bay(visits=(visit(5, 55),), base_w=60)) as site:
        site.collect(until=60)
        found = site.the_session()
        assert_clean(found, site.between_wh(4.9, 55))
        assert site.between_wh(4.9, 55) in {WH + 50, WH + 51}
        assert timedelta(milliseconds=found.figures.charging_ms) <= timedelta(minutes=15.5)


def test_a_car_that_never_charges_costs_nothing(tmp_path: Path, blank: Blank) -> None:
    idle = Visit(5 * MINUTE_MS, 25 * MINUTE_MS, ())
    with rig(tmp_path, blank, bay(visits=(idle, visit(40, 60)))) as site:
        site.collect(until=65)
        *before, last = site.sessions()
        assert sum(one.figures.energy_wh or 0 for one in before) == 0
        assert len(before) <= 1
        assert_clean(last, WH)


# -- energy after stop, previous session added to the next -----------------------------------------


def test_energy_after_the_stop_stays_with_the_car_that_is_plugged_in(
    tmp_path: Path, blank: Blank
) -> None:
    """A meter that counts on after the stop, and the next car right behind."""
    device = bay(visits=(visit(5, 40), visit(40.5, 60, 2_000, 55)), base_w=120)
    with rig(tmp_path, blank, device) as site:
        site.collect(until=65)
        first, second = site.sessions()
        assert_clean(first, site.between_wh(4.9, 40))
        assert_clean(second, site.between_wh(40.4, 60))
        assert first.figures.end is not None
        assert second.figures.start is not None
        assert first.figures.end.wh <= second.figures.start.wh


def test_a_session_never_contains_the_one_before_it(tmp_path: Path, blank: Blank) -> None:
    """Five cars a minute apart; together they are what the register counted, to the Wh."""
    cars = tuple(visit(5 + 10 * n, 14 + 10 * n, 100 * (n + 1)) for n in range(5))
    with rig(tmp_path, blank, bay(visits=cars)) as site:
        site.collect(until=60)
        found = site.sessions()
        for number, one in enumerate(found):
            assert_clean(one, 100 * (number + 1))
        assert len(found) == 5


@pytest.mark.parametrize("pause_s", [10, 20, 30])
def test_cars_that_follow_each_other_in_seconds_add_up_to_the_register(
    tmp_path: Path, blank: Blank, pause_s: int
) -> None:
    """One read shows no car, or two: then it may be one session, but no Wh is in two."""
    second = 15 + pause_s / 60
    device = bay(visits=(visit(5, 15, 1_000, 15), visit(second, 30, 2_000, 30)))
    with rig(tmp_path, blank, device) as site:
        site.collect(until=35)
        found = site.sessions()
        assert sum(one.figures.energy_wh or 0 for one in found) == 3_000
        if pause_s > 10:
            assert [one.figures.energy_wh for one in found] == [1_000, 2_000]


# -- duplicate rows per day with accumulated energy ------------------------------------------------


def test_a_session_of_three_days_is_one_row_that_is_updated_in_place(
    tmp_path: Path, blank: Blank
) -> None:
    day = 24 * 60
    car = Visit(
        15 * MINUTE_MS,
        3 * day * MINUTE_MS,
        with_pause(FULL, 20 * MINUTE_MS, (2 * day + 20) * MINUTE_MS),
    )
    with rig(tmp_path, blank, bay(visits=(car,)), step_ms=600_000) as site:
        for until in (day, 2 * day, 3 * day + 60):
            site.collect(until)
            assert len(site.sessions()) == 1
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(0, 3 * day)
        assert found.figures.flags <= {Flag.INTERRUPTED}
