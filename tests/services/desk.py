"""Every use case of one real site, with fakes for what is outside it."""

import asyncio
import contextlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from evdesk.documents.consent_receipt import ReceiptDocuments
from evdesk.documents.tables import Tables
from evdesk.domain.audit import LOGIN, LOGIN_FAILED, AuditEntry
from evdesk.domain.consents import ConsentState, Method
from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.domain.purposes import PurposeId
from evdesk.domain.readings import Register
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import Closed, Figures, Flag, Opened, SessionId
from evdesk.domain.site import Account, AccountId, Actor, DriverId, Party, Role, Site
from evdesk.domain.tariffs import TariffId
from evdesk.ports import SessionFilter, Store
from evdesk.services.billing import BillingService
from evdesk.services.cards import CardService
from evdesk.services.consents import ConsentService
from evdesk.services.drivers import DriverService
from evdesk.services.exporting import ExportService
from evdesk.services.live import LiveService
from evdesk.services.metering import AddedMeter, MeterService
from evdesk.services.notices import NoticeService
from evdesk.services.reconciling import ReconcileService
from evdesk.services.recording import ConsentEntry
from evdesk.services.replacing import ReplacementService
from evdesk.services.reviewing import ReviewService
from evdesk.services.sessions import SessionService
from evdesk.services.sites import SiteService
from evdesk.services.stations import StationService
from evdesk.services.tariffs import TariffService
from evdesk.services.vehicles import VehicleService
from evdesk.settings import shipped
from evdesk.storage.site_folder import open_store
from tests.fakes.clock import START, SetClock
from tests.fakes.devices import FakeDevices
from tests.fakes.documents import CountedPseudonyms, PlainInvoices

PASSWORD = Secret(b"correct horse")
SITE = Site("S-1", "Depot", "Europe/Berlin", "EUR", "DE", "de", demo=False, created_at=START)
OWNER = Account(AccountId("A-1"), "Ada", Role.OWNER, START)
ISSUER = Party("Depot GmbH", "Hafenstr. 3", "89073", "Ulm", "DE", vat_id="DE123456789")
KIM = Party("Kim Lee", "Ringstr. 7", "10115", "Berlin", "DE", email="kim@example.org")
URL = "tcp://127.0.0.1:1502"


def tariff_text(name: str = "standard", price: str = "0.45", flat: str = "0.50") -> str:
    parts = [
        {"type": "ENERGY", "price": price, "vat": 19, "step_size": 1},
        {"type": "FLAT", "price": flat, "vat": 19, "step_size": 1},
    ]
    elements = [{"price_components": parts}]
    return json.dumps({"id": name, "currency": "EUR", "elements": elements}, indent=3)


