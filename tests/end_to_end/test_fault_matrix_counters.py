"""The fault matrix, counters that begin anew: reset, rewind, rollover, another meter."""

from dataclasses import replace
from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import Device, Fault, FaultKind
from evdesk.domain.sessions import Flag, SessionState
from tests.end_to_end.rig import (
    CHARGER,
    WH,
    Blank,
    assert_clean,
    assert_doubted,
    bay,
    box,
    fault,
    rig,
    slow,
    visit,
)

SILENCE, RESET, REWIND, REPLACE = (
    FaultKind.SILENCE,
    FaultKind.RESET,
    FaultKind.REWIND,
    FaultKind.REPLACE,
)
TWICE = (visit(5, 25), visit(40, 60))
WIDE = "abb-b23-b24"  # a meter with a serial number; knows nothing of cars
OLD, NEW = 21_000_111, 21_000_222
U32_WH = 2**32


# -- counter reset to zero by the device -----------------------------------------------------------


@pytest.mark.parametrize("profile", [CHARGER, *slow("keba-p30", "goe-gemini")])
def test_a_counter_reset_to_zero_in_a_session_keeps_both_parts_and_is_looked_at(
    tmp_path: Path, blank: Blank, profile: str
) -> None:
    with rig(tmp_path, blank, bay(fault(RESET, 12), profile=profile, visits=TWICE)) as site:
        site.collect(until=65)
        first, second = site.sessions()
        counted = site.between_wh(4.9, 11.9) + site.between_wh(12, 25)
        assert_doubted(first, Flag.METER_RESET, counted)
        assert_clean(second, site.between_wh(39.9, 60))


def test_a_counter_reset_to_zero_in_a_silence_keeps_both_parts_and_is_looked_at(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 10, 15), fault(RESET, 12))) as site:
        site.collect(until=30)
        counted = site.between_wh(4.9, 9.9) + site.between_wh(15, 25)
        assert_doubted(site.the_session(), Flag.METER_RESET, counted)


@pytest.mark.parametrize("at", [5, 25, *slow(4.9, 5.1, 5.3, 24.7, 24.9, 25.1)])
def test_a_counter_reset_at_the_edge_of_a_session_is_exact_or_looked_at(
    tmp_path: Path, blank: Blank, at: float
) -> None:
    with rig(tmp_path, blank, bay(fault(RESET, at))) as site:
        site.collect(until=30)
        found = site.the_session()
        if found.state is not SessionState.CLOSED or found.figures.energy_wh != WH:
            assert_doubted(found, Flag.METER_RESET)
        assert (found.figures.energy_wh or 0) <= WH


def test_a_counter_reset_between_two_sessions_is_in_neither(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(fault(RESET, 30), visits=TWICE)) as site:
        site.collect(until=65)
        first, second = site.sessions()
        assert_clean(first, WH)
        assert_clean(second, WH)


def test_a_counter_that_is_reset_twice_in_a_session_keeps_three_parts(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(RESET, 10), fault(RESET, 15))) as site:
        site.collect(until=30)
        parts = ((4.9, 9.9), (10, 14.9), (15, 25))
        counted = sum(site.between_wh(begin, end) for begin, end in parts)
        assert_doubted(site.the_session(), Flag.METER_RESET, counted)


# -- decrease below 10 % of the value --------------------------------------------------------------


def test_a_reset_that_is_seen_when_most_was_counted_again_is_looked_at(
    tmp_path: Path, blank: Blank
) -> None:
    """Down by 7 % only: a percentage alone would take it for noise and book negative energy."""
    fast = visit(5, 45, 14_000, 43)
    faults = (fault(SILENCE, 12, 23.4), fault(RESET, 12))
    with rig(tmp_path, blank, bay(*faults, visits=(fast,), initial_wh=2_000)) as site:
        site.collect(until=50)
        down = site.served_wh(11.9) - site.served_wh(23.5)
        assert 0 < down < site.served_wh(11.9) / 10
        found = site.the_session()
        assert found.state is SessionState.REVIEW
        assert found.figures.flags & {Flag.METER_RESET, Flag.METER_REWOUND}
        assert 0 < (found.figures.energy_wh or 0) <= 14_000


# -- device restores an older counter after power loss ---------------------------------------------


def power_loss(at: float, wh: int) -> tuple[Fault, Fault]:
    """The device is gone for a minute and comes back with a counter it stored before."""
    return fault(SILENCE, at - 1, at), fault(REWIND, at, None, wh)


@pytest.mark.parametrize(("at", "back_wh"), [(12, 500), *slow((19.5, 2_000))])
def test_an_older_counter_restored_in_a_session_books_nothing_twice(
    tmp_path: Path, blank: Blank, at: float, back_wh: int
) -> None:
    """It passes its old maximum before the end of the session, or does not."""
    with rig(tmp_path, blank, bay(*power_loss(at, back_wh))) as site:
        site.collect(until=30)
        counted = site.highest_wh(25) - site.served_wh(4.9)
        assert_doubted(site.the_session(), Flag.METER_REWOUND, counted)


def test_an_older_counter_restored_between_two_sessions_is_looked_at_in_the_next(
    tmp_path: Path, blank: Blank
) -> None:
    """What the first session paid for is counted once more: the second gets what is above it."""
    with rig(tmp_path, blank, bay(*power_loss(30, 500), visits=TWICE)) as site:
        site.collect(until=65)
        first, second = site.sessions()
        assert_clean(first, WH)
        assert_doubted(second, Flag.METER_REWOUND, site.highest_wh(60) - site.highest_wh(39.9))


