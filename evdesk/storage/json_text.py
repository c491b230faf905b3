"""Canonical JSON text: sorted keys, no spaces, decimals and instants as text."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import rfc8785

from evdesk.domain.instants import rfc3339

MOST_EXACT = 2**53 - 1  # of integers, in JSON that others read, too


def canonical(value: object) -> str:
    """Return the one text of a value.

    Raises:
        TypeError: a value that has no exact text, such as a set of objects.

    """
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
        default=_exact,
    )


def hashed_text(value: object) -> bytes:
    """Return canonical JSON as others can make it, too: RFC 8785, for what is hashed or signed.

    Raises:
        ValueError: an integer beyond 53 bits, or not a number.

    """
    text = canonical(value)
    if text.isascii() and _is_plain(value):
        return text.encode()
    plain: Any = json.loads(text)
    return rfc8785.dumps(plain)


def _is_plain(value: object) -> bool:
    """Return whether a value has nothing in it that RFC 8785 writes in its own way.

    Those are fractions, large integers, and keys beyond ASCII, which the caller looks for.
    """
    if isinstance(value, str) or value is None:
        return True
    if isinstance(value, int):
        return -MOST_EXACT <= value <= MOST_EXACT
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return all(type(key) is str for key in value) and all(map(_is_plain, value.values()))
    return isinstance(value, Decimal | datetime)


def parse_object(text: str) -> dict[str, object]:
    """Return the object of a text; numbers with a point stay floats."""
    data = json.loads(text)
    if not isinstance(data, dict):
        msg = f"not an object: {text[:40]}"
        raise TypeError(msg)
    return data


def _exact(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    msg = f"{type(value).__name__} has no canonical text"
    raise TypeError(msg)
