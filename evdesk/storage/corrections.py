"""What people decided about sessions."""

from evdesk.domain.corrections import Claim, Decision, DecisionKind
from evdesk.domain.errors import StorageError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.sessions import SessionId
from evdesk.storage.connection import Connection, Row

COLUMNS = (
    "kind, at_ms, author, reason, before_start_wh, before_end_wh, before_energy_wh,"
    " start_wh, end_wh"
)
NEWEST = "SELECT max(id) FROM session_decision WHERE session_id = session.id AND kind = 'corrected'"
NOT_IN_REVIEW = "Session {session} is not in review; nothing of this step was written."
NOTHING = Claim(None, None, None)


class StoredDecisions:
    """Implements ``ports.Decisions``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, session: SessionId, decision: Decision) -> None:
        """Append a decision; one of a billed session is an error."""
        before, after = decision.before or NOTHING, decision.after or NOTHING
        self._db.run(
            f"INSERT INTO session_decision (session_id, {COLUMNS})"  # noqa: S608 - a constant
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                session,
                decision.kind.value,
                to_ms(decision.at),
                decision.author,
                decision.reason,
                before.start_wh,
                before.end_wh,
                before.energy_wh,
                after.start_wh,
                after.end_wh,
            ),
        )

    def of(self, session: SessionId) -> list[Decision]:
        """Return a session's decisions, oldest first."""
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM session_decision"  # noqa: S608 - a constant
            " WHERE session_id = ? ORDER BY id",
            (session,),
        )
        return [decision_of(row) for row in rows]

    def to_end(self) -> list[SessionId]:
        """Return open sessions that somebody decided to end, and those of retired stations."""
        rows = self._db.all(
            "SELECT session.id FROM session JOIN station ON station.id = station_id"
            " WHERE session.state = 'open' AND (retired_at_ms IS NOT NULL OR EXISTS (SELECT 1"
            " FROM session_decision WHERE session_id = session.id AND kind = 'ended'))"
            " ORDER BY session.id"
        )
        return [SessionId(session) for (session,) in rows]

    def release(self, session: SessionId) -> None:
        """Let a session in review be billed; the caller adds the decision.

        Raises:
            StorageError: it is not in review.

        """
        changed = self._db.run(
            "UPDATE session SET state = 'closed' WHERE id = ? AND state = 'review'", (session,)
        )
        if changed == 0:
            raise StorageError(NOT_IN_REVIEW, session=session)


def decision_of(row: Row) -> Decision:
    """Return the decision of a row of ``COLUMNS``."""
    kind, at_ms, author, reason, before_start, before_end, before_energy, start, end = row
    is_correction = kind == DecisionKind.CORRECTED.value
    return Decision(
        kind=DecisionKind(kind),
        at=from_ms(at_ms),
        author=author,
        reason=reason,
        before=Claim(before_start, before_end, before_energy) if is_correction else None,
        after=Claim(start, end, end - start) if is_correction else None,
    )
