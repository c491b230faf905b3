"""Tables as XLSX, CSV and JSON: numbers stay numbers, text never turns into a formula."""

import json
from datetime import datetime

from evdesk.domain.errors import UserError
from evdesk.domain.instants import rfc3339
from evdesk.ports import Cell, Table

# What a spreadsheet program may take for the start of a formula (OWASP, CWE-1236, ASVS 1.2.10).
RISKY = frozenset("=+-@\t\r\n\0＝＋－＠")  # noqa: RUF001 - the full-width ones are meant
IGNORED = " '\"\u00a0\u3000\ufeff"  # what such a program may strip before it looks


def is_risky(text: str) -> bool:
    """Return whether a spreadsheet program might take the text for a formula."""
    return text[:1] in RISKY or text.lstrip(IGNORED)[:1] in RISKY if text else False


def escaped(text: str) -> str:
    """Return the text with an apostrophe before it where it might be taken for a formula."""
    return f"'{text}" if is_risky(text) else text


def unescaped(text: str) -> str:
    """Return what ``escaped`` was given: exactly the one apostrophe that it added goes."""
    return text[1:] if text.startswith("'") and is_risky(text[1:]) else text


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
    rows = [table.columns, *table.rows]
    return "".join(",".join(map(_csv_field, row)) + "\r\n" for row in rows).encode("utf-8-sig")


def _csv_field(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return '"' + escaped(cell).replace('"', '""') + '"'
    return f'"{rfc3339(cell)}"' if isinstance(cell, datetime) else str(cell)


def _json(table: Table) -> bytes:
    """An array of objects; text as it is: a machine reads it."""
    rows = [dict(zip(table.columns, map(_plain, row), strict=True)) for row in table.rows]
    return (json.dumps(rows, ensure_ascii=False, indent=2) + "\n").encode()


def _plain(cell: Cell) -> str | int | None:
    return rfc3339(cell) if isinstance(cell, datetime) else cell
