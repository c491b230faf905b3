"""Cars by person: the VIN sealed under the person's key, beside a keyed hash to look it up by."""

import hmac
from collections.abc import Callable
from datetime import datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.personal_data import DataClass
from evdesk.domain.site import DriverId
from evdesk.domain.vins import Vin
from evdesk.ports.consents import Vehicle
from evdesk.storage.connection import Connection
from evdesk.storage.person_seals import PersonSeals
from evdesk.storage.site_key import site_key

PURPOSE, ABOUT = "vin", "vehicle"


class StoredVehicles:
    """Implements ``ports.Vehicles``."""

    def __init__(
        self, connection: Connection, seals: PersonSeals, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._db, self._seals, self._random_bytes = connection, seals, random_bytes

    def put(self, person: DriverId, vin: Vin, at: datetime) -> None:
        """Keep a person's car in the place of the one there was."""
        sealed = self._seals.seal(person, DataClass.VIN, ABOUT, vin.number.encode(), at)
        key = site_key(self._db, PURPOSE, self._random_bytes)
        self.delete(person)
        self._db.insert(
            "INSERT INTO vehicle (person_id, digest, sealed, set_at_ms) VALUES (?, ?, ?, ?)",
            (person, _digest(key, vin), sealed, to_ms(at)),
        )

    def get(self, person: DriverId) -> Vehicle | None:
        """Return a person's car."""
        row = self._db.one("SELECT sealed, set_at_ms FROM vehicle WHERE person_id = ?", (person,))
        if row is None:
            return None
        number = self._seals.open(person, DataClass.VIN, ABOUT, row[0])
        vin = None if number is None else Vin(number.decode())
        return Vehicle(person, vin, from_ms(row[1]))

    def by_vin(self, vin: Vin) -> list[DriverId]:
        """Return whose car it is: nobody's, somebody's, or several persons'."""
        key = self._db.one("SELECT key FROM site_key WHERE purpose = ?", (PURPOSE,))
        if key is None:
            return []
        rows = self._db.all(
            "SELECT person_id FROM vehicle WHERE digest = ? ORDER BY id",
            (_digest(bytes(key[0]), vin),),
        )
        return [DriverId(person) for (person,) in rows]

    def persons(self) -> list[DriverId]:
        """Return who has a car here."""
        rows = self._db.all("SELECT person_id FROM vehicle ORDER BY id")
        return [DriverId(person) for (person,) in rows]

    def delete(self, person: DriverId) -> int:
        """Delete a person's car; return how many rows it was."""
        return self._db.run("DELETE FROM vehicle WHERE person_id = ?", (person,))


def _digest(key: bytes, vin: Vin) -> bytes:
    return hmac.digest(key, vin.number.encode(), "sha256")
