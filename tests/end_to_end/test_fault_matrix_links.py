"""The fault matrix, links: silence, late and crossed answers, refusals, cars swapped unseen."""

from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.sessions import Flag, SessionState
from evdesk.domain.sessions import Session as Found
from tests.end_to_end.rig import (
    WH,
    Blank,
    Rig,
    assert_clean,
    bay,
    box,
    fault,
    rig,
    slow,
    visit,
)

SILENCE, SLOW, EXCEPTION = FaultKind.SILENCE, FaultKind.SLOW, FaultKind.EXCEPTION
DROP, REFUSE, CROSSED = FaultKind.DROP, FaultKind.REFUSE, FaultKind.CROSSED
BUSY, GATEWAY_SILENT, NO_SUCH_REGISTER = 6, 11, 2
TOO_LATE_MS = 3_500  # the limit of a request is 3 s
LINKS = [
    (SILENCE, 0),
    (SLOW, TOO_LATE_MS),
    (EXCEPTION, BUSY),
    (EXCEPTION, GATEWAY_SILENT),
    (DROP, 0),
    (REFUSE, 0),
    (CROSSED, 0),
]
FROM, TO = "04A1B2C3", "04D4E5F6"


# -- communication loss mid-session ----------------------------------------------------------------


@pytest.mark.parametrize(("kind", "amount"), LINKS)
def test_ten_minutes_of_communication_loss_in_a_session_cost_no_wh(
    tmp_path: Path, blank: Blank, kind: FaultKind, amount: int
) -> None:
    with rig(tmp_path, blank, bay(fault(kind, 8, 18, amount))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH, Flag.COMM_GAP)


@pytest.mark.parametrize(("kind", "amount"), [*LINKS[:1], *slow(*LINKS[1:])])
def test_half_a_minute_of_communication_loss_is_nothing_to_speak_of(
    tmp_path: Path, blank: Blank, kind: FaultKind, amount: int
) -> None:
    with rig(tmp_path, blank, bay(fault(kind, 8, 8.5, amount))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_answers_that_are_only_slow_change_nothing(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(SLOW, 8, 10, 200))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


@pytest.mark.parametrize(
    ("profile", "is_rtu"),
    [
        ("keba-p30", False),
        ("abb-b23-b24", True),
        *slow(("eastron-sdm630", False), ("eastron-sdm630", True), ("abb-b23-b24", False)),
    ],
)
def test_late_and_crossed_answers_are_never_taken_for_others(
    tmp_path: Path, blank: Blank, profile: str, is_rtu: bool
) -> None:
    """Without transaction numbers, too: behind a converter that passes plain RTU frames on."""
    meter = bay(fault(CROSSED, 8, 9), profile=profile, is_rtu=is_rtu)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(4.9, 25)
        assert abs(found.figures.energy_wh - WH) <= 10


def test_a_register_that_is_not_supported_does_not_stop_the_others(
    tmp_path: Path, blank: Blank
) -> None:
    missing = fault(EXCEPTION, 0, None, NO_SUCH_REGISTER, register="voltage_l1")
    with rig(tmp_path, blank, bay(missing)) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_an_energy_register_that_is_refused_for_minutes_costs_no_wh(
    tmp_path: Path, blank: Blank
) -> None:
    refused = fault(EXCEPTION, 8, 15, NO_SUCH_REGISTER, register="energy_import_total")
    with rig(tmp_path, blank, bay(refused)) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH, Flag.COMM_GAP)


@pytest.mark.parametrize("lost", ["box", "bay"])
def test_losing_one_of_two_devices_of_a_point_costs_no_wh(
    tmp_path: Path, blank: Blank, lost: str
) -> None:
    """The charger that knows of the car, or the meter that knows of the energy."""
    faults = {lost: (fault(SILENCE, 8, 18),)}
    meter = bay(*faults.get("bay", ()), profile="eastron-sdm630")
    with rig(tmp_path, blank, box(*faults.get("box", ())), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        found = site.the_session()
        assert found.state is SessionState.CLOSED
        assert found.figures.energy_wh == site.between_wh(4.9, 25)
        assert found.figures.flags <= {Flag.COMM_GAP}


# -- charger reports no car on loss ----------------------------------------------------------------


def test_a_driver_that_reports_no_car_for_one_read_does_not_end_a_session(
    tmp_path: Path, blank: Blank
) -> None:
    """Read every second, it is a glitch; every 10 s, cars can have been changed: see to it."""
    glitch = fault(FaultKind.STATE, 10, 10.01, 2)
    with rig(tmp_path, blank, bay(glitch), step_ms=1_000) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_one_reading_without_a_car_every_ten_seconds_is_a_doubt_that_loses_no_wh(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(FaultKind.STATE, 10, 10.1, 2))) as site:
        site.collect(until=30)
        found = site.sessions()
        assert sum(session.energy_wh or 0 for session in found) == WH
        assert {session.state for session in found} == {SessionState.REVIEW}
        assert all(Flag.UNSEEN_REPLUG in session.figures.flags for session in found)


