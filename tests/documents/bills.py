"""Invoices to set: of any number of sessions, priced by the domain's own rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from evdesk.domain.invoices import (
    BilledSession,
    Invoice,
    InvoiceId,
    InvoiceState,
    price_session,
    total,
)
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import DriverId, Party
from evdesk.domain.tariffs import Dimension, PriceComponent, TariffId

SELLER = Party(
    name="Stadthof Ladepark GmbH",
    street="Mühlenstraße 12",
    postcode="10243",
    city="Berlin",
    country="DE",
    vat_id="DE123456789",
    tax_number="30/123/45678",
    contact="Anna Köhler",
    email="rechnung@ladepark.example",
    phone="+49 30 123456",
    iban="DE89370400440532013000",
)
BUYER = Party(
    name="Jürgen Weiß", street="Am Anger 3", postcode="14467", city="Potsdam", country="DE"
)
PRICES = (
    PriceComponent(Dimension.ENERGY, Decimal("0.4500"), Decimal(19)),
    PriceComponent(Dimension.FLAT, Decimal("0.50"), Decimal(19)),
)
FIRST_AT = datetime(2026, 10, 3, 6, 12, 31, tzinfo=UTC)


def billed_session(number, wh=22_212):
    at = FIRST_AT + timedelta(hours=17 * number)
    start_wh = 12_345_678 + number * 31_003
    return BilledSession(
        id=SessionId(100 + number),
        station=f"Hof {number % 3 + 1}",
        meter=f"hof-{number % 3 + 1}",
        meter_model="Eastron SDM630-Modbus V2",
        meter_serial=f"2107{number % 3:04d}",
        plugged_in_at=at,
        unplugged_at=at + timedelta(hours=3, minutes=32, seconds=31 + number),
        start_wh=start_wh,
        end_wh=start_wh + wh,
        energy_wh=wh,
        start_raw="00bc614e",
        end_raw="00bcb812",
        charging_s=12_000,
        tariff=TariffId("T1"),
        tariff_ocpi="{}",
    )


def bill(count=1, prices=PRICES, sessions=None, **changes):
    """Return an issued invoice; the currency and the lines follow from what is given."""
    currency = changes.get("currency", "EUR")
    if sessions is None:
        sessions = tuple(billed_session(n, 22_212 + 1_017 * n) for n in range(count))
    lines = tuple(
        line for s in sessions for line in price_session(s.id, s.energy_wh, prices, currency)
    )
    invoice = Invoice(
        id=InvoiceId("I-7K3M"),
        state=InvoiceState.ISSUED,
        number="2026-00042",
        driver=DriverId("D-4F2A"),
        seller=SELLER,
        buyer=BUYER,
        tz="Europe/Berlin",
        language="en",
        currency=currency,
        period_from=datetime(2026, 9, 30, 22, tzinfo=UTC),
        period_to=datetime(2026, 10, 31, 23, tzinfo=UTC),
        created_at=datetime(2026, 11, 2, 8, tzinfo=UTC),
        issued_at=datetime(2026, 11, 2, 9, 30, tzinfo=UTC),
        specimen=False,
        sessions=sessions,
        lines=lines,
        totals=total(lines, currency),
    )
    return replace(invoice, **changes)


def draft(count=1, **changes):
    return bill(count, state=InvoiceState.DRAFT, number=None, issued_at=None, **changes)
