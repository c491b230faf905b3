"""A Modbus TCP device that holds words and answers as strictly as its profile says it does."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tests.devices.support import frame, request_of, server
from tests.devices.words import FILLER, Place

FUNCTIONS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
NO_TARGET = 11


@dataclass
class Holding:
    """What is held, the rules of the device, and every read as (unit, function, address, count)."""

    unit: int
    device: dict[str, Any]
    words: dict[Place, int] = field(default_factory=dict)
    reads: list[tuple[int, str, int, int]] = field(default_factory=list)
    refused: list[tuple[int, str, int, int]] = field(default_factory=list)

    def answer(self, unit: int, pdu: bytes) -> bytes:
        """Return the PDU that answers a request."""
        code, address, count = struct.unpack(">BHH", pdu)
        function = FUNCTIONS.get(code, "")
        read = (unit, function, address, count)
        self.reads.append(read)
        error = self._refusal(read)
        if error:
            self.refused.append(read)
            return bytes([code | 0x80, error])
        own = None if unit == self.unit else unit
        held = [self.words.get((own, function, address + at), FILLER) for at in range(count)]
        if function in {"coil", "discrete"}:
            packed = sum((word & 1) << at for at, word in enumerate(held))
            data = packed.to_bytes((count + 7) // 8, "little")
        else:
            data = struct.pack(f">{count}H", *held)
        return bytes([code, len(data)]) + data

    def _refusal(self, read: tuple[int, str, int, int]) -> int:
        unit, function, address, count = read
        own = None if unit == self.unit else unit
        if not any(place[0] == own for place in self.words):
            return NO_TARGET
        if not any(place[:2] == (own, function) for place in self.words):
            return ILLEGAL_FUNCTION
        if not 1 <= count <= self.device.get("max_registers_per_read", 125):
            return ILLEGAL_VALUE
        held = [at for at in range(count) if (own, function, address + at) in self.words]
        step = self.device.get("read_alignment", 1)
        if not held or held[0] >= step or count - 1 - held[-1] >= step:
            return ILLEGAL_ADDRESS
        gaps = [after - before - 1 for before, after in pairwise(held)]
        return ILLEGAL_ADDRESS if max(gaps, default=0) > self.device.get("bridge_gap", 0) else 0


@asynccontextmanager
async def served(holding: Holding) -> AsyncIterator[str]:
    """Serve it on a port of this machine; yields the URL."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            tid, unit, pdu = await request_of(reader)
            writer.write(frame(tid, unit, holding.answer(unit, pdu)))
            await writer.drain()

    async with server(handle) as port:
        yield f"tcp://127.0.0.1:{port}"
