"""The audit log: written in the transaction it tells of."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from evdesk.domain.audit import Change
from evdesk.domain.notes import Head
from evdesk.domain.site import Actor
from evdesk.ports import Clock
from evdesk.storage.chain import Chain, following
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import hashed_text
from evdesk.storage.row_commits import RowCommits

SALT_BYTES = 32
KEPT = "rows.kept"  # by the collector: rows that no use case speaks of


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
        self._foreign: frozenset[tuple[str, str]] = frozenset()

    def begin(self) -> None:
        """Note which rows were written by nobody that records: no entry will commit to them.

        Somebody changed them with other means than evdesk, which verifying shows.
        """
        self._foreign = frozenset(self._rows.touched())

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
        rows = [row for row in self._rows.touched() if row not in self._foreign]
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
