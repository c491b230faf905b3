"""Windows over a depot that was never built; whatever a test opens is closed behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, QSettings
from PySide6.QtWidgets import QApplication

from evdesk.gui.app import make_theme, make_window
from evdesk.gui.desk import Desk
from evdesk.gui.main_window import MainWindow
from evdesk.gui.tasks import Tasks
from evdesk.gui.theme import Theme
from tests.fakes.depot import Depot
from tests.fakes.desk import stub_desk

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The off-screen platform says this of every window with a least size."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("propagateSizeHints"))


@pytest.fixture(autouse=True)
def english(qapp: QApplication) -> Iterator[None]:
    """Numbers with a point, whatever the machine speaks."""
    qapp.setQuitOnLastWindowClosed(False)
    before = QLocale()
    QLocale.setDefault(QLocale("en_GB"))
    yield
    QLocale.setDefault(before)


@pytest.fixture
def depot() -> Depot:
    return Depot()


@pytest.fixture
def desk(depot):
    return stub_desk(depot)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    made = make_theme(qapp, "light")
    yield made
    made.setParent(None)
    made.deleteLater()


@pytest.fixture
def tasks(qapp: QApplication) -> Iterator[Tasks]:
    made = Tasks()
    yield made
    made.stop()


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def open_window(qtbot, tasks, theme, settings) -> Callable[[Desk], MainWindow]:
    """Return a window over a desk, shown and with its first snapshot."""
    made: list[MainWindow] = []

    def open_it(desk: Desk | None = None) -> MainWindow:
        desk = desk or stub_desk()
        window = make_window(desk, desk.site.info().site, tasks, theme, settings)
        made.append(window)
        qtbot.addWidget(window, before_close_func=MainWindow.shut)
        window.show()
        qtbot.waitUntil(lambda: window.context.pulse.last is not None)
        return window

    return open_it
