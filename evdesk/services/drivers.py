"""Drivers: added with what a bill needs, known by a pseudonym everywhere else."""

import re
from dataclasses import fields, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.cards import CardEnd
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver, DriverId, Party
from evdesk.ports import Clock, Pseudonyms, Store, Unit
from evdesk.services.naming import demand_plain
from evdesk.services.permitting import REVEALED, given, permit

LANGUAGES = ("en", "de")


class DriverService:
    """Use cases of drivers."""

    def __init__(self, store: Store, clock: Clock, pseudonyms: Pseudonyms) -> None:
        self._store, self._clock, self._pseudonyms = store, clock, pseudonyms

    @permit(Action.CHANGE_DRIVERS)
    def add(self, party: Party, language: str | None = None) -> Driver:
        """Add a driver; the language defaults to the site's."""
        party = _checked(party)
        with self._store.write() as unit:
            chosen = language or unit.site.load().language
            driver = Driver(
                id=DriverId(self._pseudonyms.make("D")),
                party=party,
                language=chosen,
                created_at=self._clock.now(),
            )
            unit.drivers.add(driver)
            facts = {"language": chosen}
            unit.record_change(Change("driver.added", "driver", driver.id, facts))
            return driver

    @permit(Action.CHANGE_DRIVERS)
    def change(self, driver: DriverId, party: Party, language: str | None = None) -> Driver:
        """Correct what is known of a driver; invoices that are issued stay as they are.

        The log says which fields were changed, not what they were.
        """
        with self._store.write() as unit:
            return change_driver(unit, driver, party, language)

    @permit(Action.LOOK)
    def get(self, driver: DriverId) -> Driver:
        """Return a driver."""
        with self._store.read() as unit:
            return existing_driver(unit, driver)

    @permit(Action.REVEAL_PERSONS)
    def reveal(self, driver: DriverId, reason: str) -> Driver:
        """Return a driver to who sees pseudonyms otherwise; the log says why.

        Raises:
            UserError: no reason, or no such driver.

        """
        with self._store.write() as unit:
            existing_driver(unit, driver)
            found = unit.drivers.reveal(driver)
            unit.record_change(Change(REVEALED, "driver", driver, {}, given(reason)))
        return found or existing_driver(unit, driver)

    @permit(Action.LOOK)
    def all(self, *, retired: bool = False) -> list[Driver]:
        """Return the drivers who charge here; with ``retired`` also those who no longer do."""
        with self._store.read() as unit:
            return unit.drivers.all(retired=retired)

    @permit(Action.CHANGE_DRIVERS)
    def retire(self, driver: DriverId) -> None:
        """Mark a driver as no longer charging here; bills stay.

        Stations whose sessions were the driver's by default are nobody's from now on, and so are
        the driver's cards.
        """
        with self._store.write() as unit:
            if existing_driver(unit, driver).retired_at is not None:
                raise UserError("Driver {driver} is retired already.", driver=driver)
            retire_driver(unit, driver, self._clock.now())


def change_driver(unit: Unit, driver: DriverId, party: Party, language: str | None) -> Driver:
    """Correct what is known of a driver in an open transaction; the log says which fields."""
    party, before = _checked(party), existing_driver(unit, driver)
    after = replace(before, party=party, language=language or before.language)
    changed = [
        each.name
        for each in fields(Party)
        if getattr(party, each.name) != getattr(before.party, each.name)
    ]
    if after.language != before.language:
        changed.append("language")
    if changed:
        unit.drivers.change(after)
        facts = {"fields": ", ".join(changed)}
        unit.record_change(Change("driver.changed", "driver", driver, facts))
    return after


def retire_driver(unit: Unit, driver: DriverId, at: datetime) -> None:
    """Mark a driver as no longer charging here in an open transaction, with cards and stations."""
    for station in unit.stations.all():
        if unit.stations.default_driver(station.id, at) == driver:
            unit.stations.set_default_driver(station.id, None, at)
    for card in unit.cards.all():
        if card.driver == driver and card.ended_at is None:
            unit.cards.end(card.id, max(at, card.from_at), CardEnd.RETURNED)
    unit.drivers.retire(driver, at)
    unit.record_change(Change("driver.retired", "driver", driver, {}))


def _checked(party: Party) -> Party:
    party = replace(party, name=party.name.strip())
    for each in fields(Party):
        demand_plain(getattr(party, each.name), each.name)
    if not party.name:
        raise UserError("A driver needs a name.")
    if party.email and party.email.count("@") != 1:
        raise UserError("'{email}' is no e-mail address.", email=party.email)
    return party


def existing_driver(unit: Unit, driver: DriverId) -> Driver:
    """Return the driver of that id."""
    found = unit.drivers.get(driver)
    if found is None:
        raise UserError(
            "There is no driver {driver}. List them with: evdesk driver list", driver=driver
        )
    return found


def parse_address(text: str) -> dict[str, str]:
    """Return the parts of ``street, postcode town, CC``.

    Raises:
        UserError: not of that form.

    """
    parts = [part.strip() for part in text.split(",")]
    country = parts[-1]
    if len(parts) < 3 or not re.fullmatch("[A-Za-z]{2}", country):  # noqa: PLR2004 - street, town
        raise UserError(
            "The address '{text}' is not of the form: street, postcode town, CC", text=text
        )
    postcode, _, city = parts[-2].partition(" ")
    if not city:  # a town without a postcode, as in Ireland
        postcode, city = "", postcode
    return {
        "street": ", ".join(parts[:-2]),
        "postcode": postcode,
        "city": city.strip(),
        "country": country.upper(),
    }
