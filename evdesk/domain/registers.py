"""Following a lifetime register through resets, glitches and jumps without inventing energy."""

from dataclasses import dataclass
from enum import Enum

from evdesk.domain.readings import Register

PERSISTS = 3  # valid reads in a row that make a new level a fact and not a glitch
MARGIN = 1.2  # over the power the charging point can deliver
MS_PER_HOUR = 3_600_000


class Verdict(Enum):
    """What a new register value is taken for."""

    STEADY = "steady"
    HELD = "held"
    NEW_EPOCH = "new_epoch"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a register may do: step back by its resolution, rise by what the cable carries."""

    max_power_w: float = 50_000.0
    resolution_wh: int = 100

    def plausible(self, before: Register, after: Register) -> bool:
        """Return whether ``after`` can follow ``before`` on the same counter."""
        elapsed_ms = max((after.at - before.at).total_seconds() * 1000, 0)
        most_wh = MARGIN * self.max_power_w * elapsed_ms / MS_PER_HOUR + 2 * self.resolution_wh
        return 0 <= after.wh - before.wh <= most_wh


@dataclass(slots=True)
class RegisterTrack:
    """The last believed register, and a candidate for a new level (an epoch) while it is doubted.

    A value that cannot follow the last one is held back until it has stood for ``PERSISTS`` valid
    reads; then it begins a new epoch. Energy is only ever counted inside an epoch.
    """

    last: Register | None = None
    candidate: Register | None = None
    newest: Register | None = None
    reads: int = 0

    def accept(self, new: Register, bounds: Bounds) -> Verdict:
        """Take in one valid read and say what it was taken for."""
        if self.last is None or bounds.plausible(self.last, new):
            self.last = new
            self._forget()
            return Verdict.STEADY
        if 0 < self.last.wh - new.wh <= bounds.resolution_wh and new.wh > 0:
            return Verdict.HELD  # a small step back: the maximum stands
        if self.newest is None or not bounds.plausible(self.newest, new):
            self.candidate, self.newest, self.reads = new, new, 1
            return Verdict.HELD
        self.newest, self.reads = new, self.reads + 1
        return Verdict.HELD if self.reads < PERSISTS else Verdict.NEW_EPOCH

    def begin_epoch(self) -> tuple[Register, Register]:
        """Make the candidate the truth; return the old level's last and the new level's first."""
        before, first = self.last, self.candidate
        if before is None or first is None or self.newest is None:
            msg = "no candidate to begin an epoch with"
            raise ValueError(msg)
        self.last = self.newest
        self._forget()
        return before, first

    def _forget(self) -> None:
        self.candidate, self.newest, self.reads = None, None, 0
