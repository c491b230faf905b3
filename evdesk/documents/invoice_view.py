"""What an invoice says, word by word: the record as texts that the template only has to place."""

from collections.abc import Mapping
from datetime import timedelta

from evdesk.documents.wording import NO_BREAK, Wording
from evdesk.domain.invoices import BilledSession, Invoice, InvoiceState, Line
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import Party
from evdesk.domain.tariffs import Dimension

View = dict[str, object]
Pair = list[str]  # a label and what it labels

IBAN_GROUP = 4


def view(invoice: Invoice, wording: Wording) -> View:
    """Return the texts of an invoice; empty fields are absent, never blank.

    Raises:
        ValueError: a line bills a session that the record does not carry.

    """
    words = wording.labels
    draft = invoice.state is InvoiceState.DRAFT
    kind = words["draft"] if draft else words["invoice"]
    title = f"{kind} {invoice.number}" if invoice.number and not draft else kind
    return {
        "lang": wording.locale.language,
        "region": wording.locale.territory or "",
        "title": title,
        "marks": _marks(invoice, words),
        "notes": _notes(invoice, words),
        "labels": dict(words),
        "seller": _seller(invoice.seller, wording),
        "buyer": {"name": invoice.buyer.name, "lines": _address(invoice.buyer, wording)},
        "meta": _meta(invoice, wording),
        "sessions_note": words["sessions_note"].format(tz=invoice.tz),
        "columns": _columns(invoice, words),
        "sessions": _sessions(invoice, wording),
        "summary": _summary(invoice, wording),
        "totals": _totals(invoice, wording),
        "payment": _payment(invoice, wording),
        "checks": _checks(invoice, wording),
        "head": invoice.audit_head or "",
    }


def _marks(invoice: Invoice, words: Mapping[str, str]) -> list[str]:
    marks = [words["specimen_mark"]] if invoice.specimen else []
    return marks + ([words["draft_mark"]] if invoice.state is InvoiceState.DRAFT else [])


def _notes(invoice: Invoice, words: Mapping[str, str]) -> list[str]:
    if invoice.specimen:
        return [words["specimen_note"]]
    return [words["draft_note"]] if invoice.state is InvoiceState.DRAFT else []


def _address(party: Party, wording: Wording) -> list[str]:
    town = f"{party.postcode} {party.city}".strip()
    country = wording.country(party.country) if party.country else ""
    return [line for line in (party.contact, party.street, town, country) if line]


def _pairs(*pairs: tuple[str, str]) -> list[Pair]:
    return [[label, text] for label, text in pairs if text]


def _seller(seller: Party, wording: Wording) -> View:
    words = wording.labels
    town = f"{seller.postcode} {seller.city}".strip()
    country = wording.country(seller.country) if seller.country else ""
    return {
        "name": seller.name,
        "lines": [line for line in (seller.street, town, country) if line],
        "sender": [line for line in (seller.name, seller.street, town) if line],
        "reach": _pairs(
            (words["contact"], seller.contact),
            (words["phone"], seller.phone),
            (words["email"], seller.email),
        ),
        "ids": _pairs(
            (words["vat_id"], seller.vat_id),
            (words["tax_number"], seller.tax_number),
        ),
    }


def _meta(invoice: Invoice, wording: Wording) -> list[Pair]:
    words = wording.labels
    last = invoice.period_to - timedelta(milliseconds=1)  # the period ends before period_to
    days = [wording.day(invoice.period_from), wording.day(last)]
    issued = invoice.issued_at
    return _pairs(
        (words["number"], "" if invoice.state is InvoiceState.DRAFT else invoice.number or ""),
        (words["issued"], wording.day(issued) if issued else ""),
        (words["created"], "" if issued else wording.day(invoice.created_at)),
        (words["period"], " – ".join(dict.fromkeys(days))),
        (words["your_vat_id"], invoice.buyer.vat_id),
    )


def _columns(invoice: Invoice, words: Mapping[str, str]) -> list[str]:
    price = f"{words['unit_price']} {invoice.currency}"
    net = f"{words['net_amount']} {invoice.currency}"
    return [words["position"], words["description"], words["quantity"], price, words["vat"], net]


def _sessions(invoice: Invoice, wording: Wording) -> list[View]:
    lines: dict[SessionId, list[Line]] = {session.id: [] for session in invoice.sessions}
    for line in invoice.lines:
        if line.session not in lines:
            raise ValueError(f"session {line.session} is billed and not on the invoice")
        lines[line.session].append(line)
    return [
        _session(number, session, lines[session.id], wording)
        for number, session in enumerate(invoice.sessions, start=1)
    ]


def _session(number: int, session: BilledSession, lines: list[Line], wording: Wording) -> View:
    words = wording.labels
    model = session.meter_model or session.meter
    meter = [f"{words['meter']} {model}"]
    if session.meter_serial:
        meter.append(f"{words['serial']} {session.meter_serial}")
    meter.append(words["session"].format(id=session.id))
    return {
        "position": str(number),
        "station": session.station,
        "meter": meter,
        "start": [wording.moment(session.plugged_in_at), wording.kwh(session.start_wh)],
        "end": [wording.moment(session.unplugged_at), wording.kwh(session.end_wh)],
        "remarks": [*_vah(session, wording), *_correction(session, wording)],
        "rows": _rows(session, lines, wording),
    }