@pytest.mark.parametrize("raw", [9, 77, *slow(8, 10, 11)])
def test_a_state_that_is_unknown_or_an_error_does_not_end_a_session(
    tmp_path: Path, blank: Blank, raw: int
) -> None:
    """Derating, E, F, error, and a number no manual names, for five minutes."""
    with rig(tmp_path, blank, bay(fault(FaultKind.STATE, 10, 15, raw))) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


# -- a silence at the edge of a session ------------------------------------------------------------


def test_a_car_that_came_in_a_silence_begins_with_the_first_register_after_it(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 3, 8))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(8, 25)
        assert Flag.ESTIMATED_START in found.figures.flags


def test_a_car_that_left_in_a_silence_ends_with_the_last_register_before_it(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 18, 28))) as site:
        site.collect(until=35)
        wanted = (Flag.COMM_GAP, Flag.ESTIMATED_END)
        assert_clean(site.the_session(), site.between_wh(4.9, 17.9), *wanted)
        assert site.the_session().figures.unplugged_at == site.at(18 - 10 / 60)


def test_a_whole_visit_in_a_silence_is_nobodys(tmp_path: Path, blank: Blank) -> None:
    """What was counted then is a gap of the station, not part of the sessions beside it."""
    visits = (visit(5, 25), visit(40, 60), visit(75, 95))
    with rig(tmp_path, blank, bay(fault(SILENCE, 35, 65), visits=visits)) as site:
        site.collect(until=100)
        first, last = site.sessions()
        assert_clean(first, WH)
        assert_clean(last, WH)


# -- unplug and replug during the outage -----------------------------------------------------------


def swapped(site: Rig) -> list[Found]:
    """Collect over an outage from 18 to 32 in which one car left and another came."""
    site.collect(until=65)
    return site.sessions()


OUTAGE = fault(SILENCE, 18, 32)


def assert_never_one_clean_session(found: list[Found], most_wh: int) -> None:
    """Two sessions, or one in review for this very reason; and nothing is invented."""
    if len(found) == 1:
        assert found[0].state is SessionState.REVIEW
        assert Flag.UNSEEN_REPLUG in found[0].figures.flags
    else:
        assert len(found) == 2
        assert all(one.figures.flags for one in found)
    assert 0 < sum(one.figures.energy_wh or 0 for one in found) <= most_wh


def test_a_car_swapped_in_an_outage_shows_in_the_chargers_session_register(
    tmp_path: Path, blank: Blank
) -> None:
    visits = (visit(5, 24), visit(28, 60, 3_000))
    with rig(tmp_path, blank, bay(OUTAGE, profile="keba-p30", visits=visits)) as site:
        assert_never_one_clean_session(swapped(site), WH + 3_000)


def test_a_car_swapped_in_an_outage_shows_in_the_card(tmp_path: Path, blank: Blank) -> None:
    """The second car has already taken more than the first: only the card tells."""
    visits = (visit(5, 24, 500, tag=FROM), visit(25, 60, 8_000, tag=TO))
    with rig(tmp_path, blank, bay(OUTAGE, profile="goe-gemini", visits=visits)) as site:
        assert_never_one_clean_session(swapped(site), 8_500)


def test_a_car_swapped_in_an_outage_shows_in_the_time_it_has_been_plugged_in(
    tmp_path: Path, blank: Blank
) -> None:
    visits = (visit(5, 24, 500), visit(25, 60, 8_000))
    device = bay(OUTAGE, profile="phoenix-charx", visits=visits)
    with rig(tmp_path, blank, device) as site:
        assert_never_one_clean_session(swapped(site), 8_500)


def test_a_car_swapped_in_an_outage_that_nothing_tells_of_is_at_least_flagged(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(OUTAGE, visits=(visit(5, 24), visit(28, 60)))) as site:
        (found,) = swapped(site)
        assert Flag.COMM_GAP in found.figures.flags
        assert found.figures.energy_wh == site.between_wh(4.9, 60)


def test_the_same_car_after_an_outage_is_one_session_though_the_charger_tells_more(
    tmp_path: Path, blank: Blank
) -> None:
    device = bay(OUTAGE, profile="keba-p30", visits=(visit(5, 60, 9_000, 50, tag=FROM),))
    with rig(tmp_path, blank, device) as site:
        (found,) = swapped(site)
        assert_clean(found, site.between_wh(4.9, 60), Flag.COMM_GAP)


def test_a_charger_that_restarted_its_session_register_in_an_outage_is_at_worst_looked_at(
    tmp_path: Path, blank: Blank
) -> None:
    reset = fault(FaultKind.SESSION_RESET, 25)
    device = bay(OUTAGE, reset, profile="keba-p30", visits=(visit(5, 60, 9_000, 50),))
    with rig(tmp_path, blank, device) as site:
        found = swapped(site)
        assert sum(one.figures.energy_wh or 0 for one in found) <= 9_000
        assert len(found) == 2 or found[0].figures.energy_wh == site.between_wh(4.9, 60)
