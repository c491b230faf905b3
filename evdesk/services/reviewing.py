"""What people decide about sessions: correct, release from review, end by hand."""

from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.corrections import MOST_WH, Claim, Decision, DecisionKind, corrected
from evdesk.domain.errors import Unlikely, UserError
from evdesk.domain.instants import MILLISECOND
from evdesk.domain.meters import Source
from evdesk.domain.permissions import Action
from evdesk.domain.registers import Bounds
from evdesk.domain.sessions import Session, SessionId, SessionState
from evdesk.ports import Clock, Devices, Store, Unit
from evdesk.services.journaling import Journal
from evdesk.services.permitting import given, permit
from evdesk.services.polling import make_plans, reaches
from evdesk.services.sessions import existing_session, shown_session
from evdesk.services.sites import is_running
from evdesk.settings import CHARGING

ANSWERS = timedelta(seconds=60)  # a device heard of so lately ends its sessions itself
INTERVALS = 3  # or so many of its own intervals ago


class ReviewService:
    """Use cases of decisions about sessions; ``wall`` is the real clock, also on demo sites."""

    def __init__(self, store: Store, devices: Devices, clock: Clock, wall: Clock) -> None:
        self._store, self._devices, self._clock, self._wall = store, devices, clock, wall

    @permit(Action.DECIDE_SESSIONS)
    def correct(
        self,
        session_id: SessionId,
        start_wh: int,
        end_wh: int,
        reason: str,
        *,
        certain: bool = False,
    ) -> Session:
        """Let other registers hold for a session; what was measured stays beside them.

        Raises:
            Unlikely: no charging point delivers that much in that time, and nobody is ``certain``.
            UserError: unknown, still open, billed, no reason, registers that cannot be, or the
                ones that hold already.

        """
        reason = given(reason)
        after = _claim(start_wh, end_wh)
        with self._store.write() as unit:
            session = existing_session(unit, session_id)
            _check_unbilled(session)
            if session.state is SessionState.OPEN:
                raise UserError(
                    "Session {session} is still open: correct it once it has ended. Where its "
                    "device is gone for good, end it first: evdesk session close {session} "
                    "--reason …",
                    session=session.id,
                )
            before = session.claim()
            if before == after:
                raise UserError(
                    "Session {session} says so already: nothing was changed.", session=session.id
                )
            if not certain:
                check_likely(session, after)
            self._decide(unit, session, DecisionKind.CORRECTED, reason, (before, after))
            return shown_session(unit, session_id, self._clock.now())

    @permit(Action.DECIDE_SESSIONS)
    def release(self, session_id: SessionId, reason: str) -> Session:
        """Let a session in review be billed; its remarks stay.

        Raises:
            UserError: unknown, not in review, no reason, or without energy to bill.

        """
        reason = given(reason)
        with self._store.write() as unit:
            session = existing_session(unit, session_id)
            if session.state is not SessionState.REVIEW:
                raise UserError(
                    "Session {session} is {state}, not in review: there is nothing to release.",
                    session=session.id,
                    state=session.state.value,
                )
            if session.energy_wh is None:
                raise UserError(
                    "Session {session} has no energy: its meter told no register, so there is "
                    "nothing to bill. Correct it first, with the registers you know: evdesk "
                    "session correct {session} --start-wh … --end-wh … --reason …",
                    session=session.id,
                )
            unit.decisions.release(session.id)
            self._decide(unit, session, DecisionKind.RELEASED, reason)
            return shown_session(unit, session_id, self._clock.now())

    @permit(Action.DECIDE_SESSIONS)
    def end(self, session_id: SessionId, reason: str) -> bool:
        """End an open session whose device is gone, at its last stored register; it is reviewed.

        Return whether it has ended: a collector that runs ends it itself, within a second or two.

        Raises:
            UserError: unknown, not open, no reason, or its device still answers.

        """
        reason = given(reason)
        with self._store.write() as unit:
            session = existing_session(unit, session_id)
            if session.state is not SessionState.OPEN:
                raise UserError("Session {session} has ended already.", session=session.id)
            self._check_silent(unit, session)
            self._decide(unit, session, DecisionKind.ENDED, reason)
            unit.collector.bump_revision()
            collected = is_running(unit.collector.state(), self._wall.now())
        if not collected:  # a collector that starts now finds the decision, too, or the end
            plans = make_plans(self._store, self._devices, self._clock.now())
            Journal(self._store, reaches(plans, self._devices)).end_decided()
        return not collected

    def _decide(
        self,
        unit: Unit,
        session: Session,
        kind: DecisionKind,
        reason: str,
        claims: tuple[Claim, Claim] | None = None,
    ) -> None:
        """Append the decision with its audit entry."""
        before, after = claims or (None, None)
        author = self._store.actor.ref
        decision = Decision(kind, self._clock.now(), author, reason, before, after)
        unit.decisions.add(session.id, decision)
        facts: dict[str, object] = {}
        if before is not None and after is not None:
            facts = {"before": _facts(before), "after": _facts(after)}
        change = Change(f"session.{kind.value}", "session", str(session.id), facts, reason)
        unit.record_change(change)

    def _check_silent(self, unit: Unit, session: Session) -> None:
        """Refuse where the device that tells of the car was heard of lately."""
        station = next(s for s in unit.stations.all(retired=True) if s.id == session.station_id)
        source = station.state or station.energy
        status = unit.meters.statuses().get(source.meter_id)
        interval_ms = None if status is None else status.interval_ms
        lately = max(ANSWERS, INTERVALS * timedelta(milliseconds=interval_ms or 0))
        now = self._clock.now()
        if station.retired_at is None and _tells(unit, source, now - lately, now):
            raise UserError(
                "Session {session} is not ended by hand: {station} still answers and says that "
                "the car is there. It ends by itself once the car is unplugged.",
                session=session.id,
                station=station.name,
            )


