"""Files that people and machines are given."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from evdesk.domain.invoices import Invoice


class InvoiceRenderer(Protocol):
    """Makes the document people get."""

    def pdf(self, invoice: Invoice) -> bytes:
        """Return the PDF; a draft is marked as one, a demo site's as SPECIMEN."""


class TableWriter(Protocol):
    """Writes a table as XLSX, CSV or JSON; spreadsheets carry no live formula."""

    def write(self, table: "Table", suffix: str) -> bytes:
        """Return the bytes of the file.

        Raises:
            UserError: a suffix that is not one of .xlsx .csv .json.

        """


Cell = str | int | Decimal | datetime | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns: names say the unit; instants aware; ``title`` names the sheet.

    ``head`` is that of the audit log when it was made, as it is printed; "" prints none.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    tz: str
    head: str = ""
