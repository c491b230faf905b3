"""Invoices: lines from sessions and tariffs, right to the cent, frozen when issued."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from evdesk.domain.money import Money
from evdesk.domain.sessions import SessionId
from evdesk.domain.site import DriverId, Party
from evdesk.domain.tariffs import Dimension, PriceComponent, TariffId

InvoiceId = NewType("InvoiceId", str)

WH_PER_KWH = Decimal(1000)
PERCENT = Decimal(100)
UNIT_CODES = {Dimension.ENERGY: "KWH", Dimension.FLAT: "C62"}  # UN/ECE Recommendation 20


class InvoiceState(StrEnum):
    """A draft may still change; what is issued never does."""

    DRAFT = "draft"
    ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: quantity x net unit price, rounded half-up once (EN 16931 BT-131)."""

    session: SessionId
    dimension: Dimension
    quantity: Decimal
    unit: str
    unit_price: Decimal
    vat_percent: Decimal
    net: Money


@dataclass(frozen=True, slots=True)
class VatPart:
    """The tax of one rate: on the sum of its lines, once (EN 16931 BR-CO-17)."""

    percent: Decimal
    net: Money
    vat: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """Net, VAT and gross with the breakdown by rate."""

    net: Money
    vat: Money
    gross: Money
    parts: tuple[VatPart, ...]


@dataclass(frozen=True, slots=True)
class BilledSession:
    """A copy of everything a session's lines rest on: both registers, the meter, the tariff.

    Where ``corrected_at`` is set, people put in the registers, and ``measured_wh`` was measured.
    ``counts_vah``: the register counts apparent energy.
    """

    id: SessionId
    station: str
    meter: str
    meter_model: str
    meter_serial: str
    plugged_in_at: datetime
    unplugged_at: datetime
    start_wh: int
    end_wh: int
    energy_wh: int
    start_raw: str
    end_raw: str
    charging_s: int
    tariff: TariffId
    tariff_ocpi: str
    corrected_at: datetime | None = None
    measured_wh: int | None = None
    counts_vah: bool = False


@dataclass(frozen=True, slots=True)
class Invoice:
    """A whole invoice; from issuing on it is kept exactly like this.

    ``number`` and ``issued_at`` are None while it is a draft. ``specimen`` marks a demo site.
    ``audit_head`` is the head of the audit log before it was issued; old invoices have none.
    """

    id: InvoiceId
    state: InvoiceState
    number: str | None
    driver: DriverId
    seller: Party
    buyer: Party
    tz: str
    language: str
    currency: str
    period_from: datetime
    period_to: datetime
    created_at: datetime
    issued_at: datetime | None
    specimen: bool
    sessions: tuple[BilledSession, ...]
    lines: tuple[Line, ...]
    totals: Totals
    audit_head: str | None = None


def price_session(
    session: SessionId, energy_wh: int, components: tuple[PriceComponent, ...], currency: str
) -> tuple[Line, ...]:
    """Return a session's lines; a dimension with a price of 0 or an amount of 0 makes no line."""
    lines = []
    for component in components:
        energy = component.dimension is Dimension.ENERGY
        quantity = Decimal(energy_wh) / WH_PER_KWH if energy else Decimal(1)
        if component.price == 0 or quantity == 0:
            continue
        lines.append(
            Line(
                session=session,
                dimension=component.dimension,
                quantity=quantity,
                unit=UNIT_CODES[component.dimension],
                unit_price=component.price,
                vat_percent=component.vat_percent,
                net=Money(quantity * component.price, currency).rounded(),
            )
        )
    return tuple(lines)


def total(lines: tuple[Line, ...], currency: str) -> Totals:
    """Return the totals; every figure is the sum of those printed above it."""
    zero = Money(Decimal(0), currency).rounded()
    nets: dict[Decimal, Money] = {}
    for line in lines:
        nets[line.vat_percent] = nets.get(line.vat_percent, zero) + line.net
    parts = tuple(
        VatPart(percent, net, Money(net.amount * percent / PERCENT, currency).rounded())
        for percent, net in sorted(nets.items(), reverse=True)
    )
    net = sum((part.net for part in parts), zero)
    vat = sum((part.vat for part in parts), zero)
    return Totals(net, vat, net + vat, parts)
