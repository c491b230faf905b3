"""Values that are made of several numbers of one answer: sums, differences, powers of ten."""

import math
import struct
from collections.abc import Callable, Mapping
from fractions import Fraction

from evdesk.devices.profiles import ENERGY, WH_PER_UNIT, Register
from evdesk.devices.raw import BEYOND_WH, CODES, DIGITS, all_ones, in_order, missing_values

LARGEST_EXPONENT = 10  # SunSpec Device Information Model Specification 1.1: sunssf is -10 to 10


def compound(register: Register) -> Callable[[bytes], float | None]:
    """Return what turns the words of a compound value into it, or None where a part is missing.

    Energy is added up exactly and floored to whole Wh once.
    """
    exact, factor = _exact(register), _factor(register)
    per_unit = WH_PER_UNIT.get(register.unit, 1)
    digits = DIGITS.get(register.unit, 6)

    def value(raw: bytes) -> float | None:
        number, times = exact(raw), factor(raw)
        return None if number is None or times is None else round(float(number * times), digits)

    def energy(raw: bytes) -> int | None:
        number, times = exact(raw), factor(raw)
        if number is None or times is None or number < 0:
            return None
        wh = math.floor(number * times * per_unit)
        return wh if wh < BEYOND_WH else None

    return energy if register.name == ENERGY else value


def _exact(register: Register) -> Callable[[bytes], Fraction | int | None]:
    """Return what adds the numbers up; None where one is missing, or an energy is negative."""
    unpack = struct.Struct(">" + CODES[register.type]).unpack
    size = 2 * register.number_length
    parts = tuple((2 * at, 2 * at + size, sign) for at, sign in register.numbers)
    is_energy = register.name == ENERGY
    missing = missing_values(register) | (all_ones(register) if is_energy else frozenset())

    def exact(raw: bytes) -> Fraction | int | None:
        total: Fraction | int = 0
        for start, stop, sign in parts:
            (number,) = unpack(in_order(register, raw[start:stop]))
            if number in missing or not math.isfinite(number) or (is_energy and number < 0):
                return None
            total += sign * (Fraction(number) if register.is_float else number)
        return total

    return exact


def _factor(register: Register) -> Callable[[bytes], Fraction | None]:
    """Return what the sum is multiplied by; None where the device says no power of ten."""
    if register.scale_at is None:
        return lambda _: register.scale
    start = 2 * register.scale_at
    factors: Mapping[int, Fraction] = {
        exponent: register.scale * Fraction(10) ** exponent
        for exponent in range(-LARGEST_EXPONENT, LARGEST_EXPONENT + 1)
    }
    return lambda raw: factors.get(int.from_bytes(raw[start : start + 2], "big", signed=True))
