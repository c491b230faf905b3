from dataclasses import replace

import pytest

from evdesk.gui.dialogs.choose_options import ChooseOptions
from evdesk.gui.dialogs.interval import IntervalDialog
from evdesk.gui.dialogs.probe import ProbeDialog
from evdesk.gui.dialogs.station import DefaultDriver, NewStation, RenameStation


@pytest.fixture
def page(open_window, desk, qtbot):
    found = open_window(desk).open("meters")
    qtbot.waitUntil(lambda: found.devices.model.rowCount() > 0)
    qtbot.waitUntil(lambda: found.stations.model.rowCount() > 0)
    return found


def select(panel, name):
    table = panel.table
    names = [table.sorted.index(n, 0).data() for n in range(table.sorted.rowCount())]
    column = 0 if name in names else 1
    rows = [table.sorted.index(n, column).data() for n in range(table.sorted.rowCount())]
    table.selectRow(rows.index(name))


def test_a_device_is_listed_with_how_it_answers(page):
    row = page.devices.model.rows()[4]
    cells = [page.devices.model.index(4, n).data() for n in range(10)]
    assert row.meter.name == "Visitors right"
    assert cells[0] == "Silent"
    assert cells[3] == "09:55:17"
    assert cells[6] == "–"
    assert cells[8] == "not encrypted"


def test_a_device_is_read_once_on_demand(page, qtbot):
    select(page.devices, "Yard 1")
    page.devices.probe.click()
    dialog = page.findChild(ProbeDialog)
    qtbot.waitUntil(lambda: dialog.values.model.rowCount() == 5)
    assert dialog.values.model.index(0, 1).data() == "503.337 kWh"
    assert dialog.values.model.index(4, 1).data() == "–"
    dialog.reject()


def test_the_interval_is_asked_for(page, depot, qtbot):
    select(page.devices, "Yard 1")
    page.devices.interval.trigger()
    dialog = page.findChild(IntervalDialog)
    assert dialog.seconds.ms() is None
    dialog.seconds.setValue(2.5)
    with qtbot.waitSignal(dialog.accepted):
        dialog.submit()
    assert depot.meters[0].interval_ms == 2_500


def test_what_a_profile_leaves_open_is_chosen_with_a_reason(open_window, desk, depot, qtbot):
    depot.meters[5] = replace(depot.meters[5], profile="keba-p30-x")
    page = open_window(desk).open("meters")
    qtbot.waitUntil(lambda: page.devices.model.rowCount() > 0)
    select(page.devices, "Yard 1")
    assert not page.devices.options.isEnabled()
    select(page.devices, "Truck bay")
    assert page.devices.options.isEnabled()
    page.devices.options.trigger()
    dialog = page.findChild(ChooseOptions)
    chooser = dialog.choices.choosers["energy_unit"]
    assert chooser.currentText() == "not known: taken as “in 0.1 Wh”"
    chooser.choose("wh")
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.error.text().startswith("Say why"))
    dialog.reason.setText("compared with its display")
    with qtbot.waitSignal(dialog.accepted):
        dialog.submit()
    (changed,) = [meter for meter in depot.meters if meter.choices]
    assert (changed.name, changed.choices) == ("Truck bay", {"energy_unit": "wh"})
    qtbot.waitUntil(lambda: any(r.meter.choices for r in page.devices.model.rows()))
    page.devices.options.trigger()
    again = page.findChildren(ChooseOptions)[-1]
    assert again.choices.chosen() == {"energy_unit": "wh"}
    again.reject()


def test_removing_a_device_in_use_says_what_to_do_first(page, qtbot):
    select(page.devices, "Yard 1")
    page.devices.remove.click()
    with qtbot.waitSignal(page.failed) as signal:
        page.devices.question.buttons["remove"].click()
    assert "retire the station first" in str(signal.args[0])


def test_a_station_is_retired_and_then_its_device_removed(page, depot, qtbot):
    select(page.stations, "Yard 1")
    page.stations.retire.click()
    with qtbot.waitSignal(page.told):
        page.stations.question.buttons["retire"].click()
    select(page.devices, "Yard 1")
    page.devices.remove.click()
    with qtbot.waitSignal(page.told):
        page.devices.question.buttons["remove"].click()
    assert "Yard 1" not in {meter.name for meter in depot.meters}


def test_a_station_is_renamed(page, depot, qtbot):
    select(page.stations, "Workshop")
    page.stations.rename.click()
    dialog = page.findChild(RenameStation)
    dialog.name.setText("Garage")
    with qtbot.waitSignal(dialog.accepted):
        dialog.submit()
    assert "Garage" in {station.name for station in depot.stations}


def test_a_station_gets_a_default_driver_from_a_local_day_on(page, desk, depot, qtbot):
    select(page.stations, "Workshop")
    page.stations.driver.click()
    dialog = page.findChild(DefaultDriver)
    qtbot.waitUntil(lambda: dialog.driver.count() == 5)
    dialog.driver.choose(depot.drivers[1].id)
    with qtbot.waitSignal(dialog.accepted):
        dialog.submit()
    assert desk.stations.defaults["Workshop"] == depot.drivers[1].id


def test_a_second_socket_becomes_a_station(page, depot, qtbot):
    page.tabs.setCurrentWidget(page.stations)
    page.add_new()
    dialog = page.findChild(NewStation)
    qtbot.waitUntil(lambda: dialog.energy.count() > 0)
    dialog.submit()
    assert dialog.error.text().startswith("A station needs a name")
    dialog.name.setText("Yard 1 right")
    with qtbot.waitSignal(dialog.accepted):
        dialog.submit()
    assert depot.stations[-1].name == "Yard 1 right"
