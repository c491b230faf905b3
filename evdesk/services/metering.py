"""Devices: add, list, remove; a station of the same name comes with a charging device."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.device_memory import DeviceMemory
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.meters import Meter, MeterRole, MeterState, MeterStatus, NewMeter, Source
from evdesk.domain.permissions import Action
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Clock, Decided, Devices, ProfileInfo, Store, Unit
from evdesk.services.cautions import Caution, cautions, check_choices, energy_read_as, has_energy
from evdesk.services.finding import tell_depots
from evdesk.services.naming import demand_plain
from evdesk.services.newest import newest_readings
from evdesk.services.occupied import Occupancy
from evdesk.services.permitting import given, permit
from evdesk.settings import POLLING


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A device with what the collector knows of it; ``missing`` are values it does not have."""

    meter: Meter
    profile: ProfileInfo | None
    status: MeterStatus
    latest: Reading | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AddedMeter:
    """What adding a device did: ``silent`` says why it did not answer, None where it did.

    ``needs_meter``: the station's energy must come from a meter beside it, so there is none yet.
    """

    meter: Meter
    station: str | None
    needs_meter: bool
    silent: DeviceError | None
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a device said when it was asked once, before it is added."""

    readings: tuple[Reading, ...]
    decided: tuple[Decided, ...]
    silent: DeviceError | None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds of what a profile leaves open, and what did; whether it counts otherwise now."""

    now: Mapping[str, str]
    before: Mapping[str, str]
    counts_otherwise: bool


