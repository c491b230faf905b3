"""The program with a window: from a site folder to the desk, and pictures of it."""

import gc
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLibraryInfo, QLocale, QObject, QSettings, QTimer, QTranslator, Signal
from PySide6.QtWidgets import QApplication, QDialog

from evdesk.domain.site import Site
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.desk import Desk, FirstRun
from evdesk.gui.idle import Absence, IdleWatch
from evdesk.gui.main_window import MainWindow
from evdesk.gui.preferences import Preferences
from evdesk.gui.pulse import Pulse
from evdesk.gui.tasks import Lane, Tasks
from evdesk.gui.theme import Theme
from evdesk.settings import shipped

SETTLE_MS = 1_200
PATIENCE_MS = 20_000
if TYPE_CHECKING:
    from evdesk.gui.dialogs.first_run import FirstRunDialog
    from evdesk.gui.dialogs.unlock import UnlockDialog

FIRST_PAGE = "live"
SWITCH_S = 0.001  # a worker gives way to the window after a millisecond of Python


def make_app() -> QApplication:
    """Return the one QApplication, made on first call; without a display it draws off screen."""
    found = QApplication.instance()
    if isinstance(found, QApplication):
        return found
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    app.setOrganizationName("evdesk")
    app.setApplicationName("evdesk")
    app.setApplicationDisplayName("evdesk")
    app.setDesktopFileName("evdesk")
    return app


def make_theme(app: QApplication, choice: str) -> Theme:
    """Return the theme, applied."""
    theme = Theme(app, shipped("resources") / "icons", choice)
    theme.apply()
    return theme


def speak(app: QApplication, language: str) -> None:
    """Write numbers and dates, and where there is a translation the texts, in a language.

    The country has no say: 24.600 kWh must mean the same in the window as on the invoice.
    """
    QLocale.setDefault(QLocale(language))
    folder = shipped("resources") / "translations"
    for name, place in (
        (f"evdesk_{language}", str(folder)),
        (f"qtbase_{language}", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)),
    ):
        translator = QTranslator(app)
        if translator.load(name, place):
            app.installTranslator(translator)


def make_window(
    desk: Desk, site: Site, tasks: Tasks, theme: Theme, settings: QSettings
) -> MainWindow:
    """Return the window of a site, with its pulse running and no page open yet."""
    pulse = Pulse(desk, tasks)
    context = Context(desk, site, tasks, pulse, theme, Preferences(settings))
    window = MainWindow(context)
    pulse.setParent(window)
    pulse.start()
    return window


