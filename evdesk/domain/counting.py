"""The energy of one station: what its register says, and whether power agrees with it."""

from dataclasses import replace
from datetime import datetime, timedelta

from evdesk.domain.crosscheck import CAUGHT_UP, LEAST_WH, SHARE
from evdesk.domain.progress import Edge, Fold, OpenSession
from evdesk.domain.readings import Register
from evdesk.domain.registers import Step, Verdict
from evdesk.domain.sessions import (
    STEP_FLAGS,
    Based,
    EpochBegan,
    Flag,
    Replacement,
    Sample,
    SessionEvent,
)

CHANGING = timedelta(minutes=2)  # nobody unplugs, drives off, comes, and draws again in less
ALIKE = 0.75  # part of the one power that the other has to be, for a car that draws straight on


class Counting(Fold):
    """Follows the register; energy is only ever the difference of two of its values."""

    def begin(self, session: OpenSession, register: Register) -> None:
        """Latch the baseline of a session."""
        session.begin(register, self.state.track.counts_from(register))
        if self.state.track.ceiling is not None:
            session.flags.add(Flag.METER_REWOUND)
        frozen, self.state.frozen = self.state.frozen, None
        if frozen is not None and frozen.wh == register.wh:
            session.flags.add(Flag.REGISTER_FROZEN)  # it may yet catch up with an earlier session

    def newest_of(self, session: OpenSession) -> Register | None:
        """Return the last register of a session that goes on now."""
        newest = self.state.track.last
        return session.last if newest is None or self.state.track.ceiling else newest

    def replace_meter(self, told: Replacement) -> list[SessionEvent]:
        """Go on with the register of a meter that somebody says was put in the old one's place."""
        state, events = self.state, list[SessionEvent]()
        if told.id <= state.applied:
            return events
        state.applied, state.serial, state.replaced = told.id, told.serial, False
        first = Register(told.first_wh, told.at, b"", told.serial)
        session, before = state.session, state.track.last
        if session is None or before is None:
            state.track.forget()
            self._leave_level(None)
        elif session.unexplained is not None:
            events += self._explain(session, session.unexplained, first, told)
        elif told.at >= before.at:
            state.track.replace(first)
            between_wh = told.final_wh - before.wh
            fits = self.rules.bounds.plausible(between_wh, self.between(before.at, told.at))
            step = Step(Verdict.ANNOUNCED, before, first, between_wh)
            self.step(step if fits else Step(Verdict.REPLACED, before, first), told.at, events)
        return events

    def _explain(
        self, session: OpenSession, seen: Step, first: Register, told: Replacement
    ) -> list[SessionEvent]:
        """Take a step that was seen for what was told, if both meters can have counted so much."""
        ended_wh, begun_wh = told.final_wh - seen.before.wh, seen.first.wh - told.first_wh
        elapsed = self.between(seen.before.at, seen.first.at)
        fits = self.rules.bounds.plausible(ended_wh + begun_wh, elapsed)
        if not fits or ended_wh < 0 or begun_wh < 0:
            return []
        step = Step(Verdict.ANNOUNCED, seen.before, first, ended_wh + begun_wh)
        session.explain(step)
        return [EpochBegan(told.at, step)]

    def on_register(self, register: Register, out: list[SessionEvent]) -> None:
        """Take in a register that was read."""
        state = self.state
        track, session = state.track, state.session
        if state.serial is not None:
            register = replace(register, serial=state.serial)
        if state.replaced:
            state.replaced = False
            step = track.replace(register)
            if step is not None:
                self.step(step, register.at, out)
        else:
            drawn_wh = 0.0 if session is None else session.check.still_wh
            verdict = track.accept(register, self.rules.bounds, self.between, drawn_wh)
            if verdict is Verdict.HELD:
                self._held(session, register)
                return
            if verdict is not Verdict.STEADY:
                self.step(track.step(verdict, self.rules.bounds), register.at, out)
        if session is not None and session.base is None and state.ending is None:
            self._base(session, register, out)
        self._advance(session, register)

    def _base(self, session: OpenSession, register: Register, out: list[SessionEvent]) -> None:
        """Latch the first register of a session that began without one."""
        self.begin(session, register)
        if register.at > session.plugged_in_at:
            session.flags.add(Flag.ESTIMATED_START)
        if not self.touches(session.plugged_in_at, register.at):
            session.flags.add(Flag.COMM_GAP)
        out.append(Based(register.at, register))

    def _held(self, session: OpenSession | None, register: Register) -> None:
        """Note that the register was read, where its small step back is no more than that."""
        if session is not None and self.state.track.candidate is None:
            session.read_at = register.at

    def _advance(self, session: OpenSession | None, register: Register) -> None:
        """Move the session's last register on, unless its end has been seen."""
        state = self.state
        state.recent.append(register)
        if session is None or session.base is None:
            return
        before, session.read_at = session.read_at, register.at
        if state.ending is None or register.at < state.ending.at:
            if before is not None and not self.touches(before, register.at):
                session.flags.add(Flag.COMM_GAP)
                session.check.interrupt()
                session.silence = True
            if state.track.ceiling is None:
                session.last = register
                if self.sees(state.plugged_at, register.at):
                    session.seen = register
        elif state.ending.register is None or self._is_late(state.ending, register):
            state.ending.register = register

    def _is_late(self, ending: Edge, register: Register) -> bool:
        """Return whether a register catches up with what was drawn before the load fell."""
        if self.rules.by_pilot or ending.flags or ending.register is None:
            return False
        hours = self.between(ending.register.at, register.at) / timedelta(hours=1)
        least_wh = self.rules.threshold_w * hours + 2 * self.rules.bounds.resolution_wh
        return register.wh - ending.register.wh > least_wh

    def step(self, step: Step, at: datetime, out: list[SessionEvent]) -> None:
        """Take in that the counter went on elsewhere; after a rewind, it is still the same one."""
        state = self.state
        session, ending = state.session, state.ending
        self._leave_level(step.first)
        if session is None:
            return
        flags = STEP_FLAGS[step.kind]
        if step.kind is Verdict.REWIND:
            session.flags |= flags
            session.check.interrupt()
        else:
            if ending is not None and ending.register is not None:  # it ended on the old level
                session.end_at(ending.register)
                ending.register = step.first
            session.step(step, flags)
        if Flag.METER_RESET in flags:
            again = session.unexplained is not None
            session.unexplained = None if again else step  # of two, one cannot be explained away
        out.append(EpochBegan(at, step))

    def _leave_level(self, first: Register | None) -> None:
        """Let nothing that is kept for the next session point to a level that is no more."""
        self.state.recent.clear()
        self.state.free = first
        if self.state.rising is not None:
            self.state.rising.register = first

    def went_straight_on(self, session: OpenSession, sample: Sample, unseen: timedelta) -> bool:
        """Return whether a car that draws now can have drawn all the while nobody watched.

        Two powers far apart are two cars as well as one that is nearly full: then nobody knows.
        """
        last, now, before_w = session.last, sample.register, session.check.power_w
        if last is None or now is None or before_w is None or sample.power_w is None:
            return False
        least_w, most_w = sorted((before_w, sample.power_w))
        hours, rise_wh = unseen / timedelta(hours=1), now.wh - last.wh
        bounds = self.rules.bounds
        if rise_wh < 0:  # it may have rolled over
            rise_wh += bounds.range_wh or 0
        drawing = least_w >= max(self.rules.threshold_w, ALIKE * most_w)
        least_wh = least_w * (hours - CHANGING / timedelta(hours=1)) - 2 * bounds.resolution_wh
        return drawing and least_wh <= rise_wh <= most_w * hours / CAUGHT_UP

    def stood_still(self, session: OpenSession, sample: Sample) -> bool:
        """Return whether nothing was drawn before, in and after a time in which nobody watched."""
        now = sample.register or self.state.track.last
        if session.charging or session.last is None or now is None:
            return False
        drawing = sample.power_w is not None and sample.power_w >= self.rules.threshold_w
        return not drawing and 0 <= now.wh - session.last.wh <= self.rules.bounds.resolution_wh

    def compare_session(self, session: OpenSession, session_wh: int, at: datetime) -> None:
        """Compare what register and charger counted across a silence.

        A register that counted less began anew; one that counted more counted another car, too.
        """
        before, before_at = session.session_register, session.session_at
        now, counted_wh = self.state.track.last, session.session_wh
        session.session_register, session.session_at = now, at
        if before is None or before_at is None or now is None or counted_wh is None:
            return
        if not session.silence:
            return
        lag = self.between(before.at, before_at) + self.between(now.at, at)
        more_wh, rise_wh = session_wh - counted_wh, now.wh - before.wh
        bounds, elapsed = self.rules.bounds, self.between(before.at, now.at)
        if not bounds.plausible(more_wh, elapsed):
            return
        allowed_wh = max(LEAST_WH, SHARE * more_wh) + 2 * bounds.resolution_wh
        allowed_wh += bounds.max_power_w * (lag / timedelta(hours=1))
        if more_wh - rise_wh > allowed_wh:
            session.flags.add(Flag.METER_RESET)
        elif rise_wh - more_wh > allowed_wh:
            session.flags.add(Flag.UNSEEN_REPLUG)

    def compare(self, session: OpenSession, sample: Sample, power_w: float) -> None:
        """Compare register and power, where a sample tells both and both are believed."""
        track = self.state.track
        last = track.last
        if sample.register is None or last is None or track.ceiling is not None:
            return
        if last.at != sample.at:  # what was read is not believed
            return
        passed = None
        if session.checked_at is not None and self.touches(session.checked_at, sample.at):
            passed = self.between(session.checked_at, sample.at)
        bounds = self.rules.bounds
        session.check.on(passed, power_w, last.wh, bounds.resolution_wh, self.rules.power_step_w)
        session.checked_at = sample.at
