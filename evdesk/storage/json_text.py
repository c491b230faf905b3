"""Canonical JSON text: sorted keys, no spaces, decimals and instants as text."""

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import rfc8785

from evdesk.domain.instants import rfc3339


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
    plain: Any = json.loads(canonical(value))
    return rfc8785.dumps(plain)


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
