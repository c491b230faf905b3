"""Finding a SunSpec meter model: the marker first, then model by model."""

import struct
from collections.abc import Awaitable, Callable

from evdesk.devices.connection import ExceptionAnswer
from evdesk.devices.plan import Block
from evdesk.devices.profiles import LAST_ADDRESS, Function, SunSpec
from evdesk.domain.errors import DeviceError

MARKER = b"SunS"
HEADER = 2  # model id and length, one register each
END_MODEL = 0xFFFF


async def find_model(sunspec: SunSpec, ask: Callable[[Block], Awaitable[bytes]]) -> int:
    """Return the address at which the first wanted model begins (its id register).

    Source: SunSpec Device Information Model Specification 1.1, sections 4 and 6.

    Raises:
        DeviceError: no marker at the usual addresses, or none of the wanted models.

    """
    for base in sunspec.base_addresses:
        try:
            if await ask(_two(base)) != MARKER:
                continue
        except ExceptionAnswer:
            continue  # nothing at this address; the next is tried
        found = await _walk(base + len(MARKER) // 2, sunspec, ask)
        if found is not None:
            return found
        raise DeviceError(
            "The device speaks SunSpec but has none of the meter models {models}.",
            models=", ".join(map(str, sunspec.model_ids)),
        )
    raise DeviceError(
        "The device has no SunSpec marker at {addresses}.",
        addresses=", ".join(map(str, sunspec.base_addresses)),
    )


async def _walk(
    address: int, sunspec: SunSpec, ask: Callable[[Block], Awaitable[bytes]]
) -> int | None:
    while address < LAST_ADDRESS - HEADER:
        model, length = struct.unpack(">HH", await ask(_two(address)))
        if model in sunspec.model_ids:
            return address
        if model == END_MODEL:
            return None
        address += HEADER + length
    return None


def _two(address: int) -> Block:
    return Block(Function.HOLDING, address, HEADER, ())
