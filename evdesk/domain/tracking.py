"""The session engine: folds one station's samples into session events, in order, exactly once."""

from datetime import datetime, timedelta

from evdesk.domain.counting import Counting
from evdesk.domain.progress import MS, Edge, Fold, OpenSession, TrackerState
from evdesk.domain.readings import PilotState, Register
from evdesk.domain.replugs import Replug, remember, replug_in
from evdesk.domain.sessions import (
    Based,
    CarSigns,
    ChargingStarted,
    ChargingStopped,
    Closed,
    Figures,
    Flag,
    Opened,
    Rules,
    Sample,
    SessionEvent,
    Tagged,
)

PLUGGED = frozenset({PilotState.B, PilotState.C, PilotState.D})


class Tracker(Fold):
    """Follows one station.

    ``resumed`` says that the collector has just started: a station found unplugged then closes at
    its last stored register, because nobody watched what happened in between.
    """

    def __init__(self, rules: Rules, state: TrackerState | None = None) -> None:
        super().__init__(rules, state or TrackerState())
        self.counting = Counting(rules, self.state)
        if self.state.track.last is not None and not self.state.recent:
            self.state.recent.append(self.state.track.last)
        self.resumed = False
        self._idle = timedelta(milliseconds=rules.idle_ms)

    def on(self, sample: Sample) -> list[SessionEvent]:
        """Take in a sample; return what it changed, in order."""
        events: list[SessionEvent] = []
        before = self.state.track.last
        if sample.signs is not None:
            self._on_device(sample.at, sample.signs)
        find_edges = self._on_pilot if self.rules.by_pilot else self._on_load
        find_edges(sample, before, events)
        if sample.register is not None:
            self.counting.on_register(sample.register, events)
        if sample.signs is not None and self.state.session is not None:
            self._on_car(self.state.session, sample, sample.signs, events)
        self._on_card(sample.at, events)
        ending = self.state.ending
        if ending is not None and ending.confirmed and self._settled(ending, sample.at):
            self._close(ending, events)
        self._on_power(sample, events)
        return events

    def figures(self) -> Figures | None:
        """Return the open session's figures, or None while there is none."""
        session = self.state.session
        return None if session is None else session.figures(None, self.state.timeline.drift)

    def end_now(self) -> list[SessionEvent]:
        """End the open session by hand at its last register; nobody knows when the car left."""
        events: list[SessionEvent] = []
        session = self.state.session
        if session is not None:
            at = self.state.plugged_at or session.plugged_in_at
            if session.last is not None:
                at = max(at, session.last.at)
            flags = {Flag.ESTIMATED_END, Flag.FORCED_END}
            self._close(Edge(at, session.last, flags), events)
        return events

    # -- where a session begins and ends ------------------------------------------------------

    def _on_pilot(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        """Follow the pilot; the second sample without a car confirms the session's end."""
        state = self.state
        if sample.pilot in PLUGGED:
            if state.ending is not None and state.ending.confirmed:
                self._close(state.ending, out)  # the next car is here before the register
            state.ending = None
            if state.session is None:
                watched = self.touches(state.unplugged_at, sample.at)
                self._open(sample.at, before if watched else None, out, known=watched)
            elif self.resumed or not self.touches(state.plugged_at, sample.at):
                state.session.silence = True
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
        unseen = not self.touches(last_seen, sample.at)
        if last_seen is not None and session is not None and (unseen or self.resumed):
            at = max(last_seen, session.last.at) if session.last else last_seen
            return Edge(at, session.last, {Flag.ESTIMATED_END, self._cause()})
        return Edge(sample.at, None)  # the register follows once it is believed

    def _cause(self) -> Flag:
        return Flag.INTERRUPTED if self.resumed else Flag.COMM_GAP

    def _on_load(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        """Follow the load; the idle time confirms the session's end."""
        drawing = _is_drawing(sample, self.rules)
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
        lasting = state.plugged_at is not None and (
            self.between(state.plugged_at, sample.at) > self._idle
        )
        if state.session is not None and lasting and state.ending is not None:
            self._close(state.ending, out)
        state.ending = None
        if state.session is not None:
            return
        if state.rising is None:
            watched = self.touches(state.unplugged_at, sample.at)
            state.rising = Edge(sample.at, before) if watched else Edge(sample.at, None)
            return
        rising, state.rising = state.rising, None
        self._open(rising.at, rising.register, out, known=rising.register is not None)

    def _idle_since(self, sample: Sample) -> None:
        """Remember the first sample below; the end is confirmed after the idle time."""
        state = self.state
        last_drawn = state.plugged_at or sample.at
        if state.ending is None:
            touches = self.touches(last_drawn, sample.at) or state.session is None
            last = None if state.session is None else state.session.last
            flags = {Flag.ESTIMATED_END, self._cause()}
            state.ending = Edge(last_drawn, None) if touches else Edge(last_drawn, last, flags)
        state.ending.confirmed = self.between(last_drawn, sample.at) >= self._idle

    def _open(
        self, at: datetime, base: Register | None, out: list[SessionEvent], *, known: bool
    ) -> None:
        session = OpenSession(plugged_in_at=at, drift_before=self.state.timeline.drift)
        if base is not None and self.touches(base.at, at):
            self.counting.begin(session, base)
        if not known:
            session.flags.add(Flag.ESTIMATED_START)
        self.state.session, self.state.ending = session, None
        out.append(Opened(at, session.base, frozenset(session.flags)))

    def _settled(self, edge: Edge, at: datetime) -> bool:
        """Return whether the end has its register, or need not wait for one any longer."""
        session = self.state.session
        none_to_come = session is None or session.base is None or bool(edge.flags)
        return none_to_come or edge.register is not None or not self.touches(edge.at, at)

    def _close(self, edge: Edge, out: list[SessionEvent]) -> None:
        session, drift = self.state.session, self.state.timeline.drift
        if session is None:
            return
        session.flags |= edge.flags
        if edge.register is None:
            self._end_unread(session, edge)
        elif session.last is not None:
            session.last = edge.register if edge.register.wh >= session.last.wh else session.last
        session.judge(edge.at, drift, self.rules.bounds.resolution_wh)
        if session.charging:
            out.append(ChargingStopped(edge.at, session.last))
        out.append(Closed(edge.at, session.last, session.figures(edge.at, drift)))
        self.state.stale = session.tag or self.state.stale
        self.state.session = self.state.ending = None

    def _end_unread(self, session: OpenSession, edge: Edge) -> None:
        """Flag an end whose register is not known: the last one believed stands for it."""
        if self.state.track.candidate is not None:
            session.flags.add(Flag.METER_RESET)  # there is another one, and it was not believed
        elif session.read_at is not None and not self.touches(session.read_at, edge.at):
            session.flags |= {Flag.ESTIMATED_END, Flag.COMM_GAP}

    # -- what else the devices say ------------------------------------------------------------

    def _on_device(self, at: datetime, signs: CarSigns) -> None:
        state = self.state
        if signs.drift_ms is not None:
            state.timeline.note(at, signs.drift_ms * MS)
        if signs.serial is not None:
            state.replaced |= state.serial is not None and signs.serial != state.serial
            state.serial = signs.serial
        if signs.no_tag:
            state.shown = state.stale = None
        elif signs.tag is not None:
            state.shown = signs.tag

    def _on_car(
        self, session: OpenSession, sample: Sample, signs: CarSigns, out: list[SessionEvent]
    ) -> None:
        if sample.pilot in PLUGGED:
            recent = tuple(self.state.recent)
            replug = replug_in(session, sample.at, signs, recent, self.touches)
            if replug is not None:
                self._replug(session, replug, sample.at, out)
        session = self.state.session or session
        if signs.session_wh is not None:
            self.counting.compare_session(session, signs.session_wh)
        remember(session, sample.at, signs)

    def _on_card(self, at: datetime, out: list[SessionEvent]) -> None:
        """Take the card that is shown for the session's; not one an earlier session left there."""
        session, shown = self.state.session, self.state.shown
        if session is None or shown is None or shown in {session.tag, self.state.stale}:
            return
        session.tag, self.state.stale = shown, None
        out.append(Tagged(at, shown))

    def _replug(
        self, session: OpenSession, replug: Replug, at: datetime, out: list[SessionEvent]
    ) -> None:
        """End a session whose car was changed for another unseen, and begin that one's."""
        if not replug.ends:
            session.flags.add(Flag.UNSEEN_REPLUG)
            return
        if replug.last is not None and session.start is not None:
            session.last = max(replug.last, session.start, key=lambda one: one.wh)
        flags = {Flag.UNSEEN_REPLUG} if replug.doubtful else set[Flag]()
        unwatched = set() if replug.seen else {Flag.ESTIMATED_END, self._cause()}
        self._close(Edge(replug.left_at, session.last, flags | unwatched), out)
        self._open(replug.came_at, None, out, known=replug.seen)
        opened = self.state.session
        if opened is not None and replug.first is not None:
            opened.flags |= flags
            self.counting.begin(opened, replug.first)
            opened.last = self.counting.newest_of(opened)
            out.append(Based(replug.first.at, replug.first))
        self.state.plugged_at = at

    # -- charging time, peak and cross-check ----------------------------------------------------

    def _on_power(self, sample: Sample, out: list[SessionEvent]) -> None:
        session = self.state.session
        drawing = _is_charging(sample, self.rules)
        if session is None or drawing is None:
            return
        if session.charging and session.measured_at is not None:
            elapsed = self.between(session.measured_at, sample.at)
            if timedelta() < elapsed <= self._gap:
                session.charging_ms += elapsed // MS
        session.measured_at = sample.at
        if sample.power_w is not None:
            session.peak_w = max(session.peak_w or 0.0, sample.power_w)
            self.counting.compare(session, sample, sample.power_w)
        if drawing != session.charging:
            session.charging = drawing
            event = ChargingStarted if drawing else ChargingStopped
            out.append(event(sample.at, session.last))


def _is_drawing(sample: Sample, rules: Rules) -> bool | None:
    """Return whether a car draws, by its current where that is known; None where nothing is."""
    if sample.current_a is not None:
        return sample.current_a >= rules.threshold_a
    return None if sample.power_w is None else sample.power_w >= rules.threshold_w


def _is_charging(sample: Sample, rules: Rules) -> bool | None:
    """Return whether energy flows, by the power where that is known; None where nothing is."""
    if sample.power_w is not None:
        return sample.power_w >= rules.threshold_w
    return None if sample.current_a is None else sample.current_a >= rules.threshold_a
