"""The audit log: written in the transaction it tells of."""

from collections.abc import Callable

from evdesk.domain.audit import AuditEntry, Change, Outcome
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.site import Actor
from evdesk.ports import Clock
from evdesk.storage.connection import Connection, Row
from evdesk.storage.json_text import canonical

SALT_BYTES = 32
EVERYTHING = 2**63 - 1


class StoredAudit:
    """Implements ``ports.Audit``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def entries(self, limit: int, before_seq: int | None = None) -> list[AuditEntry]:
        """Return entries, newest first; ``facts`` is "" where retention took them away."""
        rows = self._db.all(
            "SELECT audit.seq, at_ms, actor, action, object_type, object_ref, outcome, reason,"
            " coalesce(body, '') FROM audit LEFT JOIN audit_payload USING (seq)"
            " WHERE audit.seq < ? ORDER BY audit.seq DESC LIMIT ?",
            (EVERYTHING if before_seq is None else before_seq, limit),
        )
        return [_entry(row) for row in rows]

    def count(self) -> int:
        """Return how many there are."""
        return self._db.number("SELECT count(*) FROM audit")


class Recorder:
    """Writes audit entries of one actor into one transaction, and knows whether it did."""

    def __init__(
        self,
        connection: Connection,
        actor: Actor,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._db = connection
        self._actor = actor
        self._clock = clock
        self.random_bytes = random_bytes
        self._recorded = 0

    def demand_entry(self) -> None:
        """Refuse to go on without an entry.

        Raises:
            RuntimeError: a bug: something was changed and nothing recorded; it is undone.

        """
        if not self._recorded:
            raise RuntimeError("a transaction recorded no change, and was undone")

    def record(self, change: Change) -> int:
        """Write the entry; return its sequence number."""
        seq = self._db.insert(
            "INSERT INTO audit (at_ms, actor, action, object_type, object_ref, outcome, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                to_ms(self._clock.now()),
                self._actor.ref,
                change.action,
                change.object_type,
                change.object_ref,
                Outcome.OK.value,
                change.reason,
            ),
        )
        self._db.run(
            "INSERT INTO audit_payload (seq, salt, body) VALUES (?, ?, ?)",
            (seq, self.random_bytes(SALT_BYTES), canonical(change.facts)),
        )
        self._recorded += 1
        return seq


def _entry(row: Row) -> AuditEntry:
    seq, at_ms, actor, action, object_type, object_ref, outcome, reason, facts = row
    return AuditEntry(
        seq=seq,
        at=from_ms(at_ms),
        actor=actor,
        action=action,
        object_type=object_type,
        object_ref=object_ref,
        outcome=Outcome(outcome),
        reason=reason,
        facts=facts,
    )
