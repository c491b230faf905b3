"""A counter as few points: the first of every hour, both sides of silences, all around a step.

Whether the reads stand in rows, in sealed hours or in thinned days: the points that decide are the
same, or a month would add up differently once its hours are sealed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

import numpy as np

from evdesk.domain.instants import MILLISECOND, from_ms, to_ms
from evdesk.domain.meters import Source
from evdesk.domain.reconciling import Point
from evdesk.domain.registers import MARGIN, MS_PER_HOUR
from evdesk.ports import Watch
from evdesk.storage.archived import HOUR_MS, Archived
from evdesk.storage.buckets import QUARTER_MS
from evdesk.storage.columns import Bools, Ints
from evdesk.storage.connection import Connection, Row
from evdesk.storage.segments import within

STRETCH_ROWS = 3_600
AFTER_A_STEP = 8  # reads that show whether a new level stands
ROWS = """
    SELECT at_ms, import_wh FROM reading WHERE meter_id = ? AND socket = ?
    AND at_ms >= ? AND at_ms < ? AND import_wh IS NOT NULL ORDER BY at_ms
"""
SEGMENTS_BEFORE = """
    SELECT first_ms FROM segment WHERE meter_id = ? AND socket = ? AND first_ms < ?
    ORDER BY from_ms DESC, part DESC
