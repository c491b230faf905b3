"""The journal: readings and what they mean for sessions, in one transaction."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.errors import EvdeskError, StorageError
from evdesk.domain.meters import MeterStatus, Source, Station, StationId
from evdesk.domain.readings import MeterId, Reading
from evdesk.domain.registers import Bounds
from evdesk.domain.sessions import (
    CarSigns,
    Closed,
    Figures,
    Flag,
    Opened,
    Part,
    Replacement,
    Rules,
    Session,
    SessionEvent,
    SessionId,
    Tagged,
    sample_of,
)
from evdesk.ports import CollectorState, Store, Unit
from evdesk.services.findings import Findings
from evdesk.services.following import Follow, followed, part_of, source_of
from evdesk.services.lawful import linked
from evdesk.settings import CHARGING, POLLING

LOG = logging.getLogger(__name__)

MS_PER_MINUTE = 60_000
NEVER = -1  # a revision that the database never has
NOTHING_FOUND = Findings()
# What happens to a session is saved with the transaction it happens in; its running figures and
# the tracker this often. A restart replays the readings since.
SAVE_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Reach:
    """How a device is read: the interval planned, the resolution and the range of its register.

    ``power_step_w`` is how coarsely it tells its power, ``read_as`` under which options its
    register is read.
    """

    interval_ms: int
    resolution_wh: int
    range_wh: int | None = None
    power_step_w: float = 1.0
    read_as: str | None = None


REMOVED = Reach(POLLING.default_interval_ms, 1)  # a device that is read no longer


@dataclass(frozen=True, slots=True)
class Beat:
    """The collector's sign of life that goes with a commit."""

    at: datetime
    lateness_ms: int


