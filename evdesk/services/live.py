"""What the Live page shows: one card per station and the charging rate over time."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from evdesk.domain.meters import MeterState, MeterStatus, Source, Station, StationId
from evdesk.domain.permissions import Action
from evdesk.domain.readings import Phases, PilotState, Reading
from evdesk.domain.sessions import Session, SessionState
from evdesk.ports import Clock, CollectorState, Curve, SessionFilter, Store, Unit
from evdesk.services.lawful import Shown
from evdesk.services.newest import newest_readings
from evdesk.services.permitting import permit
from evdesk.services.sites import is_running
from evdesk.settings import CHARGING


class StationState(StrEnum):
    """What a card says in one word."""

    NEW = "new"
    PAUSED = "paused"
    SILENT = "silent"
    FREE = "free"
    CONNECTED = "connected"
    CHARGING = "charging"
    FAULT = "fault"


# States in which the figures of a card are not those of now.
UNKNOWN = frozenset({StationState.NEW, StationState.PAUSED, StationState.SILENT})


@dataclass(frozen=True, slots=True)
class Card:
    """One station now; figures are None where they were not read."""

    station: Station
    state: StationState
    at: datetime | None
    power_w: float | None
    currents_a: Phases
    import_wh: int | None
    session: Session | None
    driver: str | None
    interval_ms: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """All cards of one instant, the collector's state, and how many sessions wait for review."""

    at: datetime
    cards: tuple[Card, ...]
    collector: CollectorState
    in_review: int = 0


MOST_SINCE_WH = 5_000  # more is a doubt that the session engine settles, not this page


class LiveService:
    """Reads what the collector has committed; there is no second path.

    ``wall`` is the real clock, also on demo sites: it tells whether a collector still lives.
    """

    def __init__(self, store: Store, clock: Clock, wall: Clock) -> None:
        self._store, self._clock, self._wall = store, clock, wall

    @permit(Action.LOOK)
    def overview(self) -> Overview:
        """Return every station's card, by name."""
        with self._store.read() as unit:
            stations = unit.stations.all()
            latest = newest_readings(unit, {s for one in stations for s in one.sources()})
            statuses = unit.meters.statuses()
            sessions = self._open_sessions(unit, Shown(unit, self._clock.now()))
            cards = tuple(
                _card(
                    station,
                    latest.get(station.energy),
                    latest.get(station.state or station.energy),
                    [statuses.get(source.meter_id) for source in _in_order(station)],
                    sessions.get(station.id),
                    _driver_name(unit, sessions.get(station.id)),
                )
                for station in stations
            )
            collector = unit.collector.state()
            in_review = unit.sessions.count(SessionState.REVIEW)
        if not is_running(collector, self._wall.now()):
            cards = tuple(replace(card, state=_unwatched(card.state)) for card in cards)
        return Overview(self._clock.now(), cards, collector, in_review)

    def _open_sessions(self, unit: Unit, shown: Shown) -> dict[StationId, Session]:
        found = {}
        for station, session_id in unit.sessions.open_ids().items():
            session = unit.sessions.get(session_id)
            if session is not None:
                found[station] = shown.session(session, in_operation=True)
        return found

    @permit(Action.LOOK)
    def curves(
        self, stations: Iterable[Station], span: timedelta, points: int
    ) -> dict[StationId, Curve]:
        """Return the charging rate of the last ``span`` for each station."""
        to_at = self._clock.now() + timedelta(milliseconds=1)
        return self.curves_between(stations, to_at - span, to_at, points)

    @permit(Action.LOOK)
    def curves_between(
        self, stations: Iterable[Station], from_at: datetime, to_at: datetime, points: int
    ) -> dict[StationId, Curve]:
        """Return the charging rate between two instants for each station."""
        sources = {station.id: station.energy for station in stations}
        with self._store.read() as unit:
            curves = unit.readings.curves(sources.values(), from_at, to_at, points)
        return {station: curves[source] for station, source in sources.items()}

    @permit(Action.LOOK)
    def version(self) -> int:
        """Return a number that moves whenever another process or connection has committed."""
        return self._store.data_version()

    @permit(Action.LOOK)
    def sessions_today(self, from_at: datetime) -> list[Session]:
        """Return sessions plugged in since an instant, with what may be shown of their drivers."""
        with self._store.read() as unit:
            shown = Shown(unit, self._clock.now())
            found = unit.sessions.find(SessionFilter(from_at=from_at))
            return [shown.session(session, in_operation=True) for session in found]


def _up_to_date(session: Session, newest: Reading | None) -> Session:
    """Return the session with the energy since its figures were last saved."""
    figures = session.figures
    if newest is None or newest.import_wh is None or not figures.end or figures.energy_wh is None:
        return session
    since_wh = newest.import_wh - figures.end.wh
    if not 0 <= since_wh <= MOST_SINCE_WH:
        return session
    return replace(session, figures=replace(figures, energy_wh=figures.energy_wh + since_wh))


def _driver_name(unit: Unit, session: Session | None) -> str | None:
    if session is None or session.driver is None:
        return None
    driver = unit.drivers.get(session.driver)
    return None if driver is None else driver.party.name


def _in_order(station: Station) -> list[Source]:
    """Return the source of the energy and, where it is another, that of the state."""
    return list(dict.fromkeys([station.energy, station.state or station.energy]))


def _card(
    station: Station,
    energy: Reading | None,
    state: Reading | None,
    known: list[MeterStatus | None],
    session: Session | None,
    driver: str | None,
) -> Card:
    status = known[0]
    return Card(
        station=station,
        state=_state(energy, state, known, session),
        at=None if energy is None else energy.at,
        power_w=None if energy is None else energy.power_w,
        currents_a=(None, None, None) if energy is None else energy.currents_a,
        import_wh=None if energy is None else energy.import_wh,
        session=None if session is None else _up_to_date(session, energy),
        driver=driver,
        interval_ms=None if status is None else status.interval_ms,
    )


def _unwatched(state: StationState) -> StationState:
    """Return the state while nobody reads: what was true may no longer be so."""
    return state if state is StationState.NEW else StationState.PAUSED


def _state(
    energy: Reading | None,
    state: Reading | None,
    known: list[MeterStatus | None],
    session: Session | None,
) -> StationState:
    """Return the state; what a silent device last said is not what is so now."""
    devices = {MeterState.NEW if status is None else status.state for status in known}
    if devices & {MeterState.SILENT, MeterState.FAULT}:
        return StationState.SILENT
    if MeterState.NEW in devices or energy is None:
        return StationState.NEW
    if state is not None and state.pilot in {PilotState.E, PilotState.F}:
        return StationState.FAULT
    if session is None:
        return StationState.FREE
    drawing = energy.power_w is not None and energy.power_w >= CHARGING.threshold_w
    return StationState.CHARGING if drawing else StationState.CONNECTED
