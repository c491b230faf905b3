"""When each device is due, and what is known of how it answers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import Meter, MeterState, MeterStatus, Station
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Devices, MeterReader, Store
from evdesk.services.journaling import Reach
from evdesk.settings import POLLING

SILENT_AFTER = 2  # failures in a row that make a device silent
SMOOTHING = 0.2  # weight of the newest interval in the one shown


@dataclass(slots=True)
class Plan:
    """A device with its interval; ``status`` is what the database will say of it."""

    meter: Meter
    reader: MeterReader
    interval_ms: int
    status: MeterStatus
    failures: int = 0
    changed: bool = False
    turned: bool = False  # its state is another than the one written
    due: float = 0.0
    last_at: datetime | None = None

    def answered(self, readings: Sequence[Reading]) -> None:
        """Note a good read and the interval it was reached at."""
        at = readings[-1].at if readings else None
        reached = self._reached(at)
        self.failures, self.last_at, self.changed = 0, at, True
        self.turned = self.turned or self.status.state is not MeterState.OK
        self.status = replace(
            self.status,
            state=MeterState.OK,
            last_read_at=at,
            interval_ms=reached,
            requests=self.reader.requests,
            errors=self.reader.errors,
            last_error=None,
        )

    def failed(self, error: DeviceError) -> None:
        """Note a failed read; readings and sessions stay as they are.

        The reader spaces out its own tries, so that a dead device costs little.
        """
        self.failures, self.changed = self.failures + 1, True
        silent = self.failures >= SILENT_AFTER or self.status.state is MeterState.NEW
        self.turned = self.turned or (silent and self.status.state is not MeterState.SILENT)
        self.status = replace(
            self.status,
            state=MeterState.SILENT if silent else self.status.state,
            requests=self.reader.requests,
            errors=self.reader.errors,
            last_error=str(error),
        )

    def _reached(self, at: datetime | None) -> int:
        if at is None or self.last_at is None:
            return self.interval_ms
        newest = (at - self.last_at).total_seconds() * 1000
        shown = self.status.interval_ms or self.interval_ms
        if newest > 10 * self.interval_ms:  # a silence is no interval
            return shown
        return round(shown + SMOOTHING * (newest - shown))


def make_plans(store: Store, devices: Devices) -> list[Plan]:
    """Return a plan for every device; its interval is the larger of asked and what the bus allows.

    The bus allows no more than one cycle of each of its devices, one after the other.
    """
    with store.read() as unit:
        meters, stations = unit.meters.all(), unit.stations.all()
        statuses = unit.meters.statuses()
    readers = [devices.reader(meter, _sockets(meter.id, stations)) for meter in meters]
    cycle_ms: dict[str, int] = {}
    for reader in readers:
        cycle_ms[reader.bus] = cycle_ms.get(reader.bus, 0) + reader.cycle_ms
    return [
        Plan(
            meter=meter,
            reader=reader,
            interval_ms=max(meter.interval_ms or POLLING.default_interval_ms, cycle_ms[reader.bus]),
            status=statuses.get(meter.id, MeterStatus(meter.id)),
        )
        for meter, reader in zip(meters, readers, strict=True)
    ]


def reaches(plans: Sequence[Plan], devices: Devices) -> dict[MeterId, Reach]:
    """Return what the journal must know of each device."""
    return {
        plan.meter.id: Reach(plan.interval_ms, devices.profile(plan.meter.profile).resolution_wh)
        for plan in plans
    }


def by_bus(plans: Sequence[Plan]) -> list[list[Plan]]:
    """Return the plans of each bus: one queue each."""
    buses: dict[str, list[Plan]] = {}
    for plan in plans:
        buses.setdefault(plan.reader.bus, []).append(plan)
    return list(buses.values())


def _sockets(meter: MeterId, stations: Sequence[Station]) -> frozenset[int]:
    used = {
        source.socket
        for station in stations
        for source in station.sources()
        if source.meter_id == meter
    }
    return frozenset(used or {1})
