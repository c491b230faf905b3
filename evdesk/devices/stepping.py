"""Stepped time: telling simulated depots the instant, each once however many ports it has."""

import struct
from collections.abc import Iterable

from evdesk.devices.connection import Connection, ExceptionAnswer, NoAnswer, Unreachable
from evdesk.devices.plan import Block
from evdesk.devices.profiles import Function
from evdesk.domain.errors import DeviceError

CONTROL_UNIT = 246  # every port of a simulated depot answers for it
CLOCK_ADDRESS = 0  # write: milliseconds since 1970, u64
IDENTITY_ADDRESS = 4  # read: mark and a random number, the same on every port of one depot
SILENCE_ADDRESS = 256  # plus a unit; read: 1 while that unit of this port does not answer in time
IDENTITY_MARK = b"EVDK"  # nothing else is ever told the time
CONTROL_WORDS = 4
WRITE_REGISTERS = 16

_IDENTITY = Block(Function.HOLDING, IDENTITY_ADDRESS, CONTROL_WORDS, ())


class DepotClocks:
    """Which connection belongs to which depot, and what each depot was last told."""

    def __init__(self) -> None:
        self._now_ms: int | None = None
        self._depots: dict[str, int] = {}
        self._told: dict[int, int] = {}

    async def greet(self, connection: Connection) -> None:
        """Learn which depot a fresh connection leads to, and tell it the time if it is behind.

        Raises:
            DeviceError: what answers there is no simulated depot in stepped time.

        """
        try:
            request = struct.pack(">BHH", _IDENTITY.function, _IDENTITY.address, _IDENTITY.count)
            answer = await connection.exchange(CONTROL_UNIT, request)
        except (ExceptionAnswer, NoAnswer) as error:
            raise _no_depot(connection) from error
        if len(answer) != 2 + 2 * CONTROL_WORDS or not answer[2:].startswith(IDENTITY_MARK):
            raise _no_depot(connection)
        depot = int.from_bytes(answer[2:], "big")
        self._depots[connection.address.bus] = depot
        if self._now_ms is not None and self._told.get(depot) != self._now_ms:
            await self._tell(connection, depot, self._now_ms)

    async def is_silent(self, connection: Connection, unit: int) -> bool:
        """Ask the depot whether a unit of this port would leave a request unanswered now."""
        request = struct.pack(">BHH", Function.HOLDING, SILENCE_ADDRESS + unit, 1)
        answer = await connection.exchange(CONTROL_UNIT, request)
        return any(answer[2:])

    async def tell(self, at_ms: int, connections: Iterable[Connection]) -> None:
        """Tell every depot behind these connections the instant; what is dead is left out."""
        self._now_ms = at_ms
        for connection in connections:
            depot = self._depots.get(connection.address.bus)
            if connection.is_open and depot is not None and self._told.get(depot) == at_ms:
                continue
            async with connection.lock:
                try:
                    await connection.open()
                    depot = self._depots[connection.address.bus]
                    if self._told.get(depot) != at_ms:
                        await self._tell(connection, depot, at_ms)
                except DeviceError:
                    continue  # the read of the device behind it says what happened

    async def _tell(self, connection: Connection, depot: int, at_ms: int) -> None:
        request = struct.pack(
            ">BHHBQ", WRITE_REGISTERS, CLOCK_ADDRESS, CONTROL_WORDS, 2 * CONTROL_WORDS, at_ms
        )
        try:
            await connection.exchange(CONTROL_UNIT, request)
        except ExceptionAnswer as error:
            raise _no_depot(connection) from error
        self._told[depot] = at_ms


def _no_depot(connection: Connection) -> DeviceError:
    connection.drop()
    return Unreachable(
        "{place} is no simulated depot in stepped time; a demo site reads nothing else."
        " Start one with: evdesk simulate SCENARIO.toml --stepped",
        place=connection.address.place,
    )
