"""Decisions about sessions and accounts of months, over a depot that was never built."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from evdesk.domain.corrections import Decision, DecisionKind, corrected
from evdesk.domain.errors import Damaged, UserError
from evdesk.domain.instants import month_bounds
from evdesk.domain.meters import Station
from evdesk.domain.readings import Register
from evdesk.domain.reconciling import Account, Gap, GapKind, Rest, RestKind
from evdesk.domain.sessions import Flag, Session, SessionId, SessionState
from evdesk.ports import Explanation
from evdesk.services.reconciling import MeterMonth, Month, ReconcileService
from evdesk.services.reviewing import ReviewService, check_likely
from tests.fakes.depot import Depot

DAMAGED = (
    "The sealed readings of meter {meter} are damaged, from 2026-11-03T06:00:00Z on: they are not "
    "what was sealed. Keep a copy of the site folder as it is, then restore the newest backup."
)
NAMES = {"A-1": "Ada Petersen"}


class StubReviews(ReviewService):
    """Carries decisions out on the depot, which keeps them by session."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot

    def correct(
        self,
        session_id: SessionId,
        start_wh: int,
        end_wh: int,
        reason: str,
        *,
        certain: bool = False,
    ) -> Session:
        session = self._session(session_id)
        if not reason.strip():
            raise UserError("Say why: a reason of some words is kept with your name.")
        after = corrected(start_wh, end_wh)
        if not certain:
            check_likely(session, after)
        made = Decision(
            DecisionKind.CORRECTED, self.depot.now, "A-1", reason, session.claim(), after
        )
        return self._keep(replace(session, correction=made), made)

    def release(self, session_id: SessionId, reason: str) -> Session:
        made = Decision(DecisionKind.RELEASED, self.depot.now, "A-1", reason)
        return self._keep(replace(self._session(session_id), state=SessionState.CLOSED), made)

    def end(self, session_id: SessionId, reason: str) -> bool:
        session = self._session(session_id)
        made = Decision(DecisionKind.ENDED, self.depot.now, "A-1", reason)
        flags = session.figures.flags | {Flag.FORCED_END, Flag.ESTIMATED_END}
        figures = replace(session.figures, unplugged_at=self.depot.now, flags=flags)
        self._keep(replace(session, figures=figures, state=SessionState.REVIEW), made)
        return True

    def _session(self, session_id: SessionId) -> Session:
        return next(one for one in self.depot.sessions if one.id == session_id)

    def _keep(self, session: Session, made: Decision) -> Session:
        self.depot.decisions.setdefault(session.id, []).append(made)
        self.depot.sessions = [
            session if one.id == session.id else one for one in self.depot.sessions
        ]
        return session


class StubMonths(ReconcileService):
    """A month in which everything adds up but a correction and an end by hand."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.explained: list[Explanation] = []
        self.asked: list[str] = []
        self.clear = False
        self.cancelling = False  # the rests of Yard 2 add up to 0
        self.damaged: str | None = None  # the name of a meter whose readings are damaged

    def month(
        self,
        month: str,
        station: str | None = None,
        progress: Callable[[float], object] | None = None,
    ) -> Month:
        self.asked.append(month)
        from_at, to_at = month_bounds(month, self.depot.site.tz)
        if from_at > self.depot.now:
            raise UserError("{month} has not begun.", month=month)
        if progress is not None:
            progress(0.5)
        has_any = any(from_at <= s.figures.plugged_in_at < to_at for s in self.depot.sessions)
        stations = self.depot.stations if has_any else []
        rows = tuple(self._stub_row(month, n, one) for n, one in enumerate(stations))
        so_far = self.depot.now < to_at
        ends = self.depot.now if so_far else to_at
        return Month(month, from_at, ends, so_far, rows, NAMES)

    def _stub_row(self, month: str, number: int, station: Station) -> MeterMonth:
        meter = next(one for one in self.depot.meters if one.id == station.energy.meter_id)
        sessions = [one for one in self.depot.sessions if one.station_id == station.id]
        sessions_wh = sum(one.energy_wh or 0 for one in sessions)
        idle_wh, gap_wh = 1_300 + 77 * number, 0 if number % 2 else 4_210
        rests = () if self.clear else _rests(number, sessions)
        if self.cancelling and number == 1:
            rests += (replace(rests[0], wh=-rests[0].wh, session=sessions[4].id),)
        delta_wh = sessions_wh + idle_wh + gap_wh + sum(rest.wh for rest in rests)
        begins = min(one.figures.plugged_in_at for one in sessions)
        start_wh = 412_000 + 91_337 * station.id
        found = Account(
            start=Register(start_wh, begins),
            end=Register(start_wh + delta_wh, self.depot.now),
            delta_wh=delta_wh,
            sessions_wh=sessions_wh,
            idle_wh=idle_wh,
            gap_wh=gap_wh,
            sessions=len(sessions),
            gaps=_gaps(number, self.depot, gap_wh),
            rests=rests,
        )
        explained = tuple(
            one for one in self.explained if one.source == station.energy and one.month == month
        )
        if meter.name == self.damaged:
            error = Damaged(DAMAGED, meter=meter.name)
            return MeterMonth(meter, station.energy, (station.name,), None, explained, error)
        return MeterMonth(meter, station.energy, (station.name,), found, explained)

    def explain(self, meter: str, month: str, wh: int, reason: str) -> MeterMonth:
        row = next(one for one in self.month(month).rows if one.name == meter)
        if not reason.strip():
            raise UserError("Say why: a reason of some words is kept with your name.")
        self.explained.append(Explanation(row.source, month, wh, self.depot.now, "A-1", reason))
        return next(one for one in self.month(month).rows if one.name == meter)


def _rests(number: int, sessions: list[Session]) -> tuple[Rest, ...]:
    kinds = {1: (RestKind.CORRECTION, -500), 3: (RestKind.FORCED_END, 1_840)}
    if number not in kinds:
        return ()
    kind, wh = kinds[number]
    session = sessions[3]
    figures = session.figures
    return (Rest(kind, wh, session.id, figures.plugged_in_at, figures.unplugged_at),)


def _gaps(number: int, depot: Depot, wh: int) -> tuple[Gap, ...]:
    day = timedelta(days=1)
    gaps = []
    if wh:
        gaps.append(Gap(GapKind.SILENCE, depot.now - 5 * day, depot.now - 4.4 * day, wh))
    if number == 4:
        gaps.append(Gap(GapKind.RESET, depot.now - 2 * day, depot.now - 1.99 * day, 0, False))
    return tuple(gaps)
