"""Cars by VIN: kept only while their driver agrees, shown in part, looked up by a keyed hash."""

from dataclasses import dataclass
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.purposes import VIN
from evdesk.domain.site import DriverId
from evdesk.domain.vins import masked, parse_vin
from evdesk.ports import Clock, Store
from evdesk.services.drivers import existing_driver
from evdesk.services.lawful import demand_ground, may_process, refuse
from evdesk.services.permitting import permit


@dataclass(frozen=True, slots=True)
class ShownVehicle:
    """A car as it is shown: ``vin`` is masked, "" where pseudonyms are all one sees.

    ``doubtful``: the check digit does not fit, and did not have to.
    """

    driver: DriverId
    vin: str
    set_at: datetime
    doubtful: bool = False


class VehicleService:
    """Use cases of cars."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @permit(Action.CHANGE_DRIVERS)
    def set(self, driver: DriverId, text: str) -> ShownVehicle:
        """Keep the VIN of a driver's car in the place of the one there was.

        Raises:
            UserError: no such driver, or no VIN.
            NoGround: the driver has not agreed to it.

        """
        with self._store.read() as unit:
            existing_driver(unit, driver)
        vin, now = parse_vin(text), self._clock.now()
        demand_ground(self._store, driver, VIN, now)
        with self._store.write() as unit:
            refuse(driver, VIN, may_process(unit, driver, VIN, now))  # withdrawn in between
            unit.vehicles.put(driver, vin, now)
            facts = {"check_digit_fits": not vin.doubtful}
            unit.record_change(Change("vehicle.set", "driver", driver, facts))
        return ShownVehicle(driver, masked(vin.number), now, vin.doubtful)

    @permit(Action.LOOK)
    def show(self, driver: DriverId) -> ShownVehicle:
        """Return a driver's car with its VIN masked.

        Raises:
            UserError: no such driver, or no car is kept.
            NoGround: the driver no longer agrees to it; it is not shown and will be deleted.

        """
        with self._store.read() as unit:
            existing_driver(unit, driver)
            refuse(driver, VIN, may_process(unit, driver, VIN, self._clock.now()))
            found = unit.vehicles.get(driver)
        if found is None:
            raise UserError(
                "No car of {driver} is kept. Add it: evdesk vehicle set --help", driver=driver
            )
        if found.vin is None:
            return ShownVehicle(driver, "", found.set_at)
        vin = parse_vin(found.vin.number)
        return ShownVehicle(driver, masked(vin.number), found.set_at, vin.doubtful)

    @permit(Action.LOOK)
    def find(self, text: str) -> list[DriverId]:
        """Return whose car a VIN is, of those who agree to be recognised by it.

        Raises:
            UserError: no VIN.

        """
        vin, now = parse_vin(text), self._clock.now()
        with self._store.read() as unit:
            found = unit.vehicles.by_vin(vin)
            return [who for who in found if may_process(unit, who, VIN, now).allowed]

    @permit(Action.CHANGE_DRIVERS)
    def remove(self, driver: DriverId) -> None:
        """Delete a driver's car; this needs no consent.

        Raises:
            UserError: no such driver, or no car is kept.

        """
        with self._store.write() as unit:
            existing_driver(unit, driver)
            if not unit.vehicles.delete(driver):
                raise UserError("No car of {driver} is kept: there is nothing to delete.",
                                driver=driver)  # fmt: skip
            unit.record_change(Change("vehicle.removed", "driver", driver, {}))
