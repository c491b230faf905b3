"""The fault matrix, restarts: the collector stops, is killed or is off while cars come and go."""

from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import Device, FaultKind
from evdesk.domain.sessions import Flag, SessionState
from tests.end_to_end.rig import (
    WH,
    Blank,
    Rig,
    assert_clean,
    assert_doubted,
    bay,
    fault,
    rig,
    slow,
    visit,
)

LONG = visit(5, 65, 9_000, 60)
KEBA = "keba-p30"
ENDED_UNSEEN = (Flag.ESTIMATED_END, Flag.INTERRUPTED)


def assert_interrupted(site: Rig, begin: float, end: float) -> None:
    """One session, exact; it says that nobody watched for a while, and is billed all the same."""
    found = site.the_session()
    assert found.state is SessionState.CLOSED
    assert found.figures.energy_wh == site.between_wh(begin, end)
    assert found.figures.flags
    assert found.figures.flags <= {Flag.COMM_GAP, Flag.INTERRUPTED}


# -- program restart while charging ----------------------------------------------------------------


def test_a_restart_while_charging_changes_nothing(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay()) as site:
        for until in (3, 10, 10.5, 15, 30):
            site.collect(until)
        assert_clean(site.the_session(), WH)


@pytest.mark.parametrize("at", [5, 25, *slow(4.9, 5.1, 25.1, 25.2)])
def test_a_restart_at_the_edge_of_a_session_changes_nothing(
    tmp_path: Path, blank: Blank, at: float
) -> None:
    """Also between the two reads that make an end."""
    with rig(tmp_path, blank, bay()) as site:
        site.collect(until=at)
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_a_restart_right_before_the_unplug_is_exact_or_says_that_nobody_saw_it(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(visit(5, 25, 3_660, 25),))) as site:
        site.collect(until=24.9)
        site.collect(until=30)
        found = site.the_session()
        if found.figures.energy_wh != 3_660:
            assert_clean(found, site.between_wh(4.9, 24.9), *ENDED_UNSEEN)


def test_a_collector_that_is_off_for_a_while_loses_no_wh_of_a_car_that_stays(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(LONG,))) as site:
        site.collect(until=20)
        site.switch_off(until=40)
        site.collect(until=70)
        assert_interrupted(site, 4.9, 65)


def test_a_restart_in_the_middle_of_a_doubt_still_changes_nothing(
    tmp_path: Path, blank: Blank
) -> None:
    """The counter reads 0 when the collector stops and when it starts again."""
    with rig(tmp_path, blank, bay(fault(FaultKind.GLITCH, 9.9, 10.2, 0))) as site:
        site.collect(until=10)
        site.collect(until=30)
        assert_clean(site.the_session(), WH)


def test_a_restart_in_the_middle_of_a_reset_keeps_both_parts(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(FaultKind.RESET, 9.9))) as site:
        site.collect(until=10)
        site.collect(until=30)
        counted = site.between_wh(4.9, 9.89) + site.between_wh(10, 25)
        assert_doubted(site.the_session(), Flag.METER_RESET, counted)


# -- crash with open rows --------------------------------------------------------------------------


def test_a_collector_that_is_killed_while_charging_goes_on_with_the_same_session(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(LONG,))) as site:
        site.kill_after(20)
        site.collect(until=70)
        assert_clean(site.the_session(), site.between_wh(4.9, 65))


def test_a_collector_that_is_killed_before_the_unplug_ends_at_the_last_stored_register(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(LONG,))) as site:
        site.kill_after(20)
        killed = site.minute()
        site.switch_off(until=66)
        site.collect(until=70)
        assert_clean(site.the_session(), site.between_wh(4.9, killed), *ENDED_UNSEEN)


def test_a_car_that_drew_nothing_more_before_it_left_unseen_is_no_doubt(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(visit(5, 65),))) as site:
        site.collect(until=30)
        site.switch_off(until=70)
        site.collect(until=75)
        assert_clean(site.the_session(), WH, *ENDED_UNSEEN)


def test_a_crash_does_not_give_a_session_what_others_drew_since(
    tmp_path: Path, blank: Blank
) -> None:
    """The car left, another came and left, a third begins: three cars, two were seen."""
    unseen = visit(70, 90, 4_000)
    device = bay(visits=(LONG, unseen, visit(110, 130)))
    with rig(tmp_path, blank, device) as site:
        site.collect(until=40)
        site.switch_off(until=100)
        site.collect(until=135)
        first, last = site.sessions()
        assert_clean(first, site.between_wh(4.9, 40), *ENDED_UNSEEN)
        assert_clean(last, WH)


# -- the collector is off when cars come and go ----------------------------------------------------


def test_a_whole_visit_while_the_collector_is_off_is_nobodys(tmp_path: Path, blank: Blank) -> None:
    device = bay(visits=(visit(5, 25), visit(40, 60, 4_000), visit(80, 100)))
    with rig(tmp_path, blank, device) as site:
        site.collect(until=30)
        site.switch_off(until=70)
        site.collect(until=105)
        first, last = site.sessions()
        assert_clean(first, WH)
        assert_clean(last, WH)
        assert site.between_wh(30, 70.2) == 4_000  # the month's account will ask for it


def test_a_car_that_came_while_the_collector_was_off_begins_with_the_first_register(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(LONG,))) as site:
        site.collect(until=3)
        site.switch_off(until=20)
        site.collect(until=70)
        found = site.the_session()
        assert found.state is SessionState.CLOSED
        assert found.figures.energy_wh == site.between_wh(20.2, 65)
        assert Flag.ESTIMATED_START in found.figures.flags


@pytest.mark.parametrize(
    "device",
    [
        bay(profile=KEBA, visits=(visit(5, 30, 5_000), visit(35, 65, 2_000))),
        bay(
            profile="goe-gemini",
            visits=(visit(5, 30, 500, tag="04A1B2C3"), visit(31, 65, 8_000, tag="04D4E5F6")),
        ),
    ],
    ids=["session register", "card"],
)
def test_two_cars_that_swapped_while_the_collector_was_off_are_never_one_clean_session(
    tmp_path: Path, blank: Blank, device: Device
) -> None:
    with rig(tmp_path, blank, device) as site:
        site.collect(until=20)
        site.switch_off(until=40)
        site.collect(until=70)
        found = site.sessions()
        if len(found) == 1:
            assert_doubted(found[0], Flag.UNSEEN_REPLUG)
        assert all(one.figures.flags for one in found)
        assert sum(one.figures.energy_wh or 0 for one in found) <= site.between_wh(0, 66)


def test_two_cars_that_swapped_unseen_and_untold_are_at_least_flagged(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(visits=(visit(5, 30), visit(35, 65)))) as site:
        site.collect(until=20)
        site.switch_off(until=40)
        site.collect(until=70)
        found = site.the_session()
        assert found.figures.energy_wh == site.between_wh(4.9, 65)
        assert found.figures.flags & {Flag.COMM_GAP, Flag.INTERRUPTED, Flag.UNSEEN_REPLUG}
