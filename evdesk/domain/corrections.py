"""What people decide about a session once it is measured; the measured figures stay."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_WH = 10**12  # a terawatt hour: no counter of a charging site comes near


class DecisionKind(StrEnum):
    """Corrected: other registers hold. Released: out of review. Ended: its device is gone."""

    CORRECTED = "corrected"
    RELEASED = "released"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a session says it took, between which registers; None where nothing was read."""

    start_wh: int | None
    end_wh: int | None
    energy_wh: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision with who made it and why; a correction says what held before and since."""

    kind: DecisionKind
    at: datetime
    author: str
    reason: str
    before: Claim | None = None
    after: Claim | None = None


def corrected(start_wh: int, end_wh: int) -> Claim:
    """Return what a session says after a correction.

    Raises:
        ValueError: the end is below the start, or a register cannot be.

    """
    if not 0 <= start_wh <= end_wh <= MOST_WH:
        msg = f"no registers: {start_wh}, {end_wh}"
        raise ValueError(msg)
    return Claim(start_wh, end_wh, end_wh - start_wh)