def _vah(session: BilledSession, wording: Wording) -> list[str]:
    """Return that its register counts apparent energy, where it does."""
    return [wording.labels["counts_vah"]] if session.counts_vah else []


def _correction(session: BilledSession, wording: Wording) -> list[str]:
    """Return that people corrected a session, and what was measured; else nothing."""
    if session.corrected_at is None:
        return []
    measured_wh, words = session.measured_wh, wording.labels
    label = words["corrected"] if measured_wh is not None else words["corrected_unmeasured"]
    measured = "" if measured_wh is None else wording.kwh(measured_wh)
    return [label.format(day=wording.day(session.corrected_at), energy=measured)]


def _rows(session: BilledSession, lines: list[Line], wording: Wording) -> list[list[str]]:
    """Return description, quantity, price, VAT and net per row; the energy comes first."""
    words = wording.labels
    energy = words["energy"] if _runs_through(session) else words["energy_parts"]
    rows = [_row(line, energy, wording) for line in lines if line.dimension is Dimension.ENERGY]
    if not rows:
        rows = [[energy, wording.kwh(session.energy_wh), "", "", ""]]
    others = [line for line in lines if line.dimension is not Dimension.ENERGY]
    return rows + [_row(line, words["flat"], wording) for line in others]


def _row(line: Line, description: str, wording: Wording) -> list[str]:
    energy = line.dimension is Dimension.ENERGY
    price = wording.price(line.unit_price, line.net.currency)
    wh = line.quantity.scaleb(3)
    return [
        description,
        wording.kwh(int(wh)) if energy else wording.quantity(line.quantity),
        wording.labels["per_kwh"].format(price=price).replace(" ", NO_BREAK) if energy else price,
        wording.percent(line.vat_percent),
        wording.amount(line.net),
    ]


def _runs_through(session: BilledSession) -> bool:
    return session.energy_wh == session.end_wh - session.start_wh


def _summary(invoice: Invoice, wording: Wording) -> list[str]:
    words, count = wording.labels, len(invoice.sessions)
    energy = wording.kwh(sum(session.energy_wh for session in invoice.sessions))
    counted = words["count_one"] if count == 1 else words["count_many"].format(count=count)
    return [counted, words["total_energy"].format(energy=energy)]


def _totals(invoice: Invoice, wording: Wording) -> View:
    words, totals = wording.labels, invoice.totals
    payable = invoice.state is InvoiceState.ISSUED and not invoice.specimen
    parts = [
        [
            words["vat_on"].format(
                percent=wording.percent(part.percent), net=wording.money(part.net)
            ),
            wording.money(part.vat),
        ]
        for part in totals.parts
    ]
    return {
        "net": [words["net"], wording.money(totals.net)],
        "parts": parts,
        "gross": [
            words["gross"] if payable else words["gross_plain"],
            wording.money(totals.gross),
        ],
    }


def _payment(invoice: Invoice, wording: Wording) -> View | None:
    words, seller = wording.labels, invoice.seller
    iban = "".join(seller.iban.split())
    if not iban:
        return None
    payable = invoice.state is InvoiceState.ISSUED and not invoice.specimen
    please = words["please_pay"].format(gross=wording.money(invoice.totals.gross))
    grouped = [iban[start : start + IBAN_GROUP] for start in range(0, len(iban), IBAN_GROUP)]
    return {
        "please": please if payable and invoice.totals.gross.amount > 0 else "",
        "pairs": _pairs(
            (words["account_holder"], seller.name),
            (words["iban"], NO_BREAK.join(grouped)),
            (words["reference"], invoice.number or "" if payable else ""),
        ),
    }


def _checks(invoice: Invoice, wording: Wording) -> list[str]:
    """Return how to check the invoice, with the figures of its first session that shows it."""
    words = wording.labels
    energy_lines = {
        line.session: line for line in invoice.lines if line.dimension is Dimension.ENERGY
    }
    checks: list[str] = []
    for number, session in enumerate(invoice.sessions, start=1):
        line = energy_lines.get(session.id)
        if line is not None and _runs_through(session):
            checks = _worked_example(number, session, line, wording)
            if session.corrected_at is None:
                break
            checks = checks[-1:]  # what people put in is no register of a meter
    checks.append(words["check_vat"])
    if not all(_runs_through(session) for session in invoice.sessions):
        checks.append(words["check_parts"])
    if any(session.corrected_at is not None for session in invoice.sessions):
        checks.append(words["check_corrected"])
    return checks


def _worked_example(number: int, session: BilledSession, line: Line, wording: Wording) -> list[str]:
    words = wording.labels
    energy = words["check_energy"].format(
        position=number,
        start=wording.kwh(session.start_wh),
        end=wording.kwh(session.end_wh),
        energy=wording.kwh(session.energy_wh),
    )
    price = words["check_price"].format(
        quantity=wording.kwh(session.energy_wh),
        price=wording.price(line.unit_price, line.net.currency),
        exact=wording.quantity(line.quantity * line.unit_price),
        net=wording.money(line.net),
    )
    return [energy, words["check_register"], price]
