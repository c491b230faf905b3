"""What the command line prints: one JSON document, or a table or sentence for people."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from evdesk.domain.instants import rfc3339
from evdesk.domain.money import Money


@dataclass(frozen=True, slots=True)
class Output:
    """Where answers go; ``as_json`` prints nothing but one document."""

    as_json: bool

    def answer(self, data: object, text: str) -> None:
        """Print the answer in the form asked for."""
        print(json.dumps(data, default=_plain, ensure_ascii=False) if self.as_json else text)

    def note(self, text: str) -> None:
        """Print a message to standard error; it is no part of the answer."""
        print(text, file=sys.stderr)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Money):
        return format(value.amount, "f")
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str) -> str:
    """Return aligned columns: numbers to the right, everything else to the left."""
    rows = list(rows)
    cells = [[_cell(value) for value in row] for row in rows]
    if not cells:
        return empty
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(headings))]
    widths = [max(len(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    lines = [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [list(headings), ["-" * width for width in widths], *cells]
    ]
    return "\n".join(lines)


def _is_number(value: object) -> bool:
    return value is None or isinstance(value, int | float | Decimal | Money)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime):
        return rfc3339(value)
    return str(value)


def kwh(wh: int | None) -> Decimal | None:
    """Return Wh as exact kWh for people."""
    return None if wh is None else Decimal(wh) / Decimal(1000)
