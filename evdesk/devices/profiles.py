"""Device profiles: which register holds what. ``profile_file`` reads them from TOML."""

from collections.abc import Mapping
from dataclasses import dataclass
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
    """One meaning of a raw value; ``letter`` is the pilot state it stands for, if any."""

    raw: int
    letter: PilotState | None
    charging: bool
    label: str


@dataclass(frozen=True, slots=True)
class Register:
    """One value of a device: value = raw × scale, in ``unit``; addresses are those on the wire.

    A compound value has more than one number: ``plus`` and ``minus`` say how many registers behind
    ``address`` further numbers of its type begin, ``scale_at`` where a power of ten does (SunSpec).
    ``length`` reaches from the first to the last of them, so that one answer holds them all.
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
class StateSplit:
    """A raw state that stands for two pilot states, told apart by bits of another register."""

    raw: int
    register: str
    mask: int
    clear: PilotState
    set: PilotState


@dataclass(frozen=True, slots=True)
class Identify:
    """What a register shows on a device of this profile; numbers are in the register's unit."""

    register: str
    equals: tuple[int | str, ...] = ()
    contains: str | None = None
    low: Fraction | None = None
    high: Fraction | None = None

    def holds(self, value: float | str | None) -> bool:
        """Say whether a decoded value is what it must be; a missing one never is."""
        if value is None or (self.equals and value not in self.equals):
            return False
        if self.contains is not None and self.contains.lower() not in str(value).lower():
            return False
        if self.low is None and self.high is None:
            return True
        if isinstance(value, str):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class SunSpec:
    """Where the marker may be and which models are meant; addresses count from the model."""

    base_addresses: tuple[int, ...]
    model_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Pace:
    """What one read may ask for and how fast; a gap counts from the request or from its answer.

    ``one_client``: its network stack bears one connection and no quick reconnects.
    """

    max_registers: int
    alignment: int
    bridge_gap: int
    one_value: bool
    gap_ms: int
    gap_from_request: bool
    baud: int | None
    one_client: bool = False


@dataclass(frozen=True, slots=True)
class Profile:
    """What evdesk knows of one kind of device."""

    info: ProfileInfo
    phases: int
    default_port: int
    pace: Pace
    registers: Mapping[str, Register]
    rotation: tuple[str, ...]
    splits: tuple[StateSplit, ...]
    sunspec: SunSpec | None
    identify: tuple[Identify, ...] = ()
