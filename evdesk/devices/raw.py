"""What the words of a register mean before any scale: their order, and which say "no value"."""

import struct

from evdesk.devices.profiles import Register

CODES = {
    "u16": "H",
    "i16": "h",
    "bool": "H",
    "u32": "I",
    "i32": "i",
    "u64": "Q",
    "i64": "q",
    "f32": "f",
    "f64": "d",
}
DIGITS = {"W": 1, "A": 3, "V": 1, "Hz": 3}  # decimals of what is only shown, by unit
BEYOND_WH = 10**15  # no counter of a site ever comes here: the value is garbage


def in_order(register: Register, raw: bytes) -> bytes:
    """Return the bytes of a number with the most significant word and byte first."""
    words = [raw[at : at + 2] for at in range(0, len(raw), 2)]
    if register.little_bytes:
        words = [word[::-1] for word in words]
    return b"".join(reversed(words) if register.little_words else words)


def missing_values(register: Register) -> frozenset[int | float]:
    """Return the raw values that mean nothing was measured, as struct unpacks them."""
    size = 2 * register.number_length
    unpack = struct.Struct(">" + CODES[register.type]).unpack
    return frozenset(unpack(raw.to_bytes(size, "big"))[0] for raw in register.not_available)


def all_ones(register: Register) -> frozenset[int]:
    """Return what a long counter shows that is not there, also where no manual says so.

    Believed, it would stand still through a whole session and make that one of 0 Wh. Of a signed
    one it is the largest number, too: there is none that it could count to next.
    """
    bits = 16 * register.number_length
    if bits <= 16:  # noqa: PLR2004 - one register
        return frozenset()
    if register.type.startswith("i"):
        return frozenset({-1, (1 << bits - 1) - 1})
    return frozenset({(1 << bits) - 1})


def own_words(register: Register, raw: bytes) -> bytes:
    """Return the words that make the value, in their order on the wire, without those between."""
    if not register.is_compound:
        return raw
    starts = sorted(at for at, _ in register.numbers)
    words = [raw[2 * at : 2 * (at + register.number_length)] for at in starts]
    if register.scale_at is not None:
        words.append(raw[2 * register.scale_at : 2 * register.scale_at + 2])
    return b"".join(words)


def text_of(register: Register, raw: bytes) -> str | None:
    """Return the text of a register without padding; None where it is blank."""
    if register.is_utf16:
        text = raw.decode("utf-16-be", "replace")
    elif register.little_bytes:
        text = in_order(register, raw).decode("ascii", "replace")
    else:
        text = raw.decode("ascii", "replace")
    return text.lstrip("\0").split("\0", 1)[0].strip() or None