class Journal:
    """Writes readings and follows every station's session through them, exactly once."""

    def __init__(self, store: Store, reaches: Mapping[MeterId, Reach]) -> None:
        self._store, self._reaches = store, reaches
        self._follows: dict[StationId, Follow] = {}
        self._takers: dict[Source, list[tuple[Follow, Part]]] = {}
        self._fresh = True  # what a replay found is yet to be written
        self._load(resumed={})
        for follow in self._follows.values():
            follow.resumed = follow.tracker.resumed = follow.saved_at is not None

    def commit(
        self,
        readings: Sequence[Reading],
        statuses: Sequence[MeterStatus] = (),
        beat: Beat | None = None,
        stepped_at: datetime | None = None,
        findings: Findings = NOTHING_FOUND,
    ) -> CollectorState:
        """Make readings durable with everything that follows from them.

        Raises:
            StorageError: nothing of it was written; the readings can be given again.

        """
        with self._changing() as unit:
            state = self._write(unit, readings, statuses, beat, stepped_at)
            findings.write(unit, self._store.actor.ref)
        for follow in self._follows.values():
            follow.resumed = follow.tracker.resumed
        return state

    def settled(self) -> bool:
        """Take in what people said since; return whether it was, or has to be tried again."""
        try:
            self.settle()
        except StorageError as error:
            LOG.warning("%s What people decided is taken in later.", error)
            return False
        return True

    def settle(self) -> None:
        """Take in what people said since, and what a restart found in the readings.

        Raises:
            StorageError: nothing of it was written; it can be tried again.

        """
        with self._store.read() as unit:
            told = [self._untold(unit, follow) for follow in self._follows.values()]
            ended = unit.decisions.to_end()
        if not any(told) and not ended and not self._behind():
            return
        with self._changing() as unit:
            self._catch_up(unit)
            for follow, replacements in zip(self._follows.values(), told, strict=True):
                self._replace_meters(unit, follow, replacements)
            self._end_sessions(unit)

    def _behind(self) -> list[Follow]:
        """Return the stations of which the database does not know what a replay found."""
        return [each for each in self._follows.values() if each.missed or each.is_orphaned()]

    def _catch_up(self, unit: Unit) -> None:
        """Write what a replay found, and end sessions that their tracker knows nothing of."""
        for follow in self._behind():
            session = None if follow.session is None else unit.sessions.get(follow.session)
            if session is not None and follow.is_orphaned():
                self._apply(unit, follow, _ended(session.figures, Flag.INTERRUPTED))
            missed, follow.missed = follow.missed, []
            for event in missed:
                follow.happened = True
                self._apply(unit, follow, event)
            self._save(unit, follow)

    def end_decided(self) -> None:
        """End the sessions that people decided to end; for when no collector runs.

        Raises:
            StorageError: nothing of it was written; whoever collects next will end them.

        """
        with self._changing() as unit:
            self._end_sessions(unit)

    @contextmanager
    def _changing(self) -> Iterator[Unit]:
        """Open a transaction; where it fails, every tracker is as the database knows it."""
        try:
            with self._store.journal() as unit:
                yield unit
        except EvdeskError:
            self._load({follow.station.id: follow.resumed for follow in self._follows.values()})
            raise

    def _end_sessions(self, unit: Unit) -> None:
        """End what is decided, and what a retired station left open, at its last register."""
        for session_id in unit.decisions.to_end():
            session = unit.sessions.get(session_id)
            if session is None:
                continue
            follow = self._follows.get(session.station_id) or self._retired(unit, session)
            follow.session, follow.happened = session.id, True
            follow.seen_at = follow.seen_at or follow.saved_at
            for event in follow.tracker.end_now() or [_ended(session.figures, Flag.FORCED_END)]:
                self._apply(unit, follow, event)
            self._save(unit, follow)

    def _retired(self, unit: Unit, session: Session) -> Follow:
        """Return what follows a station that is out of use, as far as it came."""
        found = unit.stations.all(retired=True)
        station = next(each for each in found if each.id == session.station_id)
        saved = unit.sessions.trackers().get(station.id)
        follow = followed(station, self._rules(station), saved, session.id)
        follow.replay(unit)
        return follow

    def _untold(self, unit: Unit, follow: Follow) -> list[Replacement]:
        applied = follow.tracker.state.applied
        return [one for one in unit.replacements.of(follow.station.energy) if one.id > applied]

    def _replace_meters(
        self, unit: Unit, follow: Follow, replacements: Sequence[Replacement]
    ) -> None:
        for told in replacements:
            follow.happened = True
            follow.seen_at = follow.seen_at or follow.saved_at or told.at
            for event in follow.tracker.counting.replace_meter(told):
                self._apply(unit, follow, event)
        self._save(unit, follow)

    def _write(
        self,
        unit: Unit,
        readings: Sequence[Reading],
        statuses: Sequence[MeterStatus],
        beat: Beat | None,
        stepped_at: datetime | None,
    ) -> CollectorState:
        if self._fresh:
            self._catch_up(unit)
            self._fresh = False
        unit.readings.add(readings)
        touched: dict[StationId, Follow] = {}
        for reading in readings:
            for follow, part in self._takers.get(source_of(reading), ()):
                self._take(unit, follow, reading, part)
                touched[follow.station.id] = follow
        for follow in touched.values():
            self._save(unit, follow)
        if statuses:
            unit.meters.save_statuses(statuses)
        if beat is not None:
            unit.collector.beat(beat.at, beat.lateness_ms)
        if stepped_at is not None:
            unit.site.set_stepped(stepped_at)
        return unit.collector.state()

    # -- sessions -------------------------------------------------------------------------------

    def _take(self, unit: Unit, follow: Follow, reading: Reading, part: Part) -> None:
        read_as = self._reaches.get(reading.meter_id, REMOVED).read_as
        read_on = follow.read_under(read_as, reading) if part.energy else None
        if read_on is not None:
            follow.tracker.state.applied = unit.replacements.add(read_on)
        sample = sample_of(reading, part, _signs(unit, reading, part))
        if sample.signs is not None:  # no replay brings them back
            follow.happened = True
        for event in follow.take(source_of(reading), sample):
            follow.happened = True
            self._apply(unit, follow, event)

    def _apply(self, unit: Unit, follow: Follow, event: SessionEvent) -> None:
        if isinstance(event, Opened):
            follow.session = self._open(unit, follow, event)
        if follow.session is None:
            return
        unit.sessions.log(follow.session, event)
        if isinstance(event, Tagged):
            _assign_by_card(unit, follow.session, event)
        if isinstance(event, Closed):
            unit.sessions.update(follow.session, event.figures)
            facts = {"energy_wh": event.figures.energy_wh, "flags": sorted(event.figures.flags)}
            unit.record_change(Change("session.closed", "session", str(follow.session), facts))
            follow.session = None

    def _open(self, unit: Unit, follow: Follow, event: Opened) -> SessionId:
        station = follow.station.id
        figures = Figures(
            plugged_in_at=event.at,
            unplugged_at=None,
            start=event.register,
            end=event.register,
            energy_wh=None if event.register is None else 0,
            charging_ms=0,
            peak_w=None,
            flags=event.flags,
        )
        driver = linked(unit, unit.stations.default_driver(station, event.at), event.at)
        session = unit.sessions.open(station, figures, driver)
        facts = {"station": station, "driver": driver}
        unit.record_change(Change("session.opened", "session", str(session), facts))
        return session

    def _save(self, unit: Unit, follow: Follow) -> None:
        """Write the open session's figures and the tracker, when something happened or in turn."""
        seen, saved = follow.seen_at, follow.saved_at
        if seen is None or not (follow.happened or saved is None or seen - saved >= SAVE_EVERY):
            return
        figures = follow.tracker.figures()
        if figures is not None and follow.session is not None:
            unit.sessions.update(follow.session, figures)
        unit.sessions.save_tracker(follow.station.id, follow.snapshot(seen))
        follow.saved_at, follow.happened = seen, False

    # -- start ----------------------------------------------------------------------------------

    def _load(self, resumed: Mapping[StationId, bool]) -> None:
        """Take every tracker from its snapshot and replay what was committed after it."""
        self._follows, self._takers, self._fresh = {}, {}, True
        with self._store.read() as unit:
            saved, sessions = unit.sessions.trackers(), unit.sessions.open_ids()
            for station in unit.stations.all():
                rules, session = self._rules(station), sessions.get(station.id)
                follow = followed(station, rules, saved.get(station.id), session)
                follow.replay(unit)
                follow.resumed = follow.tracker.resumed = resumed.get(station.id, False)
                self._follows[station.id] = follow
                for source in station.sources():
                    self._takers.setdefault(source, []).append((follow, part_of(station, source)))

    def _rules(self, station: Station) -> Rules:
        reach = self._reaches.get(station.energy.meter_id, REMOVED)
        slowest = max(
            self._reaches.get(source.meter_id, REMOVED).interval_ms for source in station.sources()
        )
        leading = station.state or station.energy
        rules = Rules(
            by_pilot=station.state is not None,
            interval_ms=slowest,
            threshold_a=CHARGING.threshold_a,
            threshold_w=CHARGING.threshold_w,
            idle_ms=CHARGING.idle_minutes * MS_PER_MINUTE,
            power_step_w=reach.power_step_w,
            state_ms=self._reaches.get(leading.meter_id, REMOVED).interval_ms,
        )
        gap = timedelta(milliseconds=rules.edge_gap_ms)
        bounds = Bounds(CHARGING.max_power_w, reach.resolution_wh, reach.range_wh, gap)
        return replace(rules, bounds=bounds)


