"""Charging points."""

from datetime import datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source, Station, StationId
from evdesk.domain.readings import MeterId
from evdesk.domain.site import DriverId
from evdesk.storage.connection import Connection, Row

SELECT = (
    "SELECT id, name, energy_meter_id, energy_socket, state_meter_id, state_socket, created_at_ms,"
    " retired_at_ms FROM station "
)


class StoredStations:
    """Implements ``ports.Stations``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, name: str, energy: Source, state: Source | None, at: datetime) -> StationId:
        """Add a charging point; its name must be new among those not retired."""
        row = self._db.insert(
            "INSERT INTO station (name, energy_meter_id, energy_socket, state_meter_id,"
            " state_socket, created_at_ms) VALUES (?, ?, ?, ?, ?, ?)",
            (
                name,
                energy.meter_id,
                energy.socket,
                None if state is None else state.meter_id,
                None if state is None else state.socket,
                to_ms(at),
            ),
        )
        return StationId(row)

    def by_name(self, name: str) -> Station | None:
        """Return the point of that name that is not retired."""
        row = self._db.one(SELECT + "WHERE name = ? AND retired_at_ms IS NULL", (name,))
        return _station(row) if row else None

    def all(self, *, retired: bool = False) -> list[Station]:
        """Return points by name; with ``retired`` also those out of use."""
        where = "" if retired else "WHERE retired_at_ms IS NULL "
        return [_station(row) for row in self._db.all(SELECT + where + "ORDER BY name, id")]

    def rename(self, station: StationId, name: str) -> None:
        """Give it another name."""
        self._db.run("UPDATE station SET name = ? WHERE id = ?", (name, station))

    def retire(self, station: StationId, at: datetime) -> None:
        """Take it out of use; its sessions stay."""
        self._db.run("UPDATE station SET retired_at_ms = ? WHERE id = ?", (to_ms(at), station))

    def set_default_driver(
        self, station: StationId, driver: DriverId | None, from_at: datetime
    ) -> None:
        """From an instant on, sessions without a driver of their own are this driver's."""
        self._db.run(
            "INSERT INTO station_driver (station_id, driver_id, from_at_ms) VALUES (?, ?, ?)",
            (station, driver, to_ms(from_at)),
        )

    def default_driver(self, station: StationId, at: datetime) -> DriverId | None:
        """Return whose the sessions of that instant are; of two for one instant the later added."""
        row = self._db.one(
            "SELECT driver_id FROM station_driver WHERE station_id = ? AND from_at_ms <= ?"
            " ORDER BY from_at_ms DESC, id DESC LIMIT 1",
            (station, to_ms(at)),
        )
        return DriverId(row[0]) if row and row[0] is not None else None


def _station(row: Row) -> Station:
    station, name, energy, energy_socket, state, state_socket, created_at_ms, retired_at_ms = row
    return Station(
        id=StationId(station),
        name=name,
        energy=Source(MeterId(energy), energy_socket),
        state=None if state is None else Source(MeterId(state), state_socket),
        created_at=from_ms(created_at_ms),
        retired_at=None if retired_at_ms is None else from_ms(retired_at_ms),
    )
