"""The session engine: folds one station's samples into session events, in order, exactly once."""

from datetime import datetime, timedelta

from evdesk.domain.progress import MS, Edge, OpenSession, TrackerState
from evdesk.domain.readings import PilotState, Register
from evdesk.domain.replugs import remember, replug_in
from evdesk.domain.sessions import (
    CarSigns,
    ChargingStarted,
    ChargingStopped,
    Figures,
    Flag,
    Rules,
    Sample,
    SessionEvent,
    Tagged,
)
from evdesk.domain.visits import Visits

UNWATCHED = timedelta(minutes=5)  # enough to change cars
SWAP = timedelta(seconds=10)  # nobody unplugs one car and plugs in another in less
PLUGGED = frozenset({PilotState.B, PilotState.C, PilotState.D})


class Tracker(Visits):
    """Follows one station."""

    def __init__(self, rules: Rules, state: TrackerState | None = None) -> None:
        super().__init__(rules, state)
        self._idle = timedelta(milliseconds=rules.idle_ms)

    def on(self, sample: Sample) -> list[SessionEvent]:
        """Take in a sample; return what it changed, in order."""
        events: list[SessionEvent] = []
        before = self.state.track.last
        if sample.signs is not None:
            self._on_device(sample.at, sample.signs)
        if self.rules.by_pilot:
            self._on_pilot(sample, events)
        else:
            self._on_load(sample, before, events)
        if sample.register is not None:
            self.counting.on_register(sample.register, events)
        if sample.signs is not None and self.state.session is not None:
            self._on_car(self.state.session, sample, sample.signs, events)
        self._on_card(sample.at, events)
        ending = self.state.ending
        if ending is not None and ending.confirmed and self.settled(ending, sample.at):
            self.close(ending, events)
        if sample.pilot is PilotState.A:
            self.state.free = self.state.track.last
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
            self.close(Edge(at, session.last, flags), events)
        return events

    # -- where a session begins and ends ------------------------------------------------------

    def _on_pilot(self, sample: Sample, out: list[SessionEvent]) -> None:
        """Follow the pilot; the second sample without a car confirms the session's end."""
        state = self.state
        if sample.pilot in PLUGGED:
            self._end_before(sample.at, out)
            if state.session is None:
                watched = self.sees(state.unplugged_at, sample.at)
                base = state.free or state.track.last
                self.open(sample.at, base if watched else None, out, known=watched)
            elif self.resumed or not self.sees(state.plugged_at, sample.at):
                self._unwatched(state.session, sample, state.plugged_at)
            state.plugged_at = sample.at
            if state.session is not None:
                state.session.seen, state.session.paused = state.session.last, False
            self.resumed = False
        elif sample.pilot is PilotState.A:
            if state.ending is not None:
                state.ending.confirmed = True
            elif state.session is not None:
                state.ending = self._first_unplugged(sample)
            state.unplugged_at = sample.at
            self.resumed = False

    def _unwatched(self, session: OpenSession, sample: Sample, seen: datetime | None) -> None:
        """Note that nobody could see for a while whether the car was changed for another.

        A charger that tells something of the car says so itself. Otherwise it is a doubt, unless
        power was drawn all the while, or the register counted what the car would have drawn. Where
        nothing was drawn at all it matters only once power flows again.
        """
        session.silence = True
        if seen is None or session.tells_of_its_car() or not self._is_long(seen, sample.at):
            return
        drew = not session.paused and self.sees(session.measured_at, sample.at)
        unseen = self.between(seen, sample.at)
        if drew or self.counting.went_straight_on(session, sample, unseen):
            return
        if self.counting.stood_still(session, sample):
            session.unsure = True
        else:
            session.flags.add(Flag.UNSEEN_REPLUG)

    def _is_long(self, seen: datetime, at: datetime) -> bool:
        """Return whether nobody watched for long enough to change cars."""
        return self.between(seen, at) > UNWATCHED and not self.sees(seen, at)

    def _end_before(self, at: datetime, out: list[SessionEvent]) -> None:
        """Settle an end that was seen, now that a car is there."""
        ending, seen = self.state.ending, self.state.plugged_at
        if ending is not None and ending.confirmed:
            self.close(ending, out)  # the next car is here before the register
        elif ending is not None and seen is not None and self.between(seen, at) > SWAP:
            self.doubt_one_car(ending, at, out)
        self.state.ending = None

    def _first_unplugged(self, sample: Sample) -> Edge:
        """Return the edge; after a silence it is the last moment for which there is evidence."""
        session, last_seen = self.state.session, self.state.plugged_at
        unseen = not self.sees(last_seen, sample.at)
        if last_seen is not None and session is not None and (unseen or self.resumed):
            at = max(last_seen, session.last.at) if session.last else last_seen
            flags = {Flag.ESTIMATED_END, self.cause()}
            if self._is_long(last_seen, sample.at) and session.drew_unseen():
                flags.add(Flag.UNSEEN_REPLUG)
            return Edge(at, session.last, flags)
        return Edge(sample.at, None)  # the register follows once it is believed

    def _on_load(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        """Follow the load; the idle time confirms the session's end."""
        drawing = _is_drawing(sample, self.rules)
        if drawing is None:
            return
        state = self.state
        if drawing:
            self._drawing(sample, before, out)
            if state.session is not None:
                self._looked_away(state.session, sample)
            state.plugged_at = sample.at
        else:
            state.rising = None
            if state.session is not None:
                self._idle_since(sample)
            state.unplugged_at = sample.at
        self.resumed = False

    def _looked_away(self, session: OpenSession, sample: Sample) -> None:
        """Doubt a load that is there again after a time in which nobody watched."""
        known = [at for at in (self.state.plugged_at, self.state.unplugged_at) if at is not None]
        seen = max(known, default=None)
        if self.resumed or not self.sees(seen, sample.at):
            self._unwatched(session, sample, seen)

    def _drawing(self, sample: Sample, before: Register | None, out: list[SessionEvent]) -> None:
        state = self.state
        lasting = state.plugged_at is not None and (
            self.between(state.plugged_at, sample.at) > self._idle
        )
        if state.session is not None and lasting and state.ending is not None:
            self.close(state.ending, out)
        state.ending = None
        if state.session is not None:
            return
        if state.rising is None:
            watched = self.touches(state.unplugged_at, sample.at)
            unseen = Edge(sample.at, None, {Flag.ESTIMATED_START})
            state.rising = Edge(sample.at, before) if watched else unseen
            return
        rising, state.rising = state.rising, None
        base = rising.register
        if base is None and before is not None and before.at >= rising.at:
            base = before  # the first one after nobody watched
        self.open(rising.at, base, out, known=not rising.flags)

    def _idle_since(self, sample: Sample) -> None:
        """Remember the first sample below; the end is confirmed after the idle time."""
        state = self.state
        last_drawn = state.plugged_at or sample.at
        if state.ending is None:
            touches = self.touches(last_drawn, sample.at) or state.session is None
            last = None if state.session is None else state.session.last
            flags = {Flag.ESTIMATED_END, self.cause()}
            state.ending = Edge(last_drawn, None) if touches else Edge(last_drawn, last, flags)
        state.ending.confirmed = self.between(last_drawn, sample.at) >= self._idle

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
        """Compare what is said of the car with what was said of it when it was seen last."""
        if sample.pilot not in PLUGGED:
            return
        replug = replug_in(session, sample.at, signs, tuple(self.state.recent), self.touches)
        if replug is not None:
            self.replug(session, replug, sample.at, out)
        session = self.state.session or session
        if signs.session_wh is not None:
            self.counting.compare_session(session, signs.session_wh, sample.at)
        remember(session, sample.at, signs)

    def _on_card(self, at: datetime, out: list[SessionEvent]) -> None:
        """Take the card that is shown for the session's; not one an earlier session left there."""
        session, shown = self.state.session, self.state.shown
        if session is None or shown is None or shown in {session.tag, self.state.stale}:
            return
        session.tag, self.state.stale = shown, None
        out.append(Tagged(at, shown))

    # -- charging time, peak and cross-check ----------------------------------------------------

    def _on_power(self, sample: Sample, out: list[SessionEvent]) -> None:
        session = self.state.session
        drawing = _is_charging(sample, self.rules)
        if session is None or drawing is None:
            return
        touches = self.touches(session.measured_at, sample.at)
        if session.charging and session.measured_at is not None and touches:
            elapsed = self.between(session.measured_at, sample.at)
            session.charging_ms += max(elapsed, timedelta()) // MS
        session.paused |= not (drawing and self.sees(session.measured_at, sample.at))
        if drawing and session.unsure:
            session.unsure = False
            session.flags.add(Flag.UNSEEN_REPLUG)
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
