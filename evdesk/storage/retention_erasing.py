"""Finding what is past its date, and erasing it: rows, keys of persons, and lines of the ledger."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from evdesk.domain.erasures import Erasure
from evdesk.domain.instants import from_ms, parse_instant, rfc3339, to_ms
from evdesk.domain.personal_data import DataClass
from evdesk.domain.retention import AUDIT, READINGS, Held
from evdesk.domain.site import DriverId
from evdesk.ports.retention import Counted, Key, Wanted
from evdesk.storage.audit_log import instant
from evdesk.storage.connection import Value
from evdesk.storage.erasures import subject_of
from evdesk.storage.retention_deletes import Chunk
from evdesk.storage.retention_kinds import FAR, KINDS, NEEDED
from evdesk.storage.retention_persons import OF_PERSON, ErasingOfPersons

DAY_MS = 86_400_000
BEFORE = "before:"  # begins what the ledger calls everything of a kind up to an instant
REPLAYED = 1_000  # keys a step, where a restored site is nobody's yet


class StoredErasing(ErasingOfPersons):
    """Implements ``ports.Erasing`` within one transaction."""

    # -- by rule --------------------------------------------------------------------------------

    def count(self, wanted: Wanted) -> Counted:
        """Return how much is past its date, and how much of it stays."""
        query = KINDS[wanted.data_class].query
        rows = self._db.all(
            f"SELECT why, count(*) FROM ({query}) GROUP BY why",  # noqa: S608 - constants
            self._values(wanted),
        )
        found = {str(why or ""): number for why, number in rows}
        selected = sum(found.values())
        if wanted.data_class in wanted.held.classes:
            return Counted(selected, {"legal_hold": selected} if selected else {})
        return Counted(selected, {why: number for why, number in found.items() if why})

    def find(self, wanted: Wanted, after: Key | None, limit: int) -> list[Key]:
        """Return keys of what is to go, in order, behind one of them."""
        if wanted.data_class in wanted.held.classes:
            return []
        behind = "" if after is None else "AND key > :after"
        rows = self._db.all(
            f"SELECT key FROM ({KINDS[wanted.data_class].query})"  # noqa: S608 - constants
            f" WHERE why IS NULL {behind} ORDER BY key LIMIT :limit",
            {**self._values(wanted), "after": after, "limit": limit},
        )
        return [key for (key,) in rows]

    def erase(self, wanted: Wanted, keys: Sequence[Key]) -> list[Key]:
        """Take out of these what is still to go; return that."""
        if wanted.data_class in wanted.held.classes:
            return []
        found = self._due(wanted, keys)
        if found:
            chunk = Chunk(found, wanted.data_class, wanted.tz)
            KINDS[wanted.data_class].erase(self._db, chunk)
        return list(found)

    def is_due(self, wanted: Wanted, key: Key) -> bool:
        """Return whether one of a kind is to go."""
        return bool(self._due(wanted, [key])) and wanted.data_class not in wanted.held.classes

    def _due(self, wanted: Wanted, keys: Sequence[Key]) -> tuple[Key, ...]:
        query = KINDS[wanted.data_class].query
        rows = self._db.all(
            f"SELECT key FROM ({query}) WHERE why IS NULL"  # noqa: S608 - constants
            " AND key IN (SELECT value FROM json_each(:keys)) ORDER BY key",
            {**self._values(wanted), "keys": json.dumps(list(keys))},
        )
        return tuple(key for (key,) in rows)

    def first_size(self, data_class: str) -> int:
        """Return how many keys of a kind a first small transaction may take."""
        return KINDS[data_class].first

    def is_by_person(self, data_class: str) -> bool:
        """Return whether the keys of a kind are persons, whose keys are destroyed with it."""
        return KINDS[data_class].by_person

    def knows(self, data_class: str) -> bool:
        """Return whether there is anything of a kind that could be erased."""
        return data_class in KINDS

    def _values(self, wanted: Wanted) -> dict[str, Value]:
        cutoff_ms = to_ms(wanted.cutoff_at)
        values: dict[str, Value] = {
            "cutoff": cutoff_ms,
            "cutoff_text": instant(wanted.cutoff_at),
            "whole_days": cutoff_ms // DAY_MS * DAY_MS,
            "now": to_ms(wanted.now),
            "class": wanted.data_class,
            "persons": _listed(wanted.held.persons),
            "invoices": _listed(wanted.held.invoices),
            "restricted": _listed(wanted.restricted),
            "consenting": _listed(wanted.consenting),
        }
        if wanted.data_class == AUDIT:
            oldest = self._db.one("SELECT min(from_ms) FROM segment")
            known = oldest is not None and oldest[0] is not None
            values["oldest_sealed"] = rfc3339(_day(oldest[0])) if oldest and known else "~"
        if wanted.data_class == READINGS:
            needed = self._db.one(
                NEEDED, {name: values[name] for name in ("persons", "restricted")}
            )
            known = needed is not None and needed[0] is not None
            values["first_needed_day"] = (needed[0] if needed and known else FAR) // DAY_MS
        return values

    # -- the ledger -----------------------------------------------------------------------------

    def note_cutoff(self, wanted: Wanted, at: datetime) -> None:
        """Say in the erasure ledger that a kind goes up to a cutoff."""
        subject = f"{BEFORE}{rfc3339(wanted.cutoff_at)}"
        told = ((one.subject, one.data_class) for one in self._lines())
        if (subject, wanted.data_class) not in told:
            self._ledger.append(Erasure(at, subject, wanted.data_class, wanted.under))

    def replay(self, erasures: Iterable[Erasure], now: datetime, tz: str) -> int:
        """Erase again what of these is there; return how many rows or groups of rows were."""
        count, cutoffs = 0, dict[str, Erasure]()
        gone: dict[tuple[str, str], str] = {}
        for one in erasures:
            if one.subject.startswith(BEFORE):
                known = cutoffs.get(one.data_class)
                if known is None or one.subject > known.subject:
                    cutoffs[one.data_class] = one
            else:
                gone[one.subject, one.data_class] = one.rule
        for (person,) in self._db.all("SELECT id FROM driver"):
            subject = subject_of(self._db, person)
            for data_class in OF_PERSON:
                if (subject, data_class) in gone:
                    count += self.erase_person(DriverId(person), data_class)
        for one in cutoffs.values():
            count += self._replay_cutoff(one, now, tz)
        return count + self._replay_mail(gone)

    def _replay_mail(self, gone: Collection[tuple[str, str]]) -> int:
        """Drop the letters to erased addresses, of which the ledger has the keyed hash."""
        recipients = [to for (to,) in self._db.all("SELECT DISTINCT recipient FROM outbox")]
        mail = DataClass.MAIL.value
        known = [to for to in recipients if (subject_of(self._db, to), mail) in gone]
        return sum(self.drop_mail_to(to) for to in known)

    def _replay_cutoff(self, one: Erasure, now: datetime, tz: str) -> int:
        cutoff_at = parse_instant(one.subject.removeprefix(BEFORE), "UTC")
        wanted = Wanted(one.data_class, cutoff_at, now, tz, one.rule, Held())
        count = 0
        while keys := self.find(wanted, None, REPLAYED):
            count += len(self.erase(wanted, keys))
        return count


def _listed(texts: Iterable[str]) -> str:
    return json.dumps(sorted(texts))


def _day(at_ms: int) -> datetime:
    return from_ms(at_ms // DAY_MS * DAY_MS)
