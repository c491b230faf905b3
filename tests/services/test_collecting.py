"""The collector on a wall clock that somebody sets back."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from evdesk.domain.corrections import Decision, DecisionKind
from evdesk.domain.device_memory import Refusal
from evdesk.domain.meters import Meter, Source
from evdesk.domain.readings import Reading
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import SessionState
from evdesk.domain.site import Actor
from evdesk.ports import Decided, MeterReader
from evdesk.services.collecting import Collector
from evdesk.storage.site_folder import open_store
from tests.fakes.clock import START, SetClock
from tests.fakes.devices import FakeDevices
from tests.services.desk import Desk

HOUR = timedelta(hours=1)


@dataclass
class SetBackReader:
    """Implements ``ports.MeterReader``: after a few reads, the clock is an hour behind."""

    meter: Meter
    clock: SetClock
    reads_before: int
    bus: str = "tcp://127.0.0.1:502"
    cycle_ms: int = 1
    requests: int = 0
    errors: int = 0
    refusals: frozenset[Refusal] = frozenset()
    decided: tuple[Decided, ...] = ()

    async def read(self) -> tuple[Reading, ...]:
        self.clock.at += timedelta(seconds=1)
        if self.requests == self.reads_before:
            self.clock.at -= HOUR
        self.requests += 1
        return (Reading(self.meter.id, 1, self.clock.at, 1_000 + self.requests),)


@dataclass
class SetBackDevices(FakeDevices):
    """A device whose reads move the clock."""

    clock: SetClock = field(default_factory=SetClock)
    reads_before: int = 4

    def __post_init__(self) -> None:
        super().__init__()

    def reader(
        self, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal] = frozenset()
    ) -> MeterReader:
        return SetBackReader(meter, self.clock, self.reads_before)


@pytest.fixture
def impatient(folder: Path, new_site: tuple[Path, Secret]) -> Iterator[Desk]:
    """The same site, opened by somebody who does not wait for a busy database."""
    store = open_store(folder, new_site[1], Actor("collector"), SetClock(), busy_timeout_ms=50)
    yield Desk(store)
    store.close()


def collect(desk: Desk, clock: SetClock, reads_before: int) -> list[Reading]:
    devices = SetBackDevices(clock, reads_before)
    asyncio.run(Collector(desk.store, devices, clock).run(1.5))
    with desk.store.read() as unit:
        (meter,) = unit.meters.all()
        return list(unit.readings.between(Source(meter.id), START - 9 * HOUR, START + HOUR))


def test_instants_only_rise_while_the_clock_is_behind(desk: Desk) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 200)
    found = collect(desk, SetClock(), 4)
    assert len(found) > 5
    assert [one.import_wh for one in found] == [1_001 + n for n in range(len(found))]
    steps = [later.at - earlier.at for earlier, later in pairwise(found[3:])]
    assert min(steps) > timedelta()
    mean = sum(steps, timedelta()) / len(steps)  # half of what has really elapsed: about 100 ms
    assert mean > timedelta(milliseconds=50)


def test_a_collector_that_starts_while_the_clock_is_behind_goes_on_after_the_last_reading(
    desk: Desk,
) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 200)
    clock = SetClock()
    first = collect(desk, clock, 4)
    found = collect(desk, clock, -1)
    assert len(found) > len(first) + 3
    assert found[: len(first)] == first


def test_what_was_decided_is_taken_in_once_a_busy_database_allows_it(
    desk: Desk,
    impatient: Desk,
    caplog: pytest.LogCaptureFixture,
    expected_log: Callable[[str], None],
) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 200)
    session = desk.charge(None, None)
    with desk.store.journal() as unit:
        unit.decisions.add(session, Decision(DecisionKind.ENDED, START, "A-1", "burnt down"))
    devices = SetBackDevices(SetClock(), -1)
    collector = threading.Thread(
        target=lambda: asyncio.run(Collector(impatient.store, devices, devices.clock).run(2))
    )
    with desk.store.write():
        collector.start()
        while "What people decided is taken in later" not in caplog.text:
            time.sleep(0.02)
    collector.join()
    expected_log("kept the database busy for 0.05 s")
    assert desk.sessions.detail(session).session.state is SessionState.REVIEW
