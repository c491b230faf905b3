"""A session in progress, and all else that a tracker must remember from sample to sample."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evdesk.domain.crosscheck import LEAST_WH, CrossCheck
from evdesk.domain.readings import Register
from evdesk.domain.registers import REFRESH, Bounds, RegisterTrack, Step
from evdesk.domain.sessions import STEP_FLAGS, Figures, Flag, Rules, Tag
from evdesk.domain.timeline import Timeline

RECENT = 40  # registers looked through for the one at which a car was changed unseen
CLOCK_SET = timedelta(seconds=5)  # more than a clock that is being kept in step moves
CLOCK_SET_SHARE = 0.001
MS = timedelta(milliseconds=1)


@dataclass(slots=True)
class OpenSession:
    """The session in progress; ``base`` is its first register, ``start`` that of the epoch.

    ``read_at`` is when the register was last read, ``seen`` the last one while a car was seen;
    ``paused``: since then there was a moment in which, as far as anybody knows, nothing was drawn;
    ``unexplained`` the step nobody announced; ``connected_s`` is what the charger last said of the
    time plugged in, at ``connected_at``; ``silence`` that nobody watched for a while since it last
    said anything of the car, ``unsure`` that it may be another one, which only matters once it
    draws; ``session_register`` is the register at which, and ``session_at`` when, it last said its
    own count, ``session_wh``.
    """

    plugged_in_at: datetime
    base: Register | None = None
    start: Register | None = None
    last: Register | None = None
    read_at: datetime | None = None
    seen: Register | None = None
    carried_wh: int = 0
    charging: bool = False
    paused: bool = False
    measured_at: datetime | None = None
    charging_ms: int = 0
    peak_w: float | None = None
    flags: set[Flag] = field(default_factory=set)
    tag: Tag | None = None
    connected_s: int | None = None
    connected_at: datetime | None = None
    session_wh: int | None = None
    session_register: Register | None = None
    session_at: datetime | None = None
    silence: bool = False
    unsure: bool = False
    unexplained: Step | None = None
    drift_before: timedelta = timedelta()
    check: CrossCheck = field(default_factory=CrossCheck)
    checked_at: datetime | None = None

    def begin(self, register: Register, counts_from: Register) -> None:
        """Latch the baseline; what was counted before ``counts_from`` was counted once already."""
        self.base, self.start, self.last = register, counts_from, counts_from
        self.read_at = register.at

    def end_at(self, register: Register) -> None:
        """End at a register, unless more was counted already."""
        if self.last is not None and register.wh >= self.last.wh:
            self.last = register

    def tells_of_its_car(self) -> bool:
        """Return whether its charger says something by which another car would be noticed.

        A card does not: the next car may come without one. Nor does a count that has hardly begun.
        """
        return self.connected_s is not None or (self.session_wh or 0) > LEAST_WH

    def drew_unseen(self) -> bool:
        """Return whether anything was counted since a car was last seen."""
        return self.seen is not None and self.last is not None and self.last.wh > self.seen.wh

    def energy_wh(self) -> int | None:
        """Return Wh of all epochs together; the segments inside are never summed."""
        if self.start is None or self.last is None:
            return None
        return self.carried_wh + self.last.wh - self.start.wh

    def step(self, step: Step, flags: frozenset[Flag]) -> None:
        """Go on in another epoch: what surely was counted up to it is carried."""
        if self.start is None or self.last is None:
            self.begin(step.first, step.first)
        else:
            self.carried_wh += self.last.wh - self.start.wh + step.between_wh
            self.start = self.last = step.first
        self.flags |= flags
        self.check.interrupt()

    def explain(self, announced: Step) -> None:
        """Take back the doubt about a step that somebody has explained since."""
        self.unexplained = None
        self.carried_wh += announced.between_wh
        self.flags -= {Flag.METER_RESET}
        self.flags |= STEP_FLAGS[announced.kind]

    def figures(self, unplugged_at: datetime | None, drift: timedelta) -> Figures:
        """Return what it amounts to; ``drift`` is all that the clock was set by until now."""
        return Figures(
            plugged_in_at=self.plugged_in_at,
            unplugged_at=unplugged_at,
            start=self.base,
            end=self.last,
            energy_wh=self.energy_wh(),
            charging_ms=self.charging_ms,
            peak_w=self.peak_w,
            flags=frozenset(self.flags),
            drift_ms=(drift - self.drift_before) // MS,
            tag=self.tag,
        )

    def judge(self, unplugged_at: datetime, drift: timedelta, bounds: Bounds) -> None:
        """Set the flags that only the whole session can tell."""
        energy_wh = self.energy_wh()
        if energy_wh is None or self.base is None or self.last is None:
            self.flags.add(Flag.NO_REGISTER)
        elif not bounds.plausible(energy_wh, self._passed(self.base, self.last, drift)):
            self.flags.add(Flag.METER_RESET)  # whatever happened: no cable carries that
        elif self.check.is_frozen(bounds.resolution_wh):
            self.flags.add(Flag.REGISTER_FROZEN)
        elif self.check.disagrees(bounds.resolution_wh):
            self.flags.add(Flag.POWER_MISMATCH)
        set_by = abs(drift - self.drift_before)
        if set_by > max(CLOCK_SET, CLOCK_SET_SHARE * (unplugged_at - self.plugged_in_at)):
            self.flags.add(Flag.CLOCK_STEP)

    def _passed(self, first: Register, last: Register, drift: timedelta) -> timedelta:
        """Return the time in which the energy was counted, at the least generous REFRESH more."""
        spans = last.at - min(first.at, self.plugged_in_at)
        return spans - min(drift - self.drift_before, spans) + REFRESH


@dataclass(slots=True)
class Edge:
    """An end seen once; once ``confirmed`` it may still wait for its register."""

    at: datetime
    register: Register | None
    flags: set[Flag] = field(default_factory=set)
    confirmed: bool = False


@dataclass(slots=True)
class TrackerState:
    """All that must survive a restart for the same session to go on.

    ``recent`` are the last registers believed; a restart fills it anew from the readings since.
    """

    track: RegisterTrack = field(default_factory=RegisterTrack)
    session: OpenSession | None = None
    ending: Edge | None = None  # first of the two reads that end a session
    rising: Edge | None = None  # first of the two samples that open one on a bare meter
    unplugged_at: datetime | None = None  # last sample that showed no car
    plugged_at: datetime | None = None  # last sample that showed one
    free: Register | None = None  # last register while no car was there
    serial: str | None = None  # of the meter the registers come from
    replaced: bool = False  # another serial was seen, its first register not yet
    frozen: Register | None = None  # where it stood as a session ended that it did not count
    applied: int = 0  # the newest replacement taken in that somebody announced
    shown: Tag | None = None  # the card the charger shows
    stale: Tag | None = None  # one it has gone on showing since an earlier session
    timeline: Timeline = field(default_factory=Timeline)
    recent: deque[Register] = field(default_factory=lambda: deque(maxlen=RECENT))


class Fold:
    """What every part of a tracker needs: the rules, the state, and the time that passed."""

    def __init__(self, rules: Rules, state: TrackerState) -> None:
        self.rules, self.state = rules, state
        self._gap = timedelta(milliseconds=rules.edge_gap_ms)
        self._state_gap = timedelta(milliseconds=rules.state_gap_ms)

    def between(self, earlier: datetime, later: datetime) -> timedelta:
        """Return the time that passed between two stamps."""
        return self.state.timeline.between(earlier, later)

    def touches(self, earlier: datetime | None, at: datetime) -> bool:
        """Return whether two samples are neighbours, without a silence between them."""
        return earlier is not None and self.between(earlier, at) <= self._gap

    def sees(self, earlier: datetime | None, at: datetime) -> bool:
        """Return whether the car was in sight between two samples that tell of it."""
        return earlier is not None and self.between(earlier, at) <= self._state_gap
