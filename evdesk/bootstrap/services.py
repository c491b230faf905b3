"""Every use case of one open site, built on its store and on what is outside; no globals."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from evdesk.bootstrap.computer import ThisComputer
from evdesk.bootstrap.papers import SitePapers
from evdesk.bootstrap.rights_desk import rights_desk
from evdesk.delivery.smtp import SmtpMailer
from evdesk.devices.modbus import ModbusDevices
from evdesk.documents.consent_receipt import ReceiptDocuments
from evdesk.documents.evidence import EvidenceZip
from evdesk.documents.invoice_pdf import TypstInvoices
from evdesk.documents.tables import Tables
from evdesk.domain.site import Site
from evdesk.ports import Clock, Devices, SiteKeys, Store
from evdesk.services.accounts import AccountService
from evdesk.services.auditing import AuditService
from evdesk.services.backups import BackupService
from evdesk.services.billing import BillingService
from evdesk.services.breaches import BreachService
from evdesk.services.cards import CardService
from evdesk.services.consents import ConsentService
from evdesk.services.disclosures import DisclosureService
from evdesk.services.drivers import DriverService
from evdesk.services.erasure import ErasureService
from evdesk.services.exporting import ExportService
from evdesk.services.faults import FaultService
from evdesk.services.finding import FindingService
from evdesk.services.key_changes import KeyChanges, Places
from evdesk.services.keys import KeyService
from evdesk.services.live import LiveService
from evdesk.services.mailing import MailService
from evdesk.services.meter_facts import MeterFactsService
from evdesk.services.metering import MeterService
from evdesk.services.notices import NoticeService
from evdesk.services.occupied import Occupancy
from evdesk.services.reconciling import ReconcileService
from evdesk.services.replacing import ReplacementService
from evdesk.services.requests import RequestService
from evdesk.services.retention import RetentionService
from evdesk.services.reviewing import ReviewService
from evdesk.services.rights import RightsService
from evdesk.services.ropa import RopaService
from evdesk.services.sessions import SessionService
from evdesk.services.sites import SiteService
from evdesk.services.stations import StationService
from evdesk.services.supporting import SupportService
from evdesk.services.tariffs import TariffService
from evdesk.services.vehicles import VehicleService
from evdesk.settings import ALERTS, shipped
from evdesk.storage.backups import SiteBackups
from evdesk.storage.log_keys import SiteLogKeys
from evdesk.storage.retention_file import shipped_rules

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U
PSEUDONYM_LENGTH = 8


class WallClock:
    """The PC's clock."""

    def now(self) -> datetime:
        """Return the instant."""
        return datetime.now(UTC)


class DemoClock:
    """A demo site's clock as others than its collector see it: what the site says."""

    def __init__(self) -> None:
        self._store: Store | None = None

    def follow(self, store: Store) -> None:
        """Read the time from this site from now on."""
        self._store = store

    def now(self) -> datetime:
        """Return the site's stepped instant."""
        if self._store is None:
            return datetime.now(UTC)
        with self._store.read() as unit:
            return unit.site.stepped_at() or unit.site.load().created_at


class RandomPseudonyms:
    """Ids of 40 random bits: enough for a site, short enough to read aloud."""

    def make(self, prefix: str) -> str:
        """Return a new id."""
        return f"{prefix}-{''.join(secrets.choice(ALPHABET) for _ in range(PSEUDONYM_LENGTH))}"


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case of one open site."""

    info: Site
    store: Store
    clock: Clock
    devices: Devices
    site: SiteService
    live: LiveService
    meters: MeterService
    finding: FindingService
    stations: StationService
    drivers: DriverService
    cards: CardService
    replacements: ReplacementService
    tariffs: TariffService
    sessions: SessionService
    reviews: ReviewService
    months: ReconcileService
    billing: BillingService
    exports: ExportService
    faults: FaultService
    mail: MailService
    meter_facts: MeterFactsService
    support: SupportService
    accounts: AccountService
    keys: KeyService
    audit: AuditService
    backups: BackupService
    consents: ConsentService
    notices: NoticeService
    vehicles: VehicleService
    retention: RetentionService
    requests: RequestService
    rights: RightsService
    erasures: ErasureService
    disclosures: DisclosureService
    breaches: BreachService
    ropa: RopaService


@dataclass(frozen=True, slots=True)
class Foundation:
    """A site that is open in the program's own name: its parts that need no services.

    ``keys`` tell the data key as it is at the moment: a new one may take its place.
    """

    folder: Path
    info: Site
    clock: Clock
    store: Store
    keys: SiteKeys
    changes: KeyChanges
    places: Places


def build_services(on: Foundation, store: Store) -> Services:
    """Return the use cases of a site in the name of the store's actor."""
    folder, site, clock = on.folder, on.info, on.clock
    devices = ModbusDevices(clock, stepped=site.demo)
    occupancy = Occupancy(store, devices, WallClock())
    resources = shipped("resources")
    pseudonyms = RandomPseudonyms()
    privacy = rights_desk(store, clock)
    log_keys = SiteLogKeys(folder, lambda: on.keys.signing_key)
    return Services(
        info=site,
        store=store,
        clock=clock,
        devices=devices,
        site=SiteService(store, WallClock()),
        live=LiveService(store, clock, WallClock()),
        meters=MeterService(store, devices, clock, occupancy),
        finding=FindingService(store, devices, clock, occupancy),
        stations=StationService(store, devices, clock),
        drivers=DriverService(store, clock, pseudonyms),
        cards=CardService(store, clock),
        replacements=ReplacementService(store, clock),
        tariffs=TariffService(store, clock),
        sessions=SessionService(store, clock),
        reviews=ReviewService(store, devices, clock, WallClock()),
        months=ReconcileService(store, devices, clock),
        billing=BillingService(store, devices, clock, TypstInvoices(resources), pseudonyms),
        exports=ExportService(store, Tables(), clock),
        faults=FaultService(store, clock, WallClock(), ThisComputer(folder), Tables()),
        meter_facts=MeterFactsService(store),
        accounts=AccountService(store, clock, on.keys, on.changes, pseudonyms),
        keys=KeyService(store, WallClock(), on.keys, on.changes, on.places),
        audit=AuditService(store, log_keys, EvidenceZip(resources)),
        backups=BackupService(
            store, SiteBackups(folder, on.keys, WallClock()), pseudonyms, WallClock()
        ),
        retention=RetentionService(store, clock, WallClock(), shipped_rules(resources / "privacy")),
        consents=ConsentService(store, clock, ReceiptDocuments(resources)),
        notices=NoticeService(store, clock),
        vehicles=VehicleService(store, clock),
        requests=privacy.requests,
        rights=privacy.rights,
        erasures=privacy.erasures,
        disclosures=privacy.disclosures,
        breaches=privacy.breaches,
        ropa=privacy.ropa,
        support=SupportService(store, WallClock(), SitePapers(folder)),
        mail=MailService(store, SmtpMailer(WallClock(), ALERTS.timeout_s), WallClock(), pseudonyms),
    )
