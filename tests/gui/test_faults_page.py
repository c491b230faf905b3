"""Faults in the window: listed, explained, acknowledged, told once, exported."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QSystemTrayIcon

from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.faults import FaultCode, Severity
from evdesk.domain.mail import MailServer, Security
from evdesk.domain.meters import MidClass
from evdesk.domain.secrets import Secret
from evdesk.gui import fault_texts
from evdesk.gui.alarms import Alarms
from evdesk.gui.dialogs.alerts import AlertsDialog
from evdesk.gui.dialogs.meter_facts import MeterFactsDialog
from evdesk.gui.main_window import PAGES
from evdesk.gui.preferences import Preferences
from evdesk.gui.tray import Tray
from tests.fakes.desk import stub_desk

SERVER = MailServer(
    "smtp.example.org", 587, Security.STARTTLS, "depot@example.org", "owner@example.org",
    "depot", Secret(b"hunter2"), "PEM",
)  # fmt: skip


@pytest.fixture
def window(open_window, desk):
    return open_window(desk)


@pytest.fixture
def page(window, qtbot):
    found = window.open("faults")
    qtbot.waitUntil(lambda: found.model.rowCount() > 0)
    return found


def shown(page):
    return [(fault.code, fault.is_open) for fault in page.table.shown()]


def pick(page, code):
    codes = [fault.code for fault in page.table.shown()]
    page.table.selectRow(codes.index(code))


# -- the page -------------------------------------------------------------------------------------


def test_open_faults_come_first_the_worst_and_newest_of_them_first(page):
    assert shown(page)[:5] == [
        (FaultCode.DEVICE_SILENT, True),
        (FaultCode.LONG_IDLE, True),
        (FaultCode.CALIBRATION_EXPIRING, True),
        (FaultCode.UNBALANCED, True),
        (FaultCode.HIGH_TEMPERATURE, False),
    ]
    assert page.count.text() == "4 open, 5 over"


def test_a_fault_says_what_it_means_and_what_to_do(page):
    pick(page, FaultCode.DEVICE_SILENT)
    panel = page.panel
    assert panel.title.text() == "Device cannot be read"
    assert panel.place.text() == "Visitors right"
    assert "for 47 min" in panel.times.text()
    assert "192.168.20.15:502 does not answer" in panel.meaning.text()
    assert panel.action.text().startswith("Check its power")
    assert panel.code.text() == "Fault 1, device_silent"


def test_a_fault_that_is_over_says_how_long_it_lasted(page):
    pick(page, FaultCode.HIGH_TEMPERATURE)
    assert page.panel.times.text().endswith(": 38 min")
    assert page.panel.seen.text().startswith("Seen by Olivia")
    assert not page.panel.acknowledge.isVisible()


def test_a_fault_is_acknowledged_by_the_keyboard_with_a_note(window, page, desk, qtbot):
    pick(page, FaultCode.DEVICE_SILENT)
    page.panel.note.setPlainText("cable ordered")
    keys = [s for s in page.findChildren(QShortcut) if s.key().toString() == "Ctrl+Return"]
    with qtbot.waitSignal(page.told) as told:
        keys[0].activated.emit()
    assert told.args[0] == "Visitors right: Device cannot be read is acknowledged."
    fault = desk.faults.faults[0]
    assert (fault.acknowledged_by, fault.note) == ("Olivia", "cable ordered")
    qtbot.waitUntil(page.panel.seen.isVisible)
    assert page.panel.seen.text().endswith("cable ordered")


def test_what_cannot_be_acknowledged_says_why_and_can_be_tried_again(page, desk, qtbot):
    pick(page, FaultCode.DEVICE_SILENT)
    refusal = UserError("Fault {fault} was acknowledged already.", fault=1)
    acknowledge, desk.faults.acknowledge = desk.faults.acknowledge, _raising(refusal)
    with qtbot.waitSignal(page.failed):
        page.panel.acknowledge.click()
    assert page.panel.acknowledge.isEnabled()
    desk.faults.acknowledge = acknowledge
    with qtbot.waitSignal(page.told):
        page.panel.acknowledge.click()


def _raising(error):
    def refuse(*_):
        raise error

    return refuse


def test_faults_are_narrowed_down_by_period_severity_and_words(page, qtbot):
    page.filters.period.choose("open")
    qtbot.waitUntil(lambda: len(shown(page)) == 4)
    page.filters.severity.choose(Severity.CRITICAL)
    qtbot.waitUntil(lambda: len(shown(page)) == 1)
    page.filters.period.choose("all")
    qtbot.waitUntil(lambda: len(shown(page)) == 4)
    page.filters.search.setText("frozen")
    assert page.empty.isVisible()
    assert page.empty.heading() == "No fault matches"
    page.filters.search.setText("register truck")
    assert [code for code, _ in shown(page)] == [FaultCode.REGISTER_FROZEN]


def test_a_note_is_not_carried_over_to_another_fault(page):
    pick(page, FaultCode.DEVICE_SILENT)
    page.panel.note.setPlainText("mine")
    pick(page, FaultCode.LONG_IDLE)
    assert page.panel.note.toPlainText() == ""


def test_a_new_fault_appears_and_the_selection_stays(page, desk, qtbot):
    pick(page, FaultCode.UNBALANCED)
    desk.faults.begin(FaultCode.CLOCK_JUMP, None, facts={"by_s": 61.0})
    desk.live.commit()
    qtbot.waitUntil(lambda: (FaultCode.CLOCK_JUMP, True) in shown(page))
    assert page.panel.fault().code is FaultCode.UNBALANCED


def test_times_to_repair_are_told_per_device(page):
    rows = {
        page.repairs.model.index(n, 0).data(): page.repairs.model.index(n, 2).data()
        for n in range(page.repairs.model.rowCount())
    }
    assert rows["Truck bay"] == "1 h 47 min"
    assert rows["This computer"] == "1 h 06 min"
    assert page.repairs.month.text().startswith("Faults that ended in November 2026")


def test_faults_are_exported(page, tmp_path, qtbot):
    page.ask_file()
    page.files.dialog.reject()
    with qtbot.waitSignal(page.told):
        page.files.save(str(tmp_path / "faults.csv"))
    assert "1;device_silent" in (tmp_path / "faults.csv").read_text()


@pytest.mark.parametrize(
    ("span", "text"),
    [(timedelta(seconds=7), "7 s"), (timedelta(minutes=61), "1 h 01 min"), (-timedelta(1), "0 s")],
)
def test_short_times_are_told_in_seconds(span, text):
    assert fault_texts.span(span) == text


# -- badge, header, notices -----------------------------------------------------------------------


def test_the_navigation_counts_what_nobody_has_acknowledged(window, desk, qtbot):
    number = PAGES.index("faults")
    entry = window.navigation._group.button(number)
    badge = lambda: window.navigation._badges.get(number)  # noqa: E731
    qtbot.waitUntil(lambda: badge() is not None)
    assert (badge().text(), badge().isVisible()) == ("3", True)
    assert entry.accessibleName() == "Faults, 3 not acknowledged"
    for fault in desk.faults.faults[:]:
        if fault.is_open:
            desk.faults.end(fault)
    window.alarms.hurry()
    qtbot.waitUntil(lambda: not badge().isVisible())
    assert entry.accessibleName() == "Faults"


def test_the_header_shows_a_critical_fault_until_it_is_acknowledged(window, desk, qtbot):
    alarm = window.header.alarm
    qtbot.waitUntil(alarm.isVisible)
    assert alarm.accessibleName() == "Visitors right: Device cannot be read"
    desk.faults.begin(FaultCode.DISK_NEARLY_FULL, None)
    window.alarms.hurry()
    qtbot.waitUntil(lambda: alarm.text().endswith(" and 1 more"))
    alarm.click()
    assert type(window.page()).__name__ == "FaultsPage"
    for fault in desk.faults.faults:
        if fault.is_open and not fault.acknowledged_by:
            desk.faults.acknowledge(fault.id)
    window.alarms.hurry()
    qtbot.waitUntil(lambda: not alarm.isVisible())


@pytest.fixture
def notices(window, qtbot):
    """What was told since the window knows the faults of the start."""
    told: list[tuple[str, str]] = []
    qtbot.waitUntil(lambda: window.alarms._known is not None)
    window.alarms.notice.connect(lambda title, text: told.append((title, text)))
    return told


def look(window, qtbot):
    window.alarms.hurry()
    qtbot.waitUntil(lambda: not window.alarms._asking)


def test_each_change_is_told_once(window, desk, notices, qtbot):
    fault = desk.faults.begin(FaultCode.PHASE_LOST, 2)
    look(window, qtbot)
    look(window, qtbot)
    desk.faults.end(fault)
    look(window, qtbot)
    look(window, qtbot)
    action = "Check the fuses; where the charger switches phases off by itself, acknowledge it."
    assert notices == [("Yard 2: Phase missing", action), ("Over", "Yard 2: Phase missing")]


def test_faults_that_come_together_are_told_together(window, desk, notices, qtbot):
    desk.faults.begin(FaultCode.DEVICE_SILENT, 1)
    desk.faults.begin(FaultCode.DEVICE_SILENT, 2)
    look(window, qtbot)
    ((title, text),) = notices
    assert title == "2 new faults"
    assert text.splitlines() == ["Yard 1: Device cannot be read", "Yard 2: Device cannot be read"]


def test_what_was_acknowledged_is_not_told_when_it_is_over(window, desk, notices, qtbot):
    fault = desk.faults.begin(FaultCode.PHASE_LOST, 2)
    look(window, qtbot)
    seen = desk.faults.acknowledge(fault.id)
    look(window, qtbot)
    desk.faults.end(seen)
    look(window, qtbot)
    assert len(notices) == 1


class FakeIcon(QSystemTrayIcon):
    """Stands for the icon of a desktop."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def show(self) -> None:
        """There is no desktop to show it on."""

    def showMessage(self, title, *_) -> None:  # noqa: N802
        self.told.append(title)


