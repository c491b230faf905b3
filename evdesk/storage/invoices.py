"""Drafts, and issued invoices that nothing changes."""

import hashlib
from dataclasses import replace
from datetime import datetime

from evdesk.domain.errors import StorageError
from evdesk.domain.instants import to_ms
from evdesk.domain.invoices import Invoice, InvoiceId, InvoiceState
from evdesk.domain.site import Party
from evdesk.storage.connection import Connection
from evdesk.storage.invoice_json import dump_invoice, load_invoice
from evdesk.storage.json_text import canonical

ALTERED = (
    "The document of invoice {invoice} is not the one that was issued: its digest differs. "
    "Nothing was changed. Restore the newest backup and compare."
)


class StoredInvoices:
    """Implements ``ports.Invoices``; ``hides`` leaves who is billed a pseudonym."""

    def __init__(self, connection: Connection, *, hides: bool = False) -> None:
        self._db, self._hides = connection, hides

    def save_draft(self, invoice: Invoice) -> None:
        """Insert or replace a draft."""
        if invoice.state is not InvoiceState.DRAFT:
            msg = "only a draft is saved as a draft"
            raise ValueError(msg)
        self._db.run(
            "INSERT OR REPLACE INTO invoice_draft (id, created_at_ms, record) VALUES (?, ?, ?)",
            (invoice.id, to_ms(invoice.created_at), dump_invoice(invoice)),
        )

    def drop_draft(self, invoice: InvoiceId) -> None:
        """Remove a draft."""
        self._db.run("DELETE FROM invoice_draft WHERE id = ?", (invoice,))

    def next_number(self, series: str) -> int:
        """Return the next number of a series; call it in the issuing transaction."""
        return self._db.number(
            "SELECT max(coalesce((SELECT max(serial) FROM invoice WHERE series = ?1), 0),"
            " coalesce((SELECT serial FROM invoice_floor WHERE series = ?1), 0)) + 1",
            (series,),
        )

    def issue(self, invoice: Invoice, series: str, serial: int, pdf: bytes) -> None:
        """Freeze an issued invoice with its document; its draft goes, its sessions are billed.

        Raises:
            StorageError: the number is taken, or a session is billed already.

        """
        if invoice.state is not InvoiceState.ISSUED or invoice.number is None:
            msg = "only an issued invoice with a number is frozen"
            raise ValueError(msg)
        issued_at = _known(invoice.issued_at)
        self._insert(invoice, invoice.number, series, serial)
        self._db.many(
            "INSERT INTO invoice_session (session_id, invoice_id) VALUES (?, ?)",
            [(session.id, invoice.id) for session in invoice.sessions],
        )
        digest = hashlib.sha256(pdf).digest()
        self._db.run(
            "INSERT INTO invoice_document (invoice_id, kind, sha256, document)"
            " VALUES (?, 'pdf', ?, ?)",
            (invoice.id, digest, pdf),
        )
        self._db.run(
            "INSERT INTO invoice_event (invoice_id, at_ms, kind, detail)"
            " VALUES (?, ?, 'issued', ?)",
            (invoice.id, to_ms(issued_at), canonical({"pdf_sha256": digest.hex()})),
        )
        self.drop_draft(invoice.id)

    def get(self, invoice: InvoiceId) -> Invoice | None:
        """Return a draft or an issued invoice, by id or by number."""
        row = self._db.one(
            "SELECT record FROM invoice WHERE id = :wanted OR number = :wanted"
            " UNION ALL SELECT record FROM invoice_draft WHERE id = :wanted",
            {"wanted": invoice},
        )
        return self._shown(row[0]) if row else None

    def all(self) -> list[Invoice]:
        """Return drafts by creation and invoices by issue, newest first."""
        rows = self._db.all(
            "SELECT record, issued_at_ms AS at_ms, seq FROM invoice"
            " UNION ALL SELECT record, created_at_ms, 9223372036854775807 FROM invoice_draft"
            " ORDER BY at_ms DESC, seq DESC"
        )
        return [self._shown(record) for record, _, _ in rows]

    def pdf(self, invoice: InvoiceId) -> bytes | None:
        """Return the document of an issued invoice, byte for byte as it was issued.

        Raises:
            StorageError: the bytes are not those that were issued.

        """
        row = self._db.one(
            "SELECT sha256, document FROM invoice_document JOIN invoice ON invoice.id = invoice_id"
            " WHERE kind = 'pdf' AND (invoice.id = :wanted OR number = :wanted)",
            {"wanted": invoice},
        )
        if row is None:
            return None
        digest, document = row
        if hashlib.sha256(document).digest() != digest:
            raise StorageError(ALTERED, invoice=invoice)
        return bytes(document)

    def _shown(self, record: str) -> Invoice:
        invoice = load_invoice(record)
        return replace(invoice, buyer=Party(name=invoice.driver)) if self._hides else invoice

    def _insert(self, invoice: Invoice, number: str, series: str, serial: int) -> None:
        totals = invoice.totals
        self._db.run(
            "INSERT INTO invoice (id, number, series, serial, driver_id, issued_at_ms, currency,"
            " net_minor, vat_minor, gross_minor, record) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                invoice.id,
                number,
                series,
                serial,
                invoice.driver,
                to_ms(_known(invoice.issued_at)),
                invoice.currency,
                totals.net.minor(),
                totals.vat.minor(),
                totals.gross.minor(),
                dump_invoice(invoice),
            ),
        )


def _known(issued_at: datetime | None) -> datetime:
    if issued_at is None:
        msg = "an issued invoice has an instant of issue"
        raise ValueError(msg)
    return issued_at
