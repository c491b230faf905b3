"""Reading every value of a device once, with a remark where a value can hardly be right."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evdesk.devices.connection import Connection, ExceptionAnswer, Unreachable
from evdesk.devices.decode import decode_values
from evdesk.devices.plan import Block, plan_blocks, split_block
from evdesk.devices.profiles import ENERGY, Profile, Register
from evdesk.devices.reader import NOT_SUPPORTED, quiet_of
from evdesk.devices.sunspec import find_model
from evdesk.domain.errors import DeviceError
from evdesk.ports import ProbedValue

# What a mains installation can show, by unit; voltages may also be absent (0) on unused phases.
PLAUSIBLE: dict[str, tuple[float, float]] = {
    "V": (80.0, 300.0),
    "Hz": (45.0, 65.0),
    "A": (-1_000.0, 1_000.0),
    "W": (-1_000_000.0, 1_000_000.0),
}
POWER_FACTOR = (-1.0, 1.0)
FULL_MARK = 2  # what a value with a known range counts when it lies in it


@dataclass(frozen=True, slots=True)
class _Result:
    """What a probe with one profile found, and how well it fits."""

    profile: Profile
    rows: tuple[ProbedValue, ...]
    score: int


async def probe_device(
    connection: Connection, unit: int, profiles: Sequence[Profile]
) -> tuple[ProbedValue, ...]:
    """Return every value of the profile that fits best; of several, a first row names it.

    The caller holds the connection's lock.

    Raises:
        DeviceError: nothing answers there, or nothing of any profile.

    """
    results: list[_Result] = []
    failure: DeviceError | None = None
    for profile in profiles:
        try:
            results.append(await _probe(connection, unit, profile))
        except Unreachable:
            raise
        except DeviceError as error:
            failure = failure or error
    if not results:
        raise failure or DeviceError("No profile was tried.")
    best = max(results, key=lambda result: result.score)
    if len(profiles) == 1:
        return best.rows
    found = ProbedValue("profile", 0, best.profile.info.id, "", "", f"fits best of {len(profiles)}")
    return (found, *best.rows)


async def _probe(connection: Connection, unit: int, profile: Profile) -> _Result:
    quiet = quiet_of(profile)
    shift = 0

    async def ask(block: Block) -> bytes:
        return await connection.read(unit, block, shift, quiet)

    if profile.sunspec is not None:
        shift = await find_model(profile.sunspec, ask)
    readable = [register for register in profile.registers.values() if register.readable]
    pending = deque(plan_blocks(readable, profile.pace))
    rows: list[ProbedValue] = []
    score = 0
    while pending:
        block = pending.popleft()
        try:
            answer = await ask(block)
        except ExceptionAnswer as error:
            if error.code in NOT_SUPPORTED and len(block.registers) > 1:
                pending.extendleft(reversed(split_block(block, profile.pace)))
                continue
            rows += [_refused(register, shift, error) for register in block.registers]
            score -= len(block.registers)
            continue
        for register, raw, value in decode_values(block, answer):
            row, mark = _row(register, shift, raw, value)
            rows.append(row)
            score += mark
    if all(row.value is None for row in rows):
        raise DeviceError("The device has no value of profile {profile}.", profile=profile.info.id)
    return _Result(profile, tuple(rows), score)


def _refused(register: Register, shift: int, error: ExceptionAnswer) -> ProbedValue:
    remark = f"not available (exception {error.code})"
    return ProbedValue(register.name, register.address + shift, None, register.unit, "", remark)


def _row(register: Register, shift: int, raw: bytes, value: Any) -> tuple[ProbedValue, int]:
    remark, mark = judge(register, value)
    text = None if value is None else _shown(register, value)
    unit = "Wh" if register.name == ENERGY else register.unit
    row = ProbedValue(register.name, register.address + shift, text, unit, raw.hex(" ", 2), remark)
    return row, mark


def judge(register: Register, value: Any) -> tuple[str, int]:
    """Return a remark (empty where there is nothing to say) and what it counts for a profile."""
    if value is None:
        return "no value", -1 if register.name == ENERGY else 0
    if register.enum:
        known = any(entry.raw == value for entry in register.enum)
        return ("", 1) if known else (f"{value} is not a known code", -FULL_MARK)
    is_factor = register.name.startswith("power_factor")
    limits = POWER_FACTOR if is_factor else PLAUSIBLE.get(register.unit)
    if limits is None or not isinstance(value, int | float):
        return "", 0
    low, high = limits
    if low <= value <= high or (value == 0 and register.unit == "V"):
        return "", FULL_MARK if value else 0
    return f"implausible: not within {low:g} and {high:g}", -FULL_MARK


def _shown(register: Register, value: Any) -> str:
    for entry in register.enum:
        if entry.raw == value:
            return f"{value} ({entry.label or entry.letter or 'known'})"
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return str(value)
