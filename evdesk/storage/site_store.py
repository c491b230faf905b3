"""The site database as services see it: units of work of one actor."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from evdesk import ports
from evdesk.domain.audit import Change
from evdesk.domain.errors import LogBroken, StorageError
from evdesk.domain.notes import Head, Rollback
from evdesk.domain.permissions import sees_persons
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor
from evdesk.storage.accounts import StoredAccounts
from evdesk.storage.anchor import Anchor
from evdesk.storage.archive import StoredArchive
from evdesk.storage.audit_log import Recorder
from evdesk.storage.backup_rows import StoredBackups
from evdesk.storage.breaches import StoredBreaches, StoredDetails
from evdesk.storage.cards import StoredCards
from evdesk.storage.chain import Chain
from evdesk.storage.checkpoints import keep_checkpoint
from evdesk.storage.connection import Connection
from evdesk.storage.consents import StoredConsents
from evdesk.storage.corrections import StoredDecisions
from evdesk.storage.database import Access, Database
from evdesk.storage.device_memories import StoredDeviceMemories
from evdesk.storage.disclosures import StoredDisclosures
from evdesk.storage.drivers import CONFIRM_KEYS, StoredDrivers
from evdesk.storage.erasures import LEDGER, LedgerFile
from evdesk.storage.fault_rows import StoredFaults
from evdesk.storage.faults import READ_ONLY, is_unreadable
from evdesk.storage.intents import Intents
from evdesk.storage.invoices import StoredInvoices
from evdesk.storage.meters import StoredMeters
from evdesk.storage.notices import StoredNotices
from evdesk.storage.outbox import StoredOutbox
from evdesk.storage.person_seals import PersonSeals
from evdesk.storage.persons import Persons
from evdesk.storage.purposes import StoredPurposes
from evdesk.storage.readings import StoredReadings
from evdesk.storage.reconciliation import StoredExplanations
from evdesk.storage.registers import StoredRegisters
from evdesk.storage.replacements import StoredReplacements
from evdesk.storage.requests import StoredRequests
from evdesk.storage.restraints import StoredKeyErasures, StoredRestraints
from evdesk.storage.retention_rows import StoredRetention
from evdesk.storage.sessions import StoredSessions
from evdesk.storage.site_rows import StoredCollector, StoredSite
from evdesk.storage.stations import StoredStations
from evdesk.storage.stored_audit import StoredAudit
from evdesk.storage.tariffs import StoredTariffs
from evdesk.storage.vehicles import StoredVehicles

# All that an auditor can write.
AUDIT_TABLES = frozenset({"audit", "audit_payload", "audit_node", "audit_checkpoint"})
RESTORED = "site.restored"
ROLLED_BACK = (
    "The audit log is not the one that this folder had before: {anchored} was anchored, and "
    "{found} is here. An older copy was put back, or something was taken away. Nothing can be "
    "changed until an owner says why; readings go on. evdesk audit explain --help"
)


NO_ANCHOR = (
    "The file anchor.json of this folder is missing or damaged, so nobody can tell whether the "
    "audit log, with {found} here, is all there was. Put the file back, or compare with a head on "
    "paper: evdesk audit verify --anchor. Nothing can be changed until an owner says why; readings "
    "go on. evdesk audit explain --help"
)
NOT_WHOLE = (
    "The audit log is not whole: entries are missing or damaged. Nothing can be changed; readings "
    "go on. See what it is with evdesk audit verify, keep a copy of the folder, and restore the "
    "newest backup."
)
BEGUN = 1  # the entry that a site begins with is anchored after it is written


def rollback_of(site: Database, anchor: Anchor) -> Rollback | None:
    """Compare a log with its anchor; one that has grown since is no other."""
    anchored = anchor.read()
    with site.transaction(Access.READ) as connection:
        chain = Chain(connection)
        try:
            found = chain.head()
            if anchored is None:
                same = found.size <= BEGUN
            else:
                same = anchored.size <= found.size and chain.head(anchored.size) == anchored
        except StorageError as error:
            if isinstance(error, LogBroken) or is_unreadable(error):
                return Rollback(anchored, None)
            raise
    return None if same else Rollback(anchored, found)


def _refusal(told: Rollback) -> StorageError:
    if told.found is None:
        return StorageError(NOT_WHOLE)
    template = NO_ANCHOR if told.anchored is None else ROLLED_BACK
    return StorageError(template, **_heads(told))


def _heads(told: Rollback) -> dict[str, object]:
    return {"anchored": str(told.anchored or ""), "found": str(told.found or "")}


WriteEntry = Callable[[Connection, Change, int], Head]


@dataclass(frozen=True, slots=True)
class StoppedClock:
    """A clock that shows one instant."""

    at: datetime

    def now(self) -> datetime:
        """Return the instant."""
        return self.at


class SiteUnit:
    """Implements ``ports.Unit``: one transaction."""

    def __init__(
        self,
        connection: Connection,
        recorder: Recorder,
        drivers: StoredDrivers,
        persons: Persons,
        *,
        hides: bool = False,
    ) -> None:
        self.site: ports.SiteRows = StoredSite(connection)
        self.accounts: ports.Accounts = StoredAccounts(connection)
        self.intents: ports.Intents = Intents(connection)
        self.meters: ports.Meters = StoredMeters(connection)
        self.memories: ports.DeviceMemories = StoredDeviceMemories(connection)
        self.stations: ports.Stations = StoredStations(connection)
        self.readings: ports.Readings = StoredReadings(connection)
        self.archive: ports.Archive = StoredArchive(connection)
        self.registers: ports.Registers = StoredRegisters(connection)
        self.sessions: ports.Sessions = StoredSessions(connection, hides=hides)
        self.decisions: ports.Decisions = StoredDecisions(connection)
        self.cards: ports.Cards = StoredCards(connection, recorder.random_bytes, hides=hides)
        self.replacements: ports.Replacements = StoredReplacements(connection)
        self.explanations: ports.Explanations = StoredExplanations(connection)
        self.drivers: ports.Drivers = drivers
        self.tariffs: ports.Tariffs = StoredTariffs(connection)
        self.invoices: ports.Invoices = StoredInvoices(connection, hides=hides)
        self.collector: ports.CollectorRows = StoredCollector(connection)
        self.audit: ports.Audit = StoredAudit(connection)
        self.faults: ports.Faults = StoredFaults(connection)
        self.outbox: ports.Outbox = StoredOutbox(connection)
        self.backups: ports.BackupRows = StoredBackups(connection)
        self.retention: ports.RetentionRows = StoredRetention(connection)
        seals = PersonSeals(drivers, recorder.random_bytes)
        self.consents: ports.Consents = StoredConsents(connection, seals)
        self.notices: ports.Notices = StoredNotices(connection)
        self.purposes: ports.Purposes = StoredPurposes(connection)
        self.restraints: ports.Restraints = StoredRestraints(connection)
        self.key_erasures: ports.KeyErasures = StoredKeyErasures(connection)
        self.vehicles: ports.Vehicles = StoredVehicles(connection, seals, recorder.random_bytes)
        self.requests: ports.Requests = StoredRequests(connection, seals)
        self.disclosures: ports.Disclosures = StoredDisclosures(connection, seals)
        self.breaches: ports.Breaches = StoredBreaches(connection)
        self.details: ports.Details = StoredDetails(connection)
        self._recorder = recorder
        self._connection, self._persons = connection, persons

    @property
    def erasing(self) -> ports.Erasing:
        """Return what erases for good; most units of work never need it."""
        from evdesk.storage.retention_erasing import StoredErasing

        ledger = LedgerFile(self._connection.place.path.with_name(LEDGER))
        return StoredErasing(self._connection, self._persons, ledger)

    @property
    def sealing(self) -> ports.Sealing:
        """Return what seals and thins; imported here, because most commands never need numpy."""
        from evdesk.storage.sealing import StoredSealing

        return StoredSealing(self._connection)

    def record_change(self, change: Change) -> None:
        """Say in the audit log what this transaction does; it is written with its end."""
        self._recorder.record(change)


class SiteStore:
    """Implements ``ports.Store``; may be used from several threads, a unit from one."""

    def __init__(
        self,
        site: Database,
        persons: Persons,
        actor: Actor,
        clock: ports.Clock,
        random_bytes: Callable[[int], bytes],
        anchor: Anchor,
    ) -> None:
        self.actor = actor
        self.rollback = rollback_of(site, anchor)
        self._anchor = anchor
        self._site = site
        self._persons = persons
        self._clock = clock
        self._random_bytes = random_bytes

    def acting_as(self, actor: Actor) -> "SiteStore":
        """Return the same open site in the name of somebody else; closed together with this."""
        return SiteStore(
            self._site, self._persons, actor, self._clock, self._random_bytes, self._anchor
        )

    @contextmanager
    def read(self) -> Iterator[ports.Unit]:
        """Open a consistent view; nothing can be written through it."""
        with self._site.transaction(Access.READ) as connection:
            recorder, drivers = self._parts(connection)
            yield SiteUnit(connection, recorder, drivers, self._persons, hides=self._hides())

    @contextmanager
    def write(self) -> Iterator[ports.Unit]:
        """Open a transaction of people: synchronous FULL; it must record a change or write nothing.

        Raises:
            StorageError: the database was busy for too long, the disk is full, the file is damaged,
                or the log is not the one that was anchored.
            RuntimeError: something was written without an audit entry; it is undone.

        """
        if self.rollback is not None:
            raise _refusal(self.rollback)
        with self._changing(Access.PEOPLE, must_record=True) as unit:
            yield unit

    def explain_rollback(self, reason: str) -> None:
        """Say why the log is not the one that was anchored, and go on from here.

        The entry tells both heads; nothing else may be written before it.

        Raises:
            StorageError: as ``write``, or the anchor cannot be written; the entry stands then.

        """
        told = self.rollback
        if told is None:
            return
        if told.found is None:
            raise _refusal(told)
        with self._changing(Access.PEOPLE, must_record=True) as unit:
            site = unit.site.load().id
            unit.record_change(Change(RESTORED, "site", site, _heads(told), reason))
        with self._site.transaction(Access.READ) as connection:
            head = Chain(connection).head()
        try:
            self._anchor.put(head)
        except OSError as error:
            raise StorageError(READ_ONLY, path=self._anchor.path) from error
        self.rollback = None

    def rekeyed(self, data_key: Secret, renew: Callable[[WriteEntry], Head]) -> None:
        """Let ``renew`` put files under another key in the place of these; nobody uses them then.

        It is given what writes an entry into the new database and marks its intent as done.

        Raises:
            StorageError: whatever ``renew`` raises, or the log is not the one that was anchored.

        """
        if self.rollback is not None:
            raise _refusal(self.rollback)
        clock = StoppedClock(self._clock.now())  # a demo site's clock stands in the database

        def write(connection: Connection, change: Change, intent: int) -> Head:
            recorder = Recorder(connection, self.actor, clock, self._random_bytes)
            recorder.record(change)
            Intents(connection).done([intent], clock.now())
            recorder.write()
            return Chain(connection).head()

        with self._site.out_of_use():
            head = renew(write)
            self._site.use_key(data_key)
            self._persons.use_key(data_key)
        self._anchor.advance(head)

    def sign_head(self, sign: Callable[[Head], str]) -> ports.KeptCheckpoint:
        """Keep a signed checkpoint of the log as it is, durable, and return it.

        Raises:
            StorageError: the log is not the one that was anchored or signed before.

        """
        if self.rollback is not None:
            raise _refusal(self.rollback)
        limit = AUDIT_TABLES if self._hides() else None
        with self._site.transaction(Access.PEOPLE, limit) as connection:
            return keep_checkpoint(connection, sign, self._clock.now())

    @contextmanager
    def journal(self) -> Iterator[ports.Unit]:
        """Open a transaction of the collector: synchronous NORMAL, no audit entry demanded."""
        with self._changing(Access.JOURNAL, must_record=False) as unit:
            yield unit

    def empty_log(self) -> str:
        """Write all that is committed into the database and empty its write-ahead log.

        Return what that answered: ``0,0,0`` when nothing of it is left, not while somebody reads.
        """
        return self._site.empty_log()

    def data_version(self) -> int:
        """Return a number that moves when another connection has committed."""
        return self._site.data_version()

    def size_bytes(self) -> int:
        """Return the size of the database with its write-ahead log."""
        return self._site.size_bytes()

    def schema_version(self) -> int:
        """Return the number of the newest migration."""
        return self._site.schema_version

    def close(self) -> None:
        """Give the idle connection back."""
        self._site.close()

    def finish_intents(self) -> None:
        """Finish what a crash left between site.db and persons.db."""
        with self._site.transaction(Access.READ) as connection:
            clean = not Intents(connection).open(CONFIRM_KEYS)
        if clean and not self._persons.pending():
            return
        with self._site.transaction(Access.PEOPLE) as connection:  # its lock covers both files
            intents = Intents(connection)
            wanted = intents.open(CONFIRM_KEYS)
            committed = [str(data["person"]) for data in wanted.values()]
            self._persons.confirm(committed)
            self._persons.drop_pending(self._persons.pending())
            intents.done(list(wanted), self._clock.now())

    @contextmanager
    def _changing(self, access: Access, *, must_record: bool) -> Iterator[ports.Unit]:
        limit = AUDIT_TABLES if self._hides() else None
        with self._site.transaction(access, limit) as connection:
            before = connection.changes()
            recorder, drivers = self._parts(connection)
            recorder.begin()
            whole = False
            try:
                yield SiteUnit(connection, recorder, drivers, self._persons, hides=self._hides())
                if must_record and connection.changes() > before:
                    recorder.demand_entry()
                head = recorder.write()
                whole = True
            finally:
                if drivers.added and not whole:
                    self._persons.drop_pending(drivers.added)
        if head is not None:
            self._follow(access, head)
        if drivers.added:
            with contextlib.suppress(StorageError):  # committed: the next open finishes it
                self.finish_intents()

    def _follow(self, access: Access, head: Head) -> None:
        """Let the anchor follow a commit, once a power cut cannot undo that any more."""
        if access is Access.JOURNAL:
            self._site.sync_log()
        if self.rollback is None:
            self._anchor.advance(head)

    def _parts(self, connection: Connection) -> tuple[Recorder, StoredDrivers]:
        recorder = Recorder(connection, self.actor, self._clock, self._random_bytes)
        intents = Intents(connection)
        drivers = StoredDrivers(
            connection, self._persons, intents, self._random_bytes, hides=self._hides()
        )
        return recorder, drivers

    def _hides(self) -> bool:
        return not sees_persons(self.actor.role)
