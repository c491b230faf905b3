"""The watchman beside the collector: folds what devices and this computer say into faults."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from evdesk.domain.errors import DeviceError
from evdesk.domain.faults import OF_BACKUPS, FaultChange, FaultCode, FaultKey
from evdesk.domain.instants import to_ms
from evdesk.domain.meters import MeterRole, Station
from evdesk.domain.points import PointUse, PointWatch
from evdesk.domain.readings import MeterId, Reading
from evdesk.domain.surroundings import CalibrationWatch, ComputerWatch
from evdesk.domain.watching import DeviceWatch, Watched
from evdesk.ports import Clock, Computer, Devices, Store
from evdesk.services.findings import Findings
from evdesk.services.polling import Plan
from evdesk.settings import ALERTS, CHARGING, FAULTS

MS_PER_S = 1000


class Watchman:
    """Watches the devices of these plans; what it finds waits until it is taken.

    What was open when the program ended is open still. Of a device that is no longer read nothing
    can be wrong, and that the collector stands still is over when it runs. ``elapsed_s`` counts
    seconds that nobody can set; without it, as in stepped time, no clock is watched.
    """

    def __init__(
        self,
        store: Store,
        plans: Sequence[Plan],
        devices: Devices,
        clock: Clock,
        elapsed_s: Callable[[], float] | None = None,
        computer: Computer | None = None,
    ) -> None:
        self._clock, self._elapsed_s, self._computer = clock, elapsed_s, computer
        with store.read() as unit:
            stations, open_keys = unit.stations.all(), set(unit.faults.open_keys())
            self._zone = ZoneInfo(unit.site.load().tz)
        self._watches = {plan.meter.id: _watch(plan, devices, stations) for plan in plans}
        self._unknown = {
            meter for meter, watch in self._watches.items() if watch.device.serial is None
        }
        self._follow_points(stations)
        self._of_computer = ComputerWatch(FAULTS)
        self._calibrations = CalibrationWatch(
            FAULTS, {plan.meter.id: plan.meter.calibrated_until for plan in plans}
        )
        self._changes: list[FaultChange] = []
        self._serials: dict[MeterId, str] = {}
        self._look_ms = 0
        self._resume(open_keys)

    def read(self, meter: MeterId, readings: Sequence[Reading]) -> None:
        """Take in one good cycle of a device."""
        watch = self._watches[meter]
        self._changes += watch.on_readings(readings)
        if meter in self._unknown and watch.serial is not None:
            self._unknown.remove(meter)
            self._serials[meter] = watch.serial

    def failed(self, meter: MeterId, at: datetime, error: DeviceError) -> None:
        """Take in that a device could not be read."""
        self._changes += self._watches[meter].on_failure(at, str(error))

    def tick(self, at: datetime) -> None:
        """Look at the clock and, now and then, at the calendar."""
        at_ms = to_ms(at)
        if self._elapsed_s is not None:
            self._changes += self._of_computer.on_clock(at_ms, self._elapsed_s())
        every_ms = ALERTS.look_every_s * MS_PER_S
        if not 0 <= self._look_ms - at_ms < every_ms:  # also when the clock was set back
            self._look_ms = at_ms + round(every_ms) - 1
            today = at.astimezone(self._zone).date()
            self._changes += self._calibrations.on_day(at_ms, today)

    async def attend(self) -> None:
        """Ask the computer for ever how it is; it may take its time to answer."""
        while self._computer is not None:
            now = await asyncio.to_thread(self._computer.surroundings)
            at_ms = to_ms(self._clock.now())
            self._changes += self._of_computer.on_surroundings(at_ms, now)
            await asyncio.sleep(ALERTS.look_every_s)

    def take(self) -> Findings:
        """Return what is not written yet."""
        found = Findings(tuple(self._changes), dict(self._serials))
        self._changes, self._serials = [], {}
        return found

    def put_back(self, found: Findings) -> None:
        """Keep what could not be written."""
        self._changes = [*found.changes, *self._changes]
        self._serials = {**found.serials, **self._serials}

    def _follow_points(self, stations: Iterable[Station]) -> None:
        """Follow the charging points whose state is told; one register is one point's."""
        followed = set()
        for station in stations:
            energy, state = station.energy, station.state
            watch = self._watches.get(energy.meter_id)
            if state is None or watch is None or energy in followed:
                continue
            followed.add(energy)
            point = PointWatch(FAULTS, watch.latches, energy.socket)
            for source in {energy, state}:
                of = self._watches.get(source.meter_id)
                if of is not None:
                    use = PointUse(point, energy=source == energy, state=source == state)
                    of.sockets[source.socket].uses.append(use)

    def _resume(self, open_keys: set[FaultKey]) -> None:
        known = self._of_computer.latches.resume(open_keys) | self._calibrations.resume(open_keys)
        for watch in self._watches.values():
            known |= watch.latches.resume(open_keys)
        for key in sorted(open_keys - known, key=str):
            if key.code in OF_BACKUPS:
                continue
            is_back = key.code is FaultCode.COLLECTOR_STOPPED
            facts = {} if is_back else {"gone": True}
            self._changes.append(FaultChange(key, self._clock.now(), facts, opened=False))


def _watch(plan: Plan, devices: Devices, stations: Sequence[Station]) -> DeviceWatch:
    meter, profile = plan.meter, devices.profile(plan.meter.profile)
    is_grid = meter.role is MeterRole.GRID
    watched = Watched(
        meter_id=meter.id,
        profile=meter.profile,
        interval_ms=plan.interval_ms,
        resolution_wh=profile.resolution_wh,
        max_power_w=FAULTS.max_grid_power_w if is_grid else CHARGING.max_power_w,
        phases=meter.phases,
        serial=meter.serial or plan.before.seen_serial,
    )
    sources = {source for station in stations for source in station.sources()}
    sockets = {source.socket for source in sources if source.meter_id == meter.id}
    return DeviceWatch(watched, FAULTS, sorted(sockets | {1}))