def _ended(figures: Figures, cause: Flag) -> Closed:
    """Return the end of a session that no tracker knows any longer."""
    at = figures.plugged_in_at if figures.end is None else figures.end.at
    flags = figures.flags | {Flag.ESTIMATED_END, cause}
    if figures.energy_wh is None:
        flags |= {Flag.NO_REGISTER}
    at = max(at, figures.plugged_in_at)
    return Closed(at, figures.end, replace(figures, unplugged_at=at, flags=frozenset(flags)))


def _signs(unit: Unit, reading: Reading, part: Part) -> CarSigns | None:
    """Return what a device said beside its values; a card's number goes no further than this."""
    signs = reading.signs
    if signs is None:
        return None
    return part.signs(signs, unit.cards.tag(signs.tag) if signs.tag else None)


def _assign_by_card(unit: Unit, session_id: SessionId, event: Tagged) -> None:
    """Give the session to the card's driver, unless somebody else has given it to another."""
    session = unit.sessions.get(session_id)
    driver = linked(unit, unit.cards.driver_of(event.tag, event.at), event.at)
    if session is None or driver in {None, session.driver}:
        return
    usual = unit.stations.default_driver(session.station_id, session.figures.plugged_in_at)
    if driver is None or session.driver not in {None, usual}:
        return
    unit.sessions.assign(session_id, driver)
    facts = {"before": session.driver, "after": driver}
    unit.record_change(Change("session.assigned", "session", str(session_id), facts))
