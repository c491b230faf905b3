"""What spans two files: begun in site.db, done in the other, marked; the rest finished at open."""

from collections.abc import Mapping
from datetime import datetime

from evdesk.domain.instants import to_ms
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import canonical, parse_object


class Intents:
    """The intents of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def begin(self, kind: str, data: Mapping[str, object], at: datetime) -> int:
        """Write an intent; it becomes binding with the commit of this transaction."""
        return self._db.insert(
            "INSERT INTO intent (kind, data, started_at_ms) VALUES (?, ?, ?)",
            (kind, canonical(data), to_ms(at)),
        )

    def open(self, kind: str) -> dict[int, dict[str, object]]:
        """Return what is begun and not done, by number."""
        rows = self._db.all(
            "SELECT id, data FROM intent WHERE done_at_ms IS NULL AND kind = ? ORDER BY id", (kind,)
        )
        return {intent: parse_object(data) for intent, data in rows}

    def done(self, intents: list[int], at: datetime) -> None:
        """Mark intents as done."""
        self._db.many(
            "UPDATE intent SET done_at_ms = ? WHERE id = ?",
            [(to_ms(at), intent) for intent in intents],
        )
