"""Recovery codes: 160 random bits that people write down and type back.

Base 32 with the digits of Douglas Crockford (no I, L, O, U): 32 characters and 3 that check them,
in 7 groups of 5. Typing is forgiven case, spaces, dashes, O for 0, and I or L for 1.
"""

import hashlib

CODE_BYTES = 20
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_DIGITS = 3
GROUP = 5
BITS = 5
LENGTH = CODE_BYTES * 8 // BITS + CHECK_DIGITS
LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\u2013": None})


def write_code(value: bytes) -> str:
    """Return the code of 20 bytes, in groups, as it is printed."""
    digits = _digits(value, CODE_BYTES * 8 // BITS) + _check(value)
    return "-".join(digits[start : start + GROUP] for start in range(0, len(digits), GROUP))


def read_code(text: str) -> bytes | None:
    """Return the 20 bytes of a code, or None where the text is not one or has a slip in it."""
    digits = _typed(text)
    if len(digits) != LENGTH or not set(digits) <= set(DIGITS):
        return None
    number = 0
    for digit in digits[:-CHECK_DIGITS]:
        number = number << BITS | DIGITS.index(digit)
    value = number.to_bytes(CODE_BYTES, "big")
    return value if digits.endswith(_check(value)) else None


def is_mistyped(text: str) -> bool:
    """Return whether a text looks like a code and has a letter in it that is wrong."""
    digits = _typed(text)
    looks_like = len(digits) == LENGTH and digits.isascii() and digits.isalnum()
    return looks_like and any(map(str.isdigit, digits)) and read_code(text) is None


def _typed(text: str) -> str:
    return "".join(text.upper().split()).translate(LOOKALIKES)


def _check(value: bytes) -> str:
    return _digits(hashlib.sha256(b"evdesk recovery" + value).digest()[:2], CHECK_DIGITS)


def _digits(value: bytes, count: int) -> str:
    number = int.from_bytes(value, "big")
    return "".join(DIGITS[number >> BITS * place & 31] for place in reversed(range(count)))
