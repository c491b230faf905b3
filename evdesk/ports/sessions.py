"""Sessions, their logs, and the trackers that find them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.meters import StationId
from evdesk.domain.sessions import Figures, Session, SessionEvent, SessionId, SessionState
from evdesk.domain.site import DriverId


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions; None does not filter. ``from_at`` and ``to_at`` compare with the plug-in.

    ``left_from`` finds those that were open at that instant or later.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    left_from: datetime | None = None
    station: StationId | None = None
    driver: DriverId | None = None
    state: SessionState | None = None
    unbilled: bool = False


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One row of a session's own log: kind, register and raw words where the event has them."""

    at: datetime
    kind: str
    wh: int | None
    raw: str
    detail: Mapping[str, object]


class Sessions(Protocol):
    """Sessions, their events (append-only) and the trackers that find them."""

    def open(self, station: StationId, figures: Figures, driver: DriverId | None) -> SessionId:
        """Begin a session; a station has at most one open."""

    def log(self, session: SessionId, event: SessionEvent) -> None:
        """Append an event to the session's log."""

    def update(self, session: SessionId, figures: Figures) -> None:
        """Write the figures of an open session; figures with an end close it."""

    def open_ids(self) -> dict[StationId, SessionId]:
        """Return the open session of each station that has one."""

    def get(self, session: SessionId) -> Session | None:
        """Return a session."""

    def find(self, wanted: SessionFilter) -> list[Session]:
        """Return sessions, newest plug-in first."""

    def events(self, session: SessionId) -> list[LoggedEvent]:
        """Return the session's log, oldest first."""

    def assign(self, session: SessionId, driver: DriverId) -> None:
        """Say whose it is; a billed session is never re-assigned (the caller checks)."""

    def count(self, state: SessionState | None = None) -> int:
        """Return how many sessions are kept, or how many of them are in a state."""

    def trackers(self) -> dict[StationId, dict[str, object]]:
        """Return each station's tracker snapshot."""

    def save_tracker(self, station: StationId, snapshot: dict[str, object]) -> None:
        """Replace a station's tracker snapshot."""
