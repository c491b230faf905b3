"""From measured values to register words.

Written apart from the decoder and sharing nothing with it, so that one checks the other.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from evdesk.devices.profiles import (
    ENERGY,
    STATE,
    WH_PER_UNIT,
    Function,
    Pace,
    Profile,
    Register,
    SunSpec,
)
from evdesk.devices.simulator.device import Snapshot
from evdesk.devices.simulator.loads import UNITS_PER_WH
from evdesk.devices.simulator.words import (
    float_words,
    int_words,
    letters,
    missing_words,
    packer,
    swapped,
)
from evdesk.domain.readings import PilotState

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
COMMON_MODEL = 1
COMMON_LENGTH = 66
METERS = {211: (211, 213, 124), 201: (201, 203, 105)}  # one phase, three phases, length
END_MODEL = 0xFFFF
CABLE_A = 20  # what a cable is coded for
MS_PER_S = 1_000

# What a device says of itself and of values that do not move here, in the register's unit.
STANDING = {
    "frequency": 50.0,
    "temperature": 24.5,
    "board_temperature": 24.5,
    "max_current": 16.0,
    "max_current_hardware": 16.0,
    "min_current_hardware": 6.0,
    "current_limit": 16.0,
    "failsafe_timeout": 15.0,
    "external_lock": 1.0,
    "modbus_map_version": 264.0,
}

# The powers of ten a device with scale registers gives, by unit.
EXPONENTS = {"A": -2, "V": -1, "Hz": -2, "W": 0, "VA": 0, "var": 0, "": -1, "kWh": 0, "Wh": 0}

Value = Callable[[Snapshot], float]
Encode = Callable[[Snapshot], bytes]


@dataclass(frozen=True, slots=True)
class Span:
    """A range of registers that may be read together, and where each value goes in the answer."""

    size: int
    fixed: tuple[tuple[int, bytes], ...]
    moving: tuple[tuple[int, Encode], ...]
    energy: slice | None


class Encoder:
    """Answers reads of one device as its profile says."""

    def __init__(
        self, profile: Profile, phases: str, socket: int = 1, unit_id: int | None = None
    ) -> None:
        self._profile = profile
        self._socket_shift = profile.stride * (socket - 1)
        self._spans: dict[tuple[int, int, int], Span | int] = {}
        self._shift = 0
        self._fixed: dict[tuple[int, int], bytes] = {}
        if profile.sunspec is not None:
            self._lay_models(profile.sunspec, phases)
        self._registers: list[Register] = []
        for register in profile.registers.values():
            if register.readable and register.unit_id == unit_id:
                self._lay_parts(register)

    def _lay_parts(self, register: Register) -> None:
        """Put a register where it is read; further numbers of a compound value stay 0 here."""
        if not register.shared:
            register = replace(register, address=register.address + self._socket_shift)
        single = _single(register)
        self._registers.append(single)
        start = register.address + self._shift
        for at, _ in register.numbers[1:]:
            for word in range(start + at, start + at + single.length):
                self._fixed[register.function, word] = bytes(2)
        if register.scale_at is not None:
            power = EXPONENTS[register.unit].to_bytes(2, "big", signed=True)
            self._fixed[register.function, start + register.scale_at] = power

    def _lay_models(self, sunspec: SunSpec, phases: str) -> None:
        """Put marker, common model and meter model where a SunSpec device has them."""
        base = sunspec.base_addresses[0]
        meter = base + 4 + COMMON_LENGTH
        one, three, length = METERS[sunspec.model_ids[0]]
        model = three if len(phases) > 1 else one
        words = {
            base: int.from_bytes(b"Su", "big"),
            base + 1: int.from_bytes(b"nS", "big"),
            base + 2: COMMON_MODEL,
            base + 3: COMMON_LENGTH,
            meter: model,
            meter + 1: length,
            meter + 2 + length: END_MODEL,
            meter + 3 + length: 0,
        }
        for address, word in words.items():
            self._fixed[Function.HOLDING, address] = word.to_bytes(2, "big")
        self._shift = meter

    def span(self, function: int, address: int, count: int) -> Span | int:
        """Return how to answer a read, or the exception code it deserves."""
        key = (function, address, count)
        if key not in self._spans:
            self._spans[key] = self._lay_out(function, address, count)
        return self._spans[key]

    def words(self, span: Span, snapshot: Snapshot) -> bytes:
        """Return the words of a span at an instant."""
        answer = bytearray(span.size)
        for start, word in span.fixed:
            answer[start : start + len(word)] = word
        for start, encode in span.moving:
            words = encode(snapshot)
            answer[start : start + len(words)] = words
        return bytes(answer)

    def touches(self, read: tuple[int, int, int], name: str) -> bool:
        """Say whether a read (function, address, count) asks for the register of that name."""
        function, address, count = read
        return any(
            register is not None and register.name == name
            for _, _, register in self._held(function, address, address + count)
        )

    def _lay_out(self, function: int, address: int, count: int) -> Span | int:
        pace = self._profile.pace
        end = address + count
        has_any = any(register.function == function for register in self._registers)
        if Function(function).is_bits and not has_any:
            return ILLEGAL_FUNCTION
        if not 1 <= count <= pace.max_registers:
            return ILLEGAL_VALUE
        held = list(self._held(function, address, end))
        if not _covers(held, address, end, pace):
            return ILLEGAL_ADDRESS
        registers = [(start, register) for start, _, register in held if register is not None]
        if pace.one_value and [(address, end)] != [(start, stop) for start, stop, _ in held]:
            return ILLEGAL_ADDRESS
        energy = next((start for start, r in registers if r.name == ENERGY), None)
        size = 2 * self._profile.registers[ENERGY].number_length if energy is not None else 0
        first = 0 if energy is None else 2 * (energy - address)
        return Span(
            size=2 * count,
            fixed=tuple(
                (2 * (start - address), self._fixed[Function(function), start])
                for start, _, register in held
                if register is None
            ),
            moving=tuple((2 * (start - address), self._encode(r)) for start, r in registers),
            energy=None if energy is None else slice(first, first + size),
        )

    def _held(
        self, function: int, address: int, end: int
    ) -> Iterator[tuple[int, int, Register | None]]:
        """Yield what lies in a range, by address: start, end and register (None: a fixed word)."""
        found: list[tuple[int, int, Register | None]] = [
            (at, at + 1, None) for (kind, at) in self._fixed if kind == function
        ]
        found += [
            (register.address + self._shift, register.end + self._shift, register)
            for register in self._registers
            if register.function == function
        ]
        for entry in sorted(found, key=lambda entry: entry[0]):
            if entry[0] < end and entry[1] > address:
                yield entry

    def _encode(self, register: Register) -> Encode:
        if register.name == STATE:
            return _coded(register, _state(register))
        if any(entry.letter is not None for entry in register.enum):
            return _coded(register, _plugged(register))
        if register.type in {"string", "bytes"}:
            return _text(register)
        if register.name == ENERGY:
            return _energy(register)
        pack = packer(register)
        standing = register.example or STANDING.get(register.name)
        if standing is not None:
            words = pack(float(standing))
            return lambda _: words
        if register.enum:  # 0 may be no code of it
            words = pack(float(register.enum[0].raw))
            return lambda _: words
        value = self._value(register)
        return lambda snapshot: pack(value(snapshot))

    def _value(self, register: Register) -> Value:
        """Return what gives the value of a register, in its unit."""
        name = register.name
        if name[-3:-1] == "_l":
            return _of_phase(name[:-3], int(name[-1]) - 1)
        named: dict[str, Value] = {
            "serial_number": lambda s: s.serial,
            "cable_state": lambda s: 0 if s.pilot is PilotState.A else CABLE_A,
            "active_power_total": lambda s: s.power_w,
            "current_sum": lambda s: sum(map(_amps, s.phase_w, s.volts)),
            "voltage_ln_avg": lambda s: sum(s.volts) / sum(map(bool, s.volts)),
            "power_factor_total": lambda _: 1.0,
            "session_energy": lambda s: _kwh(s.session_units),
            "rfid_tag": lambda s: int(s.tag or "0", 16),
            "connected_duration": lambda s: s.plugged_ms // MS_PER_S,
            "energy_sum_total": lambda s: _kwh(s.energy_units + s.export_units),
            "energy_resettable_total": lambda s: _kwh(s.resettable_units),
            "energy_since_poweron": lambda s: _kwh(s.resettable_units),
            "energy_export_total": lambda s: _kwh(s.export_units),
        }
        return named.get(name, lambda _: 0.0)


def served_wh(register: Register, words: bytes) -> int | None:
    """Return the whole Wh that served energy words stand for: their exact value, floored.

    None where they stand for "not available".
    """
    register = _single(register)
    ordered = swapped(register, words)
    if int.from_bytes(ordered, "big") in register.not_available:
        return None
    raw = (
        Fraction(struct.unpack(">f" if register.type == "f32" else ">d", ordered)[0])
        if register.is_float
        else Fraction(int.from_bytes(ordered, "big"))
    )
    return int(raw * register.scale * WH_PER_UNIT[register.unit])


def _single(register: Register) -> Register:
    """Return the one number that carries a compound value here; another is returned as it is."""
    if not register.is_compound:
        return register
    exponent = 0 if register.scale_at is None else EXPONENTS[register.unit]
    return replace(
        register,
        length=register.number_length,
        scale=register.scale * Fraction(10) ** exponent,
        plus=(),
        minus=(),
        scale_at=None,
    )


def _energy(register: Register) -> Encode:
    """Return the encoder of the lifetime register: floored to its resolution, like a counter."""
    per_raw = UNITS_PER_WH * WH_PER_UNIT[register.unit] * register.scale
    over, under = per_raw.numerator, per_raw.denominator
    modulus = 1 << 16 * register.length - register.type.startswith("i")  # then it begins at 0
    missing = missing_words(register)

    def energy(snapshot: Snapshot) -> bytes:
        if not snapshot.has_energy:
            return missing
        if register.is_float:
            return float_words(register, snapshot.energy_units * under / over)
        return int_words(register, snapshot.energy_units * under // over % modulus)

    return energy


def _state(register: Register) -> Callable[[Snapshot], int | str]:
    """Return the raw state: the first code of a letter, charging preferred where energy flows."""
    codes: dict[PilotState, int | str] = {}
    for entry in sorted(register.enum, key=lambda entry: not entry.charging):
        if entry.letter is not None:
            codes.setdefault(entry.letter, entry.raw)
    pointing = next((entry.raw for entry in register.enum if entry.by is not None), None)

    def state(snapshot: Snapshot) -> int | str:
        if snapshot.state_raw is not None:
            return snapshot.state_raw
        if pointing is not None and (snapshot.is_waiting or snapshot.pilot not in codes):
            return pointing
        return codes[snapshot.pilot]

    return state


def _plugged(register: Register) -> Callable[[Snapshot], int | str]:
    """Return the code of a register that says whether a car is there: the last that says so."""
    codes = {entry.letter: entry.raw for entry in register.enum}
    without = next(entry.raw for entry in register.enum if entry.letter is PilotState.A)
    return lambda s: without if s.pilot is PilotState.A else codes[PilotState.B]


def _coded(register: Register, code: Callable[[Snapshot], int | str]) -> Encode:
    """Return the encoder of a raw code, which may be a text."""
    if register.type == "string":
        return lambda snapshot: letters(register, str(code(snapshot)))
    pack = packer(register)
    return lambda snapshot: pack(float(code(snapshot)))


def _of_phase(kind: str, phase: int) -> Value:
    values: dict[str, Value] = {
        "voltage": lambda s: s.volts[phase],
        "current": lambda s: _amps(s.phase_w[phase], s.volts[phase]),
        "active_power": lambda s: s.phase_w[phase],
        "power_factor": lambda s: 1.0 if s.volts[phase] else 0.0,
        "energy_import": lambda s: _kwh(s.energy_units) / 3,
    }
    return values.get(kind, lambda _: 0.0)


def _amps(watts: float, volts: float) -> float:
    return watts / volts if volts else 0.0


def _kwh(units: int) -> float:
    return units / UNITS_PER_WH / WH_PER_UNIT["kWh"]


def _text(register: Register) -> Encode:
    """Return the encoder of a text: serial number, card, or one that never moves."""
    if register.name == "serial_number" and register.type == "bytes":
        return lambda s: s.serial.to_bytes(2 * register.length, "big")
    if register.name == "serial_number":
        return lambda s: letters(register, f"{s.serial:06d}")
    if register.name == "rfid_tag" and register.type == "bytes":
        size = 2 * register.length
        return lambda s: bytes.fromhex(s.tag).ljust(size, b"\0")[:size]
    if register.name == "rfid_tag":
        return lambda s: letters(register, s.tag)
    if register.name == "error_code":
        none = bytes(2 * register.length)
        return lambda _: none
    words = letters(register, str(register.example or "1.0"))
    return lambda _: words


def _covers(
    held: list[tuple[int, int, Register | None]], address: int, end: int, pace: Pace
) -> bool:
    """Say whether a range holds whole values and no gap the device does not bridge."""
    if not held or held[0][0] < address or held[-1][1] > end:
        return False
    if max(held[0][0] - address, end - held[-1][1]) >= pace.alignment:
        return False
    return all(after[0] - before[1] <= pace.bridge_gap for before, after in pairwise(held))
