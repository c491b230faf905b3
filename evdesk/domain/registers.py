"""Following a lifetime register through resets, glitches and jumps without inventing energy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from evdesk.domain.readings import Register

PERSISTS = 3  # valid reads in a row that make a new level a fact and not a glitch
MS_PER_HOUR = 3_600_000
MARGIN = 1.2  # over the power the charging point can deliver
LATEST_HOURS = 24  # how far back a device may restore a counter it once stored
NEAR_THE_END, NEAR_THE_START = 0.9, 0.1  # parts of a counter's range
HOUR, NEVER = timedelta(hours=1), timedelta()
REFRESH = timedelta(seconds=15)  # how rarely a device may refresh the register it shows
ANSWERED = timedelta(seconds=3)  # how much older than its stamp a register is: one slow answer

Elapsed = Callable[[datetime, datetime], timedelta]


class Verdict(StrEnum):
    """What a new register value is taken for; a reset is any step that nothing explains."""

    STEADY = "steady"
    HELD = "held"
    RESET = "reset"
    REWIND = "rewind"
    ROLLOVER = "rollover"
    REPLACED = "replaced"
    ANNOUNCED = "announced"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a register may do: step back by its resolution, rise by what the cable carries.

    ``range_wh`` is where an integer counter begins again at 0; None where it does not. Two reads
    further apart than ``gap`` have a silence between them.
    """

    max_power_w: float = 50_000.0
    resolution_wh: int = 100
    range_wh: int | None = None
    gap: timedelta = timedelta(minutes=1)

    def plausible(self, rise_wh: int, elapsed: timedelta, drawn_wh: float = 0.0) -> bool:
        """Return whether a counter can have risen so much in that time, or has to catch up.

        Two stamps may be nearer to each other than the reads were: the first answer came late.
        """
        carried_wh = self.max_power_w * ((max(elapsed, NEVER) + ANSWERED) / HOUR)
        return 0 <= rise_wh <= MARGIN * (carried_wh + drawn_wh) + 2 * self.resolution_wh

    def rolled_over(self, before: Register, after: Register, elapsed: timedelta) -> bool:
        """Return whether ``after`` is what follows the end of the counter's range."""
        if self.range_wh is None:
            return False
        near = (
            before.wh > NEAR_THE_END * self.range_wh and after.wh < NEAR_THE_START * self.range_wh
        )
        return near and self.plausible(self.range_wh - before.wh + after.wh, elapsed)


@dataclass(frozen=True, slots=True)
class Step:
    """A counter that went on elsewhere: its old level's last, its new level's first register.

    ``between_wh`` is what was surely counted between the two.
    """

    kind: Verdict
    before: Register
    first: Register
    between_wh: int = 0