def test_notices_are_shown_unless_they_are_turned_off(window, theme, settings, qtbot):
    preferences, icon = Preferences(settings), FakeIcon()
    tray = Tray(theme, preferences, window, icon)
    tray.tell("first", "")
    preferences.set_shows_notices(False)
    tray.tell("second", "")
    preferences.set_shows_notices(True)
    tray.tell("third", "")
    assert icon.told == ["first", "third"]
    with qtbot.waitSignal(tray.opened):
        icon.messageClicked.emit()


def test_a_clicked_notice_opens_the_page(window):
    window.tray.opened.emit()
    assert type(window.page()).__name__ == "FaultsPage"


def test_a_desktop_without_a_place_for_notices_is_no_error(window):
    window.tray.tell("a", "b")
    window.tray.hide()


def test_while_no_collector_runs_the_window_looks_after_it_and_after_mail(open_window, qtbot):
    desk = stub_desk(running=False)
    open_window(desk)
    qtbot.waitUntil(lambda: desk.faults.looks == 1)
    qtbot.waitUntil(lambda: desk.mail.delivered == 1)


def test_while_a_collector_runs_it_does_so_itself(window, desk, qtbot):
    with qtbot.waitSignal(window.context.pulse.beat):
        desk.live.commit()
    look(window, qtbot)
    assert (desk.faults.looks, desk.mail.delivered) == (0, 0)