class Program(QObject):
    """Finds the way to a desk: it is given, it is unlocked, or it is made on first run.

    Locked, the site is closed and its window gone; what reads the devices is another process.
    """

    opened = Signal(object)

    def __init__(self, app: QApplication, first_run: FirstRun, folder: Path) -> None:
        super().__init__(app)
        self._app, self._first_run, self._folder = app, first_run, folder
        self._settings = QSettings()
        self._theme = make_theme(app, Preferences(self._settings).theme())
        self._tasks = Tasks(self)
        self._desk: Desk | None = None
        self._page = FIRST_PAGE
        self._may_use_keyring = True  # once, when the program starts: what is locked stays locked
        self.idle = IdleWatch(self._idle_s, self)
        self.idle.gone.connect(self.lock)
        self.dialog: QDialog | None = None
        self.window: MainWindow | None = None
        app.aboutToQuit.connect(self.end)

    def end(self) -> None:
        """End what runs behind the windows."""
        self.idle.stop()
        self._tasks.stop()

    def begin(self, desk: Desk | None) -> None:
        """Show the first window; between a dialog that closes and the window nothing ends."""
        self._app.setQuitOnLastWindowClosed(False)
        if desk is not None:
            self.open_desk(desk)
            return
        speak(self._app, QLocale.system().name().partition("_")[0])
        self.find_way()

    def find_way(self) -> None:
        """Ask for the password of the site that is there, or for what a new one needs."""
        exists = partial(self._first_run.exists, self._folder)
        self._tasks.run(exists, self._on_known, self._on_failed)

    def open_desk(self, desk: Desk) -> None:
        """Show a site's window."""
        self._desk = desk
        self._tasks.run(lambda: desk.site.info().site, self._on_site, self._on_failed)

    def _on_known(self, exists: bool) -> None:
        if exists and self._may_use_keyring:
            self._may_use_keyring = False
            opens = partial(self._first_run.open_with_keyring, self._folder)
            self._tasks.run(opens, self._on_keyring, self._on_no_keyring, Lane.OUTSIDE)
            return
        self._ask_way(exists)

    def _on_keyring(self, desk: Desk | None) -> None:
        if desk is None:
            self._ask_way(exists=True)
        else:
            self.open_desk(desk)

    def _on_no_keyring(self, _: Exception) -> None:
        """A keyring that is locked or fails is no reason not to ask for the password."""
        self._ask_way(exists=True)

    def _ask_way(self, exists: bool) -> None:
        from evdesk.gui.dialogs.first_run import FirstRunDialog
        from evdesk.gui.dialogs.unlock import UnlockDialog

        kind = UnlockDialog if exists else FirstRunDialog
        self._show(kind(self._first_run, self._folder, self._tasks, self._theme))

    def _on_site(self, site: Site) -> None:
        if self._desk is None:
            return
        speak(self._app, site.language)
        window = make_window(self._desk, site, self._tasks, self._theme, self._settings)
        self.window = window
        window.account.lock_wanted.connect(self.lock)
        window.restore_wanted.connect(self.restore)
        window.show()
        self._app.setQuitOnLastWindowClosed(True)
        if not site.demo:
            self.idle.start()
        self.opened.emit(window)
        QTimer.singleShot(0, window, partial(window.open, self._page))  # plots import for long

    # -- locking --------------------------------------------------------------------------------

    def lock(self, why: Absence) -> None:
        """Close the site and everything that shows it, and ask for the password."""
        from evdesk.gui.dialogs.unlock import Locked, UnlockDialog

        window, desk = self.window, self._desk
        if window is None or desk is None or window.context.site.demo:
            return
        user = "" if desk.who.role is None else desk.who.name
        locked = Locked(window.context.site.name, user, why)
        self._page = window.shown
        self._close()
        self._show(UnlockDialog(self._first_run, self._folder, self._tasks, self._theme, locked))

    def _close(self) -> None:
        """Let go of the site and of the window that shows it."""
        self.idle.stop()
        self._app.setQuitOnLastWindowClosed(False)
        if self.window is not None:
            self.window.release()
            self.window.deleteLater()
        if self._desk is not None:
            self._tasks.run(self._desk.forget, self._on_forgotten)
        self.window = self._desk = None

    def restore(self, file: str = "") -> None:
        """Close the site, and ask which backup it is to come back to."""
        from evdesk.gui.dialogs.restore import RestoreDialog

        self._close()
        restores = self._first_run.restores()
        dialog = RestoreDialog(restores, self._folder, self._tasks, self._theme, file)
        dialog.restored.connect(self.find_way)
        dialog.rejected.connect(self.find_way)
        self.dialog = dialog
        dialog.show()

    def _show(self, dialog: "UnlockDialog | FirstRunDialog") -> None:
        dialog.opened.connect(self.open_desk)
        dialog.restore_wanted.connect(self.restore)
        dialog.rejected.connect(self._app.quit)
        self.dialog = dialog
        dialog.show()

    def _on_forgotten(self, _: object) -> None:
        """Free what held the key: cycles of the closed window keep it until they are collected."""
        QTimer.singleShot(0, self, self._collect)

    def _collect(self) -> None:
        gc.collect()

    def _idle_s(self) -> float | None:
        minutes = Preferences(self._settings).lock_after_min()
        return minutes * 60.0 if minutes else None

    def _on_failed(self, error: Exception) -> None:
        from evdesk.gui.dialogs.ask import Ask, Choice

        ask = Ask(
            self.tr("The site cannot be opened"),
            texts.sentence(error),
            (Choice("quit", self.tr("Quit"), "primary"),),
        )
        ask.answered.connect(self._app.quit)
        self.dialog = ask
        ask.show()


def run(first_run: FirstRun, folder: Path, desk: Desk | None) -> int:
    """Open the window of a site, or the way there; return the exit code when it is closed."""
    app = make_app()
    sys.setswitchinterval(SWITCH_S)
    program = Program(app, first_run, folder)
    program.begin(desk)
    return app.exec()


class Photographer(QObject):
    """Opens a page, waits until its data is drawn, saves a picture and ends the event loop."""

    def __init__(self, window: MainWindow, page: str, out: Path, settle_ms: int) -> None:
        super().__init__(window)
        self._window, self._out, self._settle_ms = window, out, settle_ms
        self._waiting = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._take)
        self._timer.start(PATIENCE_MS)
        window.open(page).drawn.connect(self._on_drawn)

    def _on_drawn(self) -> None:
        if self._waiting:
            self._waiting = False
            self._timer.start(self._settle_ms)

    def _take(self) -> None:
        self._window.grab().save(str(self._out))
        self._window.shut()
        QApplication.exit()  # quit() would ask the window whether it may close


def screenshot(
    desk: Desk,
    out: Path,
    theme: str = "light",
    size: tuple[int, int] = (1440, 900),
    page: str = "live",
    settle_ms: int = SETTLE_MS,
) -> None:
    """Save a picture of a page once its data is drawn, at the latest after 20 s."""
    app = make_app()
    site = desk.site.info().site
    speak(app, site.language)
    with tempfile.TemporaryDirectory() as scratch:
        settings = QSettings(str(Path(scratch) / "picture.ini"), QSettings.Format.IniFormat)
        window = make_window(desk, site, Tasks(), make_theme(app, theme), settings)
        window.resize(*size)
        window.show()
        Photographer(window, page, out, settle_ms)
        app.exec()
        window.deleteLater()
