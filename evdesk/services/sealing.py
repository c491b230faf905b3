"""Seals the hours that are over and thins out old ones, in short steps between two commits."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.errors import StorageError
from evdesk.domain.instants import EPOCH, rfc3339
from evdesk.domain.meters import Source
from evdesk.ports import Drafts, HourOfRows, Sealed, Store, Thinned, Unit
from evdesk.settings import ARCHIVE

LOG = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
SETTLE = timedelta(seconds=ARCHIVE.settle_s)
RETRY = timedelta(seconds=ARCHIVE.retry_s)
FEWEST_ROWS, MOST_ROWS = 200, 20_000


@dataclass(slots=True)
class _Pace:
    """How many rows one step takes, so that it lasts about as long as it may."""

    rows: int = 2_000

    def took(self, seconds: float) -> None:
        """Take more or fewer the next time."""
        factor = min(max(ARCHIVE.step_s / max(seconds, 1e-6), 0.25), 2.0)
        self.rows = min(max(round(self.rows * factor), FEWEST_ROWS), MOST_ROWS)


class Archivist:
    """Does one short step at a time, in the thread that writes the journal.

    What a killed step leaves behind is taken up where it was. ``stopwatch`` gives seconds that
    only rise; the steps are as short as the machine allows them to be. ``rested`` is called when
    all is done for an hour.
    """

    def __init__(
        self,
        store: Store,
        stopwatch: Callable[[], float] = time.monotonic,
        rested: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._stopwatch, self._rested = store, stopwatch, rested
        self._gathering, self._compressing, self._moving = _Pace(), _Pace(), _Pace()
        self._steps: Iterator[None] | None = None
        self._next_at: datetime | None = None
        self._runs = 0

    def step(self, now: datetime) -> bool:
        """Do one step if anything is due; return whether there is more to do."""
        if self._steps is None:
            if self._next_at is not None and now < self._next_at <= now + HOUR + SETTLE:
                return False
            self._steps = self._work(now)
        try:
            next(self._steps)
        except StopIteration:
            self._rest_until(_next_hour(now))
        except StorageError as error:
            LOG.warning("%s Sealing and thinning of readings go on later.", error)
            self._rest_until(now + RETRY)
        else:
            return True
        return False

    def steps(self, now: datetime, most: int) -> None:
        """Do steps until nothing is due, so many at most."""
        for _ in range(most):
            if not self.step(now):
                return

    def _rest_until(self, at: datetime) -> None:
        self._steps, self._next_at = None, at
        self._runs += 1
        self._rested()

    def _work(self, now: datetime) -> Iterator[None]:
        """Seal; thin from the second run on, when sessions have taken up what they need."""
        yield from self._seal(now - SETTLE)
        if self._runs:
            yield from self._thin(now)

    # -- sealing --------------------------------------------------------------------------------

    def _seal(self, before: datetime) -> Iterator[None]:
        while True:
            with self._store.read() as unit:
                oldest = unit.archive.oldest_row()
                if oldest is None or _end_of_hour(oldest) > before:
                    return  # what seals is not even loaded
                hour = unit.sealing.due(before)
            if hour is None:
                return
            while not hour.whole():
                with self._timed(self._gathering) as rows, self._store.read() as unit:
                    unit.sealing.gather(hour, rows)
                yield
            yield from self._seal_late(hour) if hour.late else self._seal_hour(hour)

    def _seal_hour(self, hour: HourOfRows) -> Iterator[None]:
        while not hour.sealed():
            with self._timed(self._compressing) as rows:
                drafts = self._compress(hour, rows)
                with self._store.journal() as unit:
                    unit.sealing.write(drafts)
            yield
        done: bool | None = False
        while done is False:
            with self._timed(self._moving) as rows, self._store.journal() as unit:
                done = unit.sealing.move(hour, rows)
                if done:
                    _record(unit, hour, unit.sealing.of_hour(hour))
            yield

    def _seal_late(self, hour: HourOfRows) -> Iterator[None]:
        """Seal what came after its hour had been: one source in one transaction."""
        while not hour.sealed():
            drafts = self._compress(hour, 1)
            with self._store.journal() as unit:
                sealed = unit.sealing.write_late(drafts)
                if sealed is not None:
                    _record(unit, hour, sealed)
            yield

    def _compress(self, hour: HourOfRows, rows: int) -> Drafts:
        with self._store.read() as unit:
            return unit.sealing.compress(hour, rows)

    @contextmanager
    def _timed(self, pace: _Pace) -> Iterator[int]:
        began = self._stopwatch()
        yield pace.rows
        pace.took(self._stopwatch() - began)

    # -- thinning -------------------------------------------------------------------------------

    def _thin(self, now: datetime) -> Iterator[None]:
        with self._store.read() as unit:
            days = unit.archive.state().thin_after_days
        after: datetime | None = None
        while days is not None:
            with self._store.read() as unit:
                found = unit.sealing.thinnable(after, now - timedelta(days=days))
            if found is None:
                return
            after, sources = found
            for first in range(0, len(sources), ARCHIVE.thin_sources):
                some = sources[first : first + ARCHIVE.thin_sources]
                yield from self._thin_day(after, some, days)

    def _thin_day(self, day: datetime, sources: list[Source], days: int) -> Iterator[None]:
        drafts = []
        for source in sources:
            try:
                with self._store.read() as unit:
                    drafts.append(unit.sealing.thin(source, day))
            except StorageError as error:
                LOG.warning("%s The day is not thinned out.", error)
            yield
        if drafts:
            with self._store.journal() as unit:
                thinned = unit.sealing.replace(drafts)
                _record_thinned(unit, day, thinned, unit.sealing.of_day(day), days)
            yield


def _next_hour(now: datetime) -> datetime:
    """Return when the next hour is over and settled."""
    return _end_of_hour(now - SETTLE) + SETTLE


def _end_of_hour(at: datetime) -> datetime:
    return at - (at - EPOCH) % HOUR + HOUR


def _record(unit: Unit, hour: HourOfRows, sealed: Sealed) -> None:
    facts = {
        "segments": sealed.segments,
        "readings": sealed.readings,
        "digest": sealed.digest,
        "late": hour.late,
    }
    unit.record_change(Change("readings.sealed", "hour", rfc3339(hour.hour), facts))


def _record_thinned(unit: Unit, day: datetime, thinned: Thinned, whole: Sealed, days: int) -> None:
    """Say what became of some sources of a day, and what the whole day is from now on.

    The entries of its hours prove nothing any more: a part of what they are about is gone.
    """
    facts = {
        "older_than_days": days,
        "segments_before": thinned.before.segments,
        "readings_before": thinned.before.readings,
        "digest_before": thinned.before.digest,
        "segments": thinned.after.segments,
        "readings": thinned.after.readings,
        "digest": thinned.after.digest,
        "day_segments": whole.segments,
        "day_digest": whole.digest,
    }
    unit.record_change(Change("readings.thinned", "day", rfc3339(day), facts))
