"""What people decide about sessions, and how they explain what a month leaves over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from evdesk.domain.corrections import Decision
from evdesk.domain.meters import Source
from evdesk.domain.reconciling import Point
from evdesk.domain.registers import Bounds
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


@dataclass(frozen=True, slots=True)
class Watch:
    """What is looked at in a register: a ``silence`` longer than this, a step out of bounds.

    ``marks`` are instants at which it matters where the register stood.
    """

    silence: timedelta
    bounds: Bounds
    marks: tuple[datetime, ...] = ()


class Registers(Protocol):
    """Registers as they were read, for following a counter through a month."""

    def follow(
        self, source: Source, from_at: datetime, to_at: datetime, watch: Watch
    ) -> Iterable[Point]:
        """Yield as few points with from_at <= at < to_at as tell all, oldest first.

        Before them comes the last one earlier than ``from_at``, however old. The first of each hour
        is there, both sides of a silence, and all reads around a mark or a step that the bounds do
        not allow. Of what was thinned out, only silences in which nothing was counted are not told.
        """


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
