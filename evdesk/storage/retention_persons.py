"""Erasing what is held of one person: keys first, then rows, and a line of the erasure ledger."""

from datetime import datetime

from evdesk.domain.erasures import Erasure
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.personal_data import DataClass
from evdesk.domain.site import DriverId
from evdesk.ports.retention import Key
from evdesk.storage.connection import Connection
from evdesk.storage.erasures import LedgerFile, subject_of
from evdesk.storage.persons import Persons
from evdesk.storage.retention_deletes import UNIT, Chunk
from evdesk.storage.retention_kinds import CHANGED, KINDS

FOR_GOOD = frozenset({DataClass.IDENTITY, DataClass.CONTACT, DataClass.PAYMENT})
OF_PERSON = {
    DataClass.IDENTITY: "SELECT person_id FROM person_field WHERE person_id = ? AND data_class = ?",
    DataClass.CONTACT: "SELECT person_id FROM person_field WHERE person_id = ? AND data_class = ?",
    DataClass.PAYMENT: "SELECT person_id FROM person_field WHERE person_id = ? AND data_class = ?",
    DataClass.VIN: "SELECT person_id FROM vehicle WHERE person_id = ?",
    DataClass.CARD: "SELECT id FROM card WHERE driver_id = ?",
    DataClass.CONSENT_EVIDENCE: "SELECT id FROM consent_evidence WHERE person_id = ?",
    DataClass.CONSENT: (
        f"SELECT DISTINCT person_id || '{UNIT}' || purpose FROM consent_event WHERE person_id = ?"  # noqa: S608
    ),
    DataClass.SESSION_LINK: (
        "SELECT id FROM session JOIN invoice_session ON session_id = session.id WHERE driver_id = ?"
    ),
}
UNBILLED = (
    "SELECT (SELECT count(*) FROM session WHERE driver_id = :person AND NOT EXISTS"
    " (SELECT 1 FROM invoice_session WHERE session_id = session.id))"
    " + (SELECT count(*) FROM invoice_draft WHERE record ->> '$.driver' = :person)"
)


class ErasingOfPersons:
    """What ``StoredErasing`` does by person, within one transaction."""

    def __init__(self, connection: Connection, persons: Persons, ledger: LedgerFile) -> None:
        self._db, self._persons, self._ledger = connection, persons, ledger

    def of_person(self, person: DriverId, data_class: DataClass) -> int:
        """Return how many rows of a class there are of a person."""
        return len(self._keys(person, data_class))

    def destroy(self, person: DriverId, data_class: DataClass, under: str, at: datetime) -> None:
        """Destroy the key of a class and say so in the erasure ledger, both once only."""
        had = data_class in self._persons.keyring(person)
        if had:
            self._persons.destroy(person, data_class)
            self._db.run(
                "INSERT INTO key_erasure (person_id, data_class, at_ms, rule, for_good)"
                " VALUES (?, ?, ?, ?, ?)",
                (person, data_class, to_ms(at), under, int(data_class in FOR_GOOD)),
            )
        about = (subject_of(self._db, person), data_class)
        if had or about not in ((one.subject, one.data_class) for one in self._lines()):
            self.tell(person, data_class, under, at)

    def tell(self, person: DriverId, data_class: DataClass, under: str, at: datetime) -> None:
        """Say in the erasure ledger that a class of a person is gone."""
        self._ledger.append(Erasure(at, subject_of(self._db, person), data_class, under))

    def erase_person(self, person: DriverId, data_class: DataClass) -> int:
        """Take all rows of a class of a person out of the database; return how many."""
        keys = self._keys(person, data_class)
        if keys:
            KINDS[data_class].erase(self._db, Chunk(keys, data_class, "UTC"))
        return len(keys)

    def drop_mail_to(self, recipient: str) -> int:
        """Drop the letters to an address that are not on their way; return how many."""
        rows = self._db.all(
            "SELECT id FROM outbox WHERE recipient = ? AND state IN ('sent', 'failed', 'unclear')",
            (recipient,),
        )
        keys = tuple(key for (key,) in rows)
        return KINDS[DataClass.MAIL].erase(self._db, Chunk(keys, DataClass.MAIL, "UTC"))

    def retained_until(self, person: DriverId) -> datetime | None:
        """Return when the newest invoice of a person was issued or corrected."""
        row = self._db.one(
            f"SELECT max(max(issued_at_ms, {CHANGED})) FROM invoice WHERE driver_id = ?",  # noqa: S608
            (person,),
        )
        return None if row is None or row[0] is None else from_ms(row[0])

    def unbilled(self, person: DriverId) -> int:
        """Return how many sessions of a person nobody was billed for, drafts included."""
        return self._db.number(UNBILLED, {"person": person})

    def _keys(self, person: str, data_class: DataClass) -> tuple[Key, ...]:
        sql = OF_PERSON[data_class]
        values = (person, data_class) if sql.count("?") > 1 else (person,)
        return tuple(dict.fromkeys(key for (key,) in self._db.all(sql, values)))

    def ledger_hash(self) -> str:
        """Return the hash of the newest line of the erasure ledger; empty where it has none."""
        return self._ledger.newest_hash()

    def _lines(self) -> list[Erasure]:
        return self._ledger.all()