def _tells(unit: Unit, source: Source, from_at: datetime, to_at: datetime) -> bool:
    """Return whether a device told anything about a car in that time."""
    readings = unit.readings.between(source, from_at, to_at + MILLISECOND)
    return any(
        each.pilot is not None or each.power_w is not None or each.peak_current_a() is not None
        for each in readings
    )


def _check_unbilled(session: Session) -> None:
    if session.invoice is not None:
        raise UserError(
            "Session {session} is on invoice {invoice} and stays as it was billed: cancel the "
            "invoice, then correct the session.",
            session=session.id,
            invoice=session.invoice,
        )


def check_likely(session: Session, claim: Claim) -> None:
    """Refuse what no cable carries while the car was there: it may be a digit too many."""
    figures = session.figures
    stay = (figures.unplugged_at or figures.plugged_in_at) - figures.plugged_in_at
    energy_wh = claim.energy_wh or 0
    if Bounds(CHARGING.max_power_w).plausible(energy_wh, stay):
        return
    raise Unlikely(
        "{kwh} kWh is more than a charging point delivers in the {minutes} minutes of session "
        "{session}. Is there a digit too many?",
        kwh=f"{energy_wh / 1000:.3f}",
        minutes=f"{stay / timedelta(minutes=1):.0f}",
        session=session.id,
    )


def _claim(start_wh: int, end_wh: int) -> Claim:
    try:
        return corrected(start_wh, end_wh)
    except ValueError as error:
        raise UserError(
            "From {start_wh} to {end_wh} Wh cannot be: a register is from 0 to {most} Wh and never "
            "ends below its start. Nothing was changed.",
            start_wh=start_wh,
            end_wh=end_wh,
            most=MOST_WH,
        ) from error


def _facts(claim: Claim) -> dict[str, object]:
    return {
        "start_wh": claim.start_wh,
        "end_wh": claim.end_wh,
        "energy_wh": claim.energy_wh,
    }
