"""A counter told in few points accounts for the same as all of its reads."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.accounting import account
from evdesk.domain.instants import to_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId
from evdesk.domain.reconciling import Point
from evdesk.domain.registers import Bounds
from evdesk.ports import Store, Unit, Watch
from evdesk.services.sealing import Archivist
from evdesk.storage.columns import NUMBERS, Column, Columns, Raws
from evdesk.storage.register_points import Stretch, Told, stretch_of
from evdesk.storage.segments import DAY_MS, Span
from evdesk.storage.thinning import thinned_day
from tests.storage.archives import journal, seal_all, steady
from tests.storage.sites import DONE, add_meter, at, reading, writing

WATCH = Watch(timedelta(seconds=60), Bounds(resolution_wh=1))
SOCKET = 1


@pytest.fixture
def meter(store: Store) -> MeterId:
    with writing(store) as unit:
        return add_meter(unit)


def put(unit: Unit, meter: MeterId, seconds: list[int], registers: list[int | None]) -> None:
    readings = [
        replace(reading(meter, second), import_wh=wh)
        for second, wh in zip(seconds, registers, strict=True)
    ]
    unit.readings.add(readings)


def follow(store: Store, meter: MeterId, from_s: float = -9, to_s: float = 10**7) -> list[Point]:
    with store.read() as unit:
        return list(unit.registers.follow(Source(meter, SOCKET), at(from_s), at(to_s), WATCH))


def test_a_quiet_day_is_told_by_the_ends_of_its_stretches(store: Store, meter: MeterId) -> None:
    with store.journal() as unit:
        put(unit, meter, list(range(10_000)), [1_000 + second for second in range(10_000)])
    told = follow(store, meter)
    assert len(told) <= 8
    assert (told[0], told[-1]) == (Point(at(0), 1_000, unbroken=False), Point(at(9_999), 10_999))
    assert all(point.unbroken for point in told[1:])


def test_both_sides_of_a_silence_are_told(store: Store, meter: MeterId) -> None:
    seconds = [*range(100), *range(161, 300), *range(400, 500)]
    with store.journal() as unit:
        put(unit, meter, seconds, list(range(len(seconds))))
    broken = [point.at for point in follow(store, meter) if not point.unbroken]
    assert broken == [at(0), at(161), at(400)]
    told = [point.at for point in follow(store, meter)]
    assert {at(99), at(299)} <= set(told)


def test_what_was_not_read_is_no_zero(store: Store, meter: MeterId) -> None:
    with store.journal() as unit:
        put(unit, meter, [1, 2, 3], [5, None, 6])
    assert [point.wh for point in follow(store, meter)] == [5, 6]
    with writing(store) as unit:
        other = add_meter(unit, "M2")
    assert follow(store, other) == []


def test_the_last_register_before_the_span_is_told_however_old(
    store: Store, meter: MeterId
) -> None:
    with store.journal() as unit:
        put(unit, meter, [0, 1, 2, 90_000], [5, 6, None, 7])
    assert follow(store, meter, 80_000) == [
        Point(at(1), 6, unbroken=False),
        Point(at(90_000), 7, unbroken=False),
    ]
    assert [point.at for point in follow(store, meter, -9, 2)] == [at(0), at(1)]


def half_sealed(store: Store, meter: MeterId) -> None:
    """Three hours with a silence and a reset; two of them sealed, one read came late."""
    readings = [
        replace(one, import_wh=None if second % 7 else one.import_wh)
        for second, one in enumerate(steady(meter, 3, 1))
    ]
    jumped = [
        replace(one, import_wh=None if one.import_wh is None else one.import_wh - 6_990)
        for one in readings[6_000:]
    ]
    whole = [*readings[:2_000], *readings[2_500:6_000], *jumped]
    late = whole.pop(5_000)
    journal(store, *whole)
    seal_all(store, at(2 * 3_600 + 200))
    journal(store, late)


def all_points(store: Store, meter: MeterId) -> list[Point]:
    """Every register, as a plain reader would have it."""
    with store.read() as unit:
        readings = unit.readings.between(Source(meter, SOCKET), at(-9), at(10**6))
        known = [(one.at, one.import_wh) for one in readings if one.import_wh is not None]
    firsts = [known[0], *known]
    return [
        Point(here, wh, unbroken=here != before and here - before <= WATCH.silence)
        for (before, _), (here, wh) in zip(firsts, known, strict=False)
    ]


@pytest.mark.parametrize("from_s", [-5, 1_000, 2_300, 3_599, 7_207, 9_000])
def test_sealed_hours_tell_the_same_as_rows(store: Store, meter: MeterId, from_s: int) -> None:
    half_sealed(store, meter)
    span = at(from_s), at(12_000)
    with store.read() as unit:
        assert unit.readings.sealed() > 0
        watch = replace(WATCH, marks=(span[0],))
        few = list(unit.registers.follow(Source(meter, SOCKET), at(from_s - 600), span[1], watch))
    assert len(few) < 200
    every = all_points(store, meter)
    assert account(few, [], span, WATCH.bounds) == account(every, [], span, WATCH.bounds)


def test_the_last_register_before_the_span_is_found_in_sealed_hours(
    store: Store, meter: MeterId
) -> None:
    half_sealed(store, meter)
    every = all_points(store, meter)
    for from_s in (1, 100, 2_400, 5_000, 7_199, 7_201, 9_000, 20_000):
        expected = [point for point in every if point.at < at(from_s)][-1]
        first = follow(store, meter, from_s)[0]
        assert (first.at, first.wh) == (expected.at, expected.wh)
    assert follow(store, meter, -5)[0] == replace(every[0], unbroken=False)


def test_a_month_that_was_thinned_out_adds_up_to_the_same(store: Store, meter: MeterId) -> None:
    half_sealed(store, meter)
    journal(store, replace(reading(meter, 30 * 3_600), import_wh=20_000))
    assert figures_of(store, meter) == (25_999, 10_276, 15_723)
    with store.write() as unit:
        unit.archive.set_thinning(1)
        unit.record_change(DONE)
    archivist = Archivist(store)
    for days in (3, 4):  # the second run thins out
        while archivist.step(at(days * 86_400)):
            pass
    with store.read() as unit:
        assert unit.archive.state().thinned_until is not None
        assert unit.readings.count() < 500
    assert figures_of(store, meter) == (25_999, 10_276, 15_723)


def figures_of(store: Store, meter: MeterId) -> tuple[int, int, int]:
    found = account(follow(store, meter), [], (at(-9), at(10**6)), WATCH.bounds)
    return found.delta_wh, found.idle_wh, found.gap_wh


# Reads of a counter: how long after the one before, and what it says compared with it.
STEP = st.tuples(
    st.sampled_from([1, 1, 1, 1, 60, 61, 4_000]),
    st.sampled_from([0, 1, 3, 3, 3, 16, -1, 40_000, -(10**6), 2**31]),
    st.integers(1, 12),
)


def arrays_of(points: list[Point]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([to_ms(point.at) for point in points]), np.array([one.wh for one in points])


@given(st.lists(STEP, min_size=1, max_size=12), st.integers(0, 3_000), st.integers(1, 7))
def test_few_points_account_for_the_same_as_all(
    steps: list[tuple[int, int, int]], from_s: int, rows: int
) -> None:
    seconds, registers, second, wh = list[int](), list[int | None](), 0, 10**7
    for apart, risen, times in steps:
        for number in range(times):
            second += apart
            level = abs(risen) >= 40_000
            wh = max(wh + (risen if number == 0 or not level else 1), 0)
            seconds.append(second)
            registers.append(wh)
    all_points = [
        Point(at(here), there or 0, unbroken=n > 0 and here - seconds[n - 1] <= 60)
        for n, (here, there) in enumerate(zip(seconds, registers, strict=True))
    ]
    span = at(from_s), at(second + 1)
    told = Told(replace(WATCH, marks=(span[0],)))
    at_ms, levels = arrays_of(all_points)
    parts = [slice(begin, begin + rows) for begin in range(0, len(at_ms), rows)]
    few = [point for part in parts for point in told.of(stretch_of(at_ms[part], levels[part]))]
    assert account(few, [], span, WATCH.bounds) == account(all_points, [], span, WATCH.bounds)


@given(st.lists(STEP, min_size=1, max_size=12), st.sampled_from([0, 1_800, 3_600]))
def test_thinned_days_account_for_the_same_as_all(
    steps: list[tuple[int, int, int]], from_s: int
) -> None:
    points, second, wh = list[Point](), 0, 10**7
    for apart, risen, times in steps:
        for number in range(times):
            second += apart if number == 0 else 20
            wh = max(wh + (risen if number == 0 or abs(risen) < 40_000 else 1), 0)
            points.append(Point(at(second), wh))
    points = [
        replace(here, unbroken=here.at > before.at and here.at - before.at <= WATCH.silence)
        for before, here in zip([points[0], *points], points, strict=False)
    ]
    span = at(from_s), at(second + 1)
    told = Told(replace(WATCH, marks=(span[0],)))
    few = [point for stretch in thinned(points) for point in told.of(stretch)]
    assert account(few, [], span, WATCH.bounds) == account(points, [], span, WATCH.bounds)


def thinned(points: list[Point]) -> Iterator[Stretch]:
    """What is left of each day, as it is read back."""
    at_ms, wh = arrays_of(points)
    for day in np.unique(at_ms // DAY_MS).tolist():
        chosen = at_ms // DAY_MS == day
        missing = Column(np.zeros(chosen.sum(), np.bool_), np.zeros(chosen.sum(), np.int64))
        numbers = dict.fromkeys(NUMBERS, missing) | {"import_wh": Column.every(wh[chosen])}
        columns = Columns(at_ms[chosen], numbers, Raws.of([b""] * int(chosen.sum())))
        span = Span(Source(MeterId(1)), day * DAY_MS, (day + 1) * DAY_MS, 1)
        for draft in thinned_day(span, columns, np.zeros(0, np.int64)):
            left = draft.segment.columns(draft.blobs)
            yield stretch_of(left.at_ms, left.numbers["import_wh"].values, thinned=True)
