"""Sessions: list, show with evidence, say whose they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.corrections import Decision
from evdesk.domain.errors import UserError
from evdesk.domain.meters import Meter, Station
from evdesk.domain.permissions import Action
from evdesk.domain.sessions import Session, SessionId
from evdesk.domain.site import Driver, DriverId
from evdesk.ports import Clock, Curve, LoggedEvent, SessionFilter, Store, Unit
from evdesk.services.drivers import existing_driver
from evdesk.services.lawful import Shown
from evdesk.services.permitting import permit


@dataclass(frozen=True, slots=True)
class SessionDetail:
    """A session with its log, the meter its registers come from and its own curve.

    ``decisions`` are what people decided about it; ``names`` are those of their accounts, by id.
    """

    session: Session
    driver: Driver | None
    station: Station
    meter: Meter
    events: tuple[LoggedEvent, ...]
    curve: Curve
    decisions: tuple[Decision, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)


class SessionService:
    """Use cases of sessions."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @permit(Action.LOOK)
    def find(self, wanted: SessionFilter) -> list[Session]:
        """Return sessions, newest first, with what may be shown of their drivers."""
        with self._store.read() as unit:
            found = unit.sessions.find(wanted)
            return Shown(unit, self._clock.now()).sessions(found, wanted)

    @permit(Action.LOOK)
    def detail(self, session_id: SessionId, points: int = 600) -> SessionDetail:
        """Return a session with everything it rests on, and what may be shown of its driver."""
        with self._store.read() as unit:
            kept = existing_session(unit, session_id)
            session = Shown(unit, self._clock.now()).session(kept)
            stations = {station.id: station for station in unit.stations.all(retired=True)}
            meters = {meter.id: meter for meter in unit.meters.all(removed=True)}
            station = stations[session.station_id]
            figures = session.figures
            until = figures.unplugged_at or self._clock.now()
            return SessionDetail(
                session=session,
                driver=None if session.driver is None else unit.drivers.get(session.driver),
                station=station if session.station else replace(station, name=""),
                meter=_of(meters[station.energy.meter_id], session),
                events=_events(unit, kept, session),
                curve=unit.readings.curve(station.energy, figures.plugged_in_at, until, points),
                decisions=tuple(unit.decisions.of(session_id)),
                names={account.id: account.name for account in unit.accounts.all()},
            )

    @permit(Action.DECIDE_SESSIONS)
    def assign(self, sessions: Sequence[SessionId], driver: DriverId) -> None:
        """Say whose the sessions are, all or none.

        Raises:
            UserError: unknown, or already on an issued invoice.

        """
        if not sessions:
            raise UserError("Name at least one session.")
        with self._store.write() as unit:
            existing_driver(unit, driver)
            for session_id in sessions:
                self._assign(unit, existing_session(unit, session_id), driver)

    def _assign(self, unit: Unit, session: Session, driver: DriverId) -> None:
        if session.invoice is not None:
            raise UserError(
                "Session {session} is on an issued invoice: cancel the invoice before it can be "
                "somebody else's. No session was changed.",
                session=session.id,
            )
        unit.sessions.assign(session.id, driver)
        facts = {"before": session.driver, "after": driver}
        unit.record_change(Change("session.assigned", "session", str(session.id), facts))


def _of(meter: Meter, session: Session) -> Meter:
    """Return the meter, without what tells where it is unless the station is shown."""
    return meter if session.station else replace(meter, name="", serial=None)


def _events(unit: Unit, kept: Session, shown: Session) -> tuple[LoggedEvent, ...]:
    """Return the session's log, without the card of a driver who is not shown."""
    events = unit.sessions.events(kept.id)
    if kept.driver is not None and shown.driver is None:
        events = [
            replace(each, detail={k: v for k, v in each.detail.items() if k != "tag"})
            for each in events
        ]
    return tuple(events)


def existing_session(unit: Unit, session_id: SessionId) -> Session:
    """Return the session of that id."""
    session = unit.sessions.get(session_id)
    if session is None:
        raise UserError(
            "There is no session {session}. List them with: evdesk session list",
            session=session_id,
        )
    return session


def shown_session(unit: Unit, session_id: SessionId, at: datetime) -> Session:
    """Return the session of that id with what may be shown of its driver."""
    return Shown(unit, at).session(existing_session(unit, session_id))
