from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QShortcut

from evdesk.domain.errors import DeviceError, StorageError
from evdesk.gui.app import screenshot
from evdesk.gui.main_window import PAGES
from tests.fakes.depot import Depot
from tests.fakes.desk import StubCollector, empty_depot, stub_desk


def press(window, keys):
    """Activate a shortcut; key events need a window that has the focus, which no test owns."""
    found = [s for s in window.findChildren(QShortcut) if s.key().toString() == keys]
    found[0].activated.emit()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_and_draws_in_both_looks(open_window, theme, qtbot, name, look):
    theme.choose(look)
    window = open_window()
    page = window.open("live")
    with qtbot.waitSignal(window.open(name).drawn):
        pass
    assert window.page() is not None
    theme.toggle()
    assert not window.grab().isNull()
    assert page is not None


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_what_to_do_while_there_is_nothing(open_window, qtbot, name):
    window = open_window(stub_desk(empty_depot()))
    page = window.open(name)
    with qtbot.waitSignal(page.drawn):
        page.refresh()
    empty = page.devices.empty if name == "meters" else page.empty
    assert empty.isVisible()
    assert empty.heading()


def test_pages_are_reached_by_keys(open_window):
    window = open_window()
    for number, name in enumerate(PAGES, 1):
        press(window, f"Ctrl+{number % 10}")
        assert type(window.page()).__name__ == f"{name.capitalize()}Page"


def test_an_error_is_shown_as_a_sentence_and_goes_when_it_is_closed(open_window):
    window = open_window()
    window.show_error(DeviceError("{url} does not answer.", url="tcp://a:502"))
    assert window.notice.isVisible()
    assert window.notice.text() == "tcp://a:502 does not answer."
    press(window, "Esc")
    assert not window.notice.isVisible()


def test_a_bug_never_shows_a_traceback(open_window, qtbot, expected_log):
    expected_log("a job failed")
    window = open_window()
    window.context.tasks.run(lambda: dict[str, int]()["missing"], print)
    qtbot.waitUntil(window.notice.isVisible)
    assert "KeyError" in window.notice.text()
    assert "Traceback" not in window.notice.text()


def test_an_error_of_the_database_reaches_the_person_and_the_window_goes_on(open_window, qtbot):
    desk = stub_desk()
    window = open_window(desk)
    desk.live.broken = StorageError("The database was busy for {seconds} s.", seconds=5)
    desk.live.commit()
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.text() == "The database was busy for 5 s."
    desk.live.broken = None
    with qtbot.waitSignal(window.context.pulse.beat):
        desk.live.commit()


def test_the_header_tells_whether_the_devices_are_read(open_window, qtbot):
    window = open_window()
    assert window.header.state_text() == "Reading"
    window.header.stop_wanted.emit()
    qtbot.waitUntil(lambda: window.header.state_text() == "Not reading")
    window.header.start_wanted.emit()
    qtbot.waitUntil(lambda: window.header.state_text() == "Reading")


def test_a_collector_that_cannot_start_says_why(open_window, qtbot):
    desk = stub_desk(running=False)
    broken = StubCollector(False, StorageError("Another collector reads this site."))
    window = open_window(replace(desk, collector=broken))
    window.header.start_wanted.emit()
    qtbot.waitUntil(window.notice.isVisible)
    assert window.notice.text() == "Another collector reads this site."
    qtbot.waitUntil(lambda: window.header.state_text() == "Not reading")


def test_closing_says_that_the_collector_goes_on(open_window, qtbot):
    window = open_window()
    window.close()
    question = window._closing.question
    assert window.isVisible()
    assert question.isVisible()
    question.buttons["stay"].click()
    assert window.isVisible()
    window.close()
    window._closing.question.buttons["close"].click()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert window.context.desk.collector.running()


def test_closing_can_stop_the_collector_too(open_window, qtbot):
    window = open_window()
    window.close()
    window._closing.question.buttons["stop"].click()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not window.context.desk.collector.running()


def test_once_told_closing_is_silent(open_window, qtbot):
    window = open_window()
    window.close()
    window._closing.question.check.setChecked(True)
    window._closing.question.buttons["close"].click()
    qtbot.waitUntil(lambda: not window.isVisible())
    assert not window.context.preferences.says_collector_goes_on()


def test_without_a_collector_closing_is_silent(open_window):
    window = open_window(stub_desk(running=False))
    window.close()
    assert not window.isVisible()


def test_the_window_remembers_where_it_was(open_window, settings):
    window = open_window(stub_desk(running=False))
    window.resize(1024, 700)
    window.close()
    assert not settings.value("window/geometry").isEmpty()


def test_a_demo_site_says_so(open_window):
    depot = Depot()
    depot.site = replace(depot.site, demo=True)
    assert open_window(stub_desk(depot)).header._badge.isVisible()
    assert not open_window(stub_desk()).header._badge.isVisible()


def test_the_look_is_switched_and_remembered(open_window, settings):
    window = open_window()
    window.header.theme_wanted.emit()
    assert window.context.theme.is_dark()
    assert settings.value("window/theme") == "dark"


def test_a_picture_of_a_page_shows_its_data(qapp, tmp_path):
    out = tmp_path / "live.png"
    screenshot(stub_desk(), out, theme="dark", size=(1100, 700), settle_ms=0)
    picture = QImage(str(out))
    assert (picture.width(), picture.height()) == (1100, 700)
    seen = {picture.pixelColor(x, y).name() for x in range(250, 850, 2) for y in range(400, 640, 2)}
    assert len(seen) > 20


def test_every_control_has_a_name_for_those_who_listen(open_window, qtbot):
    from PySide6.QtWidgets import QComboBox, QLineEdit, QPushButton, QToolButton

    window = open_window()
    for name in PAGES:
        with qtbot.waitSignal(window.open(name).drawn):
            pass
    kinds = (QPushButton, QToolButton, QComboBox, QLineEdit)
    nameless = [
        part
        for kind in kinds
        for part in window.findChildren(kind)
        if not (part.accessibleName() or getattr(part, "text", str)() or part.toolTip())
        and not part.objectName().startswith("qt_")
        and part.focusPolicy() is not Qt.FocusPolicy.NoFocus
    ]
    assert nameless == []
