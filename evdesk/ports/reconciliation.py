"""What people decide about sessions, and how they explain what a month leaves over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.corrections import Decision
from evdesk.domain.meters import Source
from evdesk.domain.sessions import SessionId


@dataclass(frozen=True, slots=True)
class Explanation:
    """Wh of a meter and a local ``YYYY-MM`` month that somebody accounts for."""

    source: Source
    month: str
    wh: int
    at: datetime
    author: str
    reason: str


class Decisions(Protocol):
    """What was decided about sessions: append-only."""

    def add(self, session: SessionId, decision: Decision) -> None:
        """Append a decision; one of a billed session is an error."""

    def of(self, session: SessionId) -> Sequence[Decision]:
        """Return a session's decisions, oldest first."""

    def to_end(self) -> Sequence[SessionId]:
        """Return open sessions that somebody decided to end, and those of retired stations."""

    def release(self, session: SessionId) -> None:
        """Let a session in review be billed; the caller adds the decision."""


class Explanations(Protocol):
    """How remainders of months were explained: append-only."""

    def add(self, explanation: Explanation) -> None:
        """Append an explanation."""

    def of(self, month: str) -> Sequence[Explanation]:
        """Return a month's explanations, oldest first."""
