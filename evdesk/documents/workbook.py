"""Excel workbooks made in memory: openpyxl would leave every sheet as plain text in a temp file."""

import re
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from evdesk.documents.formulas import is_risky
from evdesk.domain.errors import UserError
from evdesk.ports import Cell as Value
from evdesk.ports import Table

MAX_ROWS = 1_048_576  # with the header: what a sheet can hold
MAX_TEXT = 32_767  # characters in a cell; openpyxl would cut the rest without a word
MAX_EXACT = 10**15  # Excel keeps 15 digits: longer integers go in as text
MAX_TITLE = 31
NARROWEST, WIDEST, SAMPLE = 9, 60, 500  # characters; rows looked at for a column's width

HEADER_FONT = Font(bold=True, color="FFFFFF")
HEADER_FILL = PatternFill("solid", fgColor="0F5C52")
HEADER_BORDER = Border(bottom=Side(style="thin", color="0A3F38"))
HEADER_ALIGNMENT = Alignment(vertical="center")
DATE_FORMAT = "yyyy-mm-dd hh:mm:ss"
DATE_FORMAT_MS = "yyyy-mm-dd hh:mm:ss.000"


class _MemoryWriter(ExcelWriter):
    """Writes each sheet to memory and from there into the archive."""

    _archive: ZipFile

    def write_worksheet(self, ws: Any) -> None:
        ws._drawing = None  # noqa: SLF001 - the base class asks for it; evdesk draws none
        sheet = BytesIO()
        writer: Any = WorksheetWriter(ws, out=sheet)
        writer.write()
        ws._rels = writer._rels  # noqa: SLF001 - as the base class does
        self._archive.writestr(ws.path[1:], sheet.getvalue())
        self.manifest.append(ws)


def xlsx(table: Table) -> bytes:
    """Return a workbook of one sheet: styled, frozen, filterable header; instants as local dates.

    Excel knows no zones, so the header of such a column names the zone of its dates.

    Raises:
        UserError: more rows, or a longer text, than a sheet can hold.

    """
    if len(table.rows) >= MAX_ROWS:
        raise UserError(
            "{rows} rows do not fit into one Excel sheet: export them as .csv, or fewer days.",
            rows=len(table.rows),
        )
    book = Workbook()
    book.properties.creator = "evdesk"
    book.properties.title = table.title
    sheet = book.worksheets[0]
    sheet.title = _sheet_title(table.title)
    _write_header(sheet, table)
    zone = ZoneInfo(table.tz)
    for row_number, row in enumerate(table.rows, start=2):
        for column, value in enumerate(row, start=1):
            if value is not None:
                _fill(sheet.cell(row_number, column), value, zone)
    _set_widths(sheet, table)
    if table.head:
        _write_head(book, sheet, f"Audit log: {table.head}")
    out = BytesIO()
    _MemoryWriter(book, ZipFile(out, "w", ZIP_DEFLATED)).save()
    return out.getvalue()


def _sheet_title(title: str) -> str:
    """Return the title without what Excel forbids in the name of a sheet."""
    allowed = re.sub(r"[\[\]:*?/\\\x00-\x1f]", " ", title).strip(" '")
    return allowed[:MAX_TITLE].rstrip(" '") or "evdesk"


def _headings(table: Table) -> Iterator[str]:
    for index, name in enumerate(table.columns):
        has_dates = any(isinstance(row[index], datetime) for row in table.rows)
        yield f"{name} ({table.tz})" if has_dates else name


def _write_header(sheet: Worksheet, table: Table) -> None:
    for column, heading in enumerate(_headings(table), start=1):
        cell = sheet.cell(1, column)
        _fill_text(cell, heading)
        cell.font, cell.fill = HEADER_FONT, HEADER_FILL
        cell.border, cell.alignment = HEADER_BORDER, HEADER_ALIGNMENT
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(table.columns))}{len(table.rows) + 1}"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _write_head(book: Workbook, sheet: Worksheet, text: str) -> None:
    """Put the head of the audit log on a sheet of its own, and under each printed page."""
    footer: Any = sheet.oddFooter
    footer.left.text, footer.left.size = text, 7
    own = book.create_sheet("Audit log")
    _fill_text(own.cell(1, 1), text)
    own.column_dimensions["A"].width = len(text)


def _fill(cell: Cell | MergedCell, value: Value, zone: ZoneInfo) -> None:
    if isinstance(value, datetime):
        cell.value = value.astimezone(zone).replace(tzinfo=None)
        cell.number_format = DATE_FORMAT_MS if value.microsecond else DATE_FORMAT
    elif isinstance(value, int) and abs(value) < MAX_EXACT:
        cell.value = value
    else:
        _fill_text(cell, str(value))


def _fill_text(cell: Cell | MergedCell, text: str) -> None:
    """Write text that stays text, also when somebody opens the cell and presses Enter."""
    if len(text) > MAX_TEXT:
        raise UserError(
            "A text of {length} characters does not fit into an Excel cell: export as .csv.",
            length=len(text),
        )
    cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)
    cell.data_type = "s"  # openpyxl takes "=…" for a formula and "#N/A" for an error
    if is_risky(text):
        cell.quotePrefix = True


def _set_widths(sheet: Worksheet, table: Table) -> None:
    for index, heading in enumerate(_headings(table)):
        shown = [heading + "  ▾", *(_shown(row[index]) for row in table.rows[:SAMPLE])]
        longest = max(len(line) for text in shown for line in text.split("\n"))
        width = min(max(longest + 2, NARROWEST), WIDEST)
        sheet.column_dimensions[get_column_letter(index + 1)].width = width


def _shown(value: Value) -> str:
    return DATE_FORMAT if isinstance(value, datetime) else str(value if value is not None else "")
