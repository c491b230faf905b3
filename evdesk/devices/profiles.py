"""Device profiles: which register holds what. ``profile_file`` reads them from TOML."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from fractions import Fraction

from evdesk.domain.readings import PilotState
from evdesk.ports import ProfileInfo

MODBUS_LIMIT = 125  # registers in one read (Modbus Application Protocol V1.1b3, 6.3 and 6.4)
LAST_ADDRESS = 0xFFFF

LENGTHS = {
    **dict.fromkeys(("u16", "i16", "bool"), 1),
    **dict.fromkeys(("u32", "i32", "f32"), 2),
    **dict.fromkeys(("u64", "i64", "f64"), 4),
}
SIZED = ("string", "bytes")
TYPES = (*LENGTHS, *SIZED)
UNITS = (
    *("", "V", "A", "W", "VA", "var", "Hz", "Wh", "kWh", "MWh"),
    *("kvarh", "%", "deg", "degC", "s"),
)
WH_PER_UNIT = {"Wh": 1, "kWh": 1_000, "MWh": 1_000_000}
ENERGY = "energy_import_total"
POWER = "active_power_total"
STATE = "state"


class Function(IntEnum):
    """Modbus functions that read."""

    COIL = 1
    DISCRETE = 2
    HOLDING = 3
    INPUT = 4

    @property
    def is_bits(self) -> bool:
        """Say whether it reads single bits instead of registers."""
        return self <= Function.DISCRETE


@dataclass(frozen=True, slots=True)
class EnumValue:
    """One meaning of a raw value; ``letter`` is the pilot state it stands for, if any.

    ``by`` names the register whose own value says which pilot state it is.
    """

    raw: int | str
    letter: PilotState | None
    charging: bool
    label: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """One value of a device: value = raw × scale, in ``unit``; addresses are those on the wire.

    A compound value has more than one number: ``plus`` and ``minus`` say how many registers behind
    ``address`` further numbers of its type begin, ``scale_at`` where a power of ten does (SunSpec).
    ``length`` reaches from the first to the last of them, so that one answer holds them all. With
    ``per_phase`` they are those of L1, L2 and L3, and phases that are not wired are left out.

    ``shared``: the same for all sockets. ``unit_id``: it is read from that unit. ``when``: it is
    there under these choices only, as pairs of key and option. ``example``: what one device shows.
    """

    name: str
    address: int
    function: Function
    type: str
    length: int
    little_words: bool
    little_bytes: bool
    scale: Fraction
    unit: str
    mask: int | None
    not_available: frozenset[int]
    enum: tuple[EnumValue, ...]
    readable: bool
    plus: tuple[int, ...] = ()
    minus: tuple[int, ...] = ()
    scale_at: int | None = None
    per_phase: bool = False
    is_utf16: bool = False
    shared: bool = False
    unit_id: int | None = None
    when: tuple[tuple[str, str], ...] = ()
    own_order: bool = False
    example: float | str | None = None

    @property
    def end(self) -> int:
        """Return the first address after it."""
        return self.address + self.length

    @property
    def is_compound(self) -> bool:
        """Say whether it is made of more than one number."""
        return bool(self.plus or self.minus) or self.scale_at is not None

    @property
    def number_length(self) -> int:
        """Return how many registers one of its numbers takes."""
        return LENGTHS.get(self.type, self.length)

    @property
    def numbers(self) -> tuple[tuple[int, int], ...]:
        """Return where each of its numbers begins, in registers from its address, and its sign."""
        return ((0, 1), *((at, 1) for at in self.plus), *((at, -1) for at in self.minus))

    @property
    def own_addresses(self) -> tuple[int, ...]:
        """Return the addresses of its numbers, which are no other value's."""
        starts = (self.address + at for at, _ in self.numbers)
        return tuple(start + at for start in starts for at in range(self.number_length))

    @property
    def is_float(self) -> bool:
        """Say whether the raw value is a floating-point number."""
        return self.type in {"f32", "f64"}


@dataclass(frozen=True, slots=True)
class Identify:
    """What a register shows on a device of this profile; numbers are in the register's unit.

    ``matches`` is a regular expression for the whole text of the value. ``answers`` asks for
    nothing but an answer, or with False for a refusal.
    """

    register: str
    equals: tuple[int | str, ...] = ()
    contains: str | None = None
    low: Fraction | None = None
    high: Fraction | None = None
    matches: str | None = None
    answers: bool | None = None

    def holds(self, value: float | str | None) -> bool:
        """Say whether a decoded value is what it must be; a missing one never is."""
        if self.answers is not None:
            return self.answers
        if value is None or (self.equals and value not in self.equals):
            return False
        if self.matches is not None and not re.fullmatch(self.matches, _plain_text(value)):
            return False
        if self.contains is not None and self.contains.lower() not in str(value).lower():
            return False
        if self.low is None and self.high is None:
            return True
        if isinstance(value, str):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def _plain_text(value: float | str) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True, slots=True)