@dataclass(slots=True)
class RegisterTrack:
    """The last believed register, and a candidate for a new level while it is doubted.

    A value that cannot follow the last one is held back until it has stood for ``PERSISTS`` valid
    reads. Then it is a new level: after a rewind (``ceiling`` is the old maximum) nothing counts
    until the old maximum is passed again; after any other step the counter begins a new epoch.
    ``marks`` are the first registers of the latest hours (UTC): one of them may be restored.
    """

    last: Register | None = None
    candidate: Register | None = None
    newest: Register | None = None
    reads: int = 0
    ceiling: Register | None = None
    marks: list[tuple[datetime, int]] = field(default_factory=list)
    moved_at: datetime | None = None

    def accept(
        self, new: Register, bounds: Bounds, elapsed: Elapsed, drawn_wh: float = 0.0
    ) -> Verdict:
        """Take in one valid read and say what it is taken for; a step waits for ``step``.

        ``drawn_wh`` is what was drawn, as power tells, since the register last moved: one that
        stood still may catch up with it at once.
        """
        last = self.last
        if last is None or self._can_follow(new, last, bounds, elapsed, drawn_wh):
            if self._has_climbed(new, bounds, elapsed):
                self.newest = new
                return Verdict.REWIND
            self._believe(new)
            return Verdict.STEADY
        if 0 < last.wh - new.wh <= bounds.resolution_wh and new.wh > 0:
            return Verdict.HELD  # a small step back: the maximum stands
        newest = self.newest
        if newest is None or not bounds.plausible(new.wh - newest.wh, elapsed(newest.at, new.at)):
            self.candidate, self.newest, self.reads = new, new, 1
            return Verdict.HELD
        self.newest, self.reads = new, self.reads + 1
        return Verdict.HELD if self.reads < PERSISTS else self._kind(last, bounds, elapsed)

    def _can_follow(
        self, new: Register, last: Register, bounds: Bounds, elapsed: Elapsed, drawn_wh: float
    ) -> bool:
        """Return whether a value can follow the last one on the same counter.

        A device may show a register that it has not refreshed for a while. A level that was too
        high when it came is made no truer by time.
        """
        if self.candidate is not None and last.wh < self.candidate.wh <= new.wh:
            return False
        passed = elapsed(last.at, new.at)
        if self.moved_at is not None:
            passed = max(passed, min(elapsed(self.moved_at, new.at), REFRESH))
        return bounds.plausible(new.wh - last.wh, passed, drawn_wh)

    def step(self, kind: Verdict, bounds: Bounds) -> Step:
        """Make the candidate the truth and say what it follows."""
        before, first, newest = self.last, self.candidate, self.newest
        if before is None or first is None or newest is None:
            msg = "no candidate to take a step to"
            raise ValueError(msg)
        if kind is Verdict.REWIND:
            self.ceiling = before if self.ceiling is None else max(self.ceiling, before, key=_wh)
        else:
            self.ceiling, self.marks = None, []
        self._believe(newest)
        between_wh = 0
        if kind is Verdict.ROLLOVER and bounds.range_wh is not None:
            between_wh = bounds.range_wh - before.wh + first.wh
        return Step(kind, before, first, between_wh)

    def replace(self, first: Register) -> Step | None:
        """Go on with another meter's register at once."""
        before = self.last
        self.ceiling, self.marks = None, []
        self._believe(first)
        self.moved_at = first.at - REFRESH
        return None if before is None else Step(Verdict.REPLACED, before, first)

    def forget(self) -> None:
        """Know nothing of the counter any longer: the next value is the first of another meter."""
        self.last = self.candidate = self.newest = self.ceiling = self.moved_at = None
        self.reads, self.marks = 0, []

    def counts_from(self, register: Register) -> Register:
        """Return the register from which on energy counts that has not been counted before."""
        return register if self.ceiling is None else max(self.ceiling, register, key=_wh)

    def _believe(self, new: Register) -> None:
        if self.last is None or new.wh != self.last.wh:
            self.moved_at = new.at
        self.last, self.candidate, self.newest, self.reads = new, None, None, 0
        if self.ceiling is not None and new.wh >= self.ceiling.wh:
            self.ceiling = None
        if not self.marks or _is_new_hour(self.marks[-1][0], new.at):
            self.marks = [*self.marks[1 - LATEST_HOURS :], (new.at, new.wh)]

    def _has_climbed(self, new: Register, bounds: Bounds, elapsed: Elapsed) -> bool:
        """Return whether a counter that was lower after a silence has climbed past its old value.

        Lower without a silence before, it is a glitch that is over.
        """
        last, first, newest = self.last, self.candidate, self.newest
        if last is None or first is None or newest is None or not 0 < first.wh < last.wh:
            return False
        silent = elapsed(last.at, first.at) > bounds.gap
        return silent and bounds.plausible(new.wh - newest.wh, elapsed(newest.at, new.at))

    def _kind(self, last: Register, bounds: Bounds, elapsed: Elapsed) -> Verdict:
        first = self.candidate
        if first is None:
            return Verdict.HELD
        if bounds.rolled_over(last, first, elapsed(last.at, first.at)):
            return Verdict.ROLLOVER
        seen = [wh for at, wh in self.marks if first.at - at <= LATEST_HOURS * HOUR]
        restored = 0 < first.wh < last.wh and bool(seen) and first.wh >= min(seen)
        return Verdict.REWIND if restored else Verdict.RESET


def _is_new_hour(marked: datetime, at: datetime) -> bool:
    """Return whether a read may be the first of its hour, which whoever follows later has, too."""
    return at.hour != marked.hour or at - marked >= HOUR


def _wh(register: Register) -> int:
    return register.wh
