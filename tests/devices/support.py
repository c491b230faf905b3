"""Clocks, meters, served depots and servers that misbehave, for the tests of the devices."""

import asyncio
import shutil
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.meters import Meter, MeterRole
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import MeterReader
from evdesk.settings import POLLING, Polling, shipped

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
METERS = shipped("resources") / "meters"
PROFILES = sorted(path.stem for path in METERS.glob("*.toml"))
ONE = frozenset({1})


class SetClock:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def meter(
    url: str,
    profile: str,
    unit: int = 1,
    phases: str = "123",
    number: int = 1,
    choices: Mapping[str, str] | None = None,
) -> Meter:
    return Meter(
        id=MeterId(number),
        name=f"meter {number}",
        profile=profile,
        url=url,
        unit=unit,
        phases=phases,
        serial=None,
        interval_ms=None,
        role=MeterRole.STATION,
        created_at=START,
        choices=choices or {},
    )


class Site:
    """A stepped depot with readers on it."""

    def __init__(self, depot: Depot, devices: ModbusDevices, clock: SetClock) -> None:
        self.depot, self.devices, self.clock = depot, devices, clock
        self.urls = [str(row["url"]) for row in depot.addresses()]
        self.readers: list[MeterReader] = [
            devices.reader(
                meter(
                    str(row["url"]),
                    str(row["profile"]),
                    int(str(row["unit"])),
                    str(row["phases"]),
                    number + 1,
                ),
                ONE,
            )
            for number, row in enumerate(depot.addresses())
        ]

    async def read(self, seconds: float, index: int = 0) -> Reading:
        """Return the reading of a device at so many seconds after the start."""
        self.clock.at = START + timedelta(seconds=seconds)
        await self.devices.tell_instant(self.clock.at)
        (reading,) = await self.readers[index].read()
        return reading


@asynccontextmanager
async def stepped_site(
    *devices: Device,
    profiles_dir: Path | None = None,
    served_dir: Path | None = None,
    repeat_ms: int | None = None,
) -> AsyncIterator[Site]:
    """Serve devices in stepped time; ``served_dir`` gives the depot other profiles."""
    scenario = Scenario(devices=devices, start_at=START, repeat_ms=repeat_ms)
    depot = Depot(scenario, stepped=True, profiles_dir=served_dir or profiles_dir)
    clock = SetClock()
    reading = ModbusDevices(clock, stepped=True, profiles_dir=profiles_dir)
    await depot.start()
    try:
        yield Site(depot, reading, clock)
    finally:
        await reading.close()
        await depot.stop()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def wall_devices(
    profiles_dir: Path | None = None, polling: Polling = POLLING
) -> AsyncIterator[ModbusDevices]:
    devices = ModbusDevices(WallClock(), stepped=False, profiles_dir=profiles_dir, polling=polling)
    try:
        yield devices
    finally:
        await devices.close()
        await asyncio.sleep(0.01)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handle: Handler) -> AsyncIterator[int]:
    """Serve connections with a function of the test; yields the port."""
    writers: list[asyncio.StreamWriter] = []
    tasks: list[asyncio.Task[None]] = []

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        task = asyncio.current_task()
        assert task is not None
        tasks.append(task)
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)


async def request_of(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Return transaction, unit and PDU of the next request."""
    head = await reader.readexactly(7)
    tid, _, length, unit = struct.unpack(">HHHB", head)
    return tid, unit, await reader.readexactly(length - 1)


def frame(tid: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", tid, 0, len(pdu) + 1, unit) + pdu


def words(function: int, *values: int) -> bytes:
    """Return the PDU of a register answer."""
    return struct.pack(f">BB{len(values)}H", function, 2 * len(values), *values)


def edited_profile(folder: Path, profile: str, *changes: tuple[str, str]) -> Path:
    """Copy one shipped profile into a folder with some text replaced; return its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{profile}.toml"
    shutil.copy(METERS / path.name, path)
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return path