def test_an_error_while_looking_is_said(window, desk, qtbot):
    desk.faults.find = _raising(UserError("The database was busy."))
    window.alarms.hurry()
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.text() == "The database was busy."
    assert isinstance(window.alarms, Alarms)


# -- alerts ---------------------------------------------------------------------------------------


@pytest.fixture
def alerts(page, qtbot):
    page.ask_alerts()
    qtbot.waitUntil(lambda: page.findChild(AlertsDialog) is not None)
    return page.findChild(AlertsDialog)


def fill(dialog):
    dialog.host.setText("smtp.example.org")
    dialog.username.setText("depot")
    dialog.password.setText("hunter2")
    dialog.from_field.setText("depot@example.org")
    dialog.recipient.setText("owner@example.org")


def test_mail_is_set_with_the_port_that_goes_with_its_security(alerts, desk, page, qtbot):
    fill(alerts)
    alerts.security.choose(Security.STARTTLS)
    assert alerts.port.value() == 587
    with qtbot.waitSignal(page.told):
        alerts.submit()
    server = desk.mail.found
    assert (server.host, server.port) == ("smtp.example.org", 587)
    assert server.password.reveal() == b"hunter2"


def test_an_unusual_port_is_left_alone(alerts):
    alerts.port.setValue(2_525)
    alerts.security.choose(Security.STARTTLS)
    assert alerts.port.value() == 2_525


