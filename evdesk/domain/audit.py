"""What the audit log keeps of a change."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

LOGIN, LOGIN_FAILED = "login.ok", "login.failed"
PAYLOAD_ERASED = "payload.erased"  # its object names the entries whose payload is gone
DATA_ERASED = "data.erased"  # its object is the rule under which rows went
READINGS_ERASED = "readings.erased"  # its object is the UTC day whose readings went
NUMBERS = re.compile("([0-9]{1,15})(?:-([0-9]{1,15}))?")


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


def numbers_text(seqs: Iterable[int]) -> str:
    """Return numbers of entries as text, such as ``3,7-9``; ``numbers_of`` reads it."""
    spans: list[list[int]] = []
    for seq in sorted(set(seqs)):
        if spans and spans[-1][1] == seq - 1:
            spans[-1][1] = seq
        else:
            spans.append([seq, seq])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def numbers_of(text: str) -> list[range]:
    """Return the numbers of entries that a text names; what is no such text names none."""
    found = [NUMBERS.fullmatch(part) for part in text.split(",")]
    named = [(int(one[1]), int(one[2] or one[1])) for one in found if one is not None]
    return [range(first, last + 1) for first, last in named] if len(named) == len(found) else []
