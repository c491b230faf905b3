"""This computer and the calendar: jumps, synchronisation, disks and dates."""

from datetime import date, timedelta

import pytest

from evdesk.domain.faults import FaultChange
from evdesk.domain.readings import MeterId
from evdesk.domain.surroundings import CalibrationWatch, ComputerWatch, Surroundings
from evdesk.settings import FAULTS

METER = MeterId(1)
UNTIL = date(2026, 12, 31)


def told(changes: list[FaultChange]) -> list[tuple[str, bool]]:
    return [(change.key.code.value, change.opened) for change in changes]


def test_a_clock_that_is_set_is_told_and_forgotten_after_a_while() -> None:
    watch, found = ComputerWatch(FAULTS), []
    for second in range(2_000):
        ahead_s = 3_600 if second >= 100 else 0
        found += watch.on_clock((second + ahead_s) * 1000, float(second))
    assert told(found) == [("clock_jump", True), ("clock_jump", False)]
    assert found[0].facts == {"by_s": 3_600.0}


def test_a_clock_that_is_kept_in_step_has_not_jumped() -> None:
    watch = ComputerWatch(FAULTS)
    for second in range(1_000):
        assert watch.on_clock(round(second * 1000.5), float(second)) == []


def test_a_clock_set_back_is_told_too() -> None:
    watch = ComputerWatch(FAULTS)
    assert watch.on_clock(10_000_000, 1.0) == []
    (change,) = watch.on_clock(9_000_000, 2.0)
    assert change.facts == {"by_s": -1_001.0}


@pytest.mark.parametrize(("says", "codes"), [(False, ["clock_not_synchronised"]), (None, [])])
def test_only_a_clear_no_is_a_fault_and_only_when_it_lasts(says, codes) -> None:
    watch, found = ComputerWatch(FAULTS), []
    for minute in range(15):
        found += watch.on_surroundings(minute * 60_000, Surroundings(clock_synchronised=says))
    assert [change.key.code for change in found] == codes


def test_an_unknown_answer_does_not_close_what_is_open() -> None:
    watch, found = ComputerWatch(FAULTS), []
    for minute in range(60):
        says = False if minute < 15 else None
        found += watch.on_surroundings(minute * 60_000, Surroundings(clock_synchronised=says))
    assert told(found) == [("clock_not_synchronised", True)]
    found += watch.on_surroundings(3_600_000, Surroundings(clock_synchronised=True))
    assert told(found)[-1] == ("clock_not_synchronised", False)


@pytest.mark.parametrize(
    ("today", "codes"),
    [
        (UNTIL - timedelta(days=31), []),
        (UNTIL - timedelta(days=30), ["calibration_expiring"]),
        (UNTIL, ["calibration_expiring"]),
        (UNTIL + timedelta(days=1), ["calibration_expired"]),
    ],
)
def test_a_calibration_is_told_of_in_time(today, codes) -> None:
    watch = CalibrationWatch(FAULTS, {METER: UNTIL, MeterId(2): None})
    assert [change.key.code for change in watch.on_day(0, today)] == codes


def test_a_calibration_that_expires_and_is_renewed_is_told_in_turn() -> None:
    watch, found = CalibrationWatch(FAULTS, {METER: UNTIL}), []
    for day in range(-40, 5):
        found += watch.on_day((day + 50) * 86_400_000, UNTIL + timedelta(days=day))
    keys = {change.key for change in found if change.opened}
    renewed = CalibrationWatch(FAULTS, {METER: date(2034, 12, 31)})
    assert renewed.resume({found[-1].key}) <= keys
    found += renewed.on_day(99 * 86_400_000, UNTIL + timedelta(days=6))
    assert told(found) == [
        ("calibration_expiring", True),
        ("calibration_expiring", False),
        ("calibration_expired", True),
        ("calibration_expired", False),
    ]