def test_a_counter_never_seen_before_is_looked_at_whatever_it_is_called(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(*power_loss(12, 1_000_000))) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.state is SessionState.REVIEW
        assert found.figures.flags & {Flag.METER_RESET, Flag.METER_REWOUND}


# -- meter replaced --------------------------------------------------------------------------------


def swapped(at: float, wh: int, serial: int = NEW) -> tuple[Device, Device]:
    """A charger, and a meter beside it that is replaced by one with this register."""
    faults = (fault(SILENCE, at, at + 2), fault(REPLACE, at + 1, None, wh, serial=serial))
    return box(visits=TWICE), bay(*faults, profile=WIDE, serial=OLD, visits=TWICE)


@pytest.mark.parametrize("new_wh", [0, 4_813_500, *slow(70, 90_000_000)])
def test_a_meter_replaced_in_a_session_counts_what_each_of_the_two_counted(
    tmp_path: Path, blank: Blank, new_wh: int
) -> None:
    """New, nearly new, a little above the old one (only its serial number tells), far above."""
    with rig(tmp_path, blank, *swapped(10, new_wh)) as site:
        site.join(energy="bay", state="box")
        site.collect(until=65)
        first, second = site.sessions()
        counted = site.between_wh(4.9, 9.9) + site.between_wh(12, 25)
        assert_doubted(first, Flag.METER_CHANGED, counted)
        assert_clean(second, site.between_wh(39.9, 60))


@pytest.mark.parametrize("new_wh", [4_815_600, *slow(0)])
def test_a_meter_replaced_between_two_sessions_is_in_neither(
    tmp_path: Path, blank: Blank, new_wh: int
) -> None:
    with rig(tmp_path, blank, *swapped(30, new_wh)) as site:
        site.join(energy="bay", state="box")
        site.collect(until=65)
        for found in site.sessions():
            assert_clean(found, WH)


def test_a_replaced_meter_that_somebody_announced_is_exact(tmp_path: Path, blank: Blank) -> None:
    """What both displays showed at the change is what it takes: nothing is left to doubt."""
    charger, meter = swapped(10, 500)
    with rig(tmp_path, blank, charger, replace(meter, initial_wh=4_812_340)) as site:
        site.join(energy="bay", state="box")
        site.collect(until=11)
        site.announce(11, final_wh=4_812_340 + 1_100, first_wh=500, serial=NEW)
        site.collect(until=65)
        first, second = site.sessions()
        assert_clean(first, WH, Flag.METER_CHANGED, Flag.COMM_GAP)
        assert_clean(second, WH)


def test_a_meter_replaced_by_one_without_a_serial_number_is_an_unexplained_step(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(SILENCE, 10, 12), fault(REPLACE, 11, None, 70))) as site:
        site.collect(until=30)
        counted = site.between_wh(4.9, 9.9) + site.between_wh(12, 25)
        assert_doubted(site.the_session(), Flag.METER_RESET, counted)


# -- rollover --------------------------------------------------------------------------------------


@pytest.mark.parametrize("left_wh", [1_000, *slow(2, 2_749)])
def test_a_32_bit_counter_that_rolls_over_in_a_session_is_exact(
    tmp_path: Path, blank: Blank, left_wh: int
) -> None:
    with rig(tmp_path, blank, bay(initial_wh=U32_WH - left_wh)) as site:
        site.collect(until=30)
        assert site.between_wh(4.9, 25) == WH - U32_WH
        assert_clean(site.the_session(), WH, Flag.ROLLOVER)


@pytest.mark.parametrize("profile", ["sunspec-int-sf", *slow("siemens-7kt1665")])
def test_a_32_bit_counter_of_a_meter_that_rolls_over_is_exact_or_looked_at(
    tmp_path: Path, blank: Blank, profile: str
) -> None:
    """The range of a SunSpec counter depends on a power of ten that only the device knows."""
    meter = bay(profile=profile, initial_wh=U32_WH - 1_000)
    with rig(tmp_path, blank, box(), meter) as site:
        site.join(energy="bay", state="box")
        site.collect(until=30)
        found = site.the_session()
        if profile == "siemens-7kt1665":
            assert_clean(found, WH, Flag.ROLLOVER)
        else:
            assert_doubted(found, Flag.METER_RESET)


def test_a_counter_of_tenths_of_a_wh_rolls_over_at_429_mwh(tmp_path: Path, blank: Blank) -> None:
    start = U32_WH // 10 - 1_000
    with rig(tmp_path, blank, bay(profile="keba-p30", initial_wh=start)) as site:
        site.collect(until=30)
        found = site.the_session()
        assert found.state is SessionState.CLOSED
        assert found.figures.flags == {Flag.ROLLOVER}
        assert abs((found.figures.energy_wh or 0) - WH) <= 1  # its range is no whole Wh


def test_a_counter_that_rolls_over_in_a_silence_is_exact(tmp_path: Path, blank: Blank) -> None:
    device = bay(fault(SILENCE, 8, 15), initial_wh=U32_WH - 1_000)
    with rig(tmp_path, blank, device) as site:
        site.collect(until=30)
        assert_clean(site.the_session(), WH, Flag.ROLLOVER, Flag.COMM_GAP)


def test_a_counter_that_rolls_over_between_two_sessions_is_in_neither(
    tmp_path: Path, blank: Blank
) -> None:
    """Its own consumption of 600 W carries it over, about five minutes after the first car."""
    device = bay(visits=TWICE, base_w=600, initial_wh=U32_WH - WH - 300)
    with rig(tmp_path, blank, device) as site:
        site.collect(until=65)
        first, second = site.sessions()
        assert site.served_wh(25) > site.served_wh(39.9)
        assert_clean(first, site.between_wh(4.9, 25))
        assert_clean(second, site.between_wh(39.9, 60))
