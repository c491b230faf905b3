"""Tariffs: added as OCPI 2.2.1 objects, never edited, assigned from a date on."""

import json
from datetime import datetime
from decimal import Decimal, InvalidOperation

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.site import DriverId
from evdesk.domain.tariffs import Assignment, Tariff, TariffId, parse_components
from evdesk.ports import Clock, Store
from evdesk.services.drivers import existing_driver
from evdesk.services.permitting import permit
from evdesk.services.stations import existing_station

ID_LENGTH = 36


class TariffService:
    """Use cases of tariffs."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    @permit(Action.CHANGE_TARIFFS)
    def add(self, text: str) -> Tariff:
        """Add a tariff from the text of an OCPI 2.2.1 tariff object; the text is kept as it is."""
        data = _parse(text)
        name = data.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= ID_LENGTH or not name.isprintable():
            raise UserError("The tariff has no id of 1 to 36 printable characters.")
        with self._store.write() as unit:
            site = unit.site.load()
            currency = data.get("currency")
            if currency != site.currency:
                raise UserError(
                    "The tariff is in {currency}, the site bills in {site}.",
                    currency="no currency" if currency is None else currency,
                    site=site.currency,
                )
            if unit.tariffs.get(TariffId(name)):
                raise UserError(
                    "Tariff {tariff} exists already and is never edited: give the new one an id of "
                    "its own and assign it from a date on.",
                    tariff=name,
                )
            components = parse_components(data)
            tariff = Tariff(TariffId(name), site.currency, components, text, self._clock.now())
            unit.tariffs.add(tariff)
            unit.record_change(Change("tariff.added", "tariff", name, {}))
            return tariff

    @permit(Action.CHANGE_TARIFFS)
    def assign(
        self,
        tariff: TariffId,
        from_at: datetime,
        station: str | None = None,
        driver: DriverId | None = None,
    ) -> Assignment:
        """From an instant on, let a tariff hold for a station, a driver, or the whole site."""
        with self._store.write() as unit:
            if unit.tariffs.get(tariff) is None:
                raise UserError(
                    "There is no tariff {tariff}. List them with: evdesk tariff list", tariff=tariff
                )
            if driver is not None:
                existing_driver(unit, driver)
            where = None if station is None else existing_station(unit, station).id
            assignment = Assignment(tariff, from_at, where, driver)
            unit.tariffs.assign(assignment)
            facts = {"from_at": from_at, "station": where, "driver": driver}
            unit.record_change(Change("tariff.assigned", "tariff", tariff, facts))
            return assignment

    @permit(Action.LOOK)
    def all(self) -> list[tuple[Tariff, list[Assignment]]]:
        """Return tariffs with where they hold."""
        with self._store.read() as unit:
            assignments = unit.tariffs.assignments()
            return [
                (tariff, [a for a in assignments if a.tariff == tariff.id])
                for tariff in unit.tariffs.all()
            ]


def _parse(text: str) -> dict[str, object]:
    try:
        data = json.loads(text, parse_float=Decimal)
    except RecursionError as error:
        raise UserError("The tariff is nested too deeply to be one.") from error
    except json.JSONDecodeError as error:
        raise UserError(
            "The tariff is no JSON: line {line}, column {column}: {what}.",
            line=error.lineno,
            column=error.colno,
            what=error.msg,
        ) from error
    except (ValueError, InvalidOperation) as error:  # more digits than Python takes
        raise UserError("The tariff has a number that is too long to be one.") from error
    if not isinstance(data, dict):
        raise UserError("The tariff is no JSON object.")
    return data
