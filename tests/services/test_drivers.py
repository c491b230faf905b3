"""Drivers: personal fields are kept for the bill and stand nowhere else."""

import asyncio
from dataclasses import replace

import pytest

from evdesk.domain.errors import UserError
from evdesk.domain.meters import NewMeter
from evdesk.domain.site import DriverId, Party
from evdesk.services.drivers import parse_address
from tests.fakes.clock import START
from tests.services.desk import KIM, URL, Desk


def test_a_driver_comes_back_as_added_with_the_sites_language(desk: Desk) -> None:
    added = desk.drivers.add(KIM)
    assert desk.drivers.all() == [added]
    assert (added.party, added.language) == (KIM, "de")


def test_the_audit_log_knows_no_personal_data(desk: Desk) -> None:
    desk.drivers.add(KIM, "en")
    entry = desk.audit()[-1]
    assert (entry.action, entry.object_ref, entry.facts) == (
        "driver.added",
        "D-1",
        '{"language":"en"}',
    )


@pytest.mark.parametrize(
    ("party", "sentence"),
    [(Party(" "), "needs a name"), (Party("Kim", email="kim"), "'kim' is no e-mail address")],
)
def test_a_driver_that_cannot_be_billed_is_refused(desk: Desk, party: Party, sentence: str) -> None:
    with desk.refused(sentence):
        desk.drivers.add(party)


def test_a_retired_driver_is_listed_only_where_asked_for(desk: Desk) -> None:
    driver = desk.add_driver()
    desk.drivers.retire(driver)
    assert desk.drivers.all() == []
    assert [d.id for d in desk.drivers.all(retired=True)] == [driver]
    with desk.refused("is retired already"):
        desk.drivers.retire(driver)


def test_an_unknown_driver_is_named(desk: Desk) -> None:
    with desk.refused("no driver D-9"):
        desk.drivers.retire(DriverId("D-9"))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hafenstr. 3, 89073 Ulm, DE", ("Hafenstr. 3", "89073", "Ulm", "DE")),
        ("Haus A, Weg 1, 1010 Wien, at", ("Haus A, Weg 1", "1010", "Wien", "AT")),
        ("1 Quay, Dingle, IE", ("1 Quay", "", "Dingle", "IE")),
        ("Weg 1, 89073 Bad Ulm , DE", ("Weg 1", "89073", "Bad Ulm", "DE")),
    ],
)
def test_an_address_is_read_from_its_end(text: str, parts: tuple[str, ...]) -> None:
    assert tuple(parse_address(text).values()) == parts


@pytest.mark.parametrize("text", ["", "Ulm", "Weg 1, Ulm", "Weg 1, 89073 Ulm, Germany", "a, b, 12"])
def test_another_form_of_address_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="street, postcode town, CC"):
        parse_address(text)


def test_a_retired_driver_is_nobodys_default_any_more(desk: Desk) -> None:
    asyncio.run(desk.meters.add(NewMeter("bay", "charger", URL, 7)))
    driver = desk.drivers.add(KIM)
    desk.stations.set_default_driver("bay", driver.id, START)
    desk.drivers.retire(driver.id)
    assert [row.default_driver for row in desk.stations.rows()] == [None]
    with pytest.raises(UserError, match="no longer charges"):
        desk.stations.set_default_driver("bay", driver.id, START)


def test_a_correction_holds_from_now_on_and_the_log_names_its_fields_only(desk: Desk) -> None:
    driver = desk.drivers.add(KIM)
    married = replace(KIM, name=" Kim Lee-Sommer ", email="")
    after = desk.drivers.change(driver.id, married, "en")
    assert desk.drivers.get(driver.id) == after
    assert (after.party.name, after.party.email, after.language) == ("Kim Lee-Sommer", "", "en")
    entry = desk.audit()[-1]
    assert (entry.action, entry.object_ref) == ("driver.changed", driver.id)
    assert entry.facts == '{"fields":"name, email, language"}'


def test_a_correction_that_changes_nothing_leaves_no_entry(desk: Desk) -> None:
    driver = desk.drivers.add(KIM)
    before = desk.audit()
    assert desk.drivers.change(driver.id, KIM) == driver
    assert desk.audit() == before


@pytest.mark.parametrize(
    ("party", "sentence"),
    [(Party(" "), "needs a name"), (Party("Kim", email="kim"), "'kim' is no e-mail address")],
)
def test_a_correction_that_cannot_be_billed_is_refused(
    desk: Desk, party: Party, sentence: str
) -> None:
    driver = desk.drivers.add(KIM)
    with desk.refused(sentence):
        desk.drivers.change(driver.id, party)
    assert desk.drivers.get(driver.id) == driver
