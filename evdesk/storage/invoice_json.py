"""An invoice as the canonical JSON record that is kept: explicit, exact, field by field."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from evdesk.domain.instants import rfc3339
from evdesk.domain.invoices import (
    BilledSession,
    Invoice,
    InvoiceId,
    InvoiceState,
    Line,
    Totals,
    VatPart,
)
from evdesk.domain.money import Money
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import DriverId, Party
from evdesk.domain.tariffs import Dimension, TariffId
from evdesk.storage.json_text import canonical

FORMAT = 1


def dump_invoice(invoice: Invoice) -> str:
    """Return the record: decimals as text, instants in RFC 3339 with milliseconds at most."""
    record = {
        "format": FORMAT,
        "id": invoice.id,
        "state": invoice.state.value,
        "number": invoice.number,
        "driver": invoice.driver,
        "seller": _party(invoice.seller),
        "buyer": _party(invoice.buyer),
        "tz": invoice.tz,
        "language": invoice.language,
        "currency": invoice.currency,
        "period_from": rfc3339(invoice.period_from),
        "period_to": rfc3339(invoice.period_to),
        "created_at": rfc3339(invoice.created_at),
        "issued_at": None if invoice.issued_at is None else rfc3339(invoice.issued_at),
        "specimen": invoice.specimen,
        "sessions": [_session(session) for session in invoice.sessions],
        "lines": [_line(line) for line in invoice.lines],
        "totals": _totals(invoice.totals),
        **({} if invoice.audit_head is None else {"audit_head": invoice.audit_head}),
    }
    return canonical(record)


def load_invoice(text: str) -> Invoice:
    """Return the invoice of a record that ``dump_invoice`` wrote."""
    record = json.loads(text)
    issued_at = record["issued_at"]
    return Invoice(
        id=InvoiceId(record["id"]),
        state=InvoiceState(record["state"]),
        number=record["number"],
        driver=DriverId(record["driver"]),
        seller=Party(**record["seller"]),
        buyer=Party(**record["buyer"]),
        tz=record["tz"],
        language=record["language"],
        currency=record["currency"],
        period_from=_instant(record["period_from"]),
        period_to=_instant(record["period_to"]),
        created_at=_instant(record["created_at"]),
        issued_at=None if issued_at is None else _instant(issued_at),
        specimen=record["specimen"],
        sessions=tuple(_to_session(session) for session in record["sessions"]),
        lines=tuple(_to_line(line) for line in record["lines"]),
        totals=_to_totals(record["totals"]),
        audit_head=record.get("audit_head"),
    )


def _party(party: Party) -> dict[str, str]:
    return {field.name: getattr(party, field.name) for field in dataclasses.fields(party)}


def _money(money: Money) -> dict[str, str]:
    return {"amount": str(money.amount), "currency": money.currency}


def _to_money(data: Mapping[str, str]) -> Money:
    return Money(Decimal(data["amount"]), data["currency"])


def _session(session: BilledSession) -> dict[str, object]:
    return {
        "id": session.id,
        "station": session.station,
        "meter": session.meter,
        "meter_model": session.meter_model,
        "meter_serial": session.meter_serial,
        "plugged_in_at": rfc3339(session.plugged_in_at),
        "unplugged_at": rfc3339(session.unplugged_at),
        "start_wh": session.start_wh,
        "end_wh": session.end_wh,
        "energy_wh": session.energy_wh,
        "start_raw": session.start_raw,
        "end_raw": session.end_raw,
        "charging_s": session.charging_s,
        "tariff": session.tariff,
        "tariff_ocpi": session.tariff_ocpi,
        **_remarkable(session),
    }


def _remarkable(session: BilledSession) -> dict[str, object]:
    """Return what is said of some sessions alone: other records are as they always were."""
    found: dict[str, object] = {"counts_vah": True} if session.counts_vah else {}
    if session.corrected_at is not None:
        found["corrected_at"] = rfc3339(session.corrected_at)
        found["measured_wh"] = session.measured_wh
    return found


def _to_session(data: Mapping[str, Any]) -> BilledSession:
    return BilledSession(
        id=SessionId(data["id"]),
        station=data["station"],
        meter=data["meter"],
        meter_model=data["meter_model"],
        meter_serial=data["meter_serial"],
        plugged_in_at=_instant(data["plugged_in_at"]),
        unplugged_at=_instant(data["unplugged_at"]),
        start_wh=data["start_wh"],
        end_wh=data["end_wh"],
        energy_wh=data["energy_wh"],
        start_raw=data["start_raw"],
        end_raw=data["end_raw"],
        charging_s=data["charging_s"],
        tariff=TariffId(data["tariff"]),
        tariff_ocpi=data["tariff_ocpi"],
        corrected_at=_instant(data["corrected_at"]) if "corrected_at" in data else None,
        measured_wh=data.get("measured_wh"),
        counts_vah=data.get("counts_vah", False),
    )


def _line(line: Line) -> dict[str, object]:
    return {
        "session": line.session,
        "dimension": line.dimension.value,
        "quantity": str(line.quantity),
        "unit": line.unit,
        "unit_price": str(line.unit_price),
        "vat_percent": str(line.vat_percent),
        "net": _money(line.net),
    }


def _to_line(data: Mapping[str, Any]) -> Line:
    return Line(
        session=SessionId(data["session"]),
        dimension=Dimension(data["dimension"]),
        quantity=Decimal(data["quantity"]),
        unit=data["unit"],
        unit_price=Decimal(data["unit_price"]),
        vat_percent=Decimal(data["vat_percent"]),
        net=_to_money(data["net"]),
    )


def _totals(totals: Totals) -> dict[str, object]:
    return {
        "net": _money(totals.net),
        "vat": _money(totals.vat),
        "gross": _money(totals.gross),
        "parts": [
            {"percent": str(part.percent), "net": _money(part.net), "vat": _money(part.vat)}
            for part in totals.parts
        ],
    }


def _to_totals(data: Mapping[str, Any]) -> Totals:
    return Totals(
        net=_to_money(data["net"]),
        vat=_to_money(data["vat"]),
        gross=_to_money(data["gross"]),
        parts=tuple(
            VatPart(Decimal(part["percent"]), _to_money(part["net"]), _to_money(part["vat"]))
            for part in data["parts"]
        ),
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
