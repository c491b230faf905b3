"""The audit log: written in the transaction it tells of."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from evdesk.domain.audit import AuditEntry, Change, Outcome
from evdesk.domain.notes import Head
from evdesk.domain.site import Actor
from evdesk.ports import Clock
from evdesk.storage.chain import Chain, following
from evdesk.storage.connection import Connection, Row
from evdesk.storage.json_text import canonical, hashed_text
from evdesk.storage.row_commits import RowCommits

SALT_BYTES = 32
EVERYTHING = 2**63 - 1
KEPT = "rows.kept"  # by the collector: rows that no use case speaks of
SELECT = (
    "SELECT audit.seq, at, actor, action, object_type, object_ref, outcome, coalesce(body, '')"
    " FROM audit LEFT JOIN audit_payload USING (seq)"
)


class StoredAudit:
    """Implements ``ports.Audit``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def entries(self, limit: int, before_seq: int | None = None) -> list[AuditEntry]:
        """Return entries, newest first; ``facts`` is "" where retention took them away."""
        rows = self._db.all(
            f"{SELECT} WHERE audit.seq < ? ORDER BY audit.seq DESC LIMIT ?",
            (EVERYTHING if before_seq is None else before_seq, limit),
        )
        return [_entry(row) for row in rows]

    def count(self) -> int:
        """Return how many there are."""
        return self._db.number("SELECT count(*) FROM audit")


class Recorder:
    """Collects what one actor does in one transaction, and writes it at its end.

    The rows that were written are committed to in the last entry.
    """

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._db = connection
        self._chain = Chain(connection)
        self._rows = RowCommits(connection, random_bytes)
        self._actor = actor
        self._clock = clock
        self.random_bytes = random_bytes
        self._changes: list[tuple[datetime, Change]] = []

    def record(self, change: Change) -> None:
        """Note what happens; it is written with the end of the transaction."""
        self._changes.append((self._clock.now(), change))

    def demand_entry(self) -> None:
        """Refuse to go on without an entry.

        Raises:
            RuntimeError: a bug: something was changed and nothing recorded; it is undone.

        """
        if not self._changes:
            raise RuntimeError("a transaction recorded no change, and was undone")

    def write(self) -> Head | None:
        """Write the entries, the last with what it says of rows; return the new head, if any."""
        rows = self._rows.touched()
        if rows and not self._changes:
            self.record(
                Change(KEPT, "journal", self._actor.ref, Counter(table for table, _ in rows))
            )
        if not self._changes:
            return None
        last = self._chain.last()
        for number, (at, change) in enumerate(self._changes, start=1):
            fields = self._fields(at, change)
            if rows and number == len(self._changes):
                fields["rows"] = self._rows.commit(following(last), rows)
            last = self._chain.append(fields, body_of(change), self.random_bytes(SALT_BYTES), last)
        self._changes.clear()
        return self._chain.head(following(last))

    def _fields(self, at: datetime, change: Change) -> dict[str, str]:
        role = self._actor.role
        return {
            "at": instant(at),
            "actor": self._actor.ref,
            "role": "program" if role is None else role.value,
            "action": change.action,
            "object_type": change.object_type,
            "object_ref": change.object_ref,
            "outcome": change.outcome.value,
        }


def body_of(change: Change) -> bytes:
    """Return what an entry keeps beside itself, as canonical JSON."""
    said = {} if change.reason is None else {"reason": change.reason}
    return hashed_text({"facts": change.facts, **said})


def instant(at: datetime) -> str:
    """Return an instant of always the same length, so that texts sort as instants do."""
    utc = at.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds") + "Z"


def _entry(row: Row) -> AuditEntry:
    seq, at, actor, action, object_type, object_ref, outcome, body = row
    said = json.loads(body) if body else {}
    return AuditEntry(
        seq=seq,
        at=datetime.fromisoformat(at),
        actor=actor,
        action=action,
        object_type=object_type,
        object_ref=object_ref,
        outcome=Outcome(outcome),
        reason=said.get("reason"),
        facts=canonical(said["facts"]) if body else "",
    )
