"""Documents without typesetting, and ids that count."""

from collections import Counter

from evdesk.domain.invoices import Invoice


class PlainInvoices:
    """Implements ``ports.InvoiceRenderer``: the record as text; fails when told to."""

    def __init__(self) -> None:
        self.fails_with: Exception | None = None

    def pdf(self, invoice: Invoice) -> bytes:
        if self.fails_with is not None and invoice.number is not None:
            raise self.fails_with
        return repr(invoice).encode()


class CountedPseudonyms:
    """Implements ``ports.Pseudonyms``: D-1, D-2, I-1, …"""

    def __init__(self) -> None:
        self._made: Counter[str] = Counter()

    def make(self, prefix: str) -> str:
        self._made[prefix] += 1
        return f"{prefix}-{self._made[prefix]}"