class Desk:
    """The services of a site; ``refused`` says that nothing at all was written."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, SetClock()
        self.devices, self.renderer = FakeDevices(), PlainInvoices()
        names = CountedPseudonyms()
        self.meters = MeterService(store, self.devices, self.clock)
        self.stations = StationService(store, self.devices, self.clock)
        self.drivers = DriverService(store, self.clock, names)
        self.cards = CardService(store, self.clock)
        self.replacements = ReplacementService(store, self.clock)
        self.tariffs = TariffService(store, self.clock)
        self.sessions = SessionService(store, self.clock)
        self.reviews = ReviewService(store, self.devices, self.clock, SetClock())
        self.months = ReconcileService(store, self.devices, self.clock)
        self.billing = BillingService(store, self.devices, self.clock, self.renderer, names)
        self.live = LiveService(store, self.clock, SetClock())
        self.exports = ExportService(store, Tables(), self.clock)
        self.site = SiteService(store, self.clock)
        receipts = ReceiptDocuments(shipped("resources"))
        self.consents = ConsentService(store, self.clock, receipts)
        self.notices = NoticeService(store, self.clock)
        self.vehicles = VehicleService(store, self.clock)

    # -- doing ----------------------------------------------------------------------------------

    def add_meter(
        self, name: str = "bay1", profile: str = "charger", role: MeterRole = MeterRole.STATION
    ) -> AddedMeter:
        return asyncio.run(self.meters.add(NewMeter(name, profile, URL, 1, role=role)))

    def add_driver(self, party: Party = KIM) -> DriverId:
        return self.drivers.add(party).id

    def add_tariff(self, text: str | None = None, station: str | None = None) -> TariffId:
        """Add a tariff that has held since long ago."""
        tariff = self.tariffs.add(text or tariff_text()).id
        self.tariffs.assign(tariff, START - timedelta(days=99), station)
        return tariff

    def ready_to_bill(self) -> DriverId:
        """Make a station, an issuer, a tariff and a driver."""
        self.add_meter()
        self.billing.set_issuer(ISSUER)
        self.add_tariff()
        return self.add_driver()

    def charge(
        self,
        driver: DriverId | None,
        wh: int | None = 12_000,
        at: datetime = START,
        *flags: Flag,
        station: str = "bay1",
    ) -> SessionId:
        """Let a car charge for an hour; with wh None it is still plugged in."""
        point = self.stations.find(station)
        begun = figures(at, None)
        with self.store.journal() as unit:
            session = unit.sessions.open(point, begun, driver)
            unit.sessions.log(session, Opened(at, begun.start))
            if wh is not None:
                ended = figures(at, wh, *flags)
                unit.sessions.update(session, ended)
                unit.sessions.log(session, Closed(at + timedelta(hours=1), ended.end, ended))
        return session

    def consent(
        self, driver: DriverId, purpose: PurposeId, state: ConsentState = ConsentState.GIVEN
    ) -> None:
        """Let a driver answer on paper; who bills is set for the ready-made notice."""
        if self.billing.issuer() is None:
            self.billing.set_issuer(ISSUER)
        self.consents.answer(ConsentEntry(driver, purpose, state, Method.PAPER))

    # -- looking --------------------------------------------------------------------------------

    def audit(self) -> list[AuditEntry]:
        """Return every entry, oldest first."""
        with self.store.read() as unit:
            found = unit.audit.entries(10_000)[::-1]
        unasked = {"log.begun", "rows.kept", LOGIN, LOGIN_FAILED}
        return [one for one in found if one.action not in unasked]

    def everything(self) -> object:
        """Return all that use cases can change."""
        with self.store.read() as unit:
            return (
                self.audit(),
                unit.meters.all(removed=True),
                unit.stations.all(retired=True),
                unit.drivers.all(retired=True),
                unit.tariffs.all(),
                unit.tariffs.assignments(),
                unit.invoices.all(),
                unit.site.issuer(),
                unit.sessions.find(SessionFilter()),
                unit.collector.state().revision,
                unit.consents.find(),
                unit.notices.all(),
                unit.vehicles.persons(),
                unit.purposes.all(),
            )

    @contextlib.contextmanager
    def refused(
        self, sentence: str, kind: type[Exception] = UserError
    ) -> Iterator[pytest.ExceptionInfo[Exception]]:
        before = self.everything()
        with pytest.raises(kind, match=sentence) as refusal:
            yield refusal
        assert self.everything() == before


def figures(at: datetime, wh: int | None, *flags: Flag) -> Figures:
    ends = None if wh is None else at + timedelta(hours=1)
    last = None if wh is None or ends is None else Register(1_000 + wh, ends, b"\x00\x0b")
    return Figures(
        plugged_in_at=at,
        unplugged_at=ends,
        start=Register(1_000, at, b"\x00\x0a"),
        end=last,
        energy_wh=wh,
        charging_ms=1_800_000,
        peak_w=7_200.5,
        flags=frozenset(flags),
    )


def open_desk(folder: Path, data_key: Secret) -> Desk:
    actor = Actor(OWNER.id, OWNER.role)
    return Desk(open_store(folder, data_key, actor, SetClock()))
