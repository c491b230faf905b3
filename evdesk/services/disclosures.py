"""Who outside was given what of a person, so that they can be told, and told of (Art. 15, 19)."""

import json
from collections.abc import Sequence
from datetime import datetime

from evdesk.domain.audit import AuditEntry, Change
from evdesk.domain.disclosures import Disclosure, DisclosureId, RecipientKind
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.personal_data import DataClass
from evdesk.domain.site import DriverId
from evdesk.ports import AuditFilter, Cell, Clock, Store, Table, TableWriter, Unit
from evdesk.services.drivers import existing_driver
from evdesk.services.handing_out import note_export
from evdesk.services.permitting import REVEALED, given, permit

FROM_LOG = DisclosureId(0)  # not entered by anybody: the audit log tells of it
COLUMNS = ("id", "driver", "at", "recipient_kind", "recipient", "classes", "reason", "author")
SHOWN = (DataClass.IDENTITY, DataClass.CONTACT, DataClass.PAYMENT)
ON_INVOICE = (DataClass.INVOICE, DataClass.IDENTITY)


class DisclosureService:
    """Use cases of disclosures."""

    def __init__(self, store: Store, clock: Clock, writer: TableWriter) -> None:
        self._store, self._clock, self._writer = store, clock, writer

    @permit(Action.ANSWER_RIGHTS)
    def add(
        self,
        person: DriverId,
        recipient: str,
        kind: RecipientKind,
        classes: Sequence[DataClass],
        reason: str,
        at: datetime | None = None,
    ) -> Disclosure:
        """Enter that somebody was given data of a person, now unless it is said when.

        Raises:
            UserError: an unknown driver, no recipient, classes or reason, or a time yet to come.

        """
        now, recipient = self._clock.now(), " ".join(recipient.split())
        if not recipient or not classes:
            raise UserError("Say who was given the data, and which (--recipient, --data).")
        if at is not None and at > now:
            raise UserError("What is yet to be given is entered once it was.")
        one = Disclosure(
            id=FROM_LOG,
            person=person,
            at=at or now,
            recorded_at=now,
            kind=kind,
            classes=tuple(dict.fromkeys(classes)),
            author=self._store.actor.ref,
            recipient=recipient,
            reason=given(reason),
        )
        with self._store.write() as unit:
            existing_driver(unit, person)
            return note_disclosure(unit, one)

    @permit(Action.READ_PRIVACY)
    def all(self, person: DriverId | None = None) -> list[Disclosure]:
        """Return the disclosures of one person or all, oldest first; also what auditors were shown.

        Whoever sees pseudonyms sees what kind of recipient it was, and not who.
        """
        with self._store.read() as unit:
            return disclosures_of(unit, person)

    @permit(Action.READ_PRIVACY)
    def export(self, suffix: str) -> tuple[bytes, int]:
        """Return the file of all disclosures and how many there are."""
        found = self.all()
        with self._store.read() as unit:
            tz, head = unit.site.load().tz, unit.audit.head()
        rows = tuple(disclosure_row(one) for one in found)
        data = self._writer.write(Table("Disclosures", COLUMNS, rows, tz, str(head)), suffix)
        note_export(self._store, "disclosures", suffix, len(rows))
        return data, len(rows)


def note_disclosure(unit: Unit, one: Disclosure) -> Disclosure:
    """Keep a disclosure in an open transaction, with its entry; return it with its id."""
    disclosure = unit.disclosures.add(one)
    facts = {
        "driver": one.person,
        "recipient_kind": one.kind.value,
        "classes": [each.value for each in one.classes],
    }
    unit.record_change(Change("disclosure.added", "disclosure", str(disclosure), facts))
    return next(each for each in unit.disclosures.find(one.person) if each.id == disclosure)


def disclosures_of(unit: Unit, person: DriverId | None = None) -> list[Disclosure]:
    """Return the disclosures of one person or all, oldest first, with what auditors were shown."""
    shown = [_shown(one) for one in unit.audit.find(AuditFilter(action=REVEALED))]
    revealed = [one for one in shown if person is None or one.person == person]
    return sorted(unit.disclosures.find(person) + revealed, key=lambda one: one.at)


def recipients(found: Sequence[Disclosure]) -> list[Disclosure]:
    """Return the newest disclosure to each recipient outside, for who has to be told (Art. 19)."""
    newest = {
        (one.kind, one.recipient): one for one in found if one.kind is not RecipientKind.SUBJECT
    }
    return list(newest.values())


def disclosure_row(one: Disclosure) -> tuple[Cell, ...]:
    """Return a disclosure's cells in the order of ``COLUMNS``."""
    return (
        str(one.id) if one.id != FROM_LOG else None,
        one.person,
        one.at,
        one.kind.value,
        one.recipient,
        " ".join(one.classes),
        one.reason,
        one.author,
    )


def _shown(entry: AuditEntry) -> Disclosure:
    """Return what an auditor was shown; entries whose payload is gone no longer say of whom."""
    facts = json.loads(entry.facts) if entry.facts else {}
    is_driver = entry.object_type == "driver"
    return Disclosure(
        id=FROM_LOG,
        person=DriverId(entry.object_ref if is_driver else facts.get("driver", "")),
        at=entry.at,
        recorded_at=entry.at,
        kind=RecipientKind.AUDITOR,
        classes=SHOWN if is_driver else ON_INVOICE,
        author=entry.actor,
        recipient=entry.actor,
        reason=entry.reason,
    )