def test_the_password_that_is_kept_is_never_shown_and_stays(page, desk, qtbot):
    desk.mail.found = SERVER
    page.ask_alerts()
    qtbot.waitUntil(lambda: page.findChild(AlertsDialog) is not None)
    dialog = page.findChild(AlertsDialog)
    assert dialog.password.text() == ""
    assert dialog.password.placeholderText() == "unchanged"
    dialog.recipient.setText("boss@example.org")
    with qtbot.waitSignal(page.told):
        dialog.submit()
    assert desk.mail.found == replace(SERVER, recipient="boss@example.org")


def test_a_test_mail_says_what_the_server_said(alerts, desk, page, qtbot):
    fill(alerts)
    with qtbot.waitSignal(page.told) as told:
        alerts.test.click()
    assert told.args[0] == "The server took the test mail for owner@example.org: 2.0.0 OK: queued"


def test_a_test_mail_that_fails_leaves_the_form_open(alerts, desk, qtbot):
    desk.mail.broken = DeviceError("The mail server {host} did not take it.", host="smtp")
    fill(alerts)
    alerts.test.click()
    qtbot.waitUntil(alerts.error.isVisible)
    assert alerts.error.text() == "The mail server smtp did not take it."
    assert alerts.isVisible()
    assert alerts.ok.isEnabled()
    assert alerts.ok.text() == "Save"


def test_what_is_missing_is_said_and_marked(alerts):
    alerts.host.setText("smtp.example.org")
    alerts.submit()
    assert "are needed" in alerts.error.text()
    assert alerts.recipient.property("wrong") == "true"


def test_notices_can_be_turned_off_without_any_mail(alerts, settings, desk):
    alerts.notices.setChecked(False)
    alerts.submit()
    assert not Preferences(settings).shows_notices()
    assert desk.mail.found is None


def test_mail_can_be_turned_off(page, desk, qtbot):
    desk.mail.found = SERVER
    page.ask_alerts()
    qtbot.waitUntil(lambda: page.findChild(AlertsDialog) is not None)
    with qtbot.waitSignal(page.told):
        page.findChild(AlertsDialog).off.click()
    assert desk.mail.found is None


# -- the label of a meter -------------------------------------------------------------------------


def test_what_is_written_on_a_meter_is_entered_and_shown(window, depot, qtbot):
    devices = window.open("meters").devices
    qtbot.waitUntil(lambda: devices.model.rowCount() > 0)
    names = [row.meter.name for row in devices.table.shown()]
    devices.table.selectRow(names.index("Yard 1"))
    devices.label.trigger()
    dialog = devices.findChild(MeterFactsDialog)
    assert dialog.label.serial.text() == "24-31097"
    assert not dialog.label.until.isEnabled()
    dialog.label.mid_class.choose(MidClass.B)
    dialog.label.seal.setText(" DE-M24 ")
    dialog.label.has_date.setChecked(True)
    dialog.label.until.set_day(date(2026, 12, 10))
    with qtbot.waitSignal(dialog.accepted):
        dialog.submit()
    meter = depot.meters[0]
    assert (meter.mid_class, meter.seal) == (MidClass.B, "DE-M24")
    assert meter.calibrated_until == date(2026, 12, 10)
    last = devices.model.columnCount() - 1
    cell = devices.model.index(0, last)
    qtbot.waitUntil(lambda: cell.data() == "10 Dec 2026")
    assert "MID class: B" in cell.data(Qt.ItemDataRole.ToolTipRole)
