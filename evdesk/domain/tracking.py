"""The session engine: folds one station's samples into session events, in order, exactly once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evdesk.domain.readings import PilotState, Register
from evdesk.domain.registers import RegisterTrack, Verdict
from evdesk.domain.sessions import (
    Based,
    ChargingStarted,
    ChargingStopped,
    Closed,
    EpochBegan,
    Figures,
    Flag,
    Opened,
    Rules,
    Sample,
    SessionEvent,
)

PLUGGED = frozenset({PilotState.B, PilotState.C, PilotState.D})


@dataclass(slots=True)
class OpenSession:
    """The session in progress; ``base`` is its first register, ``start`` that of the epoch."""

    plugged_in_at: datetime
    base: Register | None = None
    start: Register | None = None
    last: Register | None = None
    carried_wh: int = 0
    charging: bool = False
    measured_at: datetime | None = None
    charging_ms: int = 0
    peak_w: float | None = None
    flags: set[Flag] = field(default_factory=set)

    def begin(self, register: Register) -> None:
        """Latch the baseline."""
        self.base = self.start = self.last = register

    def energy_wh(self) -> int | None:
        """Return Wh of all epochs together; the segments inside are never summed."""
        if self.start is None or self.last is None:
            return None
        return self.carried_wh + self.last.wh - self.start.wh


@dataclass(slots=True)
class Edge:
    """An end seen once; once ``confirmed`` it may still wait for its register."""

    at: datetime
    register: Register | None
    flags: set[Flag] = field(default_factory=set)
    confirmed: bool = False


@dataclass(slots=True)
class TrackerState:
    """All that must survive a restart for the same session to go on."""

    track: RegisterTrack = field(default_factory=RegisterTrack)
    session: OpenSession | None = None
    ending: Edge | None = None  # first of the two reads that end a session
    rising: Edge | None = None  # first of the two samples that open one on a bare meter
    unplugged_at: datetime | None = None  # last sample that showed no car
    plugged_at: datetime | None = None  # last sample that showed one


class Tracker:
    """Follows one station.

    ``resumed`` says that the collector has just started: a station found unplugged then closes at
    its last stored register, because nobody watched what happened in between.
    """

    def __init__(self, rules: Rules, state: TrackerState | None = None) -> None:
        self.rules = rules
        self.state = state or TrackerState()
        self.resumed = False
        self._gap = timedelta(milliseconds=rules.edge_gap_ms)
        self._idle = timedelta(milliseconds=rules.idle_ms)

    def on(self, sample: Sample) -> list[SessionEvent]:
        """Take in a sample; return what it changed, in order."""
        events: list[SessionEvent] = []
        before = self.state.track.last
        find_edges = self._on_pilot if self.rules.by_pilot else self._on_load
        find_edges(sample, before, events)
        if sample.register is not None:
            self._on_register(sample.register, events)
        ending = self.state.ending
        if ending is not None and ending.confirmed and self._settled(ending, sample.at):
            self._close(ending, events)
        self._on_power(sample, events)
        return events

    def figures(self) -> Figures | None:
        """Return the open session's figures, or None while there is none."""
        session = self.state.session
        return None if session is None else _figures(session, None)

    # -- where a session begins and ends ------------------------------------------------------

    def _on_pilot(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        """Follow the pilot; the second sample without a car confirms the session's end."""
        state = self.state
        if sample.pilot in PLUGGED:
            if state.ending is not None and state.ending.confirmed:
                self._close(state.ending, out)  # the next car is here before the register
            state.ending = None
            if state.session is None:
                watched = self._touches(state.unplugged_at, sample.at)
                self._open(sample.at, before if watched else None, out, known=watched)
            state.plugged_at = sample.at
            self.resumed = False
        elif sample.pilot is PilotState.A:
            if state.ending is not None:
                state.ending.confirmed = True
            elif state.session is not None:
                state.ending = self._first_unplugged(sample)
            state.unplugged_at = sample.at
            self.resumed = False

    def _first_unplugged(self, sample: Sample) -> Edge:
        """Return the edge; after a silence it is the last moment for which there is evidence."""
        session, last_seen = self.state.session, self.state.plugged_at
        unseen = not self._touches(last_seen, sample.at)
        if last_seen is not None and session is not None and (unseen or self.resumed):
            cause = Flag.INTERRUPTED if self.resumed else Flag.COMM_GAP
            at = max(last_seen, session.last.at) if session.last else last_seen
            return Edge(at, session.last, {Flag.ESTIMATED_END, cause})
        return Edge(sample.at, None)  # the register follows once it is believed

    def _on_load(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        """Follow the load; the idle time confirms the session's end."""
        drawing = self._above_threshold(sample)
        if drawing is None:
            return
        state = self.state
        if drawing:
            self._drawing(sample, before, out)
            state.plugged_at = sample.at
        else:
            state.rising = None
            if state.session is not None:
                self._idle_since(sample)
            state.unplugged_at = sample.at
        self.resumed = False

    def _drawing(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        state = self.state
        lasting = state.plugged_at is not None and sample.at - state.plugged_at > self._idle
        if state.session is not None and lasting and state.ending is not None:
            self._close(state.ending, out)
        state.ending = None
        if state.session is not None:
            return
        if state.rising is None:
            watched = self._touches(state.unplugged_at, sample.at)
            state.rising = Edge(sample.at, before) if watched else Edge(sample.at, None)
            return
        rising, state.rising = state.rising, None
        self._open(rising.at, rising.register, out, known=rising.register is not None)

    def _idle_since(self, sample: Sample) -> None:
        """Remember the first sample below; the end is confirmed after the idle time."""
        state = self.state
        last_drawn = state.plugged_at or sample.at
        if state.ending is None:
            state.ending = self._first_idle(last_drawn, sample.at)
        state.ending.confirmed = sample.at - last_drawn >= self._idle

    def _first_idle(self, last_drawn: datetime, at: datetime) -> Edge:
        session = self.state.session
        if self._touches(last_drawn, at) or session is None:
            return Edge(last_drawn, None)
        cause = Flag.INTERRUPTED if self.resumed else Flag.COMM_GAP
        return Edge(last_drawn, session.last, {Flag.ESTIMATED_END, cause})

    def _above_threshold(self, sample: Sample) -> bool | None:
        if sample.current_a is not None:
            return sample.current_a >= self.rules.threshold_a
        return None if sample.power_w is None else sample.power_w >= self.rules.threshold_w

    def _touches(self, earlier: datetime | None, at: datetime) -> bool:
        return earlier is not None and at - earlier <= self._gap

    def _open(
        self, at: datetime, base: Register | None, out: list[SessionEvent], *, known: bool
    ) -> None:
        session = OpenSession(plugged_in_at=at)
        if base is not None and self._touches(base.at, at):
            session.begin(base)
        if not known:
            session.flags.add(Flag.ESTIMATED_START)
        self.state.session, self.state.ending = session, None
        out.append(Opened(at, session.base, frozenset(session.flags)))

    def _settled(self, edge: Edge, at: datetime) -> bool:
        """Return whether the end has its register, or need not wait for one any longer."""
        session = self.state.session
        none_to_come = session is None or session.base is None or bool(edge.flags)
        return none_to_come or edge.register is not None or not self._touches(edge.at, at)

    def _close(self, edge: Edge, out: list[SessionEvent]) -> None:
        session = self.state.session
        if session is None:
            return
        session.flags |= edge.flags
        if edge.register is None:
            self._end_unread(session, edge)
        elif session.last is not None:
            session.last = edge.register if edge.register.wh >= session.last.wh else session.last
        if session.energy_wh() is None:
            session.flags.add(Flag.NO_REGISTER)
        if session.charging:
            out.append(ChargingStopped(edge.at, session.last))
        out.append(Closed(edge.at, session.last, _figures(session, edge.at)))
        self.state.session = self.state.ending = None

    def _end_unread(self, session: OpenSession, edge: Edge) -> None:
        """Flag an end whose register is not known: the last one believed stands for it."""
        if self.state.track.candidate is not None:
            session.flags.add(Flag.METER_RESET)  # there is another one, and it was not believed
        elif session.last is not None and not self._touches(session.last.at, edge.at):
            session.flags |= {Flag.ESTIMATED_END, Flag.COMM_GAP}

    # -- energy ---------------------------------------------------------------------------------

    def _on_register(self, register: Register, out: list[SessionEvent]) -> None:
        track, session = self.state.track, self.state.session
        verdict = track.accept(register, self.rules.bounds)
        if verdict is Verdict.HELD:
            return
        if verdict is Verdict.NEW_EPOCH:
            self._begin_epoch(register.at, out)
        elif session is not None and session.base is None and self.state.ending is None:
            session.begin(register)
            if not self._touches(session.plugged_in_at, register.at):
                session.flags |= {Flag.ESTIMATED_START, Flag.COMM_GAP}
            out.append(Based(register.at, register))
        self._advance(session, track.last)

    def _advance(self, session: OpenSession | None, register: Register | None) -> None:
        """Move the session's last register on, unless its end has been seen."""
        ending = self.state.ending
        if session is None or session.base is None or register is None:
            return
        if ending is None:
            if session.last is not None and not self._touches(session.last.at, register.at):
                session.flags.add(Flag.COMM_GAP)
            session.last = register
        elif ending.register is None:
            ending.register = register

    def _begin_epoch(self, at: datetime, out: list[SessionEvent]) -> None:
        before, first = self.state.track.begin_epoch()
        session = self.state.session
        if session is None:
            return
        if session.start is not None and session.last is not None:
            session.carried_wh += session.last.wh - session.start.wh
            session.start = session.last = first
        else:
            session.begin(first)
        session.flags.add(Flag.METER_RESET)
        out.append(EpochBegan(at, before, first))

    # -- charging time and peak -----------------------------------------------------------------

    def _on_power(self, sample: Sample, out: list[SessionEvent]) -> None:
        session = self.state.session
        drawing = self._charging(sample)
        if session is None or drawing is None:
            return
        if session.charging and session.measured_at is not None:
            elapsed = sample.at - session.measured_at
            if timedelta() < elapsed <= self._gap:
                session.charging_ms += elapsed // timedelta(milliseconds=1)
        session.measured_at = sample.at
        if sample.power_w is not None:
            session.peak_w = max(session.peak_w or 0.0, sample.power_w)
        if drawing != session.charging:
            session.charging = drawing
            event = ChargingStarted if drawing else ChargingStopped
            out.append(event(sample.at, session.last))

    def _charging(self, sample: Sample) -> bool | None:
        if sample.power_w is not None:
            return sample.power_w >= self.rules.threshold_w
        if sample.current_a is not None:
            return sample.current_a >= self.rules.threshold_a
        return None


def _figures(session: OpenSession, unplugged_at: datetime | None) -> Figures:
    return Figures(
        plugged_in_at=session.plugged_in_at,
        unplugged_at=unplugged_at,
        start=session.base,
        end=session.last,
        energy_wh=session.energy_wh(),
        charging_ms=session.charging_ms,
        peak_w=session.peak_w,
        flags=frozenset(session.flags),
    )
