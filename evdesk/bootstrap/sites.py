"""Sites: created, opened, and the services built on them; there are no globals."""

import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.localtime import get_localzone
from platformdirs import user_data_path

from evdesk.bootstrap.computer import ThisComputer
from evdesk.bootstrap.papers import SitePapers
from evdesk.delivery.smtp import SmtpMailer
from evdesk.devices.modbus import ModbusDevices
from evdesk.documents.invoice_pdf import TypstInvoices
from evdesk.documents.tables import Tables
from evdesk.domain.errors import UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account, AccountId, Actor, Role, Site
from evdesk.ports import Clock, Devices, Store
from evdesk.services.billing import BillingService
from evdesk.services.cards import CardService
from evdesk.services.drivers import LANGUAGES, DriverService
from evdesk.services.exporting import ExportService
from evdesk.services.faults import FaultService
from evdesk.services.finding import FindingService
from evdesk.services.live import LiveService
from evdesk.services.mailing import MailService
from evdesk.services.meter_facts import MeterFactsService
from evdesk.services.metering import MeterService
from evdesk.services.occupied import Occupancy
from evdesk.services.reconciling import ReconcileService
from evdesk.services.replacing import ReplacementService
from evdesk.services.reviewing import ReviewService
from evdesk.services.sessions import SessionService
from evdesk.services.sites import SiteService
from evdesk.services.stations import StationService
from evdesk.services.supporting import SupportService
from evdesk.services.tariffs import TariffService
from evdesk.settings import ALERTS, shipped
from evdesk.storage import keys, site_folder

COLLECTOR, RECOVERY = Actor("collector"), Actor("recovery", Role.OWNER)
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


@dataclass(frozen=True, slots=True)
class Opened:
    """An unlocked site; the data key starts its collector."""

    folder: Path
    data_key: Secret
    services: Services
    used_second_copy: bool = False
    signing_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class SiteRequest:
    """What a new site is made from; ``starts_at`` sets a demo site's clock."""

    name: str
    owner: str
    tz: str
    currency: str
    country: str
    language: str
    demo: bool
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A new site with the code that opens it when the password is lost."""

    site: Site
    recovery_code: str


# -- sites ------------------------------------------------------------------------------------


def default_folder() -> Path:
    """Return the site folder used where none is named."""
    return user_data_path("evdesk", appauthor=False) / "site"


def local_zone() -> str:
    """Return the IANA name of this computer's time zone.

    Raises:
        UserError: the computer does not tell its name.

    """
    name = getattr(get_localzone(), "key", None)
    if not isinstance(name, str):
        raise UserError(
            "This computer does not tell its time zone: name it with --tz, like Europe/Berlin."
        )
    return name


def create_site(folder: Path, password: Secret, request: SiteRequest) -> Made:
    """Create a site folder with its first account, all or nothing."""
    _check(request)
    at = request.starts_at or datetime.now(UTC)
    pseudonyms = RandomPseudonyms()
    site = Site(
        id=pseudonyms.make("S"),
        name=request.name,
        tz=request.tz,
        currency=request.currency,
        country=request.country,
        language=request.language,
        demo=request.demo,
        created_at=at,
    )
    owner = Account(AccountId(pseudonyms.make("A")), request.owner, Role.OWNER, at)
    return Made(site, site_folder.create_site(folder, site, owner, password))


def _check(request: SiteRequest) -> None:
    try:
        ZoneInfo(request.tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: Europe is a folder
        raise UserError(
            "'{tz}' is no time zone: write it like Europe/Berlin.", tz=request.tz
        ) from error
    if not re.fullmatch("[A-Z]{3}", request.currency):
        raise UserError(
            "'{currency}' is no currency: write it like EUR.", currency=request.currency
        )
    if not re.fullmatch("[A-Z]{2}", request.country):
        raise UserError("'{country}' is no country: write it like DE.", country=request.country)
    if request.language not in LANGUAGES:
        raise UserError(
            "Invoices cannot be written in '{language}' yet: choose {known}.",
            language=request.language,
            known=" or ".join(LANGUAGES),
        )
    if not request.owner.strip() or not request.name.strip():
        raise UserError("A site and its owner need a name.")


def check_site(folder: Path) -> None:
    """Refuse a folder that has nothing of a site.

    Raises:
        UserError: neither keys nor a database are there.

    """
    names = (site_folder.SITE_DB, keys.KEYS, keys.SECOND)
    if not any((folder / name).exists() for name in names):
        raise UserError(
            "There is no site in {folder}. Name its folder with --site (or EVDESK_SITE), or create "
            "one: evdesk init --help",
            folder=folder,
        )


def open_site(folder: Path, password: Secret, user: str | None = None) -> Opened:
    """Open a site with a password or the recovery code."""
    unlocked = keys.unlock(folder, None, password)
    store, site = _open_store(folder, unlocked.data_key, RECOVERY)
    try:
        store.actor = _actor(store, unlocked.account_id, user)
    except WrongKey:
        store.close()
        raise
    services = _services(folder, store, *site)
    return Opened(
        folder, unlocked.data_key, services, unlocked.used_second_copy, unlocked.signing_key
    )


def _actor(store: Store, account_id: AccountId | None, user: str | None) -> Actor:
    """Return whose slot was opened; who has the recovery code acts as an owner."""
    if account_id is None:
        return RECOVERY
    with store.read() as unit:
        account = unit.accounts.by_id(account_id)
    if account is None:
        raise WrongKey("The account of this password has been removed; nothing was opened.")
    if user is not None and account.name != user:
        raise WrongKey("The password is not {user}'s.", user=user)
    return Actor(account.id, account.role)


def open_collector(folder: Path, password: Secret, user: str | None) -> Opened:
    """Open a site with a password, to act as its collector."""
    opened = open_site(folder, password, user)
    opened.services.store.close()
    acting = open_with_key(folder, opened.data_key, COLLECTOR)
    return replace(acting, used_second_copy=opened.used_second_copy)


def open_with_key(folder: Path, data_key: Secret, actor: Actor) -> Opened:
    """Open a site with its data key."""
    store, site = _open_store(folder, data_key, actor)
    return Opened(folder, data_key, _services(folder, store, *site))


def _open_store(folder: Path, data_key: Secret, actor: Actor) -> tuple[Store, tuple[Site, Clock]]:
    """Return the database, and what is known of the site in it: its row and its clock."""
    wall = WallClock()
    store: Store = site_folder.open_store(folder, data_key, actor, wall)
    with store.read() as unit:
        site = unit.site.load()
    if not site.demo:
        return store, (site, wall)
    store.close()
    demo = DemoClock()
    store = site_folder.open_store(folder, data_key, actor, demo)
    demo.follow(store)
    return store, (site, demo)


def _services(folder: Path, store: Store, site: Site, clock: Clock) -> Services:
    devices = ModbusDevices(clock, stepped=site.demo)
    occupancy = Occupancy(store, devices, WallClock())
    renderer = TypstInvoices(shipped("resources"))
    pseudonyms = RandomPseudonyms()
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
        billing=BillingService(store, devices, clock, renderer, pseudonyms),
        exports=ExportService(store, Tables()),
        faults=FaultService(store, clock, WallClock(), ThisComputer(folder), Tables()),
        meter_facts=MeterFactsService(store),
        support=SupportService(store, WallClock(), SitePapers(folder)),
        mail=MailService(store, SmtpMailer(WallClock(), ALERTS.timeout_s), WallClock(), pseudonyms),
    )
