"""One station being followed: how far its readings have been taken in, and going on from there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import merge

from evdesk.domain import snapshots
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source, Station
from evdesk.domain.readings import MeterId, Reading
from evdesk.domain.sessions import (
    Closed,
    Opened,
    Part,
    Replacement,
    Rules,
    Sample,
    SessionEvent,
    SessionId,
    sample_of,
)
from evdesk.domain.tracking import Tracker
from evdesk.ports import Unit

MS = timedelta(milliseconds=1)
FAR_AHEAD = timedelta(days=366)


@dataclass(slots=True)
class Follow:
    """A station with its tracker.

    ``seen`` is the newest reading taken in from each of its devices: they come in any order, and
    none may be taken in twice. ``missed`` are events of a replay that the database does not know.
    ``read_as`` says under which options its register was read so far.
    """

    station: Station
    tracker: Tracker
    session: SessionId | None
    saved_at: datetime | None = None
    seen_at: datetime | None = None
    seen: dict[Source, datetime] = field(default_factory=dict)
    missed: list[SessionEvent] = field(default_factory=list)
    happened: bool = False
    resumed: bool = False
    read_as: str | None = None

    def take(self, source: Source, sample: Sample) -> list[SessionEvent]:
        """Fold in a sample and remember that it was."""
        self.seen[source] = max(sample.at, self.seen.get(source, sample.at))
        self.seen_at = sample.at if self.seen_at is None else max(sample.at, self.seen_at)
        return self.tracker.on(sample)

    def read_under(self, read_as: str | None, reading: Reading) -> Replacement | None:
        """Take the first register that is read under other options for that of another meter.

        Return where the two readings of it part; None where the options are as they were.
        """
        before, state = self.read_as, self.tracker.state
        if read_as in {None, before} or reading.import_wh is None:
            return None
        self.read_as, last = read_as, state.track.last
        if before is None or last is None:
            return None
        self.happened = state.replaced = True
        return Replacement(
            id=0,
            meter_id=reading.meter_id,
            socket=reading.socket,
            at=reading.at - MS,  # from then on it counts
            final_wh=last.wh,
            first_wh=reading.import_wh,
            serial=state.serial,
            reason=f"{before} -> {read_as}",
        )

    def is_orphaned(self) -> bool:
        """Return whether the database has a session open that the tracker knows nothing of.

        Where a replay has events yet to be written, the session may be among them.
        """
        opened = any(isinstance(event, Opened) for event in self.missed)
        ended = any(isinstance(event, Closed) for event in self.missed)
        known = self.tracker.state.session is not None and not opened
        return self.session is not None and not known and not ended

    def snapshot(self, at: datetime) -> dict[str, object]:
        """Return all from which it can go on, as JSON values."""
        seen = [[one.meter_id, one.socket, to_ms(when)] for one, when in self.seen.items()]
        state = snapshots.dump(self.tracker.state)
        return {"at": to_ms(at), "seen": seen, "state": state, "read_as": self.read_as}

    def replay(self, unit: Unit) -> None:
        """Fold in what was committed after the snapshot; signs are in no reading."""
        if self.saved_at is None:
            return
        streams = []
        for source in self.station.sources():
            begin = self.seen.get(source, self.saved_at) + MS
            streams.append(unit.readings.between(source, begin, begin + FAR_AHEAD))
        for reading in merge(*streams, key=lambda reading: reading.at):
            source = source_of(reading)
            self.missed += self.take(source, sample_of(reading, part_of(self.station, source)))


def followed(
    station: Station, rules: Rules, saved: dict[str, object] | None, session: SessionId | None
) -> Follow:
    """Return a station as a snapshot knows it, or one that nothing is known of."""
    if saved is None:
        return Follow(station, Tracker(rules), session)
    at, state, seen = saved["at"], saved["state"], saved.get("seen", [])
    if not isinstance(at, int) or not isinstance(state, dict) or not isinstance(seen, list):
        msg = f"tracker snapshot of station {station.id} is not one"
        raise TypeError(msg)
    found = Follow(station, Tracker(rules, snapshots.load(state)), session, from_ms(at))
    read_as = saved.get("read_as")
    found.read_as = read_as if isinstance(read_as, str) else None
    found.seen = {Source(MeterId(meter), socket): from_ms(ms) for meter, socket, ms in seen}
    return found


def source_of(reading: Reading) -> Source:
    """Return the socket of the device that a reading is of."""
    return Source(reading.meter_id, reading.socket)


def part_of(station: Station, source: Source) -> Part:
    """Return what a station takes from a device."""
    return Part(
        energy=source == station.energy,
        state=source == station.state,
        leads=source == (station.state or station.energy),
    )
