"""Finding a SunSpec meter model: the marker first, then model by model."""

import struct
from collections.abc import Awaitable, Callable, Container, Iterable

from evdesk.devices.connection import ExceptionAnswer
from evdesk.devices.plan import Block
from evdesk.devices.profiles import LAST_ADDRESS, Function, SunSpec
from evdesk.domain.errors import DeviceError

MARKER = b"SunS"
HEADER = 2  # model id and length, one register each
END_MODEL = 0xFFFF


COMMON_MODEL = 1
COMMON_TEXTS = ((2, 16), (18, 16), (50, 16))  # maker, model, serial: offset from the id, registers

Ask = Callable[[Block], Awaitable[bytes]]


async def find_model(sunspec: SunSpec, ask: Ask) -> int:
    """Return the address at which the first wanted model begins (its id register).

    Source: SunSpec Device Information Model Specification 1.1, sections 4 and 6.

    Raises:
        DeviceError: no marker at the usual addresses, or none of the wanted models.

    """
    base = await find_marker(sunspec.base_addresses, ask)
    if base is None:
        raise DeviceError(
            "The device has no SunSpec marker at {addresses}.",
            addresses=", ".join(map(str, sunspec.base_addresses)),
        )
    found = await walk_models(base, sunspec.model_ids, ask)
    if found is None:
        raise DeviceError(
            "The device speaks SunSpec but has none of the meter models {models}.",
            models=", ".join(map(str, sunspec.model_ids)),
        )
    return found


async def find_marker(bases: Iterable[int], ask: Ask) -> int | None:
    """Return the address of the first model behind the marker; None where there is no marker."""
    for base in bases:
        try:
            if await ask(_two(base)) == MARKER:
                return base + len(MARKER) // 2
        except ExceptionAnswer:
            continue  # nothing at this address; the next is tried
    return None


async def walk_models(address: int, wanted: Container[int], ask: Ask) -> int | None:
    """Return where the first wanted model begins, from the first model on; None without one."""
    while address < LAST_ADDRESS - HEADER:
        model, length = struct.unpack(">HH", await ask(_two(address)))
        if model in wanted:
            return address
        if model == END_MODEL:
            return None
        address += HEADER + length
    return None


async def read_common(base: int, ask: Ask) -> tuple[str | None, ...]:
    """Return maker, model and serial number of the common model; None where it is silent."""
    if await walk_models(base, {COMMON_MODEL}, ask) != base:
        return (None, None, None)
    texts: list[str | None] = []
    for offset, count in COMMON_TEXTS:
        try:
            raw = await ask(Block(Function.HOLDING, base + offset, count, ()))
        except ExceptionAnswer:
            raw = b""
        text = raw.split(b"\0", 1)[0].decode("ascii", "replace").strip()
        texts.append(text if text and text.isascii() else None)
    return tuple(texts)


def _two(address: int) -> Block:
    return Block(Function.HOLDING, address, HEADER, ())
