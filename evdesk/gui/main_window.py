"""The window: navigation, header, one page at a time, and what there is to say."""

from importlib import import_module

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QWidget

from evdesk.domain.faults import Fault
from evdesk.domain.permissions import Action
from evdesk.domain.sessions import SessionId
from evdesk.gui import texts
from evdesk.gui.account_menu import AccountMenu
from evdesk.gui.alarms import Alarms
from evdesk.gui.context import Context
from evdesk.gui.dialogs.closing import Closing, CollectorSwitch
from evdesk.gui.panels.rollback_banner import RollbackBanner
from evdesk.gui.pulse import Snapshot
from evdesk.gui.theme import Tone
from evdesk.gui.tray import Tray
from evdesk.gui.widgets.header import Header
from evdesk.gui.widgets.navigation import Navigation
from evdesk.gui.widgets.notice_bar import NoticeBar
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import column

PAGE_KEYS = {"Ctrl+F": "focus_search", "F5": "refresh", "Ctrl+P": "print_out", "Ctrl+N": "add_new"}
PAGES = (
    "live", "sessions", "reconcile", "invoices", "meters", "drivers", "tariffs", "faults", "audit",
    "backups",
)  # fmt: skip
NEEDS = {"audit": Action.READ_AUDIT}


def open_page(name: str, context: Context) -> Page:
    """Build a page; its module is imported when it is first opened."""
    module = import_module(f"evdesk.gui.pages.{name}")
    page: Page = getattr(module, f"{name.capitalize()}Page")(context)
    return page


