"""What stands against processing: restrictions, objections, and keys that were destroyed."""

from datetime import datetime

from evdesk.domain.consents import Switch
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import PurposeId
from evdesk.domain.site import DriverId
from evdesk.ports.consents import KeyErasure
from evdesk.storage.connection import Connection

RESTRICTIONS = "SELECT person_id, at_ms, restricted, author, reason FROM person_restriction "
OBJECTIONS = "SELECT person_id, at_ms, objects, author, reason FROM objection "


class StoredRestraints:
    """Implements ``ports.Restraints``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def restrict(self, person: DriverId, switch: Switch) -> None:
        """Restrict a person's data from an instant on, or lift that."""
        self._db.insert(
            "INSERT INTO person_restriction (person_id, at_ms, restricted, author, reason)"
            " VALUES (?, ?, ?, ?, ?)",
            (person, to_ms(switch.at), int(switch.on), switch.author, switch.reason),
        )

    def restrictions(self, person: DriverId) -> list[Switch]:
        """Return what was said about restricting a person's data, oldest first."""
        return _switches(self._db, RESTRICTIONS + "WHERE person_id = ? ORDER BY id", person)

    def restricted(self) -> dict[DriverId, Switch]:
        """Return the persons whose data is restricted now, and by what."""
        return _on(self._db, RESTRICTIONS + "ORDER BY id")

    def object(self, person: DriverId, purpose: PurposeId, switch: Switch) -> None:
        """Keep that a person objects to a purpose, or no longer does."""
        self._db.insert(
            "INSERT INTO objection (person_id, purpose, at_ms, objects, author, reason)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (person, purpose, to_ms(switch.at), int(switch.on), switch.author, switch.reason),
        )

    def objections(self, person: DriverId, purpose: PurposeId) -> list[Switch]:
        """Return what a person said about objecting to a purpose, oldest first."""
        where = "WHERE person_id = ? AND purpose = ? ORDER BY id"
        return _switches(self._db, OBJECTIONS + where, person, purpose)

    def objecting(self, purpose: PurposeId) -> dict[DriverId, Switch]:
        """Return who objects to a purpose now, and by what."""
        return _on(self._db, OBJECTIONS + "WHERE purpose = ? ORDER BY id", purpose)


class StoredKeyErasures:
    """Implements ``ports.KeyErasures``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, erasure: KeyErasure) -> None:
        """Note a key that is destroyed; write it in the transaction that deletes the rows."""
        self._db.insert(
            "INSERT INTO key_erasure (person_id, data_class, at_ms, rule, for_good)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                erasure.person,
                erasure.data_class.value,
                to_ms(erasure.at),
                erasure.rule,
                int(erasure.for_good),
            ),
        )

    def erased(self, data_class: DataClass) -> dict[DriverId, datetime]:
        """Return whose class is erased for good, and since when."""
        rows = self._db.all(
            "SELECT person_id, min(at_ms) FROM key_erasure WHERE data_class = ? AND for_good"
            " GROUP BY person_id",
            (data_class.value,),
        )
        return {DriverId(person): from_ms(at_ms) for person, at_ms in rows}


def _switches(connection: Connection, sql: str, *values: str) -> list[Switch]:
    return [
        Switch(from_ms(at_ms), bool(on), author, reason)
        for _, at_ms, on, author, reason in connection.all(sql, values)
    ]


def _on(connection: Connection, sql: str, *values: str) -> dict[DriverId, Switch]:
    newest = {
        DriverId(person): Switch(from_ms(at_ms), bool(on), author, reason)
        for person, at_ms, on, author, reason in connection.all(sql, values)
    }
    return {person: switch for person, switch in newest.items() if switch.on}
