"""Breaches with every account of them, and what owners say of the processing."""

from datetime import datetime

from evdesk.domain.breaches import Breach, BreachAccount, BreachFacts, BreachId
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.processing import Detail, DetailKind
from evdesk.storage.connection import Connection, Row

BREACHES = "SELECT id, happened_at_ms, aware_at_ms, recorded_at_ms FROM breach "
DETAILS = "SELECT kind, content, at_ms, author FROM controller_detail ORDER BY id"
ACCOUNTS = (
    "SELECT at_ms, author, nature, categories, subjects, records, consequences, measures, contact,"
    " risk, authority_told_at_ms, subjects_told_at_ms FROM breach_account WHERE breach_id = ?"
    " ORDER BY id"
)


class StoredBreaches:
    """Implements ``ports.Breaches``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(
        self, happened_at: datetime | None, aware_at: datetime, account: BreachAccount
    ) -> BreachId:
        """Append a breach with what is known of it."""
        breach = self._db.insert(
            "INSERT INTO breach (happened_at_ms, aware_at_ms, recorded_at_ms) VALUES (?, ?, ?)",
            (_ms(happened_at), to_ms(aware_at), to_ms(account.at)),
        )
        self.tell(BreachId(breach), account)
        return BreachId(breach)

    def tell(self, breach: BreachId, account: BreachAccount) -> None:
        """Append what is known by now, in the place of what was."""
        facts = account.facts
        self._db.insert(
            "INSERT INTO breach_account (breach_id, at_ms, author, nature, categories, subjects,"
            " records, consequences, measures, contact, risk, authority_told_at_ms,"
            " subjects_told_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(breach, to_ms(account.at), account.author, facts.nature, facts.categories),
                *(facts.subjects, facts.records, facts.consequences, facts.measures),
                *(facts.contact, facts.risk),
                *(_ms(facts.authority_told_at), _ms(facts.subjects_told_at)),
            ),
        )

    def get(self, breach: BreachId) -> Breach | None:
        """Return a breach with what is known by now."""
        row = self._db.one(BREACHES + "WHERE id = ?", (breach,))
        return None if row is None else self._breach(row)

    def all(self) -> list[Breach]:
        """Return every breach, oldest first."""
        return [self._breach(row) for row in self._db.all(BREACHES + "ORDER BY id")]

    def accounts(self, breach: BreachId) -> list[BreachAccount]:
        """Return what was known of a breach, oldest first."""
        return [_account(row) for row in self._db.all(ACCOUNTS, (breach,))]

    def _breach(self, row: Row) -> Breach:
        breach, happened_at_ms, aware_at_ms, recorded_at_ms = row
        newest = self.accounts(BreachId(breach))[-1]
        return Breach(
            id=BreachId(breach),
            happened_at=_at(happened_at_ms),
            aware_at=from_ms(aware_at_ms),
            recorded_at=from_ms(recorded_at_ms),
            author=newest.author,
            facts=newest.facts,
        )


class StoredDetails:
    """Implements ``ports.Details``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, detail: Detail) -> None:
        """Append what holds from now on; an empty text takes away what was said."""
        self._db.insert(
            "INSERT INTO controller_detail (kind, content, at_ms, author) VALUES (?, ?, ?, ?)",
            (detail.kind.value, detail.text, to_ms(detail.at), detail.author),
        )

    def newest(self) -> dict[DetailKind, Detail]:
        """Return what holds of each kind that says something."""
        rows = self._db.all(
            "SELECT kind, content, at_ms, author FROM controller_detail ORDER BY id"
        )
        newest = {
            DetailKind(kind): Detail(DetailKind(kind), content, from_ms(at_ms), author)
            for kind, content, at_ms, author in rows
        }
        return {kind: detail for kind, detail in newest.items() if detail.text}


def _account(row: Row) -> BreachAccount:
    at_ms, author, *known, authority_told_at_ms, subjects_told_at_ms = row
    nature, categories, subjects, records, consequences, measures, contact, risk = known
    return BreachAccount(
        at=from_ms(at_ms),
        author=author,
        facts=BreachFacts(
            nature=nature,
            categories=categories,
            subjects=subjects,
            records=records,
            consequences=consequences,
            measures=measures,
            contact=contact,
            risk=risk,
            authority_told_at=_at(authority_told_at_ms),
            subjects_told_at=_at(subjects_told_at_ms),
        ),
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _at(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else from_ms(at_ms)
