"""From register words to values: exact for energy, rounded for what is only shown.

Energy is floored to whole Wh once. Integer counters are multiplied by their exact scale; a
floating-point counter is taken at its exact binary value, so that a register displayed as 1000.001
kWh, whose nearest 32-bit float is 1000.0009766, counts as 1000000 Wh. What a device marks as
missing, a NaN, an infinity or a negative counter is None.
"""

import math
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from evdesk.devices.compound import compound
from evdesk.devices.plan import Block
from evdesk.devices.profiles import (
    ENERGY,
    POWER,
    SIZED,
    STATE,
    WH_PER_UNIT,
    EnumValue,
    Profile,
    Register,
)
from evdesk.devices.raw import (
    BEYOND_WH,
    CODES,
    DIGITS,
    all_ones,
    in_order,
    missing_values,
    own_words,
    text_of,
)
from evdesk.domain.readings import MeterId, PilotState, Reading

Converter = Callable[[Any], Any]
Finish = Callable[[list[Any], PilotState | None], None]
CHARGING = frozenset({PilotState.C, PilotState.D})

SLOTS = (
    *(STATE, "pointed at", ENERGY, POWER),
    *(f"{kind}_l{phase}" for kind in ("current", "voltage") for phase in "123"),
)


@dataclass(frozen=True, slots=True)
class BlockDecoder:
    """Takes the values out of one answer and puts each into its slot.

    Compound values may lie across others and are cut out one by one. ``carried`` are registers that
    the answer holds beside them.
    """

    block: Block
    unpack: Callable[[bytes], tuple[Any, ...]]
    steps: tuple[tuple[int, Converter], ...]
    compounds: tuple[tuple[int, slice, Converter], ...]
    energy: Register | None
    carried: tuple[Register, ...] = ()

    def into(self, slots: list[Any], data: bytes) -> None:
        """Decode an answer of exactly ``2 × count`` bytes."""
        for (slot, convert), raw in zip(self.steps, self.unpack(data), strict=True):
            slots[slot] = convert(raw)
        for slot, where, convert in self.compounds:
            slots[slot] = convert(data[where])

    def energy_words(self, data: bytes) -> bytes:
        """Return the words behind the energy of an answer that holds it."""
        return (
            b""
            if self.energy is None
            else own_words(self.energy, data[self.block.bytes_of(self.energy)])
        )


@dataclass(frozen=True, slots=True)
class ReadingDecoder:
    """Makes readings of one profile; blocks are compiled once with :meth:`compile`.

    ``letters`` are the pilot states by raw state; of states in ``pointing`` another register says
    it, by ``other_letters``. ``finish`` corrects the slots where a device needs it.
    """

    letters: Mapping[int | str, PilotState | None]
    pointing: frozenset[int | str]
    other_letters: Mapping[int | str, PilotState | None]
    slots: Mapping[str, int]
    converters: Mapping[str, Converter]
    finish: Finish | None = None

    def compile(self, block: Block) -> BlockDecoder:
        """Return the decoder of one request."""
        single = [r for r in block.registers if not r.is_compound]
        return BlockDecoder(
            block=block,
            unpack=struct.Struct(_format(block, single)).unpack,
            steps=tuple((self.slots[r.name], self.converters[r.name]) for r in single),
            compounds=tuple(
                (self.slots[r.name], block.bytes_of(r), self.converters[r.name])
                for r in block.registers
                if r.is_compound
            ),
            energy=next((r for r in block.registers if r.name == ENERGY), None),
        )

    def reading(
        self, meter: MeterId, at: datetime, slots: list[Any], raw: bytes, socket: int = 1
    ) -> Reading:
        """Return the reading of what was put into the slots."""
        state = slots[0]
        if state in self.pointing:
            pilot = self.other_letters.get(slots[1])
        else:
            pilot = self.letters.get(state)
        if self.finish is not None:
            self.finish(slots, pilot)
        return Reading(
            meter,
            socket,
            at,
            slots[2],
            raw,
            slots[3],
            (slots[4], slots[5], slots[6]),
            (slots[7], slots[8], slots[9]),
            pilot,
        )


def reading_decoder(profile: Profile, phases: str = "123") -> ReadingDecoder:
    """Return what makes readings of a profile, for a device with these phases connected."""
    slots = {name: index for index, name in enumerate(SLOTS)}
    state = profile.registers.get(STATE)
    values = state.enum if state else ()
    pointed = next((value.by for value in values if value.by is not None), None)
    other: tuple[EnumValue, ...] = ()
    if pointed is not None:
        slots[pointed] = slots["pointed at"]
        other = profile.registers[pointed].enum
    registers = {name: r for name, r in profile.registers.items() if name in slots}
    return ReadingDecoder(
        letters={value.raw: value.letter for value in values},
        pointing=frozenset(value.raw for value in values if value.by is not None),
        other_letters={value.raw: value.letter for value in other},
        slots=slots,
        converters={name: converter(register) for name, register in registers.items()},
        finish=_finish(profile, phases),
    )


