"""Stepped time on demo sites: the clock moves on when every due read is committed."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from evdesk.domain.errors import DeviceError, StorageError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import MeterStatus
from evdesk.domain.readings import Reading
from evdesk.ports import Clock, CollectorState, Devices, Store
from evdesk.services.collecting import Tally
from evdesk.services.journaling import NEVER, Beat, Journal
from evdesk.services.polling import Plan, by_bus, make_plans, reaches
from evdesk.services.remembering import has_learned, remember
from evdesk.services.sealing import Archivist
from evdesk.services.watching import Watchman

LOOK_UP = timedelta(seconds=1)  # wall time between two signs of life
STEPS_AT_ONCE = 8  # of sealing: an hour of slow devices may have a single commit


class SteppedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the instant it was last moved to."""
        return self._at

    def move(self, at: datetime) -> None:
        """Move on."""
        self._at = at


class SteppedCollector:
    """Collects as fast as the machine and ``speed`` allow; each due instant exactly once.

    ``wall`` gives signs of life and the pace; ``speed`` None is as fast as possible.
    ``rested`` is called when all readings of an hour are sealed.
    """

    def __init__(
        self,
        store: Store,
        devices: Devices,
        clock: SteppedClock,
        wall: Clock,
        speed: float | None,
        rested: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._devices = store, devices
        self._clock, self._wall, self._speed = clock, wall, speed
        self.stopping = asyncio.Event()
        self.tally = Tally()
        self._archivist = Archivist(store, rested=rested)
        self._beat_at: datetime | None = None

    async def run(self, seconds: float | None = None) -> Tally:
        """Collect until stopped, or for so many seconds of the site's own time."""
        self._started = (self._clock.now(), asyncio.get_running_loop().time())
        ends = None if seconds is None else self._clock.now() + timedelta(seconds=seconds)
        try:
            while not self.stopping.is_set():
                await self._run_once(ends)
        finally:
            await self._devices.close()
        return self.tally

    async def _run_once(self, ends: datetime | None) -> None:
        """Run with the devices as they are now, until they change."""
        with self._store.read() as unit:  # first: what changes from here on is taken in next time
            revision = unit.collector.state().revision
        plans = make_plans(self._store, self._devices, self._clock.now())
        journal = Journal(self._store, reaches(plans, self._devices))
        if not journal.settled():
            revision = NEVER  # as if something had changed: the next commit tries it again
        now_ms = to_ms(self._clock.now())
        for plan in plans:
            plan.due = _next_on_grid(now_ms, plan.interval_ms)
        self._watch = Watchman(self._store, plans, self._devices, self._clock)
        try:
            await self._follow(journal, plans, revision, now_ms, ends)
            journal.commit((), [plan.status() for plan in plans])
        finally:
            with suppress(StorageError):  # then it will be learned once more
                if has_learned(plans):
                    remember(self._store, plans, self._clock.now())

    async def _follow(
        self,
        journal: Journal,
        plans: list[Plan],
        revision: int,
        now_ms: int,
        ends: datetime | None,
    ) -> None:
        while not self.stopping.is_set():
            due_ms = min((plan.due for plan in plans), default=now_ms + 1000)
            at = from_ms(int(due_ms))
            if ends is not None and at > ends:
                self.stopping.set()
                return
            state = await self._pace(journal, at)
            if self.stopping.is_set():
                return
            if state is None or state.revision == revision:
                state = await self._step(journal, plans, at)
                self._archivist.steps(at, STEPS_AT_ONCE)
                now_ms = int(due_ms)
            if state.stop_requested:
                self.stopping.set()
            if state.revision != revision:
                return

    async def _step(self, journal: Journal, plans: list[Plan], at: datetime) -> CollectorState:
        """Read everything due at ``at`` and commit it together with the clock."""
        self._clock.move(at)
        at_ms = to_ms(at)
        due = [plan for plan in plans if plan.due <= at_ms]
        if due:
            await self._devices.tell_instant(at)
        buses = await asyncio.gather(*(self._read_bus(bus, at_ms) for bus in by_bus(due)))
        readings = [reading for bus in buses for reading in bus]
        self.tally.readings += len(readings)
        self.tally.commits += 1
        statuses = self._statuses(due)
        self._watch.tick(at)
        found = self._watch.take()
        return journal.commit(readings, statuses, self._beat(), at, found)

    async def _read_bus(self, plans: list[Plan], at_ms: int) -> list[Reading]:
        readings: list[Reading] = []
        for plan in plans:
            try:
                found = await plan.reader.read()
            except DeviceError as error:
                self.tally.failures += 1
                plan.failed(error)
                self._watch.failed(plan.meter.id, from_ms(at_ms), error)
            else:
                readings.extend(found)
                plan.answered(found)
                self._watch.read(plan.meter.id, found)
            plan.due = _next_on_grid(at_ms, plan.interval_ms)
        return readings

    def _statuses(self, due: list[Plan]) -> list[MeterStatus]:
        """Return statuses worth writing: changes of state, and all of them once a wall second."""
        looked = self._beat_due()
        told = [plan for plan in due if looked or plan.state is not plan.written]
        for plan in told:
            plan.written = plan.state
        return [plan.status() for plan in told]

    def _beat_due(self) -> bool:
        return self._beat_at is None or self._wall.now() - self._beat_at >= LOOK_UP

    def _beat(self) -> Beat | None:
        if not self._beat_due():
            return None
        self._beat_at = self._wall.now()
        return Beat(self._beat_at, self.tally.lateness_ms)

    async def _pace(self, journal: Journal, at: datetime) -> CollectorState | None:
        """Wait until the wall has caught up with the speed asked for; watch the stop row."""
        if self._speed is None:
            await asyncio.sleep(0)
            return None
        from_at, from_s = self._started
        due_s = from_s + (at - from_at).total_seconds() / self._speed
        loop = asyncio.get_running_loop()
        state = None
        while (wait := due_s - loop.time()) > 0 and not self.stopping.is_set():
            await _sleep(self.stopping, min(wait, 0.5))
            beat = self._beat()
            if beat is not None:
                state = journal.commit((), (), beat)
                if state.stop_requested:
                    self.stopping.set()
        return state


async def _sleep(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return


def _next_on_grid(after_ms: int, interval_ms: int) -> int:
    """Return the first multiple of the interval after an instant: the same after any restart."""
    return (after_ms // interval_ms + 1) * interval_ms