class MeterService:
    """Use cases of devices."""

    def __init__(
        self, store: Store, devices: Devices, clock: Clock, occupancy: Occupancy | None = None
    ) -> None:
        self._store, self._devices, self._clock = store, devices, clock
        self._occupancy = occupancy or Occupancy(store, devices, clock)

    @permit(Action.LOOK)
    def profiles(self) -> tuple[ProfileInfo, ...]:
        """Return every device profile."""
        return self._devices.profiles()

    @permit(Action.CHANGE_DEVICES)
    async def add(self, new: NewMeter) -> AddedMeter:
        """Add a device and, for a charging point, the station of the same name.

        A device that does not answer is added all the same.

        Raises:
            UserError: a name in use, an unknown profile, a URL or an interval that cannot be, or a
                port that is read in another way already.

        """
        profile = self._devices.profile(new.profile)
        new = replace(new, name=demand_plain(new.name.strip(), "name"))
        with self._store.read() as unit:
            demo = unit.site.load().demo
        self._devices.check_url(new.url, demo=demo)
        _check(new, profile)
        with self._store.read() as unit:
            _check_names(unit, new, makes_station=_bills(new, profile))
            self._meet(unit.meters.all())
        trial = await self._try(new)
        options = {one.key: one.option for one in trial.decided}
        bills = _bills(new, profile) and has_energy(profile, {**options, **new.choices})
        measures = bills or new.role is MeterRole.GRID
        meter, station = self._write(new, profile, bills=bills)
        return AddedMeter(
            meter=meter,
            station=station,
            needs_meter=new.role is MeterRole.STATION and not bills,
            silent=trial.silent,
            warnings=cautions(new, profile, trial.decided, trial.readings, bills=measures),
        )

    def _write(
        self, new: NewMeter, profile: ProfileInfo, *, bills: bool
    ) -> tuple[Meter, str | None]:
        with self._store.write() as unit:
            _check_names(unit, new, makes_station=bills)
            at = self._clock.now()
            meter_id = unit.meters.add(new, at)
            station = None
            if bills:
                station = self._add_station(unit, new.name, Source(meter_id), profile)
            unit.collector.bump_revision()
            facts: dict[str, object] = {
                "name": new.name,
                "profile": new.profile,
                "url": new.url,
                "unit": new.unit,
            }
            if new.choices:
                facts["choices"] = dict(new.choices)
            unit.record_change(Change("meter.added", "meter", str(meter_id), facts))
            return existing_meter(unit, new.name), station

    def _add_station(self, unit: Unit, name: str, source: Source, profile: ProfileInfo) -> str:
        state = source if profile.has_state else None
        unit.stations.add(name, source, state, self._clock.now())
        return name

    def _meet(self, meters: Iterable[Meter]) -> None:
        """Make the devices known, so that a new one that cannot share their bus is refused."""
        for meter in meters:
            with suppress(UserError):  # the collector says so of that one
                self._devices.reader(meter, frozenset({1}))

    async def _try(self, new: NewMeter) -> _Trial:
        """Read once; the session evidence begins with the collector, so nothing is kept."""
        reader = self._devices.reader(_before_adding(new, self._clock.now()), frozenset({1}))
        try:
            self._occupancy.check(new.url)
        except UserError:
            return _Trial((), reader.decided, _left_alone(new))
        try:
            await tell_depots(self._store, self._devices, self._clock)
            readings = await reader.read()
        except DeviceError as error:
            return _Trial((), reader.decided, error)
        finally:
            await self._devices.close()
        return _Trial(readings, reader.decided, None)

    @permit(Action.LOOK)
    def find(self, name: str) -> Meter:
        """Return a device.

        Raises:
            UserError: there is no such device.

        """
        with self._store.read() as unit:
            return existing_meter(unit, name)

    @permit(Action.LOOK)
    def rows(self) -> tuple[MeterRow, ...]:
        """Return devices by name with state, latest reading and the interval reached."""
        with self._store.read() as unit:
            meters = unit.meters.all()
            statuses = unit.meters.statuses()
            latest = newest_readings(unit, [Source(meter.id) for meter in meters])
            memories = unit.memories.all()
        now = self._clock.now()
        known = {name: self._known(name) for name in {meter.profile for meter in meters}}
        return tuple(
            MeterRow(
                meter=meter,
                profile=known[meter.profile],
                status=statuses.get(meter.id, MeterStatus(meter.id, MeterState.NEW)),
                latest=latest.get(Source(meter.id)),
                missing=_missing(memories.get(meter.id), meter, now),
            )
            for meter in meters
        )

    def _known(self, profile: str) -> ProfileInfo | None:
        try:
            return self._devices.profile(profile)
        except UserError:  # it was taken out of the folder
            return None

    @permit(Action.CHANGE_DEVICES)
    def set_interval(self, name: str, interval_ms: int | None) -> None:
        """Ask for another polling interval; None leaves it to the program."""
        _check_interval(interval_ms)
        with self._store.write() as unit:
            meter = existing_meter(unit, name)
            unit.meters.set_interval(meter.id, interval_ms)
            unit.collector.bump_revision()
            facts = {"interval_ms": interval_ms, "before_ms": meter.interval_ms}
            unit.record_change(Change("meter.interval", "meter", str(meter.id), facts))

    @permit(Action.CHANGE_DEVICES)
    def choose(self, name: str, choices: Mapping[str, str | None], reason: str) -> Chosen:
        """Decide otherwise of what the profile leaves open; None leaves it open again.

        It holds for readings from now on. A session that is open over it goes to review where the
        lifetime register is read in another way.

        Raises:
            UserError: unknown, no reason, nothing else than before, or options without a lifetime
                register while a station takes its energy from it.

        """
        reason = given(reason)
        with self._store.write() as unit:
            meter = existing_meter(unit, name)
            profile = self._devices.profile(meter.profile)
            wanted = {**meter.choices, **choices}
            after = {key: option for key, option in wanted.items() if option is not None}
            check_choices(after, profile)
            if after == meter.choices:
                raise UserError("{name} is read that way already. Nothing was changed.", name=name)
            _check_billed(unit, meter, profile, after)
            unit.meters.set_choices(meter.id, after)
            unit.collector.bump_revision()
            facts = {"now": after, "before": dict(meter.choices)}
            unit.record_change(Change("meter.choices", "meter", str(meter.id), facts, reason))
        read_as = [energy_read_as(profile, chosen) for chosen in (meter.choices, after)]
        return Chosen(after, dict(meter.choices), counts_otherwise=read_as[0] != read_as[1])

    @permit(Action.CHANGE_DEVICES)
    def remove(self, name: str) -> None:
        """Take a device away; its readings and sessions stay.

        Raises:
            UserError: unknown, or a station in use still takes its energy or state from it.

        """
        with self._store.write() as unit:
            meter = existing_meter(unit, name)
            for station in unit.stations.all():
                if meter.id in {source.meter_id for source in station.sources()}:
                    raise UserError(
                        "Station {station} still uses meter {name}: retire the station first.",
                        station=station.name,
                        name=name,
                    )
            unit.meters.remove(meter.id, self._clock.now())
            unit.collector.bump_revision()
            unit.record_change(Change("meter.removed", "meter", str(meter.id), {"name": name}))


