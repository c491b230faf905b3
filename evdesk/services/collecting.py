"""The collector: polls every bus, stores first, never loses a reading that was taken."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from evdesk.domain.errors import DeviceError, StorageError
from evdesk.domain.meters import MeterStatus
from evdesk.domain.readings import Reading
from evdesk.ports import Clock, CollectorState, Computer, Devices, Store
from evdesk.services.journaling import NEVER, Beat, Journal
from evdesk.services.polling import Plan, by_bus, make_plans, reaches
from evdesk.services.queueing import BusQueue, spread
from evdesk.services.remembering import has_learned, remember
from evdesk.services.sealing import Archivist
from evdesk.services.watching import Watchman
from evdesk.settings import JOURNAL

LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Tally:
    """What a run of the collector did."""

    readings: int = 0
    failures: int = 0
    commits: int = 0
    lateness_ms: int = 0


class Collector:
    """Runs on the wall clock: one task per bus, one writer.

    ``clock`` stamps readings, ``elapsed_s`` counts seconds that nobody can set; ``stopping`` ends
    the run at the next commit; ``rested`` is called when all readings of an hour are sealed.
    """

    def __init__(
        self,
        store: Store,
        devices: Devices,
        clock: Clock,
        elapsed_s: Callable[[], float] = time.monotonic,
        computer: Computer | None = None,
        rested: Callable[[], None] = lambda: None,
    ) -> None:
        self._store, self._devices, self._clock = store, devices, clock
        self._elapsed_s, self._computer = elapsed_s, computer
        self.stopping = asyncio.Event()
        self.tally = Tally()
        self._buffer: list[Reading] = []
        self._room = asyncio.Event()
        self._room.set()
        self._writer = ThreadPoolExecutor(1, "journal")
        self._archivist = Archivist(store, rested=rested)
        self._revision = 0
        self._told_at = 0.0

    async def run(self, seconds: float | None = None) -> Tally:
        """Collect until stopped, or for so many seconds."""
        loop = asyncio.get_running_loop()
        ends = None if seconds is None else loop.time() + seconds
        try:
            while not self.stopping.is_set():
                await self._run_once(ends)
        finally:
            await self._devices.close()
            self._writer.shutdown()
        return self.tally

    async def _run_once(self, ends: float | None) -> None:
        """Run with the devices as they are now, until they change."""
        with self._store.read() as unit:  # first: what changes from here on is taken in next time
            self._revision = unit.collector.state().revision
        plans = make_plans(self._store, self._devices, self._clock.now())
        journal = Journal(self._store, reaches(plans, self._devices))
        if not journal.settled():
            self._revision = NEVER  # as if something had changed: the next commit tries it again
        spread(plans, asyncio.get_running_loop().time())
        self._watch = Watchman(
            self._store, plans, self._devices, self._clock, self._elapsed_s, self._computer
        )
        serving = [self._serve(bus) for bus in by_bus(plans)]
        if self._computer is not None:
            serving.append(self._watch.attend())
        tasks = [asyncio.create_task(each) for each in serving]
        try:
            await self._write_until(journal, plans, tasks, ends)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._drain(journal, plans)

    # -- reading --------------------------------------------------------------------------------

    async def _serve(self, plans: list[Plan]) -> None:
        """Read the devices of one bus for ever, the one due first, never two at a time."""
        loop = asyncio.get_running_loop()
        queue = BusQueue(plans)
        while True:
            plan = queue.next()
            await asyncio.sleep(plan.due - loop.time())
            await self._room.wait()
            began_s = loop.time()
            await self._read(plan)
            late_s = queue.done(plan, began_s, loop.time())
            self.tally.lateness_ms = max(self.tally.lateness_ms, round(late_s * 1000))

    async def _read(self, plan: Plan) -> None:
        try:
            readings = await plan.reader.read()
        except DeviceError as error:
            if plan.failures == 0:
                LOG.info("%s: %s", plan.meter.name, error)
            self.tally.failures += 1
            plan.failed(error)
            self._watch.failed(plan.meter.id, self._clock.now(), error)
            return
        stamped = plan.stamped(readings, self._clock.now(), self._elapsed_s())
        self._buffer.extend(stamped)
        self.tally.readings += len(stamped)
        plan.answered(stamped)
        self._watch.read(plan.meter.id, stamped)

    # -- writing --------------------------------------------------------------------------------

    async def _write_until(
        self,
        journal: Journal,
        plans: list[Plan],
        tasks: Sequence[asyncio.Task[None]],
        ends: float | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        while not self.stopping.is_set():
            await self._wait(JOURNAL.commit_every_s)
            _raise_bugs(tasks)
            state = await self._flush(journal, plans)
            if state is not None:
                await loop.run_in_executor(self._writer, self._archivist.step, self._clock.now())
            if state is not None and state.stop_requested:
                self.stopping.set()
            if ends is not None and loop.time() >= ends:
                self.stopping.set()
            if state is not None and state.revision != self._revision:
                return

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _flush(self, journal: Journal, plans: list[Plan]) -> CollectorState | None:
        """Commit what was read; on failure keep it for the next try and pause when it is old."""
        taken, self._buffer = self._buffer, []
        statuses = self._statuses(plans)
        beat = Beat(self._clock.now(), self.tally.lateness_ms)
        self._watch.tick(beat.at)
        found = self._watch.take()
        loop = asyncio.get_running_loop()
        commit = partial(journal.commit, taken, statuses, beat, findings=found)
        try:
            state = await loop.run_in_executor(self._writer, commit)
        except StorageError as error:
            self._buffer = taken + self._buffer
            self._watch.put_back(found)
            self._keep_back(error)
            return None
        self.tally.commits += 1
        self._room.set()
        for plan, status in _pairs(plans, statuses):
            plan.written = status.state
        await self._remember(plans)
        return state

    async def _remember(self, plans: list[Plan]) -> None:
        """Keep what was learned of devices; a busy database is tried again with the next commit."""
        if has_learned(plans):
            learned = partial(remember, self._store, plans, self._clock.now())
            with suppress(StorageError):
                await asyncio.get_running_loop().run_in_executor(self._writer, learned)

    def _statuses(self, plans: list[Plan]) -> list[MeterStatus]:
        """Return statuses worth writing: a change of state at once, counts every few seconds."""
        now = asyncio.get_running_loop().time()
        all_due = now - self._told_at >= JOURNAL.status_every_s
        if all_due:
            self._told_at = now
        return [plan.status() for plan in plans if all_due or plan.state is not plan.written]

    async def _drain(self, journal: Journal, plans: list[Plan]) -> None:
        """Commit what is left; a busy database is tried for as long as readings may wait."""
        for _ in range(round(JOURNAL.buffer_s / JOURNAL.commit_every_s)):
            if await self._flush(journal, plans) is not None:
                return
            await asyncio.sleep(JOURNAL.commit_every_s)

    def _keep_back(self, error: StorageError) -> None:
        oldest = self._buffer[0].at if self._buffer else self._clock.now()
        late = self._clock.now() - oldest
        LOG.warning("%s %d readings are kept in memory.", error, len(self._buffer))
        self.tally.lateness_ms = max(self.tally.lateness_ms, late // timedelta(milliseconds=1))
        if late > timedelta(seconds=JOURNAL.buffer_s):
            self._room.clear()  # energy is a register difference: pausing loses no Wh


def _pairs(
    plans: Sequence[Plan], statuses: Sequence[MeterStatus]
) -> list[tuple[Plan, MeterStatus]]:
    written = {status.meter_id: status for status in statuses}
    return [(plan, written[plan.meter.id]) for plan in plans if plan.meter.id in written]


def _raise_bugs(tasks: Sequence[asyncio.Task[None]]) -> None:
    """A task of a bus never ends by itself: raise what ended it."""
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()
