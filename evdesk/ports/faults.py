"""Faults as they are kept: opened, closed, acknowledged, never changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.faults import Fault, FaultChange, FaultId, FaultKey, Severity
from evdesk.domain.readings import MeterId


@dataclass(frozen=True, slots=True)
class FaultFilter:
    """Which faults; None does not filter. Instants compare with the time that a fault lasted."""

    open_only: bool = False
    from_at: datetime | None = None
    to_at: datetime | None = None
    meter: MeterId | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class FaultNews:
    """What has happened since: faults that began and faults that ended, up to these rows."""

    began: tuple[Fault, ...]
    ended: tuple[Fault, ...]
    fault_id: int
    event_id: int


class Faults(Protocol):
    """Faults (append-only)."""

    def apply(self, changes: Iterable[FaultChange], actor: str) -> None:
        """Write what opened and closed; what is open already, or closed, is left as it is."""

    def open_keys(self) -> dict[FaultKey, datetime]:
        """Return what is open, with its beginning."""

    def acknowledge(self, fault: FaultId, actor: str, at: datetime, note: str | None) -> None:
        """Write that somebody has seen it."""

    def get(self, fault: FaultId) -> Fault | None:
        """Return a fault."""

    def find(self, wanted: FaultFilter) -> list[Fault]:
        """Return faults: open ones first, each newest beginning first."""

    def news(self, fault_id: int, event_id: int) -> FaultNews:
        """Return what began and ended after these rows."""
