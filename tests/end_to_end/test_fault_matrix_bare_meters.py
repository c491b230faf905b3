"""The fault matrix on meters that know no cars: where current begins and ends, sessions do."""

from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.sessions import Flag, SessionState
from tests.end_to_end.rig import (
    WH,
    Blank,
    assert_clean,
    assert_doubted,
    bay,
    fault,
    rig,
    slow,
    visit,
)

METER = "eastron-sdm630"
SILENCE, RESET, REWIND = FaultKind.SILENCE, FaultKind.RESET, FaultKind.REWIND
# Cars that draw until they leave, for a point that sees no more of them than that.
CAR = visit(5, 25, 3_666, 25)
TWICE = (CAR, visit(50, 70, 3_666, 70))
OVER = 90  # by then the last one has been idle for a quarter of an hour


def test_a_session_is_from_the_first_current_to_the_last(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(profile=METER, visits=TWICE)) as site:
        site.collect(until=OVER)
        for found in site.sessions():
            assert_clean(found, 3_666)


def test_ten_minutes_of_silence_inside_cost_no_wh(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 8, 18), profile=METER, visits=TWICE)) as site:
        site.collect(until=OVER)
        first, second = site.sessions()
        assert_clean(first, 3_666, Flag.COMM_GAP)
        assert_clean(second, 3_666)


def test_a_car_that_left_in_a_silence_ends_with_the_last_register_before_it(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 18, 30), profile=METER, visits=(CAR,))) as site:
        site.collect(until=OVER)
        found = site.the_session()
        assert_clean(found, site.between_wh(4.9, 17.9), Flag.COMM_GAP, Flag.ESTIMATED_END)


def test_a_car_that_came_in_a_silence_begins_with_the_first_register_after_it(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 3, 8), profile=METER, visits=(CAR,))) as site:
        site.collect(until=OVER)
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(8, 25)
        assert Flag.ESTIMATED_START in found.figures.flags


def test_a_restart_inside_changes_nothing(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(profile=METER, visits=TWICE)) as site:
        for until in (4, 10, 10.5, 24.9, 26, 33, 55, OVER):
            site.collect(until)
        for found in site.sessions():
            assert found.figures.energy_wh == 3_666
            assert found.state is SessionState.CLOSED


def test_a_car_that_left_while_the_collector_was_off_ends_at_the_last_stored_register(
    tmp_path: Path, blank: Blank
) -> None:
    """What a second car drew meanwhile is not the first one's."""
    device = bay(profile=METER, visits=(CAR, visit(30, 45, 2_000, 45), visit(80, 100, 3_000, 100)))
    with rig(tmp_path, blank, device) as site:
        site.collect(until=15)
        site.switch_off(until=70)
        site.collect(until=120)
        first, last = site.sessions()
        assert_clean(first, site.between_wh(4.9, 15), Flag.ESTIMATED_END, Flag.INTERRUPTED)
        assert_clean(last, 3_000)


def test_a_reset_keeps_both_parts_and_is_looked_at(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(RESET, 12), profile=METER, visits=TWICE)) as site:
        site.collect(until=OVER)
        first, second = site.sessions()
        counted = site.between_wh(4.9, 11.9) + site.between_wh(12, 25)
        assert_doubted(first, Flag.METER_RESET, counted)
        assert_clean(second, site.between_wh(49.9, 70))


def test_a_rewind_books_nothing_twice(tmp_path: Path, blank: Blank) -> None:
    faults = (fault(SILENCE, 11, 12), fault(REWIND, 12, None, 500))
    with rig(tmp_path, blank, bay(*faults, profile=METER, visits=(CAR,))) as site:
        site.collect(until=OVER)
        counted = site.highest_wh(25) - site.served_wh(4.9)
        assert_doubted(site.the_session(), Flag.METER_REWOUND, counted)


@pytest.mark.parametrize(
    ("kind", "amount"),
    [(FaultKind.GLITCH, 0), (FaultKind.GLITCH, 2**33), (FaultKind.SENTINEL, 0)],
)
@pytest.mark.parametrize("at", [12, *slow(4.9, 24.9)])
def test_values_that_cannot_be_change_nothing(
    tmp_path: Path, blank: Blank, kind: FaultKind, amount: int, at: float
) -> None:
    glitch = fault(kind, at, at + 1 / 3, amount)
    with rig(tmp_path, blank, bay(glitch, profile=METER, visits=(CAR,))) as site:
        site.collect(until=OVER)
        assert_clean(site.the_session(), 3_666)


def test_two_cars_within_the_idle_time_are_one_session_and_beyond_it_two(
    tmp_path: Path, blank: Blank
) -> None:
    """Nothing tells them apart but the time: a quarter of an hour without current."""
    cars = (visit(5, 15, 1_000, 15), visit(25, 35, 1_000, 35), visit(55, 65, 1_000, 65))
    with rig(tmp_path, blank, bay(profile=METER, visits=cars)) as site:
        site.collect(until=OVER)
        assert [one.figures.energy_wh for one in site.sessions()] == [2_000, 1_000]


def test_what_a_station_draws_itself_is_no_session(tmp_path: Path, blank: Blank) -> None:
    """60 W for hours: idle consumption, in no session but while a car charges."""
    with rig(tmp_path, blank, bay(profile=METER, visits=(CAR,), base_w=60)) as site:
        site.collect(until=OVER)
        found = site.the_session()
        assert_clean(found, site.between_wh(4.9, 25))
        assert site.between_wh(0, OVER) - (found.figures.energy_wh or 0) in {69, 70}


def test_a_frozen_register_is_looked_at(tmp_path: Path, blank: Blank) -> None:
    frozen = fault(FaultKind.FREEZE, 12)
    with rig(tmp_path, blank, bay(frozen, profile=METER, visits=(visit(5, 25, WH, 25),))) as site:
        site.collect(until=OVER)
        assert_doubted(site.the_session(), Flag.REGISTER_FROZEN, site.between_wh(4.9, 12))
