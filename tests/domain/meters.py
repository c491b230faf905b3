"""A meter that is simulated to the Wh, read by a tracker, for tests of accounts."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from evdesk.domain import snapshots
from evdesk.domain.accounting import account
from evdesk.domain.meters import StationId
from evdesk.domain.reconciling import Account, Point, Swaps
from evdesk.domain.registers import Bounds, Verdict
from evdesk.domain.sessions import (
    Closed,
    EpochBegan,
    Figures,
    Replacement,
    Rules,
    Session,
    SessionEvent,
    SessionId,
    SessionState,
)
from evdesk.domain.tracking import Tracker
from tests.domain.days import at, sample

BOUNDS = Bounds(resolution_wh=1)
RULES = Rules(by_pilot=True, interval_ms=1000, bounds=BOUNDS)
BARE = Rules(by_pilot=False, interval_ms=1000, idle_ms=60_000, bounds=BOUNDS)
SILENCE_S = 60


def session_of(number: int, figures: Figures) -> Session:
    state = SessionState.OPEN if figures.unplugged_at is None else figures.state()
    return Session(SessionId(number), StationId(1), "bay1", None, state, figures)


@dataclass
class Metered:
    """One charging point: what its meter counts, what is read of it, what the tracker finds.

    Its state is read every second, its register ``every_s``: they may come from two devices.
    ``delivered_wh`` is the truth; ``lost_wh`` what was counted between a last read and a reset.
    """

    rules: Rules = RULES
    every_s: int = 1
    tracker: Tracker = field(init=False)
    second: int = 0
    register_wh: int = 1_000_000
    delivered_wh: int = 0
    unread_wh: int = 0
    lost_wh: int = 0
    read_s: int | None = None
    points: list[Point] = field(default_factory=list)
    closed: list[Figures] = field(default_factory=list)
    counted: set[tuple[SessionId, datetime]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.tracker = Tracker(self.rules)

    def pass_second(self, pilot: str, wh: int, *, read: bool = True) -> None:
        """Let a second pass in which the car draws so much; then read the meter, or not."""
        self.register_wh += wh
        if self.points:
            self.delivered_wh += wh
            self.unread_wh += wh
        if read:
            self._read(pilot, wh)
        self.second += 1

    def _read(self, pilot: str, wh: int) -> None:
        register_wh = None
        if self.second % self.every_s == 0:
            register_wh = self.register_wh
            unbroken = self.read_s is not None and self.second - self.read_s <= SILENCE_S
            self.points.append(Point(at(self.second), register_wh, unbroken))
            self.read_s, self.unread_wh = self.second, 0
        told = (pilot, None) if self.rules.by_pilot else (None, wh * 3_600.0)
        self.take(self.tracker.on(sample(self.second, told[0], register_wh, told[1])))

    def take(self, events: list[SessionEvent]) -> None:
        for event in events:
            if isinstance(event, Closed):
                self.closed.append(event.figures)
            elif isinstance(event, EpochBegan) and event.step.kind is Verdict.ANNOUNCED:
                self.counted.add((SessionId(len(self.closed) + 1), event.at))

    def reset(self) -> None:
        """Let the counter begin anew at 0; what was not read of it is lost."""
        self.register_wh = 0
        self.lost_wh += self.unread_wh
        self.unread_wh = 0

    def restart(self) -> None:
        """Let the collector end and begin again."""
        self.tracker = Tracker(self.rules, snapshots.load(snapshots.dump(self.tracker.state)))
        self.tracker.resumed = True

    def sessions(self) -> list[Session]:
        figures = self.tracker.figures()
        found = [*self.closed, *([] if figures is None else [figures])]
        return [session_of(number, one) for number, one in enumerate(found, 1)]

    def account(
        self,
        from_at: datetime | None = None,
        to_at: datetime | None = None,
        sessions: list[Session] | None = None,
        replacements: Sequence[Replacement] = (),
        seen: frozenset[datetime] = frozenset(),
    ) -> Account:
        span = (from_at or at(-1), to_at or at(self.second))
        found = self.sessions() if sessions is None else sessions
        swaps = Swaps(tuple(replacements), seen, frozenset(self.counted))
        return account(self.points, found, span, BOUNDS, swaps)


def with_energy(session: Session, wh: int | None) -> Session:
    return replace(session, figures=replace(session.figures, energy_wh=wh))