def _check_billed(
    unit: Unit, meter: Meter, profile: ProfileInfo, choices: Mapping[str, str]
) -> None:
    """Refuse options under which there is no register any longer that a station is billed from."""
    billed = [one.name for one in unit.stations.all() if one.energy.meter_id == meter.id]
    if billed and not has_energy(profile, choices):
        raise UserError(
            "Station {station} takes its energy from {name}, which would have no lifetime register "
            "then. Nothing was changed.",
            station=billed[0],
            name=meter.name,
        )


def _left_alone(new: NewMeter) -> DeviceError:
    return DeviceError(
        "{place} is being read by the collector, so it was not asked from here.",
        place=new.url.partition("?")[0],
    )


def _missing(memory: DeviceMemory | None, meter: Meter, now: datetime) -> tuple[str, ...]:
    """Return the values that were found not to be there, of the device that is there now."""
    return memory.missing if memory is not None and memory.holds_for(meter, now) else ()


def existing_meter(unit: Unit, name: str) -> Meter:
    """Return the meter of that name."""
    meter = unit.meters.by_name(name)
    if meter is None:
        raise UserError(
            "There is no meter named {name}. List them with: evdesk meter list", name=name
        )
    return meter


def _check(new: NewMeter, profile: ProfileInfo) -> None:
    if not new.name:
        raise UserError("A meter needs a name.")
    if ":" in new.name:
        raise UserError(
            "A meter's name has no colon, so not {name}: METER:2 means its second socket.",
            name=new.name,
        )
    if not 0 <= new.unit <= 255:  # noqa: PLR2004 - one byte on the wire
        raise UserError("Unit {unit} cannot be: units go from 0 to 255.", unit=new.unit)
    if new.phases not in {"1", "2", "3", "12", "13", "23", "123"}:
        raise UserError("Phases are written 1, 12 or 123, not '{phases}'.", phases=new.phases)
    if new.role is MeterRole.GRID and not profile.has_energy:
        raise UserError(
            "{profile} has no energy register to measure a grid with.", profile=profile.id
        )
    _check_interval(new.interval_ms)
    check_choices(new.choices, profile)


def _bills(new: NewMeter, profile: ProfileInfo) -> bool:
    """Say whether a charging point can take its energy from the device."""
    return new.role is MeterRole.STATION and has_energy(profile, new.choices)


def _check_names(unit: Unit, new: NewMeter, *, makes_station: bool) -> None:
    if unit.meters.by_name(new.name):
        raise UserError("A meter named {name} exists already.", name=new.name)
    if makes_station and unit.stations.by_name(new.name):
        raise UserError(
            "A station named {name} exists already: give the meter another name, or add it "
            "with role grid and connect it to a station afterwards.",
            name=new.name,
        )


def _before_adding(new: NewMeter, at: datetime) -> Meter:
    """Return the device as it can be read before it is written."""
    return Meter(
        id=MeterId(0),
        name=new.name,
        profile=new.profile,
        url=new.url,
        unit=new.unit,
        phases=new.phases,
        serial=new.serial,
        interval_ms=new.interval_ms,
        role=new.role,
        created_at=at,
        choices=new.choices,
    )


def _check_interval(interval_ms: int | None) -> None:
    least, most = POLLING.min_interval_ms, POLLING.max_interval_ms
    if interval_ms is not None and not least <= interval_ms <= most:
        raise UserError(
            "An interval of {seconds} s cannot be: from {least} s to {most} s.",
            seconds=f"{interval_ms / 1000:g}",
            least=f"{least / 1000:g}",
            most=f"{most / 1000:g}",
        )


def with_unit(new: NewMeter, unit: int | None, profile: ProfileInfo) -> NewMeter:
    """Return the meter with the unit given, or the profile's own."""
    return replace(new, unit=profile.default_unit if unit is None else unit)
