"""A small real site for storage tests, and values to put into it."""

import contextlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from evdesk.domain.audit import Change
from evdesk.domain.invoices import (
    BilledSession,
    Invoice,
    InvoiceId,
    InvoiceState,
    price_session,
    total,
)
from evdesk.domain.meters import NewMeter, Source, StationId
from evdesk.domain.readings import MeterId, PilotState, Reading, Register
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import Figures, SessionId
from evdesk.domain.site import Account, AccountId, Actor, Driver, DriverId, Party, Role, Site
from evdesk.domain.tariffs import Dimension, PriceComponent, TariffId
from evdesk.ports import Store, Unit
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from evdesk.storage.persons import Persons, persons_place
from evdesk.storage.site_folder import open_store

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
PASSWORD = Secret(b"correct horse")
SITE = Site("site-1", "Depot", "Europe/Berlin", "EUR", "DE", "de", demo=False, created_at=START)
OWNER = Account(AccountId("a-1"), "anna", Role.OWNER, START)
EVA = Driver(
    DriverId("d-1"),
    Party("Eva Musterfrau", "Ringstr. 7", "10115", "Berlin", "DE", email="eva@example.org"),
    "de",
    START,
)
DONE = Change("test.do", "test", "1", {"wh": 1})


@dataclass(frozen=True, slots=True)
class FixedClock:
    """Shows one instant."""

    at: datetime = START

    def now(self) -> datetime:
        return self.at


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def opened(folder: Path, data_key: Secret, *, busy_timeout_ms: int = 200) -> Store:
    actor = Actor(OWNER.id, OWNER.role)
    return open_store(folder, data_key, actor, FixedClock(), busy_timeout_ms=busy_timeout_ms)


def raw(folder: Path, data_key: Secret, *, busy_timeout_ms: int = 200) -> Connection:
    """The database without the guards of the store, as somebody with the key would open it."""
    return Connection(Place(folder / "site.db", data_key, busy_timeout_ms))


def persons_of(folder: Path, data_key: Secret) -> Persons:
    return Persons(persons_place(folder / "persons.db", data_key, 200), os.urandom)


def add_meter(unit: Unit, name: str = "M1") -> MeterId:
    return unit.meters.add(NewMeter(name, "abb_b23", "tcp://127.0.0.1:502", 1), START)


def add_station(unit: Unit, name: str = "S1") -> StationId:
    source = Source(add_meter(unit, f"meter of {name}"))
    return unit.stations.add(name, source, source, START)


def reading(meter: MeterId, seconds: float = 0, power_w: float | None = 7_200.5) -> Reading:
    wh = round(1_000 + seconds)
    volts = (230.1, 229.9, None)
    return Reading(
        meter,
        1,
        at(seconds),
        wh,
        wh.to_bytes(8, "big"),
        power_w,
        (31.2, 0.0, None),
        volts,
        PilotState.C,
    )


def figures(start: int = 1_000, end: int | None = None, minutes: int = 60) -> Figures:
    last = None if end is None else Register(end, at(60 * minutes), end.to_bytes(8, "big"))
    return Figures(
        plugged_in_at=START,
        unplugged_at=None if last is None else last.at,
        start=Register(start, START, start.to_bytes(8, "big")),
        end=last,
        energy_wh=None if end is None else end - start,
        charging_ms=0,
        peak_w=7_200.5,
        flags=frozenset(),
    )


def close_a_session(unit: Unit, name: str = "S1") -> SessionId:
    session = unit.sessions.open(add_station(unit, name), figures(), None)
    unit.sessions.update(session, figures(end=13_400))
    return session


def invoice(session: SessionId, number: str | None = None, name: str = "i-1") -> Invoice:
    """An invoice over one session of 12.4 kWh; with a number it is an issued one."""
    prices = (
        PriceComponent(Dimension.ENERGY, Decimal("0.450"), Decimal(19)),
        PriceComponent(Dimension.FLAT, Decimal("0.50"), Decimal(19)),
    )
    lines = price_session(session, 12_400, prices, "EUR")
    return Invoice(
        id=InvoiceId(name),
        state=InvoiceState.DRAFT if number is None else InvoiceState.ISSUED,
        number=number,
        driver=EVA.id,
        seller=Party("Depot GmbH", vat_id="DE123456789"),
        buyer=EVA.party,
        tz="Europe/Berlin",
        language="de",
        currency="EUR",
        period_from=START,
        period_to=at(86_400),
        created_at=START,
        issued_at=None if number is None else at(100),
        specimen=True,
        sessions=(billed(session),),
        lines=lines,
        totals=total(lines, "EUR"),
    )


def billed(session: SessionId) -> BilledSession:
    return BilledSession(
        id=session,
        station="S1",
        meter="M1",
        meter_model="B23",
        meter_serial="4711",
        plugged_in_at=START,
        unplugged_at=at(3_600),
        start_wh=1_000,
        end_wh=13_400,
        energy_wh=12_400,
        start_raw="03e8",
        end_raw="3458",
        charging_s=3_000,
        tariff=TariffId("t-1"),
        tariff_ocpi='{"id":"t-1"}',
    )


def interrupted(*_: object) -> None:
    """Stands for any error in the middle of a transaction."""
    raise InterruptedError


def issue(
    store: Store, number: str = "2026-1", serial: int = 1, name: str = "i-1", station: str = ""
) -> SessionId:
    """Write a driver, a session and the invoice that bills it."""
    with store.write() as unit:
        if unit.drivers.get(EVA.id) is None:
            unit.drivers.add(EVA)
        session = close_a_session(unit, station or f"S{serial}")
        unit.invoices.issue(invoice(session, number, name), "2026", serial, b"%PDF " + bytes(99))
        unit.record_change(DONE)
    return session


@contextlib.contextmanager
def writing(store: Store):
    """A write transaction that records its change."""
    with store.write() as unit:
        yield unit
        unit.record_change(DONE)
