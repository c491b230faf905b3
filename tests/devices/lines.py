"""Serial lines for the tests: pseudo-terminals with a simulated depot or a few lines of Python."""

import asyncio
import os
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pymodbus.framer import FramerRTU

from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.listening import Links
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.ports import MeterReader
from tests.devices.support import ONE, START, meter

REQUEST_SIZE = 8


def rtu(unit: int, pdu: bytes) -> bytes:
    """Return a frame with its checksum."""
    body = bytes([unit]) + pdu
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


class Slave:
    """The far end of a line: ``act`` gets each request and may write whatever it likes."""

    def __init__(self, act: Callable[["Slave", bytes], None]) -> None:
        self.requests: list[tuple[float, bytes]] = []
        self._act = act
        self._heard = b""
        self._loop = asyncio.get_running_loop()
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        self._loop.add_reader(self._ours, self._on_readable)

    def write(self, data: bytes) -> None:
        os.write(self._ours, data)

    def write_later(self, delay_s: float, data: bytes) -> None:
        self._loop.call_later(delay_s, self.write, data)

    def now(self) -> float:
        return self._loop.time()

    def _on_readable(self) -> None:
        self._heard += os.read(self._ours, 4096)
        while len(self._heard) >= REQUEST_SIZE:
            request, self._heard = self._heard[:REQUEST_SIZE], self._heard[REQUEST_SIZE:]
            self.requests.append((self.now(), request))
            self._act(self, request)

    def close(self) -> None:
        self._loop.remove_reader(self._ours)
        os.close(self._ours)
        os.close(self._theirs)


@asynccontextmanager
async def slave(act: Callable[[Slave, bytes], None]) -> AsyncIterator[Slave]:
    """Serve a line with a function of the test."""
    far = Slave(act)
    try:
        yield far
    finally:
        far.close()


@asynccontextmanager
async def line_depot(*devices: Device, baud: int | None = None) -> AsyncIterator[Depot]:
    """Serve devices on pseudo-terminals, on the wall clock."""
    depot = Depot(Scenario(devices=devices, start_at=START), links=Links(pty=True, baud=baud))
    await depot.start()
    try:
        yield depot
    finally:
        await depot.stop()


def readers_of(devices: ModbusDevices, depot: Depot) -> list[MeterReader]:
    """Return a reader for every device of a depot."""
    return [
        devices.reader(
            meter(str(row["url"]), str(row["profile"]), int(str(row["unit"])), number=number),
            ONE,
        )
        for number, row in enumerate(depot.addresses(), 1)
    ]
