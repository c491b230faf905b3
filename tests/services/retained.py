"""A site whose clock tests set, with its retention and what they look at afterwards."""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, DriverId, Party
from evdesk.domain.verdicts import Known, Verdict
from evdesk.services.retaining import RetentionWork
from evdesk.services.retention import RetentionService
from evdesk.services.rule_book import RuleBook
from evdesk.settings import shipped
from evdesk.storage.connection import Connection, Row
from evdesk.storage.faults import Place
from evdesk.storage.log_keys import SiteLogKeys
from evdesk.storage.pages import PAGE_BYTES
from evdesk.storage.persons import Persons, persons_place
from evdesk.storage.retention_file import shipped_rules
from evdesk.storage.site_folder import open_store
from tests.fakes.clock import SetClock
from tests.services.desk import OWNER, Desk

WAL_HEADER, FRAME_HEADER, RESERVED = 32, 24, 80
RULES = shipped_rules(shipped("resources") / "privacy")


def no_rest(_seconds: float) -> None:
    """Nobody else waits."""


class Retained(Desk):
    """The services of a site, all with one clock; ``as_`` is the same in the name of another."""

    def __init__(self, folder: Path, data_key: Secret, actor: Actor | None = None) -> None:
        clock = SetClock()
        actor = actor or Actor(OWNER.id, OWNER.role)
        super().__init__(open_store(folder, data_key, actor, clock))
        self.folder, self.data_key, self.clock = folder, data_key, clock
        for service in vars(self).values():
            if hasattr(service, "_clock"):
                service._clock = clock
        self.retention = RetentionService(self.store, clock, clock, RULES)
        self.work = RetentionWork(self.store, RuleBook(RULES), clock, no_rest)

    def as_(self, actor: Actor) -> RetentionService:
        return RetentionService(self.store.acting_as(actor), self.clock, self.clock, RULES)

    def to(self, day: str) -> None:
        """Set the clock to noon of a day."""
        self.clock.at = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=UTC)

    def run(self) -> dict[str, int]:
        """Run retention; return what each rule took."""
        done = self.retention.run()
        assert all(one.verified for one in done), done
        return {one.planned.rule.id: one.deleted for one in done if one.deleted}

    def bill(self, driver: DriverId, month: str) -> str:
        """Issue an invoice over a month; return its id."""
        return str(self.billing.issue(self.billing.draft(driver, month).invoice.id).id)

    # -- looking --------------------------------------------------------------------------------

    def rows(self, sql: str, *values: str | int) -> list[Row]:
        connection = Connection(Place(self.folder / "site.db", self.data_key, 200))
        try:
            return connection.all(sql, values)
        finally:
            connection.close()

    def count(self, table: str) -> int:
        return int(self.rows(f"SELECT count(*) FROM {table}")[0][0])

    def persons(self) -> Persons:
        place = persons_place(self.folder / "persons.db", self.data_key, 200)
        return Persons(place, bytes)

    def image_of_rows(self) -> dict[str, list[Row]]:
        """Every row that retention may take."""
        tables = ("session", "session_event", "invoice", "invoice_document", "invoice_session",
                  "person_field", "card")  # fmt: skip
        return {table: self.rows(f"SELECT * FROM {table}") for table in tables}

    def party(self, driver: DriverId) -> Party:
        """Who a driver is, as far as anybody still knows."""
        with self.store.read() as unit:
            found = unit.drivers.get(driver)
        assert found is not None
        return found.party

    def verdict(self) -> Verdict:
        """What checking the audit log says, with its anchor and its key."""
        keys = SiteLogKeys(self.folder, lambda: None)
        key, anchored = keys.verifier(), keys.anchored()
        assert anchored is not None
        with self.store.read() as unit:
            return unit.audit.verify(Known(key, [anchored]), lambda _share: None)

    def image(self) -> bytes:
        """The database as it is when it is decrypted, page by page, with its write-ahead log."""
        plain = b""
        for name in ("site.db", "persons.db"):
            file = self.folder / name
            plain += decrypted(file, self._key(name))
        return plain

    def _key(self, name: str) -> Secret:
        if name == "site.db":
            return self.data_key
        return persons_place(self.folder / name, self.data_key, 200).key


def decrypted(file: Path, key: Secret) -> bytes:
    """Return every page of a database in plain, free ones as well, and of its write-ahead log."""
    pages = file.read_bytes()
    plain = b"".join(
        decrypted_page(key, pages[at : at + PAGE_BYTES], first=at == 0)
        for at in range(0, len(pages), PAGE_BYTES)
    )
    log = file.with_name(file.name + "-wal")
    frames = log.read_bytes()[WAL_HEADER:] if log.exists() else b""
    for at in range(0, len(frames), FRAME_HEADER + PAGE_BYTES):
        frame = frames[at : at + FRAME_HEADER + PAGE_BYTES]
        first = int.from_bytes(frame[:4], "big") == 1
        plain += decrypted_page(key, frame[FRAME_HEADER:], first=first)
    return plain


def decrypted_page(key: Secret, page: bytes, *, first: bool) -> bytes:
    """AES-256-CBC; 80 bytes at the end are IV and HMAC, 16 at the begin of the file its salt."""
    cipher = Cipher(algorithms.AES(key.reveal()), modes.CBC(page[-RESERVED : -RESERVED + 16]))
    return cipher.decryptor().update(page[16 if first else 0 : -RESERVED])
