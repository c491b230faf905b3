import json
from decimal import Decimal

import pytest
from PySide6.QtCore import QLocale

from evdesk.domain.tariffs import parse_components
from evdesk.gui.dialogs.driver import EditDriver, NewDriver
from evdesk.gui.dialogs.tariff import AssignTariff, NewTariff, ocpi_tariff
from tests.fakes.depot import NOW
from tests.fakes.desk import OCPI


@pytest.fixture
def drivers(open_window, desk, qtbot):
    page = open_window(desk).open("drivers")
    qtbot.waitUntil(lambda: page.model.rowCount() == 4)
    return page


@pytest.fixture
def tariffs(open_window, desk, qtbot):
    page = open_window(desk).open("tariffs")
    qtbot.waitUntil(lambda: page.model.rowCount() == 1)
    return page


def test_a_driver_is_added(drivers, depot, qtbot):
    drivers.add_new()
    dialog = drivers.findChild(NewDriver)
    dialog.submit()
    assert dialog.error.text() == "A driver needs a name."
    dialog.name.setText("Ayla Berg")
    dialog.vat_id.setText("de 123 456 789")
    with qtbot.waitSignal(drivers.told) as signal:
        dialog.submit()
    assert signal.args[0] == "Ayla Berg is added as D-5NEW."
    assert depot.drivers[-1].party.vat_id == "DE123456789"
    assert depot.drivers[-1].party.country == "DE"


def test_a_driver_is_corrected(drivers, depot, qtbot):
    drivers.search.setText("nowak")
    drivers.table.selectRow(0)
    drivers.edit.click()
    dialog = drivers.findChild(EditDriver)
    assert (dialog.name.text(), dialog.street.text()) == ("Marta Nowak", "Lange Reihe 77")
    assert dialog.language.value() == "de"
    dialog.email.setText("marta@example.org")
    with qtbot.waitSignal(drivers.told) as signal:
        dialog.submit()
    assert signal.args[0] == "Marta Nowak is corrected."
    after = next(d.party for d in depot.drivers if d.party.name == "Marta Nowak")
    assert (after.email, after.city) == ("marta@example.org", "Kiel")


def test_a_driver_is_found_and_retired(drivers, depot, qtbot):
    drivers.search.setText("nowak")
    drivers.table.selectRow(0)
    drivers.retire.click()
    with qtbot.waitSignal(drivers.told):
        drivers.question.buttons["retire"].click()
    assert "Marta Nowak" not in {driver.party.name for driver in depot.drivers}


def test_a_tariff_shows_prices_and_where_it_holds(tariffs):
    cells = [tariffs.model.index(0, column).data() for column in range(5)]
    assert cells == [
        "depot-day", "0.4202 EUR", "0.50 EUR", "19 %", "whole site from 14 Oct 2026",
    ]  # fmt: skip


def test_a_tariff_is_made_from_a_few_figures(tariffs, desk, qtbot):
    tariffs.add_new()
    dialog = tariffs.findChild(NewTariff)
    dialog.name.setText("depot-2027")
    dialog.per_kwh.setText("0.4399")
    dialog.vat.setText("119")
    dialog.submit()
    assert dialog.error.text()
    assert dialog.vat.property("wrong") == "true"
    dialog.vat.setText("19")
    with qtbot.waitSignal(tariffs.told):
        dialog.submit()
    (component,) = desk.tariffs.tariffs[-1].components
    assert (component.price, component.vat_percent) == (Decimal("0.4399"), Decimal(19))


def test_prices_are_typed_as_the_country_writes_them(tariffs, desk, qtbot):
    QLocale.setDefault(QLocale("de_DE"))
    tariffs.add_new()
    dialog = tariffs.findChild(NewTariff)
    dialog.name.setText("abend")
    dialog.per_kwh.setText("0,4399")
    dialog.start_fee.setText("1,5")
    dialog.vat.setText("19")
    with qtbot.waitSignal(tariffs.told):
        dialog.submit()
    prices = [component.price for component in desk.tariffs.tariffs[-1].components]
    assert prices == [Decimal("0.4399"), Decimal("1.5")]


def test_the_made_object_is_ocpi_and_keeps_every_digit():
    text = ocpi_tariff(
        'a "name"', "EUR", (Decimal("0.1234567890"), Decimal(0)), Decimal("7.7"), NOW
    )
    data = json.loads(text, parse_float=Decimal)
    assert data["id"] == 'a "name"'
    assert data["last_updated"] == "2026-11-23T09:42:17Z"
    (component,) = parse_components(data)
    assert component.price == Decimal("0.1234567890")


def test_a_tariff_comes_from_a_file(tariffs, desk, qtbot, tmp_path):
    file = tmp_path / "tariff.json"
    file.write_text(OCPI.replace("depot-day", "from-file"), encoding="utf-8")
    with qtbot.waitSignal(tariffs.told):
        tariffs.load_file(str(file))
    assert desk.tariffs.tariffs[-1].id == "from-file"


def test_a_file_that_is_no_text_is_a_sentence(tariffs, qtbot, tmp_path):
    (tmp_path / "tariff.json").write_bytes(b"\xff\xfe\xff")
    with qtbot.waitSignal(tariffs.failed) as signal:
        tariffs.load_file(str(tmp_path / "tariff.json"))
    assert "cannot be read as text" in str(signal.args[0])


def test_a_tariff_is_assigned_to_a_station_from_a_local_midnight_on(tariffs, desk, qtbot):
    tariffs.table.selectRow(0)
    tariffs.assign.click()
    dialog = tariffs.findChild(AssignTariff)
    qtbot.waitUntil(lambda: dialog.station.count() == 7)
    dialog.station.choose("Workshop")
    with qtbot.waitSignal(tariffs.told):
        dialog.submit()
    assignment = desk.tariffs.assignments[-1]
    assert assignment.station == 3
    assert assignment.from_at.isoformat() == "2026-11-22T23:00:00+00:00"
