"""A locked site shows nothing, keeps nothing in this process, and is read all the same."""

import gc
import weakref
from dataclasses import replace

import pytest
import shiboken6
from PySide6.QtCore import QEvent
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication

from evdesk.gui.app import Program
from evdesk.gui.dialogs.restore import RestoreDialog
from evdesk.gui.dialogs.unlock import Locked, UnlockDialog
from evdesk.gui.idle import SLEPT_S, Absence, IdleWatch
from evdesk.gui.preferences import Preferences
from tests.fakes.depot import Depot
from tests.fakes.desk import StubFirstRun, stub_desk

PASSWORD = "correct horse battery"


class Hands:
    """Two clocks that are set by hand."""

    def __init__(self) -> None:
        self.steady_s = self.wall_s = 1_000.0

    def pass_s(self, seconds: float, wall_s: float | None = None) -> None:
        self.steady_s += seconds
        self.wall_s += seconds if wall_s is None else wall_s

    def both(self):
        return lambda: self.steady_s, lambda: self.wall_s


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def watch(hands, qapp):
    made = IdleWatch(lambda: 600.0, None, hands.both())
    told: list[object] = []
    made.gone.connect(told.append)
    made.start()
    yield made, told
    made.stop()


def test_nobody_here_for_ten_minutes_is_noticed_once(watch, hands):
    idle, told = watch
    for _ in range(130):
        hands.pass_s(5)
        idle.look()
        if told:
            break
    assert told == [Absence.IDLE]
    assert hands.steady_s == 1_600.0


def test_a_key_or_the_mouse_begins_the_ten_minutes_anew(watch, hands, open_window, qapp):
    idle, told = watch
    window = open_window().windowHandle()
    idle.start()
    for _ in range(100):
        hands.pass_s(5)
        idle.look()
    key = QKeyEvent(QEvent.Type.KeyPress, 0, QGuiApplication.keyboardModifiers())
    QApplication.sendEvent(window, key)
    hands.pass_s(5)
    for _ in range(100):
        idle.look()
        hands.pass_s(5)
    assert told == []


@pytest.mark.parametrize("steady_s", [0.0, 3_600.0])
def test_a_computer_that_slept_is_noticed_whichever_clock_stood_still(watch, hands, steady_s):
    idle, told = watch
    hands.pass_s(steady_s, wall_s=3_600.0)
    idle.look()
    assert told == [Absence.SLEPT]


def test_a_busy_moment_is_no_sleep(watch, hands):
    idle, told = watch
    hands.pass_s(SLEPT_S)
    idle.look()
    assert told == []


def test_never_means_never(hands, qapp):
    idle = IdleWatch(lambda: None, None, hands.both())
    told: list[object] = []
    idle.gone.connect(told.append)
    for _ in range(1_000):
        hands.pass_s(20)
        idle.look()
    assert told == []


@pytest.fixture
def program(qapp, qtbot, tmp_path):
    first_run = StubFirstRun(stub_desk(), known=True)
    made = Program(qapp, first_run, tmp_path)
    yield made
    if made.window is not None:
        made.window.shut()
        made.window.deleteLater()
    if made.dialog is not None and shiboken6.isValid(made.dialog):
        made.dialog.deleteLater()
    made.end()
    made.deleteLater()


def opened(program, qtbot, desk=None):
    with qtbot.waitSignal(program.opened):
        program.open_desk(desk or program._first_run.desk)
    qtbot.waitUntil(lambda: program.window.page() is not None)
    return program.window


def unlocked(program, qtbot, password=PASSWORD):
    program.dialog.password.setText(password)
    with qtbot.waitSignal(program.opened):
        program.dialog.ok.click()
    qtbot.waitUntil(lambda: program.window is not None and program.window.page() is not None)


def test_locking_hides_the_site_and_the_password_brings_it_back_to_the_same_page(program, qtbot):
    window = opened(program, qtbot)
    window.open("drivers")
    window.account.lock.trigger()
    assert not window.isVisible()
    assert program.window is None
    assert isinstance(program.dialog, UnlockDialog)
    assert program.dialog.windowTitle() == "Depot Nordhafen is locked"
    assert program.dialog.user.text() == "Hanna Krüger"
    unlocked(program, qtbot)
    qtbot.waitUntil(lambda: getattr(program.window, "shown", None) == "drivers")


def test_a_locked_site_is_forgotten_and_its_collector_goes_on(program, qtbot):
    forgotten = []
    desk = replace(stub_desk(), forget=lambda: forgotten.append("store"))
    control = desk.collector
    services = [weakref.ref(each) for each in (desk.drivers, desk.sessions, desk.billing)]
    window = opened(program, qtbot, desk)
    for name in ("sessions", "drivers", "invoices"):
        qtbot.waitSignal(window.open(name).drawn).wait()
    program._first_run.desk = stub_desk()
    seen = weakref.ref(window)
    del desk, window
    program.lock(Absence.ASKED)
    qtbot.waitUntil(lambda: forgotten == ["store"])
    qtbot.waitUntil(lambda: gc.collect() >= 0 and not any(ref() for ref in services))
    assert seen() is None
    assert control.running()


