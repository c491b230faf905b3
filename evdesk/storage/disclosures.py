"""Who was given what of whom; recipient and reason are sealed under the person's key."""

import json

from evdesk.domain.disclosures import Disclosure, DisclosureId, RecipientKind
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.personal_data import DataClass
from evdesk.domain.site import DriverId
from evdesk.storage.connection import Connection, Row
from evdesk.storage.json_text import canonical
from evdesk.storage.person_seals import PersonSeals

TOLD = "disclosure"
SELECT = (
    "SELECT id, person_id, at_ms, recorded_at_ms, recipient_kind, classes, author, told"
    " FROM disclosure "
)


class StoredDisclosures:
    """Implements ``ports.Disclosures``."""

    def __init__(self, connection: Connection, seals: PersonSeals) -> None:
        self._db, self._seals = connection, seals

    def add(self, disclosure: Disclosure) -> DisclosureId:
        """Append a disclosure; its id is given here."""
        one = disclosure
        told = canonical([one.recipient or "", one.reason or ""]).encode()
        sealed = self._seals.seal(one.person, DataClass.REQUEST, TOLD, told, one.recorded_at)
        return DisclosureId(
            self._db.insert(
                "INSERT INTO disclosure (person_id, at_ms, recorded_at_ms, recipient_kind, classes,"
                " author, told) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(one.person, to_ms(one.at), to_ms(one.recorded_at), one.kind.value),
                    *(" ".join(one.classes), one.author, sealed),
                ),
            )
        )

    def find(self, person: DriverId | None = None) -> list[Disclosure]:
        """Return the disclosures of one person or all, oldest first."""
        where = "WHERE ?1 IS NULL OR person_id = ?1 ORDER BY at_ms, id"
        return [self._disclosure(row) for row in self._db.all(SELECT + where, (person,))]

    def _disclosure(self, row: Row) -> Disclosure:
        disclosure, person, at_ms, recorded_at_ms, kind, classes, author, told = row
        plain = None if told is None else self._seals.open(person, DataClass.REQUEST, TOLD, told)
        recipient, reason = (None, None) if plain is None else json.loads(plain)
        return Disclosure(
            id=DisclosureId(disclosure),
            person=DriverId(person),
            at=from_ms(at_ms),
            recorded_at=from_ms(recorded_at_ms),
            kind=RecipientKind(kind),
            classes=tuple(map(DataClass, classes.split())),
            author=author,
            recipient=recipient,
            reason=reason,
        )