def _finish(profile: Profile, phases: str) -> Finish | None:
    """Return what a device needs whose currents freeze, or whose power is volts times amps."""
    if not (profile.freezes or profile.derives_power):
        return None
    power = SLOTS.index(POWER)
    pairs = [(SLOTS.index(f"current_l{n}"), SLOTS.index(f"voltage_l{n}")) for n in phases]

    def finish(slots: list[Any], pilot: PilotState | None) -> None:
        if profile.freezes and pilot not in CHARGING:
            still = 0.0 if pilot in {PilotState.A, PilotState.B} else None
            for amps, _ in pairs:
                slots[amps] = still
        if profile.derives_power:
            products = [_times(slots[amps], slots[volts]) for amps, volts in pairs]
            known = [watts for watts in products if watts is not None]
            slots[power] = round(sum(known), DIGITS["W"]) if len(known) == len(pairs) else None

    return finish


def _times(amps: float | None, volts: float | None) -> float | None:
    if amps == 0.0:  # nothing flows, whatever the voltage
        return 0.0
    return None if amps is None or volts is None else amps * volts


def _format(block: Block, registers: Iterable[Register]) -> str:
    """Return the struct format of an answer; what nobody wants is padding."""
    parts = [">"]
    at = block.address
    for register in registers:
        parts.append(f"{2 * (register.address - at)}x{_code(register)}")
        at = register.end
    parts.append(f"{2 * (block.address + block.count - at)}x")
    return "".join(parts)


def _plain(register: Register) -> bool:
    """Say whether struct reads it as it comes: most significant word and byte first."""
    in_place = not (register.little_words or register.little_bytes or register.is_compound)
    return in_place and register.type not in SIZED


def _code(register: Register) -> str:
    return CODES[register.type] if _plain(register) else f"{2 * register.length}s"


def converter(register: Register) -> Converter:
    """Return what turns the unpacked raw value of a register into its value, or None."""
    if register.type in SIZED:
        return partial(text_of, register) if register.type == "string" else bytes.hex
    if register.is_compound:
        return compound(register)
    if register.name == ENERGY:
        convert = _energy_float(register) if register.is_float else _energy_int(register)
    elif register.is_float:
        convert = _number_float(register)
    elif register.enum or register.type == "bool" or (register.mask and not register.unit):
        convert = _code_value(register)
    else:
        convert = _number_int(register)
    return convert if _plain(register) else _reordered(register, convert)


def _reordered(register: Register, convert: Converter) -> Converter:
    unpack = struct.Struct(">" + CODES[register.type]).unpack

    def reordered(raw: bytes) -> Any:
        return convert(unpack(in_order(register, raw))[0])

    def two_words_swapped(raw: bytes) -> Any:  # the usual case, on the way of every reading
        return convert(unpack(raw[2:] + raw[:2])[0])

    usual = register.length == 2 and register.little_words and not register.little_bytes  # noqa: PLR2004
    return two_words_swapped if usual else reordered


def _number_float(register: Register) -> Converter:
    factor, digits = float(register.scale), DIGITS.get(register.unit, 6)
    missing = missing_values(register)

    def number(raw: float) -> float | None:
        if raw in missing or not math.isfinite(raw):
            return None
        return round(raw * factor, digits)

    return number


def _number_int(register: Register) -> Converter:
    over, under = register.scale.numerator, register.scale.denominator
    digits, missing = DIGITS.get(register.unit, 6), missing_values(register)

    def number(raw: int) -> float | None:
        return None if raw in missing else round(raw * over / under, digits)

    def coarse(raw: int) -> float | None:  # the register is no finer than what is kept
        return None if raw in missing else raw * over / under

    convert = number if (register.scale * 10**digits).denominator > 1 else coarse
    return convert if register.mask is None else _masked(register.mask, convert)


def _masked(mask: int, convert: Converter) -> Converter:
    shift = (mask & -mask).bit_length() - 1
    return lambda raw: convert((raw & mask) >> shift)


def _code_value(register: Register) -> Converter:
    mask = register.mask if register.mask is not None else (1 << 16 * register.length) - 1
    shift = (mask & -mask).bit_length() - 1
    missing = missing_values(register)

    def code(raw: int) -> int | None:
        return None if raw in missing else (raw & mask) >> shift

    return code


def _energy_int(register: Register) -> Converter:
    scale = register.scale * WH_PER_UNIT[register.unit]
    over, under = scale.numerator, scale.denominator
    missing = missing_values(register) | all_ones(register)

    def energy(raw: int) -> int | None:
        if raw in missing or raw < 0:
            return None
        wh = raw * over // under
        return wh if wh < BEYOND_WH else None

    return energy


def _energy_float(register: Register) -> Converter:
    scale = register.scale * WH_PER_UNIT[register.unit]
    over, under, missing = scale.numerator, scale.denominator, missing_values(register)

    def energy(raw: float) -> int | None:
        if raw in missing or not math.isfinite(raw) or raw < 0:
            return None
        above, below = raw.as_integer_ratio()
        wh = above * over // (below * under)
        return wh if wh < BEYOND_WH else None

    return energy


def value_of(register: Register, raw: bytes) -> Any:
    """Return the value of a register from its words, or None."""
    (unpacked,) = struct.unpack(">" + _code(register), raw)
    return converter(register)(unpacked)


def decode_values(block: Block, data: bytes) -> Iterable[tuple[Register, bytes, Any]]:
    """Return each register of an answer with its words as they came and its value or None."""
    for register in block.registers:
        raw = data[block.bytes_of(register)]
        yield register, own_words(register, raw), value_of(register, raw)
