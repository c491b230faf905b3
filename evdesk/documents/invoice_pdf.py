"""Invoices as PDF/A-3a and PDF/UA-1."""

from pathlib import Path

from evdesk.documents.typesetting import Typesetter
from evdesk.domain.invoices import Invoice


class TypstInvoices:
    """Sets invoices; the same record gives the same bytes.

    ``resources`` is the folder of the files that ship with evdesk.
    """

    def __init__(self, resources: Path) -> None:
        self._labels = resources / "invoice" / "labels.toml"
        self._setter = Typesetter(resources, "invoice/invoice.typ", "invoice")

    def pdf(self, invoice: Invoice) -> bytes:
        """Return the PDF; a draft is marked as one, a demo site's as SPECIMEN."""
        from evdesk.documents.invoice_view import view
        from evdesk.documents.wording import Wordings

        wording = Wordings(self._labels).of(invoice.language, invoice.tz)
        made_at = int((invoice.issued_at or invoice.created_at).timestamp())
        return self._setter.pdf(view(invoice, wording), made_at)
