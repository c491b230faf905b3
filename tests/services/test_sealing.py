"""Collectors seal the hours that are over while they go on reading."""

import asyncio
import shutil
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from evdesk.domain.device_memory import Refusal
from evdesk.domain.meters import Meter, Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.domain.secrets import Secret
from evdesk.ports import Clock, Decided, MeterReader, SessionFilter
from evdesk.services.collecting import Collector
from evdesk.services.journaling import Journal, Reach
from evdesk.services.sealing import Archivist
from evdesk.services.stepping import SteppedClock, SteppedCollector
from tests.fakes.clock import START, SetClock
from tests.fakes.devices import FakeDevices
from tests.services.desk import Desk, open_desk

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
LONGEST_STEP_S = 0.25


@dataclass
class ClockReader:
    """Implements ``ports.MeterReader``: a register that counts its reads."""

    meter: Meter
    clock: Clock
    bus: str = "tcp://127.0.0.1:502"
    cycle_ms: int = 1
    requests: int = 0
    errors: int = 0
    refusals: frozenset[Refusal] = frozenset()
    decided: tuple[Decided, ...] = ()

    async def read(self) -> tuple[Reading, ...]:
        self.requests += 1
        return (Reading(self.meter.id, 1, self.clock.now(), 1_000 + self.requests),)


@dataclass
class ClockDevices(FakeDevices):
    """Devices that answer at once."""

    clock: Clock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        super().__init__()

    def reader(
        self, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal] = frozenset()
    ) -> MeterReader:
        return ClockReader(meter, self.clock)


class RealClock:
    """A clock that shows real time, from an instant on."""

    def __init__(self, at: datetime) -> None:
        self.at, self.began_s = at, time.monotonic()

    def now(self) -> datetime:
        return self.at + timedelta(seconds=time.monotonic() - self.began_s)


def past_hours(meters: int, hours: int = 1, every_s: int = 2) -> list[Reading]:
    return [
        Reading(MeterId(meter), 1, START + timedelta(seconds=s), s, b"\0\1", s % 977 / 10)
        for s in range(0, hours * 3600, every_s)
        for meter in range(1, meters + 1)
    ]


def journal(desk: Desk, readings: list[Reading]) -> None:
    with desk.store.journal() as unit:
        unit.readings.add(readings)


def test_stepped_time_seals_as_it_goes(desk: Desk) -> None:
    for name in ("bay1", "bay2"):
        desk.add_meter(name)
        desk.meters.set_interval(name, 60_000)
    clock = SteppedClock(START)
    devices = ClockDevices(clock)
    collector = SteppedCollector(desk.store, devices, clock, SetClock(), speed=None)
    asyncio.run(collector.run(3 * 3600 + 600))
    with desk.store.read() as unit:
        assert unit.archive.state().sealed_until == START + 3 * HOUR
        assert (unit.readings.count(), unit.readings.sealed()) == (2 * 190, 2 * 179)
        found = list(unit.readings.between(Source(MeterId(1)), START, START + 4 * HOUR))
        sealed = [one for one in unit.audit.entries(99) if one.action == "readings.sealed"]
    assert [one.at for one in found] == [START + n * MINUTE for n in range(1, 191)]
    assert [one.import_wh for one in found] == [1_000 + n for n in range(1, 191)]
    assert len(sealed) == 3


def test_a_collector_seals_between_its_commits_and_goes_on_reading(desk: Desk) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 200)
    journal(desk, past_hours(1))
    clock = RealClock(START + 2 * HOUR)
    tally = asyncio.run(Collector(desk.store, ClockDevices(clock), clock).run(4))
    with desk.store.read() as unit:
        assert unit.readings.sealed() == 1_800
        assert unit.readings.count() == 1_800 + tally.readings
    assert tally.readings >= 10


def test_no_step_takes_long_however_many_meters_there_are(desk: Desk) -> None:
    for number in range(20):
        desk.add_meter(f"bay{number}")
    journal(desk, past_hours(20, every_s=4))
    archivist, worked_s = Archivist(desk.store), []
    more = True
    while more:
        began = time.thread_time()
        more = archivist.step(START + 2 * HOUR)
        worked_s.append(time.thread_time() - began)
    assert len(worked_s) > 8
    assert max(worked_s[1:]) < LONGEST_STEP_S  # the first one imports numpy


def charge(desk: Desk, seal: bool) -> tuple[int | None, int, frozenset[str]]:
    """Charge for two hours, begin anew after a silence of the program, unplug; return the session.

    The second beginning replays what came after the last snapshot: from rows or from what was
    sealed meanwhile.
    """
    reach = {MeterId(1): Reach(1_000, 1)}
    plugged = [
        Reading(MeterId(1), 1, START + timedelta(seconds=s), 5_000 + 2 * s, b"", 7_200.0 + s % 7,
                pilot=PilotState.B if s < 30 else PilotState.C)
        for s in range(2 * 3600 - 3)
    ]  # fmt: skip
    first = Journal(desk.store, reach)
    first.commit([Reading(MeterId(1), 1, START - MINUTE, 5_000, b"", 0.0, pilot=PilotState.A)])
    for begin in range(0, len(plugged), 60):
        first.commit(plugged[begin : begin + 60])
    if seal:
        archivist = Archivist(desk.store)
        while archivist.step(START + 4 * HOUR):
            pass
        with desk.store.read() as unit:
            assert unit.readings.sealed() == unit.readings.count()
    again = Journal(desk.store, reach)
    unplugged = START + 2 * HOUR
    again.commit(
        [
            Reading(MeterId(1), 1, unplugged + timedelta(seconds=s), 19_400, b"", 0.0,
                    pilot=PilotState.A)
            for s in range(5)
        ]
    )  # fmt: skip
    with desk.store.read() as unit:
        (session,) = unit.sessions.find(SessionFilter())
    figures = session.figures
    return figures.energy_wh, figures.charging_ms, frozenset(figures.flags)


def test_an_open_session_goes_on_from_what_was_sealed_meanwhile(
    desk: Desk, tmp_path: Path, new_site: tuple[Path, Secret]
) -> None:
    other = open_desk(Path(shutil.copytree(new_site[0], tmp_path / "other")), new_site[1])
    with closing(other.store):
        for each in (desk, other):
            each.add_meter()
        energy_wh, *rest = charge(desk, seal=True)
        assert energy_wh == 14_392  # to the last register before the silence, which no snapshot has
        assert (energy_wh, *rest) == charge(other, seal=False)


def test_a_clock_set_back_does_not_put_sealing_off(desk: Desk) -> None:
    desk.add_meter()
    archivist = Archivist(desk.store)
    assert not archivist.step(START + timedelta(days=4_000))
    journal(desk, past_hours(1))
    while archivist.step(START + 2 * HOUR):
        pass
    with desk.store.read() as unit:
        assert unit.readings.sealed() == 1_800


def test_between_two_hours_nothing_is_asked_of_the_database(desk: Desk) -> None:
    desk.add_meter()
    archivist = Archivist(desk.store)
    assert not archivist.step(START + 5 * MINUTE)
    journal(desk, past_hours(1))
    desk.store.close()
    assert not archivist.step(START + 50 * MINUTE)