class Option:
    """One way a device may be; where ``rule`` holds on the device, it is this way."""

    id: str
    label: str
    rule: Identify | None = None
    little_words: bool | None = None
    function: Function | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What differs between devices of one profile, and is decided on each of them or by people.

    Where neither a rule nor a person has decided, ``default`` is taken, with a warning; without one
    the device is not read.
    """

    key: str
    about: str
    options: tuple[Option, ...]
    default: str | None

    @property
    def usual(self) -> str:
        """Return the option by which the profile is listed."""
        return self.default or self.options[0].id

    @property
    def has_rules(self) -> bool:
        """Say whether the device itself can decide."""
        return any(option.rule is not None for option in self.options)


@dataclass(frozen=True, slots=True)
class SunSpec:
    """Where the marker may be and which models are meant; addresses count from the model."""

    base_addresses: tuple[int, ...]
    model_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """What one read may ask for and how fast; a gap counts from the request or from its answer.

    ``one_client``: its network stack bears one connection and no quick reconnects. ``asks_twice``:
    it sleeps, and only wakes up by a request.
    """

    max_registers: int
    alignment: int
    bridge_gap: int
    one_value: bool
    gap_ms: int
    gap_from_request: bool
    baud: int | None
    one_client: bool = False
    asks_twice: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What evdesk knows of one kind of device, as the options in ``chosen`` make it.

    ``every`` are the registers under all options, ``registers`` those of the chosen ones, by name.
    Socket n lies ``stride`` × (n - 1) addresses further. ``freezes``: without a charge its currents
    are those of the last one. ``derives_power``: it has no power register, but volts and amps.
    """

    info: ProfileInfo
    phases: int
    default_port: int
    pace: Pace
    every: tuple[Register, ...]
    registers: Mapping[str, Register]
    rotation: tuple[str, ...]
    sunspec: SunSpec | None
    identify: tuple[Identify, ...] = ()
    choices: tuple[Choice, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    stride: int = 0
    freezes: bool = False
    derives_power: bool = False

    def variant(self, chosen: Mapping[str, str]) -> "Profile":
        """Return it with these options; of other choices it keeps its own."""
        options = {**self.chosen, **chosen}
        if options == self.chosen:
            return self
        found = registers_of(self.every, self.choices, options)
        return replace(self, registers=found, chosen=options)

    def wired(self, phases: str) -> "Profile":
        """Return it for a device of which these phases are connected (``123`` or fewer)."""
        registers = {name: _of_phases(one, phases) for name, one in self.registers.items()}
        return self if registers == self.registers else replace(self, registers=registers)


def usual_options(choices: Iterable[Choice]) -> dict[str, str]:
    """Return the option of each choice by which a profile is listed."""
    return {choice.key: choice.usual for choice in choices}


def registers_of(
    every: Iterable[Register], choices: Iterable[Choice], chosen: Mapping[str, str]
) -> dict[str, Register]:
    """Return by name the registers that are there under the chosen options, words in their order.

    Of two with one name, the later counts.
    """
    options = [o for choice in choices for o in choice.options if o.id == chosen.get(choice.key)]
    there = (r for r in every if all(chosen.get(key) == option for key, option in r.when))
    return {register.name: _as_chosen(register, options) for register in there}


def _as_chosen(register: Register, options: Iterable[Option]) -> Register:
    """Return a register with the word order and the function that options have for all."""
    for option in options:
        turns = register.number_length > 1 and register.type not in SIZED
        if option.little_words is not None and turns and not register.own_order:
            register = replace(register, little_words=option.little_words)
        if option.function is not None and not register.when:
            register = replace(register, function=option.function)
    return register


def _of_phases(register: Register, phases: str) -> Register:
    """Return a value of several phases as the sum of those that are connected."""
    if not register.per_phase:
        return register
    starts = [at for phase, (at, _) in zip("123", register.numbers, strict=True) if phase in phases]
    first, last = starts[0], starts[-1]
    return replace(
        register,
        address=register.address + first,
        length=last - first + register.number_length,
        plus=tuple(at - first for at in starts[1:]),
        per_phase=False,
    )
