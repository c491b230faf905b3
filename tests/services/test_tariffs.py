"""Tariffs: kept as they came, never edited."""

import json

import pytest

from evdesk.domain.site import DriverId
from evdesk.domain.tariffs import TariffId
from tests.fakes.clock import START
from tests.services.desk import Desk, tariff_text


def test_the_text_of_a_tariff_is_kept_to_the_byte(desk: Desk) -> None:
    text = tariff_text().replace("\n", "\r\n") + "\t \n"
    desk.tariffs.add(text)
    assert desk.tariffs.all()[0][0].ocpi == text


def test_a_tariff_is_never_added_again_nor_edited(desk: Desk) -> None:
    desk.tariffs.add(tariff_text())
    with desk.refused("exists already and is never edited"):
        desk.tariffs.add(tariff_text(price="0.46"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{\n  "id": x}', "line 2, column 9"),
        ("[]", "no JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"price": ' + "1" * 5_000 + "}", "a number that is too long"),
        ('{"price": 1e99999999999999999999}', "a number that is too long"),
        (r'{"id": "\ud800"}', "no id of 1 to 36 printable characters"),
        ("{}", "no id"),
        (tariff_text("x" * 37), "1 to 36"),
        (tariff_text().replace("EUR", "CHF"), "is in CHF, the site bills in EUR"),
        (json.dumps({"id": "t"}), "in no currency"),
        (json.dumps({"id": "t", "currency": "EUR"}), "no elements"),
    ],
)
def test_a_text_that_is_no_tariff_is_refused_with_the_place(
    desk: Desk, text: str, sentence: str
) -> None:
    with desk.refused(sentence):
        desk.tariffs.add(text)


def test_what_a_tariff_is_assigned_to_must_exist(desk: Desk) -> None:
    tariff = desk.tariffs.add(tariff_text()).id
    with desk.refused("no tariff nix"):
        desk.tariffs.assign(TariffId("nix"), START)
    with desk.refused("no station named nix"):
        desk.tariffs.assign(tariff, START, "nix")
    with desk.refused("no driver D-9"):
        desk.tariffs.assign(tariff, START, None, DriverId("D-9"))


def test_a_list_says_where_a_tariff_holds(desk: Desk) -> None:
    desk.add_meter()
    driver = desk.add_driver()
    tariff = desk.tariffs.add(tariff_text()).id
    first = desk.tariffs.assign(tariff, START, "bay1")
    second = desk.tariffs.assign(tariff, START, None, driver)
    assert desk.tariffs.all()[0][1] == [first, second]
