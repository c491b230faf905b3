"""One station's visits: how a session begins and ends, once it is known that it does."""

from datetime import datetime, timedelta

from evdesk.domain.counting import Counting
from evdesk.domain.progress import Edge, Fold, OpenSession, TrackerState
from evdesk.domain.readings import Register
from evdesk.domain.replugs import Replug
from evdesk.domain.sessions import (
    Based,
    ChargingStopped,
    Closed,
    Flag,
    Opened,
    Rules,
    SessionEvent,
)

MISSED = 1.5  # intervals: more, and one read at the least is missing


class Visits(Fold):
    """Begins and ends sessions.

    ``resumed`` says that the collector has just started: nobody watched what happened in between.
    """

    def __init__(self, rules: Rules, state: TrackerState | None = None) -> None:
        super().__init__(rules, state or TrackerState())
        self.counting = Counting(rules, self.state)
        if self.state.track.last is not None and not self.state.recent:
            self.state.recent.append(self.state.track.last)
        self.resumed = False

    def open(
        self, at: datetime, base: Register | None, out: list[SessionEvent], *, known: bool
    ) -> None:
        """Begin a session; ``known`` says that the plug-in was watched."""
        session = OpenSession(plugged_in_at=at, drift_before=self.state.timeline.drift)
        if base is not None and self.touches(base.at, at):
            self.counting.begin(session, base)
        if not known:
            session.flags.add(Flag.ESTIMATED_START)
        self.state.session, self.state.ending = session, None
        out.append(Opened(at, session.base, frozenset(session.flags)))

    def settled(self, edge: Edge, at: datetime) -> bool:
        """Return whether the end has its register, or need not wait for one any longer."""
        session = self.state.session
        none_to_come = session is None or session.base is None or bool(edge.flags)
        return none_to_come or edge.register is not None or not self.touches(edge.at, at)

    def close(self, edge: Edge, out: list[SessionEvent]) -> None:
        """End the session at an edge."""
        session, drift = self.state.session, self.state.timeline.drift
        if session is None:
            return
        session.flags |= edge.flags
        if edge.register is None:
            self._end_unread(session, edge)
        else:
            session.end_at(edge.register)
        session.judge(edge.at, drift, self.rules.bounds)
        if session.charging:
            out.append(ChargingStopped(edge.at, session.last))
        out.append(Closed(edge.at, session.last, session.figures(edge.at, drift)))
        self.state.stale = session.tag or self.state.stale
        self.state.free = session.last or self.state.free
        self.state.frozen = session.last if Flag.REGISTER_FROZEN in session.flags else None
        self.state.session = self.state.ending = None

    def _end_unread(self, session: OpenSession, edge: Edge) -> None:
        """Flag an end whose register is not known: the last one believed stands for it."""
        if self.state.track.candidate is not None:
            session.flags.add(Flag.METER_RESET)  # there is another one, and it was not believed
        elif session.read_at is not None and self._is_missed(session.read_at, edge.at):
            session.flags |= {Flag.ESTIMATED_END, Flag.COMM_GAP}

    def _is_missed(self, read_at: datetime, at: datetime) -> bool:
        """Return whether a register should have been read in between."""
        interval = timedelta(milliseconds=self.rules.interval_ms)
        return self.between(read_at, at) > MISSED * interval

    def doubt_one_car(self, edge: Edge, at: datetime, out: list[SessionEvent]) -> None:
        """End at a single reading without a car, and begin anew: nobody can say if it was true."""
        edge.flags.add(Flag.UNSEEN_REPLUG)
        self.close(edge, out)
        self.open(at, self.state.free, out, known=self.sees(self.state.unplugged_at, at))
        if self.state.session is not None:
            self.state.session.flags.add(Flag.UNSEEN_REPLUG)

    def replug(
        self, session: OpenSession, replug: Replug, at: datetime, out: list[SessionEvent]
    ) -> None:
        """End a session whose car was changed for another unseen, and begin that one's."""
        if not replug.ends:
            session.flags.add(Flag.UNSEEN_REPLUG)
            return
        if replug.last is not None and session.start is not None:
            session.last = max(replug.last, session.start, key=lambda one: one.wh)
        flags = {Flag.UNSEEN_REPLUG} if replug.doubtful else set[Flag]()
        unwatched = set() if replug.seen else {Flag.ESTIMATED_END, self.cause()}
        self.close(Edge(replug.left_at, session.last, flags | unwatched), out)
        self.open(replug.came_at, None, out, known=replug.seen)
        opened = self.state.session
        if opened is not None and replug.first is not None:
            opened.flags |= flags
            self.counting.begin(opened, replug.first)
            opened.last = self.counting.newest_of(opened)
            out.append(Based(replug.first.at, replug.first))
        self.state.plugged_at = at

    def cause(self) -> Flag:
        """Return why nobody watched."""
        return Flag.INTERRUPTED if self.resumed else Flag.COMM_GAP
