"""The site database: repositories, one a noun, and the transactions they live in."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.audit import Change
from evdesk.domain.invoices import Invoice, InvoiceId
from evdesk.domain.meters import (
    Meter,
    MeterStatus,
    NewMeter,
    Source,
    Station,
    StationId,
)
from evdesk.domain.notes import Head, Rollback
from evdesk.domain.readings import MeterId
from evdesk.domain.site import Account, AccountId, Actor, Driver, DriverId, Party, Site
from evdesk.domain.tariffs import Assignment, Tariff, TariffId
from evdesk.ports.archive import Archive, Sealing
from evdesk.ports.audit import Audit, KeptCheckpoint
from evdesk.ports.backups import BackupRows
from evdesk.ports.consents import (
    Consents,
    KeyErasures,
    Notices,
    Purposes,
    Restraints,
    Vehicles,
)
from evdesk.ports.device_memory import DeviceMemories
from evdesk.ports.evidence import Cards, Replacements
from evdesk.ports.faults import Faults
from evdesk.ports.mail import Outbox
from evdesk.ports.readings import Readings
from evdesk.ports.reconciliation import Decisions, Explanations, Registers
from evdesk.ports.retention import Erasing, RetentionRows
from evdesk.ports.rights import Breaches, Details, Disclosures, Requests
from evdesk.ports.sessions import Sessions


class SiteRows(Protocol):
    """The site itself, its issuer and its stepped clock."""

    def load(self) -> Site:
        """Return the site."""

    def create(self, site: Site) -> None:
        """Write the one row."""

    def issuer(self) -> Party | None:
        """Return who bills, or None while nobody is set."""

    def set_issuer(self, issuer: Party) -> None:
        """Replace who bills."""

    def stepped_at(self) -> datetime | None:
        """Return the stepped clock of a demo site; None until it was first set."""

    def set_stepped(self, at: datetime) -> None:
        """Move the stepped clock."""


class Accounts(Protocol):
    """Who may open the site; their keys are in keys.json."""

    def add(self, account: Account) -> None:
        """Add an account; its name must be new."""

    def all(self, *, removed: bool = False) -> list[Account]:
        """Return accounts in the order they were added; with ``removed`` also those taken away."""

    def by_name(self, name: str) -> Account | None:
        """Return the account of that name that is not removed."""

    def by_id(self, account: AccountId) -> Account | None:
        """Return the account of that id, also a removed one."""

    def remove(self, account: AccountId, at: datetime) -> None:
        """Mark an account as removed; what it did stays."""

    def take_over(self, accounts: Sequence[Account]) -> None:
        """Bring accounts of later days in: who came since is there, who was removed is not."""

    def last_logins(self) -> dict[AccountId, datetime]:
        """Return when each account last opened the site, as far as the log tells."""


class Intents(Protocol):
    """What spans two files: begun here, done there, marked as done; the rest finished at open."""

    def begin(self, kind: str, data: Mapping[str, object], at: datetime) -> int:
        """Write an intent; it becomes binding with the commit of this transaction."""

    def open(self, kind: str) -> dict[int, dict[str, object]]:
        """Return what is begun and not done, by number."""

    def done(self, intents: list[int], at: datetime) -> None:
        """Mark intents as done."""


class Meters(Protocol):
    """Devices and what the collector knows of them."""

    def add(self, meter: NewMeter, at: datetime) -> MeterId:
        """Add a device; its name must be new among those not removed."""

    def by_name(self, name: str) -> Meter | None:
        """Return the device of that name that is not removed."""

    def all(self, *, removed: bool = False) -> list[Meter]:
        """Return devices by name; with ``removed`` also those taken away."""

    def set_interval(self, meter: MeterId, interval_ms: int | None) -> None:
        """Ask for another polling interval; None leaves it to the program."""

    def set_choices(self, meter: MeterId, choices: Mapping[str, str]) -> None:
        """Write what people decided of what its profile leaves open, in place of what they did."""

    def set_facts(self, meter: Meter) -> None:
        """Write what people know of a device: serial number, class, seal and calibration.

        A serial number that is set anew forgets the one that was read.
        """

    def note_serial(self, meter: MeterId, serial: str) -> None:
        """Keep the first serial number that was read of a device (collector only)."""

    def forget_serial(self, meter: MeterId) -> None:
        """Forget which serial number was read: the next one that is read is right."""

    def remove(self, meter: MeterId, at: datetime) -> None:
        """Take a device away; its readings stay."""

    def statuses(self) -> dict[MeterId, MeterStatus]:
        """Return what is known of each device; one never read has state NEW."""

    def save_statuses(self, statuses: Iterable[MeterStatus]) -> None:
        """Replace what is known of these devices (collector only)."""


class Stations(Protocol):
    """Charging points."""

    def add(self, name: str, energy: Source, state: Source | None, at: datetime) -> StationId:
        """Add a charging point; its name must be new among those not retired."""

    def by_name(self, name: str) -> Station | None:
        """Return the point of that name that is not retired."""

    def all(self, *, retired: bool = False) -> list[Station]:
        """Return points by name; with ``retired`` also those out of use."""

    def rename(self, station: StationId, name: str) -> None:
        """Give it another name."""

    def retire(self, station: StationId, at: datetime) -> None:
        """Take it out of use; its sessions stay."""

    def set_default_driver(
        self, station: StationId, driver: DriverId | None, from_at: datetime
    ) -> None:
        """From an instant on, sessions without a driver of their own are this driver's."""

    def default_driver(self, station: StationId, at: datetime) -> DriverId | None:
        """Return whose the sessions of that instant are."""