def test_a_form_that_is_open_goes_with_the_window(program, qtbot):
    window = opened(program, qtbot)
    page = window.open("drivers")
    qtbot.waitSignal(page.drawn).wait()
    page.add_new()
    shown = {w for w in QApplication.topLevelWidgets() if w.isVisible()}
    assert len(shown) == 2
    program.lock(Absence.IDLE)
    qtbot.waitUntil(
        lambda: [w for w in QApplication.topLevelWidgets() if w.isVisible()] == [program.dialog]
    )


def test_a_wrong_password_keeps_the_site_locked(program, qtbot):
    opened(program, qtbot)
    program.lock(Absence.ASKED)
    program.dialog.password.setText("guess")
    program.dialog.ok.click()
    qtbot.waitUntil(program.dialog.error.isVisible)
    assert program.window is None
    unlocked(program, qtbot)


def test_a_demo_is_not_locked(program, qtbot):
    depot = Depot()
    depot.site = replace(depot.site, demo=True)
    window = opened(program, qtbot, stub_desk(depot))
    assert not window.account.lock.isEnabled()
    program.lock(Absence.IDLE)
    assert program.window is window


def test_after_a_failure_the_button_counts_until_the_next_try(tasks, theme, qtbot, tmp_path, desk):
    locked = Locked("Depot Nordhafen", "Hanna", Absence.IDLE)
    door = StubFirstRun(desk)
    dialog = UnlockDialog(door, tmp_path, tasks, theme, locked)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.password.setText("guess")
    door.wait_s = 2
    dialog.ok.click()
    qtbot.waitUntil(lambda: dialog.ok.text() == "Try again in 2 s")
    assert not dialog.ok.isEnabled()
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.ok.text() == "Try again in 1 s", timeout=3_000)
    qtbot.waitUntil(lambda: dialog.ok.text() == "Unlock", timeout=3_000)
    assert dialog.ok.isEnabled()


def test_the_minutes_are_chosen_in_the_menu_and_remembered(open_window, settings):
    window = open_window()
    found = [a for a in window.findChildren(type(window.account.lock)) if a.data() == 30]
    assert Preferences(settings).lock_after_min() == 10
    found[0].trigger()
    assert Preferences(settings).lock_after_min() == 30


def test_whose_password_it_is_is_asked_where_there_are_several(tasks, theme, qtbot, tmp_path, desk):
    door = StubFirstRun(desk)
    door.several = True
    dialog = UnlockDialog(door, tmp_path, tasks, theme)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(dialog.user.isVisible)


def test_a_site_of_one_account_asks_for_the_password_alone(tasks, theme, qtbot, tmp_path, desk):
    dialog = UnlockDialog(StubFirstRun(desk), tmp_path, tasks, theme)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.wait(100)
    assert not dialog.user.isVisible()
    assert dialog.password.isVisible()


def test_restoring_closes_the_site_and_leads_back_to_the_password(program, qtbot):
    window = opened(program, qtbot)
    window.restore_wanted.emit("/media/backup/evdesk-1.zip")
    assert program.window is None
    dialog = program.dialog
    assert dialog.file.text() == "/media/backup/evdesk-1.zip"
    assert dialog.isVisible()
    dialog.reject()
    qtbot.waitUntil(lambda: isinstance(program.dialog, UnlockDialog))
    unlocked(program, qtbot)


def test_a_backup_is_restored_from_the_way_in(program, qtbot):
    program.find_way()
    qtbot.waitUntil(lambda: isinstance(program.dialog, UnlockDialog))
    program.dialog.restore.click()
    qtbot.waitUntil(lambda: isinstance(program.dialog, RestoreDialog))
    program.dialog.reject()
    qtbot.waitUntil(lambda: isinstance(program.dialog, UnlockDialog))


def test_the_keyring_opens_the_site_at_the_start_and_not_what_was_locked(program, qtbot):
    program._first_run.keyring = True
    with qtbot.waitSignal(program.opened):
        program.begin(None)
    assert not program.dialog
    program.lock(Absence.ASKED)
    assert type(program.dialog).__name__ == UnlockDialog.__name__
    program.find_way()
    qtbot.wait(100)
    assert program.window is None
    unlocked(program, qtbot)


def test_a_keyring_that_fails_leaves_the_password(program, qtbot):
    program._first_run.keyring_fails = True
    program.begin(None)
    qtbot.waitUntil(lambda: isinstance(program.dialog, UnlockDialog))