"""
BEFORE = """
    SELECT at_ms, import_wh FROM reading WHERE meter_id = ? AND socket = ?
    AND at_ms < ? AND import_wh IS NOT NULL ORDER BY at_ms DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring reads of one register; ``hidden`` where some before a read were thinned out."""

    at_ms: Ints
    wh: Ints
    hidden: Bools

    def where(self, chosen: slice | Bools) -> "Stretch":
        """Return the chosen reads."""
        return Stretch(self.at_ms[chosen], self.wh[chosen], self.hidden[chosen])


def points_between(
    db: Connection, source: Source, span: tuple[datetime, datetime], watch: Watch
) -> Iterator[Point]:
    """Yield the points of from_at <= at < to_at, and before them the last earlier one."""
    begin_ms, end_ms = to_ms(span[0]), to_ms(span[1])
    told = Told(watch)
    before = _before(db, source, begin_ms)
    if before is not None:
        yield from told.of(before)
    archived = Archived(db)
    sealed = _sealed(archived, source, begin_ms, end_ms)
    late = list(_rows(db, source, begin_ms, min(end_ms, archived.cut_ms)))
    for stretch in _with_late(sealed, late):
        yield from told.of(stretch)
    for stretch in _rows(db, source, max(begin_ms, archived.cut_ms), end_ms):
        yield from told.of(stretch)


def stretch_of(at_ms: Ints, wh: Ints, *, thinned: bool = False) -> Stretch:
    """Return the stretch of these reads; thinning leaves no silence within a quarter hour."""
    quarter = at_ms // QUARTER_MS
    same_quarter = np.diff(quarter, prepend=quarter[:1] - 1) == 0
    return Stretch(at_ms, wh, same_quarter & thinned)


def _of_pairs(rows: list[Row]) -> Stretch:
    pairs = np.array(rows, np.int64).reshape(-1, 2)
    return stretch_of(pairs[:, 0], pairs[:, 1])


def _rows(db: Connection, source: Source, begin_ms: int, end_ms: int) -> Iterator[Stretch]:
    rows = db.each(ROWS, (source.meter_id, source.socket, begin_ms, end_ms))
    while stretch := list(islice(rows, STRETCH_ROWS)):
        yield _of_pairs(stretch)


def _sealed(archived: Archived, source: Source, begin_ms: int, end_ms: int) -> Iterator[Stretch]:
    """Yield the registers of sealed hours; parts of one hour, and of thinned days, together."""
    together: list[Stretch] = []
    until_ms = 0
    for segment in archived.segments(source, begin_ms, end_ms):
        if together and segment.span.from_ms >= until_ms:
            yield _joined(together)
            together = []
        at_ms, register = archived.registers(segment)
        known, wh = at_ms[register.present], register.values[register.present]
        stretch = stretch_of(known, wh, thinned=segment.thinned)
        stretch = stretch.where(within(stretch.at_ms, begin_ms, min(end_ms, archived.cut_ms)))
        if len(stretch.at_ms):
            together.append(stretch)
        until_ms = max(until_ms, segment.span.until_ms)
    if together:
        yield _joined(together)


def _with_late(sealed: Iterator[Stretch], late: list[Stretch]) -> Iterator[Stretch]:
    """Yield sealed stretches with the reads between them that came too late to be sealed."""
    rest = _joined(late) if late else _of_pairs([])
    for stretch in sealed:
        count = int(np.searchsorted(rest.at_ms, stretch.at_ms[-1]))
        earlier, rest = rest.where(slice(count)), rest.where(slice(count, None))
        yield _joined([stretch, earlier]) if count else stretch
    if len(rest.at_ms):
        yield rest


def _joined(parts: list[Stretch]) -> Stretch:
    at_ms = np.concatenate([part.at_ms for part in parts])
    wh = np.concatenate([part.wh for part in parts])
    order = np.argsort(at_ms, kind="stable")
    at_ms, hidden = at_ms[order], np.zeros(len(order), np.bool_)
    for part in parts:  # what was thinned out of one part lay between its own reads
        following = np.searchsorted(part.at_ms, at_ms)
        hidden |= np.append(part.hidden, False)[following]
    return Stretch(at_ms, wh[order], hidden)


def _before(db: Connection, source: Source, begin_ms: int) -> Stretch | None:
    """Return the last register before an instant, as a stretch of one."""
    row = db.one(BEFORE, (source.meter_id, source.socket, begin_ms))
    archived = Archived(db)
    end_ms = min(begin_ms, archived.cut_ms)
    for (first_ms,) in db.each(SEGMENTS_BEFORE, (source.meter_id, source.socket, end_ms)):
        for stretch in _sealed(archived, source, first_ms, begin_ms):
            newest = int(stretch.at_ms[-1]), int(stretch.wh[-1])
            row = newest if row is None else max(tuple(row), newest)
        if row is not None:
            break
    return None if row is None else _of_pairs([row])


class Told:
    """Chooses the points of one stretch after the other; ``owed`` reads are told in full."""

    def __init__(self, watch: Watch) -> None:
        self._bounds = watch.bounds
        self._silence_ms = watch.silence // MILLISECOND
        self._marks_ms = np.array([to_ms(mark) for mark in watch.marks], np.int64)
        self._last: Stretch | None = None
        self._owed = 0

    def of(self, stretch: Stretch) -> list[Point]:
        """Return what is to be told of a stretch that follows the one before."""
        known = 0 if self._last is None else 1  # the last read of the stretch before comes first
        at_ms, wh, hidden = stretch.at_ms, stretch.wh, stretch.hidden
        if self._last is not None:
            at_ms = np.concatenate([self._last.at_ms, at_ms])
            wh = np.concatenate([self._last.wh, wh])
            hidden = np.concatenate([self._last.hidden, hidden])
        silent = (np.diff(at_ms) > self._silence_ms) & ~hidden[1:]
        odd = self._odd(at_ms, wh)
        told = np.zeros(len(at_ms), np.bool_)
        told[[known, -1]] = True
        told[: known + self._owed] = True
        told[1 + np.flatnonzero(np.diff(at_ms // HOUR_MS))] = True
        told[1 + np.flatnonzero(np.diff(wh))[-1:]] = True  # when it last moved: it may catch up
        for here in np.flatnonzero(silent):
            told[here : here + 2] = True
        whole = np.union1d(np.flatnonzero(odd), self._marked(at_ms))
        for here in whole:
            told[here : here + 2 + AFTER_A_STEP] = True
        self._owe(whole, len(stretch.at_ms), len(at_ms))
        self._last = Stretch(at_ms[-1:], wh[-1:], hidden[-1:])
        unbroken = np.concatenate([[False], ~silent])
        return [
            Point(from_ms(int(at_ms[n])), int(wh[n]), bool(unbroken[n]))
            for n in np.flatnonzero(told).tolist()
            if n >= known
        ]

    def _odd(self, at_ms: Ints, wh: Ints) -> Bools:
        """Return after which reads the next one cannot follow on the same counter."""
        risen_wh, bounds = np.diff(wh), self._bounds
        most_w = MARGIN * bounds.max_power_w
        most_wh = most_w / MS_PER_HOUR * np.diff(at_ms) + 2 * bounds.resolution_wh
        odd: Bools = (risen_wh < 0) | (risen_wh > most_wh)
        return odd

    def _marked(self, at_ms: Ints) -> Ints:
        """Return which reads are the last up to a mark that lies before the newest read."""
        passed = self._marks_ms[(self._marks_ms >= at_ms[0]) & (self._marks_ms < at_ms[-1])]
        last: Ints = np.searchsorted(at_ms, passed, side="right") - 1
        return last

    def _owe(self, whole: Ints, new: int, count: int) -> None:
        """Remember how many reads of the next stretch belong to a step or mark in this one."""
        begun = int(whole[-1]) + 2 + AFTER_A_STEP - count if len(whole) else 0
        self._owed = max(self._owed - new, begun, 0)
