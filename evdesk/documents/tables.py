"""Tables as XLSX, CSV and JSON: numbers stay numbers, text never turns into a formula.

The head of the audit log stands where it is no row, so that nobody counts it: in the first row of a
column of its own, or on a sheet of its own and at the foot of each printed page.
"""

import json
from datetime import datetime
from decimal import Decimal

from evdesk.documents.formulas import escaped
from evdesk.domain.errors import UserError
from evdesk.domain.instants import rfc3339
from evdesk.ports import Cell, Table

HEAD_COLUMN = "audit_log"


class Tables:
    """Writes a table in the format its suffix names; nothing is ever written to a disk."""

    def write(self, table: Table, suffix: str) -> bytes:
        """Return the bytes of the file.

        Raises:
            UserError: a suffix that is not one of .xlsx .csv .json, or more than a sheet can hold.

        """
        match suffix.lower():
            case ".csv":
                return _csv(table)
            case ".json":
                return _json(table)
            case ".xlsx":
                from evdesk.documents.workbook import xlsx

                return xlsx(table)
        raise UserError(
            "A table can be written as .xlsx, .csv or .json, not as {suffix}.",
            suffix=suffix or "a file without a suffix",
        )


def _csv(table: Table) -> bytes:
    """UTF-8 with BOM (Excel), RFC 4180, every text field quoted, instants as RFC 3339 in UTC."""
    rows: list[tuple[Cell, ...]] = [table.columns, *table.rows]
    if table.head:
        heads = [HEAD_COLUMN, table.head, *[None] * len(table.rows)]
        rows = [(*row, head) for row, head in zip(rows, heads, strict=False)]
    return "".join(",".join(map(_csv_field, row)) + "\r\n" for row in rows).encode("utf-8-sig")


def _csv_field(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return '"' + escaped(cell).replace('"', '""') + '"'
    if isinstance(cell, datetime):
        return f'"{rfc3339(cell)}"'
    return str(cell) if isinstance(cell, int) else format(cell, "f")


def _json(table: Table) -> bytes:
    """An array of objects; text as it is: a machine reads it."""
    rows = [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows]
    if table.head and rows:
        rows[0][HEAD_COLUMN] = table.head
    return (json.dumps(rows, ensure_ascii=False, indent=2) + "\n").encode()


def _plain(cell: Cell) -> str | int | None:
    """Instants as RFC 3339; decimals as text, so that no reader makes floats of money."""
    if isinstance(cell, datetime):
        return rfc3339(cell)
    return format(cell, "f") if isinstance(cell, Decimal) else cell