class Drivers(Protocol):
    """People who charge; their personal fields are encrypted under their own keys."""

    def add(self, driver: Driver) -> None:
        """Add a driver with a key of their own per data class."""

    def change(self, driver: Driver) -> None:
        """Keep other personal fields and another language; the ones before are gone.

        Raises:
            UserError: a field was erased with its key.

        """

    def get(self, driver: DriverId) -> Driver | None:
        """Return a driver with personal fields, where the actor may see them."""

    def reveal(self, driver: DriverId) -> Driver | None:
        """Return a driver with personal fields, also to who sees pseudonyms otherwise."""

    def all(self, *, retired: bool = False) -> list[Driver]:
        """Return drivers in the order they were added."""

    def retire(self, driver: DriverId, at: datetime) -> None:
        """Mark a driver as no longer charging here."""


class Tariffs(Protocol):
    """Tariffs and where they hold."""

    def add(self, tariff: Tariff) -> None:
        """Add a tariff; its id must be new."""

    def get(self, tariff: TariffId) -> Tariff | None:
        """Return a tariff."""

    def all(self) -> list[Tariff]:
        """Return tariffs in the order they were added."""

    def assign(self, assignment: Assignment) -> None:
        """Append an assignment."""

    def assignments(self) -> list[Assignment]:
        """Return every assignment, oldest first."""


class Invoices(Protocol):
    """Drafts, and issued invoices that nothing changes."""

    def save_draft(self, invoice: Invoice) -> None:
        """Insert or replace a draft."""

    def drop_draft(self, invoice: InvoiceId) -> None:
        """Remove a draft."""

    def next_number(self, series: str) -> int:
        """Return the next number of a series; call it in the issuing transaction."""

    def issue(self, invoice: Invoice, series: str, serial: int, pdf: bytes) -> None:
        """Freeze an issued invoice with its document; its draft goes, its sessions are billed."""

    def get(self, invoice: InvoiceId) -> Invoice | None:
        """Return a draft or an issued invoice, by id or by number."""

    def all(self) -> list[Invoice]:
        """Return drafts and issued invoices, newest first."""

    def pdf(self, invoice: InvoiceId) -> bytes | None:
        """Return the document of an issued invoice, byte for byte as it was issued."""


@dataclass(frozen=True, slots=True)
class CollectorState:
    """The collector's lease as it stands in the database."""

    pid: int | None
    host: str
    since_at: datetime | None
    heartbeat_at: datetime | None
    stop_requested: bool
    lateness_ms: int
    revision: int


class CollectorRows(Protocol):
    """The one row through which people and the collector talk."""

    def state(self) -> CollectorState:
        """Return the row."""

    def take(self, pid: int, host: str, at: datetime) -> None:
        """Take the lease; the caller has checked that it is free."""

    def beat(self, at: datetime, lateness_ms: int) -> None:
        """Say that it lives; wall clock, also on demo sites."""

    def release(self) -> None:
        """Give the lease back."""

    def request_stop(self) -> None:
        """Ask the collector to end."""

    def bump_revision(self) -> None:
        """Say that meters or stations changed, so that the collector reads them again."""


class Unit(Protocol):
    """One transaction; what it returns is valid only inside it."""

    site: SiteRows
    accounts: Accounts
    intents: Intents
    meters: Meters
    memories: DeviceMemories
    stations: Stations
    readings: Readings
    archive: Archive
    registers: Registers
    sessions: Sessions
    decisions: Decisions
    cards: Cards
    replacements: Replacements
    explanations: Explanations
    drivers: Drivers
    tariffs: Tariffs
    invoices: Invoices
    collector: CollectorRows
    audit: Audit
    faults: Faults
    outbox: Outbox
    backups: BackupRows
    retention: RetentionRows
    consents: Consents
    notices: Notices
    purposes: Purposes
    restraints: Restraints
    key_erasures: KeyErasures
    vehicles: Vehicles
    requests: Requests
    disclosures: Disclosures
    breaches: Breaches
    details: Details

    @property
    def erasing(self) -> Erasing:
        """Return what erases for good."""

    @property
    def sealing(self) -> Sealing:
        """Return what seals and thins readings (collector only)."""

    def record_change(self, change: Change) -> None:
        """Say in the audit log what this transaction does; it is written with its end."""


class Store(Protocol):
    """The site database of one unlocked site, as one actor sees it."""

    actor: Actor
    rollback: Rollback | None  # what is wrong with the log as a whole: people may only read then

    def acting_as(self, actor: Actor) -> "Store":
        """Return the same open site in the name of somebody else."""

    def explain_rollback(self, reason: str) -> None:
        """Say why the log is not the one that was anchored, and go on from here."""

    def sign_head(self, sign: Callable[[Head], str]) -> KeptCheckpoint:
        """Keep a signed checkpoint of the log as it is, durable, and return it.

        Raises:
            StorageError: the log is not the one that was anchored or signed before.

        """

    def read(self) -> AbstractContextManager[Unit]:
        """Open a consistent view; nothing can be written through it."""

    def write(self) -> AbstractContextManager[Unit]:
        """Open a transaction of people: synchronous FULL; it must record a change or write nothing.

        Raises:
            StorageError: the database was busy for 5 s, the disk is full, the file is damaged.

        """

    def journal(self) -> AbstractContextManager[Unit]:
        """Open a transaction of the collector: synchronous NORMAL, no audit entry demanded."""

    def empty_log(self) -> str:
        """Empty the write-ahead log; return ``0,0,0`` where nothing of it is left."""

    def data_version(self) -> int:
        """Return a number that moves when another connection has committed."""

    def size_bytes(self) -> int:
        """Return the size of the database with its write-ahead log."""

    def schema_version(self) -> int:
        """Return the number of the newest migration."""

    def close(self) -> None:
        """Give the idle connection back."""
