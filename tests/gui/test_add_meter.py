"""Adding a meter step by step, over a desk that was never built."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import MeterRole, MidClass
from evdesk.gui.dialogs.add_meter import AddMeter
from evdesk.gui.dialogs.add_meter_link import Way
from evdesk.gui.dialogs.add_meter_name import Use
from evdesk.gui.finding_texts import caution
from evdesk.gui.theme import Tone
from evdesk.ports import Mark, Remark
from evdesk.services.cautions import Caution, CautionCode
from tests.fakes.desk import PROFILES, VALUES

SILENT = "192.168.20.99"


@pytest.fixture
def page(open_window, desk, qtbot):
    found = open_window(desk).open("meters")
    qtbot.waitUntil(lambda: found.devices.model.rowCount() > 0)
    return found


@pytest.fixture
def dialog(page, qtbot):
    page.add_new()
    found = page.findChild(AddMeter)
    qtbot.waitUntil(lambda: found.device.picker.model.rowCount() > 0)
    return found


def step(dialog):
    return dialog.pages.currentIndex()


def to_search(dialog, qtbot, host="192.168.20.31"):
    dialog.link.network.host.setText(host)
    dialog.go_on()
    qtbot.waitUntil(lambda: step(dialog) == 1)


def to_check(dialog, qtbot, host="192.168.20.31"):
    to_search(dialog, qtbot, host)
    dialog.device.start()
    qtbot.waitUntil(lambda: dialog.device.found.devices.device() is not None)
    qtbot.waitUntil(lambda: dialog.device.search.text() == "Search")
    dialog.go_on()
    qtbot.waitUntil(lambda: step(dialog) == 2)
    qtbot.waitUntil(dialog.check.again.isEnabled)


def to_name(dialog, qtbot, host="192.168.20.31"):
    to_check(dialog, qtbot, host)
    dialog.go_on()
    qtbot.waitUntil(lambda: step(dialog) == 3)


def by_hand(dialog, qtbot, text, host="192.168.20.31"):
    """Choose a model by hand and go on to its name."""
    to_search(dialog, qtbot, host)
    dialog.device.show_models()
    dialog.device.picker.search.setText(text)
    dialog.go_on()
    qtbot.waitUntil(lambda: step(dialog) == 2)
    qtbot.waitUntil(dialog.check.again.isEnabled)
    dialog.go_on()
    qtbot.waitUntil(lambda: step(dialog) == 3)


# -- how it is connected --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "fill", "url"),
    [
        (
            Way.NETWORK,
            lambda link: link.network.host.setText("charger.lan"),
            "tcp://charger.lan:502",
        ),
        (
            Way.CONVERTER,
            lambda link: link.converter.host.setText(" 10.0.0.9 "),
            "rtu-tcp://10.0.0.9:4196",
        ),
        (
            Way.SERIAL,
            lambda link: link.serial.parity.choose("E"),
            "rtu:///dev/ttyUSB0?baud=9600&parity=E&stop=1",
        ),
        (Way.NETWORK, lambda link: link.network.host.setText("rtu-tcp://a:26"), "rtu-tcp://a:26"),
    ],
)
def test_a_way_and_its_fields_make_an_address(dialog, qtbot, way, fill, url):
    qtbot.waitUntil(lambda: dialog.link.serial.port.count() == 2)
    dialog.link.ways[way].setChecked(True)
    fill(dialog.link)
    assert dialog.link.url() == url
    assert dialog.link.chip.text() == "not encrypted"


def test_a_secured_link_names_its_three_files(dialog):
    link = dialog.link
    link.ways[Way.SECURE].setChecked(True)
    link.secure.host.setText("meter.lan")
    for name, field in link.secure.papers.items():
        field.setText(f"/etc/our papers/{name}.pem")
    assert link.url() == (
        "tls://meter.lan:802?ca=/etc/our%20papers/ca.pem&cert=/etc/our%20papers/cert.pem"
        "&key=/etc/our%20papers/key.pem"
    )
    assert link.chip.text() == "encrypted"


def test_a_secured_link_without_its_files_says_what_it_needs(dialog):
    dialog.link.ways[Way.SECURE].setChecked(True)
    dialog.link.secure.host.setText("meter.lan")
    dialog.go_on()
    assert "needs three files" in dialog.error.text()
    assert dialog.link.secure.papers["key"].property("wrong") == "true"


def test_a_serial_port_may_be_typed(dialog, qtbot):
    link = dialog.link
    qtbot.waitUntil(lambda: link.serial.port.count() == 2)
    link.ways[Way.SERIAL].setChecked(True)
    assert "FT232R" in link.serial.port.currentText()
    link.serial.port.setEditText("/dev/ttyAMA0")
    assert link.url().startswith("rtu:///dev/ttyAMA0?baud=9600")


def test_without_an_address_it_does_not_go_on(dialog):
    dialog.go_on()
    assert dialog.error.text() == "Type the address first."
    assert dialog.link.network.host.property("wrong") == "true"
    assert step(dialog) == 0


def test_an_address_that_cannot_be_is_said_at_once(dialog, qtbot):
    dialog.link.network.host.setText("no host://x")
    dialog.go_on()
    qtbot.waitUntil(lambda: bool(dialog.error.text()))
    assert "is no device URL" in dialog.error.text()
    assert step(dialog) == 0


# -- which device ---------------------------------------------------------------------------------


def test_nothing_is_searched_unasked(dialog, desk, qtbot):
    to_search(dialog, qtbot)
    assert dialog.device.found.devices.model_of_rows.rowCount() == 0
    assert desk.finding.scans == []


def test_what_is_found_is_listed_with_how_sure_it_is(dialog, qtbot):
    to_search(dialog, qtbot)
    dialog.device.units.setText("1-4")
    dialog.device.start()
    rows = dialog.device.found.devices.model_of_rows
    qtbot.waitUntil(lambda: rows.rowCount() == 2)
    cells = [[rows.index(n, c).data() for c in range(4)] for n in range(2)]
    assert cells == [
        ["1", "Eastron SDM630 Modbus V2", "likely", "1802345"],
        ["2", "–", "several fit", ""],
    ]
    qtbot.waitUntil(lambda: dialog.device.status.text() == "2 devices found.")
    assert not dialog.device.progress.isVisible()


def test_a_device_that_several_models_fit_has_to_be_chosen(dialog, qtbot):
    to_search(dialog, qtbot)
    dialog.device.start()
    qtbot.waitUntil(lambda: dialog.device.found.devices.model_of_rows.rowCount() == 2)
    qtbot.waitUntil(lambda: dialog.device.search.text() == "Search")
    dialog.device.found.devices.selectRow(1)
    assert "look at the name plate" in dialog.device.found.hint.text()
    dialog.go_on()
    assert dialog.error.text() == "Choose the model from the list."
    assert step(dialog) == 1
    dialog.device.found.candidates.selectRow(1)
    dialog.go_on()
    assert step(dialog) == 2
    assert dialog.draft.profile.id == "abb-b23"
    assert dialog.draft.unit == 2


def test_a_search_is_stopped_and_keeps_what_was_found(dialog, desk, qtbot):
    to_search(dialog, qtbot)
    desk.finding.holds.clear()
    dialog.device.start()
    qtbot.waitUntil(lambda: dialog.device.found.devices.model_of_rows.rowCount() == 1)
    assert dialog.device.search.text() == "Stop"
    dialog.device.start()
    desk.finding.holds.set()
    qtbot.waitUntil(lambda: dialog.device.search.text() == "Search")
    assert dialog.device.found.devices.model_of_rows.rowCount() == 1
    assert "1 units were not asked" in dialog.device.status.text()


def test_closing_the_window_ends_the_search(dialog, desk, qtbot):
    to_search(dialog, qtbot)
    desk.finding.holds.clear()
    dialog.device.start()
    qtbot.waitUntil(lambda: desk.finding.scans != [])
    watch = desk.finding.watch
    dialog.reject()
    assert watch.stopped()
    desk.finding.holds.set()


def test_a_bus_that_cannot_be_reached_says_why(dialog, qtbot):
    to_search(dialog, qtbot, SILENT)
    dialog.device.start()
    qtbot.waitUntil(lambda: bool(dialog.error.text()))
    assert "does not answer within 3 s" in dialog.error.text()
    assert dialog.device.search.isEnabled()


def test_a_bus_that_is_being_read_is_left_to_the_search_and_read_again_after_it(
    dialog, desk, qtbot
):
    desk.finding.occupied_by = desk.collector
    to_search(dialog, qtbot)
    assert not dialog.stop_reading.isVisible()
    dialog.device.start()
    qtbot.waitUntil(dialog.stop_reading.isVisible)
    assert "The collector reads there" in dialog.error.text()
    dialog.stop_reading.click()
    qtbot.waitUntil(lambda: dialog.device.found.device() is not None)
    assert not desk.collector.on
    assert dialog.error.text() == ""
    qtbot.waitUntil(lambda: dialog.device.search.text() == "Search")
    dialog.reject()
    qtbot.waitUntil(lambda: desk.collector.on)


def test_a_collector_that_was_not_stopped_here_is_left_as_it_is(dialog, desk, qtbot):
    desk.collector.stop()
    to_search(dialog, qtbot)
    dialog.reject()
    assert not desk.collector.on


def test_a_model_is_searched_and_says_what_it_needs(dialog, qtbot):
    to_search(dialog, qtbot)
    dialog.device.show_models()
    dialog.device.picker.search.setText("keba")
    assert dialog.device.picker.profile().id == "keba-p30-x"
    assert dialog.device.unit.value() == 255
    assert "Answers one client at a time." in dialog.device.picker.hint.text()
    dialog.device.picker.search.setText("abl")
    assert "needs a meter beside it" in dialog.device.picker.hint.text()


def test_a_model_that_counts_apparent_energy_says_so(dialog):
    picker = dialog.device.picker
    marked = replace(picker.model.rows()[-1], counts_vah=True)
    picker.offer([marked])
    picker.table.selectRow(0)
    assert "Counts VAh, not Wh" in picker.hint.text()
    (chip,) = picker._chips(marked)
    assert (chip.text, chip.tone) == ("in VAh", Tone.WARNING)
    assert "counts apparent energy (VAh)" in caution(Caution(CautionCode.VAH, {"name": "wall"}))


def test_without_a_model_it_does_not_go_on(dialog, qtbot):
    to_search(dialog, qtbot)
    dialog.device.show_models()
    dialog.go_on()
    assert dialog.error.text() == "Choose the model from the list."


# -- what it says ---------------------------------------------------------------------------------


def test_its_values_are_read_and_compared_with_the_display(dialog, qtbot):
    to_check(dialog, qtbot)
    check = dialog.check
    assert check.values.model.rowCount() == len(VALUES)
    assert check.verdict.text() == "It answers: 4 of 5 values, all of them plausible."
    assert check.display.said.text() == "The register reads 503.337 kWh."
    check.display.number.setText("503.3")
    assert check.display.said.text() == "The register agrees with the display."
    check.display.number.setText("5033.4")
    assert "reads 10 times less than the display" in check.display.said.text()
    check.display.number.setText("a lot")
    assert check.display.said.text() == "Type the number as the display shows it."


def test_what_is_implausible_is_said_with_what_to_choose(dialog, desk, qtbot):
    wrong = replace(VALUES[3], mark=Mark.WRONG, remark=Remark("x", "implausible: {n}", {"n": 3}))
    desk.finding.values = (*VALUES[:3], wrong)
    desk.finding.hints = (Remark("words-swapped", "With the words swapped {n}", {"n": "it fits"}),)
    to_check(dialog, qtbot)
    assert dialog.check.verdict.text().startswith("1 of 4 values can hardly be right")
    assert dialog.check.hints.text() == "With the words swapped it fits"
    cells = [dialog.check.values.model.index(2, column).data() for column in (2, 5)]
    assert cells == ["implausible", "implausible: 3"]


def test_a_choice_is_asked_for_and_read_again_with_it(dialog, desk, qtbot):
    to_search(dialog, qtbot)
    dialog.device.show_models()
    dialog.device.picker.search.setText("keba")
    dialog.go_on()
    qtbot.waitUntil(dialog.check.again.isEnabled)
    chooser = dialog.check.choices.choosers["energy_unit"]
    assert chooser.currentText() == "not known: taken as “in 0.1 Wh”"
    assert dialog.check.verdict.text().endswith("choose below, or compare the energy.")
    assert desk.finding.probes[-1][3] == {}
    chooser.choose("wh")
    qtbot.waitUntil(lambda: desk.finding.probes[-1][3] == {"energy_unit": "wh"})
    assert dialog.draft.choices == {"energy_unit": "wh"}
    qtbot.waitUntil(lambda: dialog.check.verdict.text().endswith("all of them plausible."))


def test_a_silent_device_may_be_added_all_the_same(dialog, page, depot, qtbot):
    by_hand(dialog, qtbot, "b23", SILENT)
    dialog.name.name.setText("Yard 7")
    with qtbot.waitSignal(page.told) as signal:
        dialog.go_on()
    assert signal.args[0].startswith("Yard 7 is added, but does not answer yet:")
    assert depot.meters[-1].name == "Yard 7"


def test_going_back_keeps_what_was_entered_and_read(dialog, desk, qtbot):
    to_name(dialog, qtbot)
    dialog.name.name.setText("Yard 7")
    probes = len(desk.finding.probes)
    for _ in range(3):
        dialog.go_back()
    assert step(dialog) == 0
    assert dialog.link.network.host.text() == "192.168.20.31"
    for number in (1, 2, 3):
        dialog.go_on()
        qtbot.waitUntil(lambda number=number: step(dialog) == number)
    assert dialog.name.name.text() == "Yard 7"
    assert len(desk.finding.probes) == probes  # nothing was read twice


def test_another_address_forgets_what_was_found_at_the_last_one(dialog, qtbot):
    to_check(dialog, qtbot)
    dialog.go_back()
    dialog.go_back()
    dialog.link.network.host.setText("192.168.20.32")
    dialog.go_on()
    qtbot.waitUntil(lambda: step(dialog) == 1)
    assert dialog.device.found.devices.device() is None
    assert dialog.draft.probe is None


# -- what it is called ----------------------------------------------------------------------------


def test_everything_that_was_entered_is_added(dialog, page, depot, qtbot):
    to_name(dialog, qtbot)
    naming = dialog.name
    assert naming.label.serial.text() == "1802345"
    naming.name.setText("Yard 7")
    naming.phases.choose("1")
    naming.interval.set_ms(2_000)
    naming.label.mid_class.choose(MidClass.B)
    naming.label.seal.setText("DE-7")
    with qtbot.waitSignal(page.told) as signal:
        dialog.go_on()
    assert signal.args[0] == "Yard 7 is added and answers."
    meter = depot.meters[-1]
    assert (meter.profile, meter.url, meter.unit) == (
        "eastron-sdm630-v2", "tcp://192.168.20.31:502", 1,
    )  # fmt: skip
    assert (meter.phases, meter.interval_ms, meter.serial) == ("1", 2_000, "1802345")
    assert (meter.mid_class, meter.seal) == (MidClass.B, "DE-7")
    assert meter.role is MeterRole.STATION
    qtbot.waitUntil(lambda: page.devices.model.rowCount() == 7)


def test_a_name_is_asked_for(dialog, qtbot):
    to_name(dialog, qtbot)
    dialog.go_on()
    assert dialog.error.text() == "A meter needs a name."
    assert dialog.name.name.property("wrong") == "true"


def test_a_name_in_use_is_said_and_the_form_stays(dialog, qtbot):
    to_name(dialog, qtbot)
    dialog.name.name.setText("Yard 1")
    dialog.go_on()
    qtbot.waitUntil(lambda: bool(dialog.error.text()))
    assert dialog.error.text() == "A meter named Yard 1 exists already."
    assert dialog.next.isEnabled()
    assert step(dialog) == 3


def test_a_charger_without_a_register_is_paired_with_a_free_meter(dialog, page, desk, depot, qtbot):
    depot.meters[0] = replace(depot.meters[0], profile="abb-b23")
    desk.stations.without_state = {depot.meters[0].id}
    by_hand(dialog, qtbot, "abl")
    naming = dialog.name
    assert naming.use.value() is Use.BESIDE
    qtbot.waitUntil(lambda: naming.partner.count() == 1)
    naming.name.setText("Box")
    with qtbot.waitSignal(page.told) as signal:
        dialog.go_on()
    assert signal.args[0] == "Box is added and answers; station Box is made of both."
    assert desk.stations.made[-1] == ("Box", depot.meters[0].name, "Box")


def test_a_charger_without_a_register_may_get_its_meter_later(dialog, page, desk, qtbot):
    desk.stations.without_state = set()
    by_hand(dialog, qtbot, "abl")
    naming = dialog.name
    naming.name.setText("Box")
    dialog.go_on()
    assert "There is no free meter yet" in dialog.error.text()
    naming.use.choose(Use.LATER)
    assert "Add the meter beside it next" in naming.note.text()
    with qtbot.waitSignal(page.told) as signal:
        dialog.go_on()
    assert signal.args[0].startswith("Box is added. It needs a meter beside it")


def test_a_meter_may_count_for_a_charger_that_has_none(dialog, page, desk, depot, qtbot):
    depot.meters[1] = replace(depot.meters[1], profile="abl-emh1", name="Box")
    desk.stations.without_state = {meter.id for meter in depot.meters}
    by_hand(dialog, qtbot, "b23")
    naming = dialog.name
    naming.use.choose(Use.BESIDE)
    qtbot.waitUntil(lambda: naming.partner.count() == 1)
    assert naming.partner.value() == "Box"
    naming.name.setText("Beside")
    with qtbot.waitSignal(page.told):
        dialog.go_on()
    assert desk.stations.made[-1] == ("Box", "Beside", "Box")


def test_a_pair_that_cannot_be_is_said_and_the_device_is_kept(dialog, page, desk, depot, qtbot):
    depot.meters[0] = replace(depot.meters[0], profile="abb-b23")
    desk.stations.without_state = {depot.meters[0].id}
    desk.stations.broken = DeviceError("It is taken.")
    by_hand(dialog, qtbot, "abl")
    qtbot.waitUntil(lambda: dialog.name.partner.count() == 1)
    dialog.name.name.setText("Box")
    with qtbot.waitSignal(page.told) as signal:
        dialog.go_on()
    assert signal.args[0].endswith("No station was made: It is taken.")
    assert depot.meters[-1].name == "Box"


# -- keys -----------------------------------------------------------------------------------------


def test_the_keyboard_alone_adds_a_meter(dialog, page, depot, qtbot):
    qtbot.waitUntil(dialog.isVisible)
    qtbot.keyClicks(dialog.link.network.host, "192.168.20.31")
    qtbot.keyClick(dialog.link.network.host, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: step(dialog) == 1)
    qtbot.keyClick(dialog.device.search, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.device.found.devices.device() is not None)
    qtbot.waitUntil(lambda: dialog.device.search.text() == "Search")
    qtbot.keyClick(dialog.device.found.devices, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: step(dialog) == 2)
    qtbot.waitUntil(dialog.check.again.isEnabled)
    qtbot.keyClick(dialog.check.display.number, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: step(dialog) == 3)
    qtbot.keyClicks(dialog.name.name, "Yard 7")
    with qtbot.waitSignal(page.told):
        qtbot.keyClick(dialog.name.name, Qt.Key.Key_Return)
    assert depot.meters[-1].name == "Yard 7"


def test_next_searches_where_nothing_was_searched_yet(dialog, desk, qtbot):
    to_search(dialog, qtbot)
    dialog.go_on()
    qtbot.waitUntil(lambda: dialog.device.found.devices.device() is not None)
    assert len(desk.finding.scans) == 1


def test_every_model_of_the_list_can_be_named(dialog, qtbot):
    names = {profile.id for profile in PROFILES}
    rows = dialog.device.picker.model.rows()
    assert {row.id for row in rows} == names


# -- what a first-time user meets -----------------------------------------------------------------


def without(*names):
    return tuple(
        replace(value, value=None, mark=Mark.MISSING) if value.name in names else value
        for value in VALUES
    )


def test_a_model_of_which_no_value_is_there_is_doubted(dialog, desk, qtbot):
    desk.finding.values = without(*(value.name for value in VALUES))
    desk.finding.hints = (
        Remark("other-profile", "The profile {profile} fits this device better.",
               {"profile": "abb-b23"}),
    )  # fmt: skip
    to_check(dialog, qtbot)
    assert dialog.check.verdict.property("tone") == "danger"
    assert "with none of the values of this model" in dialog.check.verdict.text()
    assert dialog.check.hints.text() == "The profile ABB B23 112-100 fits this device better."


def test_a_device_without_its_energy_register_is_doubted(dialog, desk, qtbot):
    desk.finding.values = without("energy_import_total")
    to_check(dialog, qtbot)
    assert dialog.check.verdict.property("tone") == "danger"
    assert "nothing can be billed from it" in dialog.check.verdict.text()


def test_what_was_missing_is_no_longer_said_while_it_is_typed(dialog, qtbot):
    dialog.go_on()
    assert dialog.error.text() == "Type the address first."
    qtbot.keyClicks(dialog.link.network.host, "10")
    assert not dialog.error.text()
    to_name(dialog, qtbot)
    dialog.go_on()
    assert dialog.error.text() == "A meter needs a name."
    qtbot.keyClicks(dialog.name.name, "B")
    assert not dialog.error.text()
    assert dialog.name.name.property("wrong") == "false"
