"""When each device is due, and what is known of how it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from evdesk.domain.device_memory import DeviceMemory, Refusal
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.meters import Meter, MeterState, MeterStatus, Source, Station
from evdesk.domain.readings import MeterId, Reading, Signs
from evdesk.ports import Devices, MeterReader, ProfileInfo, Store
from evdesk.services.cautions import energy_read_as
from evdesk.services.journaling import Reach
from evdesk.services.unreadable import UnreadableReader
from evdesk.settings import POLLING

SILENT_AFTER = 2  # failures in a row that make a device silent
WORTH_TELLING_MS = 200  # less is a clock that is being kept in step
SMOOTHING = 0.2  # weight of the newest interval in the one shown


@dataclass(slots=True)
class Plan:
    """A device with its interval, and how it has answered.

    ``before`` is what the database knew at the start, ``written`` the state it knows of now;
    ``last_at`` is the instant of its newest reading, ``answered_s`` when that was on a clock that
    nobody sets; ``told`` are both as of the last drift told; ``reached_ms`` is smoothed;
    ``remembered`` is what the database holds of the reader's lessons.
    """

    meter: Meter
    reader: MeterReader
    interval_ms: int
    before: MeterStatus
    state: MeterState
    written: MeterState
    last_at: datetime | None
    last_error: str | None
    reached_ms: float | None = None
    failures: int = 0
    due: float = 0.0
    answered_s: float | None = None
    told: tuple[datetime, float] | None = None
    remembered: frozenset[Refusal] = frozenset()

    def answered(self, readings: Sequence[Reading]) -> None:
        """Note a good read and the interval it was reached at."""
        at = readings[-1].at
        if self.last_at is not None:
            self._reach((at - self.last_at).total_seconds() * 1000)
        self.last_at, self.state = at, MeterState.OK
        self.failures, self.last_error = 0, None

    def stamped(self, readings: Sequence[Reading], now: datetime, now_s: float) -> list[Reading]:
        """Return readings with instants that only rise, also when the PC's clock was set back.

        They then go at half the pace of what has really elapsed, until the clock has caught up: a
        clock that stood still would make every register rise too fast to be believed. By how much
        the stamps run ahead, or behind, goes with the reading. ``now`` and ``now_s`` are of the
        same moment, the one on the clock, the other in seconds that nobody sets.
        """
        found, ahead = list(readings), timedelta()
        if self.last_at is not None and found[0].at <= self.last_at:
            elapsed = timedelta(seconds=0 if self.answered_s is None else now_s - self.answered_s)
            at = self.last_at + max(elapsed / 2, timedelta(milliseconds=1))
            ahead = at - found[0].at
            found = [replace(reading, at=at) for reading in found]
        self.answered_s = now_s
        drift_ms = self._drift_ms(now + ahead, now_s)
        return found if drift_ms is None else [_drifted(reading, drift_ms) for reading in found]

    def _drift_ms(self, at: datetime, now_s: float) -> int | None:
        """Return by how much the stamps ran ahead since it was last told, where it is worth it."""
        told_at, told_s = self.told = self.told or (at, now_s)
        drift_ms = round((at - told_at).total_seconds() * 1000 - (now_s - told_s) * 1000)
        if abs(drift_ms) < WORTH_TELLING_MS:
            return None
        self.told = (at, now_s)
        return drift_ms

    def failed(self, error: DeviceError) -> None:
        """Note a failed read; readings and sessions stay as they are.

        The reader spaces out its own tries, so that a dead device costs little.
        """
        self.failures += 1
        self.last_error = str(error)
        if self.failures >= SILENT_AFTER or self.state is MeterState.NEW:
            self.state = MeterState.SILENT

    def status(self) -> MeterStatus:
        """Return what the database is to say of the device."""
        reached = self.interval_ms if self.reached_ms is None else round(self.reached_ms)
        return MeterStatus(
            meter_id=self.meter.id,
            state=self.state,
            last_read_at=self.last_at,
            interval_ms=reached,
            requests=self.before.requests + self.reader.requests,
            errors=self.before.errors + self.reader.errors,
            last_error=self.last_error,
        )

    def _reach(self, newest_ms: float) -> None:
        if newest_ms > 10 * self.interval_ms:  # a silence is no interval
            return
        shown = self.interval_ms if self.reached_ms is None else self.reached_ms
        self.reached_ms = shown + SMOOTHING * (newest_ms - shown)


def make_plans(store: Store, devices: Devices, now: datetime) -> list[Plan]:
    """Return a plan for every device; its interval is the larger of asked and what the bus allows.

    The bus allows no more than one cycle of each of its devices, one after the other.
    """
    with store.read() as unit:
        meters, stations = unit.meters.all(), unit.stations.all()
        statuses = unit.meters.statuses()
        latest = unit.readings.latest(Source(meter.id) for meter in meters)
        memories = unit.memories.all()
    lessons = [_lessons(memories.get(meter.id), meter, now) for meter in meters]
    readers = [
        _reader(devices, meter, _sockets(meter.id, stations), refusals)
        for meter, refusals in zip(meters, lessons, strict=True)
    ]
    cycle_ms: dict[str, int] = {}
    for reader in readers:
        cycle_ms[reader.bus] = cycle_ms.get(reader.bus, 0) + reader.cycle_ms
    known = {meter.id: statuses.get(meter.id, MeterStatus(meter.id)) for meter in meters}
    return [
        Plan(
            meter=meter,
            reader=reader,
            interval_ms=max(meter.interval_ms or POLLING.default_interval_ms, cycle_ms[reader.bus]),
            before=known[meter.id],
            state=known[meter.id].state,
            written=known[meter.id].state,
            last_at=_newest(known[meter.id], latest.get(Source(meter.id))),
            last_error=known[meter.id].last_error,
            remembered=refusals,
        )
        for meter, reader, refusals in zip(meters, readers, lessons, strict=True)
    ]


def _reader(
    devices: Devices, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal]
) -> MeterReader:
    try:
        return devices.reader(meter, sockets, refusals)
    except UserError as error:
        return UnreadableReader(meter, error)


def _lessons(memory: DeviceMemory | None, meter: Meter, now: datetime) -> frozenset[Refusal]:
    """Return what was learned of the device that is there now, while it is not too old."""
    return memory.refusals if memory is not None and memory.holds_for(meter, now) else frozenset()


def reaches(plans: Sequence[Plan], devices: Devices) -> dict[MeterId, Reach]:
    """Return what the journal must know of each device."""
    return {plan.meter.id: _reach(plan, devices.profile(plan.meter.profile)) for plan in plans}


def _drifted(reading: Reading, drift_ms: int) -> Reading:
    return replace(reading, signs=replace(reading.signs or Signs(), drift_ms=drift_ms))


def _reach(plan: Plan, profile: ProfileInfo) -> Reach:
    return Reach(
        interval_ms=plan.interval_ms,
        resolution_wh=profile.resolution_wh,
        range_wh=profile.range_wh,
        power_step_w=profile.power_step_w,
        read_as=energy_read_as(profile, plan.meter.choices),
    )


def by_bus(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Return the plans of each bus: one queue each."""
    buses: dict[str, list[Plan]] = {}
    for plan in plans:
        buses.setdefault(plan.reader.bus, []).append(plan)
    return list(buses.values())


def _newest(status: MeterStatus, latest: Reading | None) -> datetime | None:
    """Return the instant of the newest reading; the status may be some seconds behind it."""
    return status.last_read_at if latest is None else latest.at


def _sockets(meter: MeterId, stations: Sequence[Station]) -> frozenset[int]:
    used = {
        source.socket
        for station in stations
        for source in station.sources()
        if source.meter_id == meter
    }
    return frozenset(used or {1})
