"""Recorded power traces: CSV with the columns offset_s and power_w."""

import csv
from decimal import Decimal, InvalidOperation
from pathlib import Path

from evdesk.devices.simulator.loads import MW_PER_W, Point
from evdesk.devices.toml_text import shown_path
from evdesk.domain.errors import UserError

COLUMNS = ["offset_s", "power_w"]
MS_PER_S = 1_000
MAX_POWER_W = 1_000_000
MAX_OFFSET_S = 10_000_000


def load_trace(path: Path, start_ms: int) -> tuple[Point, ...]:
    """Return a trace as points, moved by ``start_ms``; seconds to the ms, watts to the mW.

    Raises:
        UserError: the file cannot be read or a line is wrong; the sentence names it.

    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UserError(
            "{file} cannot be read: {reason}.", file=shown_path(path), reason=reason
        ) from error
    points: list[Point] = []
    for number, row in enumerate(csv.reader(lines), start=1):
        if number == 1:
            if row != COLUMNS:
                raise _wrong(path, number, f"the columns are not {','.join(COLUMNS)}")
            continue
        offset_s, power_w = _numbers(path, number, row)
        point = (start_ms + int(offset_s * MS_PER_S), int(power_w * MW_PER_W))
        if points and point[0] < points[-1][0]:
            raise _wrong(path, number, "the offset goes back")
        points.append(point)
    if len(points) < 2:  # noqa: PLR2004 - a line has two ends
        raise _wrong(path, len(lines) or 1, "a trace needs at least two points")
    return tuple(points)


def _numbers(path: Path, number: int, row: list[str]) -> tuple[Decimal, Decimal]:
    if len(row) != len(COLUMNS):
        raise _wrong(path, number, f"{len(row)} values instead of {len(COLUMNS)}")
    values: list[Decimal] = []
    for column, text, most in zip(COLUMNS, row, (MAX_OFFSET_S, MAX_POWER_W), strict=True):
        try:
            value = Decimal(text.strip())
        except InvalidOperation:
            value = Decimal("NaN")
        if not (value.is_finite() and 0 <= value <= most):
            raise _wrong(path, number, f"{column} '{text}' is not a number from 0 to {most}")
        values.append(value)
    return values[0], values[1]


def _wrong(path: Path, line: int, what: str) -> UserError:
    return UserError("{file} line {line}: {what}.", file=shown_path(path), line=line, what=what)
