"""How remainders of months were explained."""

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId
from evdesk.ports import Explanation
from evdesk.storage.connection import Connection


class StoredExplanations:
    """Implements ``ports.Explanations``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, explanation: Explanation) -> None:
        """Append an explanation."""
        self._db.run(
            "INSERT INTO explanation (meter_id, socket, month, wh, at_ms, author, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                explanation.source.meter_id,
                explanation.source.socket,
                explanation.month,
                explanation.wh,
                to_ms(explanation.at),
                explanation.author,
                explanation.reason,
            ),
        )

    def of(self, month: str) -> list[Explanation]:
        """Return a month's explanations, oldest first."""
        rows = self._db.all(
            "SELECT meter_id, socket, wh, at_ms, author, reason FROM explanation"
            " WHERE month = ? ORDER BY id",
            (month,),
        )
        return [
            Explanation(Source(MeterId(meter), socket), month, wh, from_ms(at_ms), author, reason)
            for meter, socket, wh, at_ms, author, reason in rows
        ]
