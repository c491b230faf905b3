"""What a value must be like to be believed, and what it then says for a profile."""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evdesk.devices.profiles import ENERGY, WH_PER_UNIT, Register
from evdesk.devices.raw import CODES, in_order
from evdesk.ports import Mark, Remark

# What a low-voltage installation can show, by unit.
RANGES: Mapping[str, tuple[float, float]] = {
    "Hz": (45.0, 65.0),
    "A": (-2_000.0, 2_000.0),
    **dict.fromkeys(("W", "VA", "var"), (-2_000_000.0, 2_000_000.0)),
    "%": (-1_000.0, 1_000.0),
    "deg": (-360.0, 360.0),
    "degC": (-60.0, 150.0),
    "kvarh": (-1e7, 1e7),
}
PHASE_V = (80.0, 300.0)
LINE_V = (138.0, 520.0)
POWER_FACTOR = (-1.0, 1.0)
MOST_WH = 1e10  # 80 A on three phases for twenty years
TINY, HUGE = 1e-9, 1e15  # floats beyond are numbers whose words are in another order
MUCH = 2  # what a value with a narrow range says for a profile
SOME = 1
AGAINST = -3
LEAST_VA = 200.0  # less flows through meters that show nothing of it
PER_UNIT_POWER = (0.45, 1.08)  # power by voltage times current: a power factor, or rounding
FACTORS = (10, 100, 1_000)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one value says: its mark, a remark where there is one, and what it weighs."""

    mark: Mark
    weight: int = 0
    remark: Remark | None = None


MISSING = Verdict(Mark.MISSING, 0, Remark("no-value", "no value"))


def judge(register: Register, raw: bytes, value: Any) -> Verdict:
    """Return what can be said of a decoded value; ``raw`` are its words as they came."""
    if value is None:
        return MISSING if not _is_nonsense(register, raw) else _wrong("nonsense", NONSENSE)
    if register.enum:
        return _code(register, value)
    if isinstance(value, str):
        return _text(register, value)
    if _is_nonsense(register, raw):
        return _wrong("nonsense", NONSENSE)
    limits = limits_of(register)
    if limits is None or value == 0:
        return Verdict(Mark.OPEN)
    low, high = limits
    if low <= value <= high:
        return Verdict(Mark.FITS, _weight(register))
    return _wrong("out-of-range", RANGE, low=f"{low:g}", high=f"{high:g}")


NONSENSE = "implausible: no measurement looks like this; its words may be in another order"
RANGE = "implausible: not within {low} and {high}"
CODE = "{value} is not a known code"
TEXT = "implausible: not a readable text"


def limits_of(register: Register) -> tuple[float, float] | None:
    """Return the range of a value as it is shown; None where it may be anything."""
    name, unit = register.name, register.unit
    if name.startswith("power_factor") and unit == "":
        return POWER_FACTOR
    if unit == "V":
        return LINE_V if name.count("_l") > 1 or "_ll_" in name else PHASE_V
    if name == ENERGY:
        return (0.0, MOST_WH)  # shown in Wh whatever the register counts in
    if unit in WH_PER_UNIT:
        most = MOST_WH / WH_PER_UNIT[unit]
        return (-most, most)
    return RANGES.get(unit)


def is_narrow(register: Register) -> bool:
    """Say whether a wrong reading of this register would show: its range is narrow."""
    return register.unit in {"V", "Hz"} or bool(register.enum) or register.is_float


def power_ratio(values: Mapping[str, Any]) -> float | None:
    """Return active power by voltage times current; None where too little flows to tell."""
    power = values.get("active_power_total")
    apparent = 0.0
    for phase in "123":
        volts, amps = values.get(f"voltage_l{phase}"), values.get(f"current_l{phase}")
        if volts is not None and amps is not None:
            apparent += abs(volts * amps)
    if power is None or apparent < LEAST_VA or not math.isfinite(apparent):
        return None
    return float(abs(power) / apparent)


def scale_of(ratio: float) -> int | None:
    """Return 1 where a ratio is a power factor, or how many times too large or small (negative)."""
    low, high = PER_UNIT_POWER
    if low <= ratio <= high:
        return 1
    for factor in FACTORS:
        if low <= ratio / factor <= high:
            return factor
        if low <= ratio * factor <= high:
            return -factor
    return None


def _wrong(code: str, template: str, **facts: object) -> Verdict:
    return Verdict(Mark.WRONG, AGAINST, Remark(code, template, facts))


def _code(register: Register, value: Any) -> Verdict:
    if not any(entry.raw == value for entry in register.enum):
        return _wrong("unknown-code", CODE, value=value)
    return Verdict(Mark.FITS, MUCH if value and register.length > 1 else SOME if value else 0)


def _text(register: Register, value: str) -> Verdict:
    if register.type == "bytes":
        return Verdict(Mark.OPEN)
    if not (value.isascii() and value.isprintable()):
        return _wrong("unreadable", TEXT)
    return Verdict(Mark.FITS, SOME)


def _weight(register: Register) -> int:
    """Return what a value within its range says: much where chance would hardly put it there."""
    if register.unit in {"V", "Hz"}:
        return MUCH
    return SOME if register.is_float or register.length > 1 else 0


def _is_nonsense(register: Register, raw: bytes) -> bool:
    """Say whether a floating-point number is one that no instrument would send."""
    if not register.is_float or register.is_compound:
        return False
    (number,) = struct.unpack(">" + CODES[register.type], in_order(register, raw))
    return math.isfinite(number) and number != 0 and not TINY < abs(number) < HUGE
