"""Charging points: where their energy and state come from, and whose they are by default."""

import re
from dataclasses import dataclass
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.meters import Source, Station, StationId
from evdesk.domain.permissions import Action
from evdesk.domain.site import DriverId
from evdesk.ports import Clock, Devices, SessionFilter, Store, Unit
from evdesk.services.cautions import has_energy
from evdesk.services.drivers import existing_driver
from evdesk.services.naming import demand_plain
from evdesk.services.permitting import permit


@dataclass(frozen=True, slots=True)
class StationRow:
    """A charging point with the names people know its parts by."""

    station: Station
    energy_from: str
    state_from: str | None
    default_driver: DriverId | None


class StationService:
    """Use cases of charging points."""

    def __init__(self, store: Store, devices: Devices, clock: Clock) -> None:
        self._store, self._devices, self._clock = store, devices, clock

    @permit(Action.CHANGE_DEVICES)
    def add(self, name: str, energy_from: str, state_from: str | None) -> Station:
        """Add a point; sources are written ``METER`` or ``METER:SOCKET``.

        A point that came with its meter, knows no state and never had a session gives way to one
        that takes its state from another device.

        Raises:
            UserError: a name in use, a source that is not there or lacks what is asked of it, or an
                energy register that another point bills already.

        """
        name = demand_plain(name.strip(), "name")
        if not name:
            raise UserError("A station needs a name.")
        with self._store.write() as unit:
            energy = self._source(unit, energy_from, energy=True)
            state = self._source(unit, state_from, energy=False) if state_from else None
            self._free(unit, energy, has_state=state is not None)
            if unit.stations.by_name(name):
                raise UserError("A station named {name} exists already.", name=name)
            station = unit.stations.add(name, energy, state, self._clock.now())
            unit.collector.bump_revision()
            facts = {"name": name, "energy_from": energy_from, "state_from": state_from}
            unit.record_change(Change("station.added", "station", str(station), facts))
            return existing_station(unit, name)

    def _source(self, unit: Unit, text: str, *, energy: bool) -> Source:
        name, _, socket = text.partition(":")
        meter = unit.meters.by_name(name)
        if meter is None:
            raise UserError(
                "There is no meter named {name}. List them with: evdesk meter list", name=name
            )
        profile = self._devices.profile(meter.profile)
        number = int(socket) if re.fullmatch("[0-9]{1,3}", socket) else 0 if socket else 1
        if not 1 <= number <= profile.sockets:
            raise UserError(
                "{text}: {model} has {sockets} socket(s), counted from 1.",
                text=text,
                model=profile.model,
                sockets=profile.sockets,
            )
        if energy and not has_energy(profile, meter.choices):
            raise UserError(
                "{text}: {model} has no energy register.", text=text, model=profile.model
            )
        if not energy and not profile.has_state:
            raise UserError(
                "{text}: {model} does not tell a state.", text=text, model=profile.model
            )
        return Source(meter.id, number)

    def _free(self, unit: Unit, energy: Source, *, has_state: bool) -> None:
        """Retire the point that came with a meter, or refuse to bill a register twice."""
        for station in unit.stations.all():
            if station.energy != energy:
                continue
            came_with_meter = station.name in {
                meter.name for meter in unit.meters.all() if meter.id == energy.meter_id
            }
            is_idle = not unit.sessions.find(SessionFilter(station=station.id))
            if not (has_state and station.state is None and came_with_meter and is_idle):
                raise UserError(
                    "Station {station} takes its energy from there already: the same kWh would be "
                    "billed twice.",
                    station=station.name,
                )
            unit.stations.retire(station.id, self._clock.now())
            facts = {"gave_way": True}
            unit.record_change(Change("station.retired", "station", str(station.id), facts))

    @permit(Action.LOOK)
    def find(self, name: str) -> StationId:
        """Return the id of the station of that name."""
        with self._store.read() as unit:
            return existing_station(unit, name).id

    @permit(Action.LOOK)
    def names(self) -> dict[StationId, str]:
        """Return what every point is called, those out of use included."""
        with self._store.read() as unit:
            return {station.id: station.name for station in unit.stations.all(retired=True)}

    @permit(Action.LOOK)
    def rows(self) -> tuple[StationRow, ...]:
        """Return the points in use, by name."""
        with self._store.read() as unit:
            names = {meter.id: meter.name for meter in unit.meters.all(removed=True)}
            at = self._clock.now()
            return tuple(
                StationRow(
                    station=station,
                    energy_from=spelled(station.energy, names[station.energy.meter_id]),
                    state_from=None
                    if station.state is None
                    else spelled(station.state, names[station.state.meter_id]),
                    default_driver=unit.stations.default_driver(station.id, at),
                )
                for station in unit.stations.all()
            )

    @permit(Action.CHANGE_DEVICES)
    def rename(self, name: str, new_name: str) -> None:
        """Give a point another name; issued invoices keep what they say."""
        new_name = demand_plain(new_name.strip(), "name")
        with self._store.write() as unit:
            station = existing_station(unit, name)
            if not new_name:
                raise UserError("A station needs a name.")
            if unit.stations.by_name(new_name):
                raise UserError("A station named {name} exists already.", name=new_name)
            unit.stations.rename(station.id, new_name)
            facts = {"before": name, "after": new_name}
            unit.record_change(Change("station.renamed", "station", str(station.id), facts))

    @permit(Action.CHANGE_DEVICES)
    def retire(self, name: str) -> None:
        """Take a point out of use; an open session must have ended."""
        with self._store.write() as unit:
            station = existing_station(unit, name)
            if station.id in unit.sessions.open_ids():
                raise UserError(
                    "Station {name} has an open session ({session}): unplug the car first. If its "
                    "device is gone for good, end the session, on the page Sessions or with: "
                    "evdesk session close {session} --reason …",
                    name=name,
                    session=unit.sessions.open_ids()[station.id],
                )
            unit.stations.retire(station.id, self._clock.now())
            unit.collector.bump_revision()
            unit.record_change(Change("station.retired", "station", str(station.id), {}))

    @permit(Action.CHANGE_DRIVERS)
    def set_default_driver(self, name: str, driver: DriverId | None, from_at: datetime) -> None:
        """From an instant on, sessions there that no card claims are this driver's, or nobody's."""
        with self._store.write() as unit:
            station = existing_station(unit, name)
            if driver is not None and existing_driver(unit, driver).retired_at is not None:
                raise UserError("Driver {driver} no longer charges here.", driver=driver)
            unit.stations.set_default_driver(station.id, driver, from_at)
            facts = {"driver": driver, "from_at": from_at}
            unit.record_change(Change("station.default_driver", "station", str(station.id), facts))


def existing_station(unit: Unit, name: str) -> Station:
    """Return the station of that name."""
    station = unit.stations.by_name(name)
    if station is None:
        raise UserError(
            "There is no station named {name}. List them with: evdesk station list", name=name
        )
    return station


def spelled(source: Source, meter: str) -> str:
    """Return how people write a source: ``METER``, or ``METER:SOCKET`` from the second on."""
    return meter if source.socket == 1 else f"{meter}:{source.socket}"
