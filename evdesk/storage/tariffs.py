"""Tariffs and where they hold."""

from decimal import Decimal

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import StationId
from evdesk.domain.site import DriverId
from evdesk.domain.tariffs import Assignment, Dimension, PriceComponent, Tariff, TariffId
from evdesk.storage.connection import Connection, Row

SELECT = "SELECT id, currency, ocpi, created_at_ms FROM tariff "


class StoredTariffs:
    """Implements ``ports.Tariffs``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, tariff: Tariff) -> None:
        """Add a tariff; its id must be new."""
        self._db.run(
            "INSERT INTO tariff (id, currency, ocpi, created_at_ms) VALUES (?, ?, ?, ?)",
            (tariff.id, tariff.currency, tariff.ocpi, to_ms(tariff.created_at)),
        )
        self._db.many(
            "INSERT INTO tariff_component (tariff_id, position, dimension, price, vat_percent)"
            " VALUES (?, ?, ?, ?, ?)",
            [
                (tariff.id, position, part.dimension.value, str(part.price), str(part.vat_percent))
                for position, part in enumerate(tariff.components)
            ],
        )

    def get(self, tariff: TariffId) -> Tariff | None:
        """Return a tariff."""
        row = self._db.one(SELECT + "WHERE id = ?", (tariff,))
        return self._tariff(row) if row else None

    def all(self) -> list[Tariff]:
        """Return tariffs in the order they were added."""
        return [self._tariff(row) for row in self._db.all(SELECT + "ORDER BY seq")]

    def assign(self, assignment: Assignment) -> None:
        """Append an assignment."""
        self._db.run(
            "INSERT INTO tariff_assignment (tariff_id, from_at_ms, station_id, driver_id)"
            " VALUES (?, ?, ?, ?)",
            (
                assignment.tariff,
                to_ms(assignment.from_at),
                assignment.station,
                assignment.driver,
            ),
        )

    def assignments(self) -> list[Assignment]:
        """Return every assignment, in the order they were made."""
        rows = self._db.all(
            "SELECT tariff_id, from_at_ms, station_id, driver_id FROM tariff_assignment ORDER BY id"
        )
        return [_assignment(row) for row in rows]

    def _tariff(self, row: Row) -> Tariff:
        tariff, currency, ocpi, created_at_ms = row
        parts = self._db.all(
            "SELECT dimension, price, vat_percent FROM tariff_component WHERE tariff_id = ?"
            " ORDER BY position",
            (tariff,),
        )
        components = tuple(
            PriceComponent(Dimension(dimension), Decimal(price), Decimal(vat_percent))
            for dimension, price, vat_percent in parts
        )
        return Tariff(TariffId(tariff), currency, components, ocpi, from_ms(created_at_ms))


def _assignment(row: Row) -> Assignment:
    tariff, from_at_ms, station, driver = row
    return Assignment(
        tariff=TariffId(tariff),
        from_at=from_ms(from_at_ms),
        station=None if station is None else StationId(station),
        driver=None if driver is None else DriverId(driver),
    )