class MainWindow(QMainWindow):
    """Owns the pages; they are built when they are first opened.

    ``restore_wanted`` names a backup: the window has to be closed for it.
    """

    restore_wanted = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._pages: dict[str, Page] = {}
        self.shown = PAGES[0]
        self._collector = CollectorSwitch(context, self)
        self._closing = Closing(context, self._collector, self)
        self.setWindowTitle(f"{context.site.name} – evdesk")
        self.setWindowIcon(context.theme.icon("evdesk"))
        self.setMinimumSize(1000, 640)
        self.resize(1440, 900)
        self.navigation = Navigation(context.theme, self._entries())
        self.header = Header(context.site, context.desk.who, context.theme)
        self.account = AccountMenu(context, self.header.account.items, self)
        self.notice = NoticeBar(context.theme)
        self.rollback = RollbackBanner(context)
        self.stack = QStackedWidget()
        self.alarms = Alarms(context, self)
        self.tray = Tray(context.theme, context.preferences, self)
        self._arrange()
        self._connect()
        self._restore()

    def _entries(self) -> list[tuple[str, str]]:
        titles = (
            self.tr("Live"), self.tr("Sessions"), self.tr("Reconcile"), self.tr("Invoices"),
            self.tr("Meters"), self.tr("Drivers"), self.tr("Tariffs"), self.tr("Faults"),
            self.tr("Audit log"), self.tr("Backups"),
        )  # fmt: skip
        return list(zip(PAGES, titles, strict=True))

    def _arrange(self) -> None:
        content = QWidget()
        content.setObjectName("content")
        right = column(self.header, self.rollback, self.stack, gap=0)
        right.setStretch(2, 1)
        box = QHBoxLayout(content)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.navigation)
        box.addLayout(right, 1)
        self.setCentralWidget(content)
        for name, action in NEEDS.items():
            self.context.rights.guard(self.navigation.entry(PAGES.index(name)), action)
        self.notice.float_over(self.stack)

    def _connect(self) -> None:
        context = self.context
        self.navigation.chosen.connect(self._on_navigated)
        self.header.start_wanted.connect(self._collector.start)
        self.header.stop_wanted.connect(self._collector.stop)
        self._collector.busy.connect(self.header.wait)
        self._collector.failed.connect(self.show_error)
        self.header.theme_wanted.connect(self._on_theme_wanted)
        self.header.faults_wanted.connect(self._on_faults_wanted)
        self.account.told.connect(self.show_done)
        self.rollback.told.connect(self.show_done)
        self.rollback.failed.connect(self.show_error)
        self.alarms.changed.connect(self._on_alarms)
        self.alarms.notice.connect(self.tray.tell)
        self.alarms.failed.connect(self.show_error)
        self.tray.opened.connect(self._on_notice_opened)
        context.pulse.beat.connect(self._on_beat)
        context.pulse.failed.connect(self.show_error)
        context.tasks.failed.connect(self.show_error)
        for keys, asks in PAGE_KEYS.items():
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setProperty("asks", asks)
            shortcut.activated.connect(self._on_page_key)
        QShortcut(QKeySequence("Esc"), self).activated.connect(self.notice.dismiss)

    def _restore(self) -> None:
        geometry = self.context.preferences.bytes_of("geometry")
        if not geometry.isEmpty():
            self.restoreGeometry(geometry)

    # -- pages ----------------------------------------------------------------------------------

    def open(self, name: str) -> Page:
        """Show a page and let it read; return it."""
        page = self._pages.get(name)
        if page is None:
            page = self._pages[name] = open_page(name, self.context)
            page.failed.connect(self.show_error)
            page.told.connect(self.show_done)
            page.page_wanted.connect(self.open)
            page.session_wanted.connect(self.show_session)
            page.restore_wanted.connect(self.restore_wanted)
            self.stack.addWidget(page)
        self.stack.setCurrentWidget(page)
        self.shown = name
        self.navigation.mark(PAGES.index(name))
        self.stack.setFocus()
        page.refresh()
        return page

    def show_session(self, session_id: int) -> None:
        """Show one session on the page of sessions."""
        self.open("sessions").show_session(SessionId(session_id))

    def page(self) -> Page | None:
        """Return the page that is open."""
        current = self.stack.currentWidget()
        return current if isinstance(current, Page) else None

    def _on_navigated(self, number: int) -> None:
        self.open(PAGES[number])

    def _on_beat(self, snapshot: Snapshot) -> None:
        self.header.show_snapshot(snapshot)
        in_review = snapshot.overview.in_review
        words = self.tr("{count} in review").format(count=in_review)
        self.navigation.count(PAGES.index("sessions"), in_review, words, Tone.WARNING)
        page = self.page()
        if page is not None and not self.isMinimized():
            page.on_beat(snapshot)

    def _on_page_key(self) -> None:
        page = self.page()
        if page is not None:
            getattr(page, self.sender().property("asks"))()

    # -- faults ---------------------------------------------------------------------------------

    def _on_alarms(self, faults: tuple[Fault, ...]) -> None:
        unseen = sum(fault.acknowledged_at is None for fault in faults)
        words = self.tr("{count} not acknowledged").format(count=unseen)
        self.navigation.count(PAGES.index("faults"), unseen, words)
        self.header.alarm.show_faults(faults)

    def _on_faults_wanted(self) -> None:
        self.open("faults")

    def _on_notice_opened(self) -> None:
        """Bring the window to the front with what the notice was about."""
        self.showNormal()
        self.activateWindow()
        self.open("faults")

    # -- what there is to say -------------------------------------------------------------------

    def show_error(self, error: object) -> None:
        """Show an error as a sentence."""
        self.notice.tell(texts.sentence(error), Tone.DANGER)

    def show_done(self, text: str) -> None:
        """Show what was done."""
        self.notice.tell(text, Tone.POSITIVE)

    def _on_theme_wanted(self) -> None:
        self.context.preferences.set_theme(self.context.theme.toggle())

    # -- closing --------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._closing.may_close():
            event.ignore()
            return
        self.context.preferences.set_bytes("geometry", self.saveGeometry())
        self.shut()
        event.accept()

    def release(self) -> None:
        """Show nothing of the site any more, and ask for nothing; pages go with the window."""
        self.hide()
        self.tray.hide()
        self.context.pulse.stop()

    def shut(self) -> None:
        """End what runs behind the window; the collector is another process and goes on."""
        self.tray.hide()
        self.context.pulse.stop()
        self.context.tasks.stop()
