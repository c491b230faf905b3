"""What the command line prints: one JSON document, or a table or sentence for people."""

import codecs
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from evdesk.domain.instants import rfc3339
from evdesk.domain.money import Money

BAR_WIDTH = 40


@dataclass(frozen=True, slots=True)
class Output:
    """Where answers go; ``as_json`` prints nothing but one document."""

    as_json: bool

    def answer(self, data: object, text: str) -> None:
        """Print the answer in the form asked for."""
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        if self.as_json:
            is_utf8 = codecs.lookup(encoding).name == "utf-8"
            print(json.dumps(data, default=_plain, ensure_ascii=not is_utf8))
        else:
            print(text.encode(encoding, "replace").decode(encoding))  # as a Windows console is

    def progress(self, share: float, text: str = "") -> None:
        """Show how much of long work is done: a bar on a terminal, nothing in a pipe."""
        if not sys.stderr.isatty():
            return
        filled = round(BAR_WIDTH * min(share, 1.0))
        bar = "#" * filled + "." * (BAR_WIDTH - filled)
        beside = f" {text[:BAR_WIDTH]:{BAR_WIDTH}}" if text else ""
        end = "" if share < 1 else "\n"
        print(f"\r  [{bar}] {share:4.0%}{beside}", end=end, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Print a message to standard error; it is no part of the answer."""
        print(text, file=sys.stderr)  # Python never fails to encode there


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Money):
        return format(value.amount, "f")
    msg = f"{type(value).__name__} has no JSON form"
    raise TypeError(msg)


def table(
    headings: Sequence[str], rows: Iterable[Sequence[object]], empty: str, tz: str = "UTC"
) -> str:
    """Return aligned columns: numbers to the right, the rest to the left, instants in ``tz``."""
    rows = list(rows)
    cells = [[_cell(value, tz) for value in row] for row in rows]
    if not cells:
        return empty
    numeric = [_is_numeric([row[i] for row in rows]) for i in range(len(headings))]
    widths = [max(len(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    lines = [
        "  ".join(
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ).rstrip()
        for row in [list(headings), ["-" * width for width in widths], *cells]
    ]
    return "\n".join(lines)


def facts(pairs: Iterable[tuple[str, object]], tz: str = "UTC") -> str:
    """Return one ``name  value`` a line, as ``table`` shows values."""
    shown = [(name.replace("_", " "), _cell(value, tz)) for name, value in pairs]
    width = max(len(name) for name, _ in shown)
    return "\n".join(f"{name.ljust(width)}  {value}".rstrip() for name, value in shown)


def counted(number: int, what: str) -> str:
    """Return ``1 session`` or ``2 sessions``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _is_numeric(column: Sequence[object]) -> bool:
    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(v, int | float | Decimal | Money) for v in known)


def _cell(value: object, tz: str) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M:%S %Z}"
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value) or "-"
    return str(value)


def kwh(wh: int | None) -> Decimal | None:
    """Return Wh as exact kWh for people."""
    return None if wh is None else Decimal(wh) / Decimal(1000)
