"""``invoice``: draft, issue, list, show, export, drop."""

from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted, table
from evdesk.domain.errors import UserError
from evdesk.domain.invoices import Invoice, InvoiceId
from evdesk.domain.site import DriverId


def add_to(groups: Groups) -> None:
    """Declare the group."""
    invoice = groups.group("invoice", "invoices", "evdesk invoice list")
    draft = invoice.command(
        "draft",
        draft_invoice,
        "draft a driver's unbilled sessions of a month",
        "evdesk invoice draft --driver D-7KQ2M9XF --month 2026-03",
    )
    draft.add_argument("--driver", required=True, metavar="D", help="see: evdesk driver list")
    draft.add_argument("--month", required=True, metavar="YYYY-MM", help="in which they began")
    for name, run, summary in (
        ("issue", issue_invoice, "give a draft its number; it never changes again"),
        ("show", show_invoice, "show one with its lines"),
        ("drop", drop_invoice, "throw a draft away"),
    ):
        verb = invoice.command(name, run, summary, f"evdesk invoice {name} I-3F9KQ2MX")
        verb.add_argument("id", metavar="ID", help="id or number")
    invoice.command("list", list_invoices, "list invoices", "evdesk invoice list --json")
    export = invoice.command(
        "export",
        export_invoice,
        "save the document: as issued, or of a draft marked as one",
        "evdesk invoice export 2026-00001 --out a.pdf",
    )
    export.add_argument("id", metavar="ID", help="id or number")
    export.add_argument("--out", required=True, metavar="FILE.pdf", help="where to save it")
    reveal = invoice.command(
        "reveal",
        reveal_invoice,
        "save an issued document for an auditor; the log says who opened it, and why",
        "evdesk invoice reveal 2026-00001 --out a.pdf --reason 'compare with the contract'",
    )
    reveal.add_argument("id", metavar="ID", help="id or number")
    reveal.add_argument("--out", required=True, metavar="FILE.pdf", help="where to save it")
    reveal.add_argument(
        "--reason", required=True, metavar="TEXT", help="kept with the entry; name no person in it"
    )


def draft_invoice(context: Context) -> None:
    """Make a draft."""
    args = context.args
    with context.site() as services:
        drafted = services.billing.draft(DriverId(args.driver), args.month)
    invoice = drafted.invoice
    data = as_json(invoice) | {"in_review": drafted.in_review, "still_open": drafted.still_open}
    left_out = ""
    if drafted.in_review or drafted.still_open:
        left_out = (
            f" Left out: {drafted.in_review} in review, {drafted.still_open} still plugged in."
        )
    context.out.answer(
        data,
        f"Draft {invoice.id}: {counted(len(invoice.sessions), 'session')}, "
        f"{invoice.totals.gross}.{left_out}\n"
        f"Look at it: evdesk invoice show {invoice.id}; then: evdesk invoice issue {invoice.id}",
    )


def issue_invoice(context: Context) -> None:
    """Issue a draft."""
    with context.site() as services:
        invoice = services.billing.issue(InvoiceId(context.args.id))
    context.out.answer(
        as_json(invoice), f"Invoice {invoice.number} is issued: {invoice.totals.gross}."
    )


def drop_invoice(context: Context) -> None:
    """Throw a draft away."""
    with context.site() as services:
        services.billing.drop(InvoiceId(context.args.id))
    text = f"Draft {context.args.id} is gone; its sessions can be billed again."
    context.out.answer({"id": context.args.id}, text)


def list_invoices(context: Context) -> None:
    """List invoices."""
    with context.site() as services:
        found, tz = services.billing.all(), services.info.tz
    rows = [
        (i.id, i.number, i.state.value, i.driver, i.issued_at, i.totals.gross.amount, i.currency)
        for i in found
    ]
    headings = ("id", "number", "state", "driver", "issued", "gross", "currency")
    empty = "There is no invoice yet. Draft one: evdesk invoice draft --help"
    context.out.answer([as_json(i) for i in found], table(headings, rows, empty, tz))


def show_invoice(context: Context) -> None:
    """Show an invoice."""
    with context.site() as services:
        invoice = services.billing.get(InvoiceId(context.args.id))
    context.out.answer(as_json(invoice), _text(invoice))


def export_invoice(context: Context) -> None:
    """Save the document."""
    out = _pdf(context)
    with context.site() as services:
        invoice = services.billing.get(InvoiceId(context.args.id))
        pdf = services.billing.document(invoice.id)
    bootstrap.save(out, pdf)
    data = {"id": invoice.id, "number": invoice.number, "file": str(out)}
    context.out.answer(data, f"Saved {out}.")


def reveal_invoice(context: Context) -> None:
    """Save the document for somebody who sees pseudonyms; the log says so."""
    out = _pdf(context)
    with context.site() as services:
        invoice = services.billing.get(InvoiceId(context.args.id))
        pdf = services.billing.reveal_document(invoice.id, context.args.reason)
    bootstrap.save(out, pdf)
    data = {"id": invoice.id, "number": invoice.number, "file": str(out)}
    context.out.answer(data, f"Saved {out}. The log says that you opened it, and why.")


def _pdf(context: Context) -> Path:
    """Return where the document goes."""
    out = Path(context.args.out)
    if out.suffix.lower() != ".pdf":
        raise UserError(
            "This release saves invoices as .pdf, not as {suffix}.",
            suffix=out.suffix or "a file without a suffix",
        )
    return out


def as_json(invoice: Invoice) -> dict[str, object]:
    """Return an invoice as the command line promises it."""
    totals = invoice.totals
    return {
        "id": invoice.id,
        "number": invoice.number,
        "state": invoice.state.value,
        "driver": invoice.driver,
        "issued_at": invoice.issued_at,
        "period_from_at": invoice.period_from,
        "period_to_at": invoice.period_to,
        "net": totals.net,
        "vat": totals.vat,
        "gross": totals.gross,
        "currency": invoice.currency,
        "lines": [
            {
                "session": str(line.session),
                "dimension": line.dimension,
                "quantity": line.quantity,
                "unit": line.unit,
                "unit_price": line.unit_price,
                "vat_percent": line.vat_percent,
                "net": line.net,
                "currency": invoice.currency,
            }
            for line in invoice.lines
        ],
        "sessions": [
            {
                "id": str(billed.id),
                "station": billed.station,
                "plugged_in_at": billed.plugged_in_at,
                "unplugged_at": billed.unplugged_at,
                "start_wh": billed.start_wh,
                "end_wh": billed.end_wh,
                "energy_wh": billed.energy_wh,
                "corrected_at": billed.corrected_at,
                "measured_wh": billed.measured_wh,
            }
            for billed in invoice.sessions
        ],
    }


def _text(invoice: Invoice) -> str:
    totals = invoice.totals
    title = f"{invoice.number or 'Draft ' + invoice.id}  {invoice.state.value}  {invoice.driver}"
    rows = [
        (
            str(line.session),
            line.dimension.value,
            line.quantity,
            line.unit,
            line.unit_price,
            line.vat_percent,
            line.net.amount,
        )
        for line in invoice.lines
    ]
    headings = ("session", "what", "quantity", "unit", "price", "VAT %", "net")
    sums = f"net {totals.net}, VAT {totals.vat}, gross {totals.gross}"
    return f"{title}\n\n{table(headings, rows, 'No line.')}\n\n{sums}"
