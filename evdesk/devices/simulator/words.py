"""Words of one register from a value: numbers and texts in the register's own way.

Written apart from the decoder and sharing nothing with it, so that one checks the other.
"""

import struct
from collections.abc import Callable

from evdesk.devices.profiles import Register


def packer(register: Register) -> Callable[[float], bytes]:
    """Return what makes words of a value given in the register's unit, rounded as it rounds."""
    factor = float(1 / register.scale)
    if register.is_float:
        plain = not (register.little_words or register.little_bytes)
        pack = struct.Struct(">f" if register.type == "f32" else ">d").pack
        if plain:
            return lambda value: pack(value * factor)
        return lambda value: swapped(register, pack(value * factor))
    shift = 0 if register.mask is None else (register.mask & -register.mask).bit_length() - 1
    return lambda value: int_words(register, round(value * factor) << shift)


def float_words(register: Register, raw: float) -> bytes:
    """Return the words of a floating-point number."""
    return swapped(register, struct.pack(">f" if register.type == "f32" else ">d", raw))


def int_words(register: Register, raw: int) -> bytes:
    """Return the words of a whole number, held within what the type can say."""
    bits = 16 * register.length
    signed = register.type.startswith("i")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    held = low if raw < low else min(raw, high)
    return swapped(register, held.to_bytes(2 * register.length, "big", signed=signed))


def swapped(register: Register, words: bytes) -> bytes:
    """Return words in the order of the wire; the same twice gives the words back."""
    if register.little_words:
        words = b"".join(words[at : at + 2] for at in range(len(words) - 2, -1, -2))
    if register.little_bytes:
        words = b"".join(
            words[at + 1 : at - 1 if at else None : -1] for at in range(0, len(words), 2)
        )
    return words


def missing_words(register: Register) -> bytes:
    """Return the words for "not available": the device's own, NaN, or the largest number."""
    size = 2 * register.length
    if register.not_available:
        return swapped(register, min(register.not_available).to_bytes(size, "big"))
    if register.is_float:
        return float_words(register, float("nan"))
    return int_words(register, 1 << 8 * size)


def letters(register: Register, text: str) -> bytes:
    """Return the words of a text, padded with zeros, in the register's own way."""
    size = 2 * register.length
    if register.is_utf16:
        return text.encode("utf-16-be").ljust(size, b"\0")[:size]
    return swapped(register, text.encode("ascii").ljust(size, b"\0")[:size])
