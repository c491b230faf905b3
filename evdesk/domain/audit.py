"""What the audit log keeps of a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How it ended."""

    OK = "ok"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to which object; ``facts`` hold pseudonyms and figures, never personal data."""

    action: str
    object_type: str
    object_ref: str
    facts: Mapping[str, object]
    reason: str | None = None
    outcome: Outcome = Outcome.OK


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the log."""

    seq: int
    at: datetime
    actor: str
    action: str
    object_type: str
    object_ref: str
    outcome: Outcome
    reason: str | None
    facts: str
