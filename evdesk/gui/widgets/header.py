"""The header: whose site this is, whether it is being read, and how the window looks."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QToolButton, QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.site import Site
from evdesk.gui import texts
from evdesk.gui.desk import Who
from evdesk.gui.pulse import Snapshot
from evdesk.gui.rights import Rights
from evdesk.gui.theme import Theme, Tone
from evdesk.gui.widgets.account_button import AccountButton
from evdesk.gui.widgets.alarm_button import AlarmButton
from evdesk.gui.widgets.parts import ElidedLabel, button, column, give_icon, label, row

LATE_MS = 1_000


class Dot(QWidget):
    """A round light; the words beside it say the same."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor("transparent")
        self.setFixedSize(12, 12)

    def set_colour(self, colour: str) -> None:
        """Change the light."""
        self._colour = QColor(colour)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour)
        painter.drawEllipse(QRectF(1, 1, 10, 10))
        painter.end()


class Header(QFrame):
    """``start_wanted`` and ``stop_wanted`` ask for the collector, ``theme_wanted`` for light.

    ``faults_wanted`` tells that the fault shown was clicked.
    """

    start_wanted = Signal()
    stop_wanted = Signal()
    theme_wanted = Signal()
    faults_wanted = Signal()

    def __init__(self, site: Site, who: Who, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self.setFixedHeight(64)
        self._theme = theme
        self._running: bool | None = None
        self._name = ElidedLabel(site.name, "heading")
        self._badge = label(self.tr("DEMO"), "badge")
        self._badge.setVisible(site.demo)
        self._badge.setToolTip(
            self.tr("A demo site: simulated devices, its own clock, SPECIMEN on its invoices")
        )
        self._dot = Dot()
        self._state = label("", "strong")
        self._detail = label("", "small")
        self._switch = button("", self._on_switch)
        self._switch.setFixedWidth(112)
        self._look = QToolButton()
        self._look.setIconSize(QSize(20, 20))
        self._look.clicked.connect(self.theme_wanted)
        self.account = AccountButton(who, theme)
        words = column(0, self._state, self._detail, 0, gap=0)
        self.alarm = AlarmButton(theme, self.faults_wanted.emit)
        box = row(
            self._name, self._badge, self.alarm, self._dot, words, 8, self._switch,
            self.account, self._look, gap=10,
        )  # fmt: skip
        box.setStretch(0, 1)
        box.setAlignment(self._badge, Qt.AlignmentFlag.AlignVCenter)
        box.setContentsMargins(24, 0, 16, 0)
        self.setLayout(box)
        theme.changed.connect(self.repaint_icons)
        self._say(self.tr("Looking …"), "")
        self._switch.setEnabled(False)
        self.repaint_icons()
        Rights(who.role).guard(self._switch, Action.RUN_COLLECTOR)

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show whether the collector runs, how often it reads and how late it is."""
        if snapshot.running != self._running:
            self._running = snapshot.running
            self._switch.setEnabled(True)
            self.repaint_icons()
        if not snapshot.running:
            self._say(self.tr("Not reading"), self.tr("Nothing is recorded while it is stopped"))
            return
        collector = snapshot.overview.collector
        intervals = [c.interval_ms for c in snapshot.overview.cards if c.interval_ms is not None]
        every = texts.seconds(max(intervals, default=None))
        detail = self.tr("every {interval}").format(interval=every) if intervals else ""
        if collector.lateness_ms >= LATE_MS:
            detail = self.tr("every {interval}, {late} late").format(
                interval=every, late=texts.seconds(collector.lateness_ms)
            )
        stopping = collector.stop_requested
        self._say(self.tr("Stopping …") if stopping else self.tr("Reading"), detail)

    def wait(self, text: str) -> None:
        """Say what is being done until the next snapshot tells more."""
        self._running = None
        self._switch.setEnabled(False)
        self._say(text, "")

    def state_text(self) -> str:
        """Return what is said of the collector."""
        return self._state.text()

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        dark = self._theme.is_dark()
        self._look.setIcon(self._theme.icon("sun" if dark else "moon"))
        self._look.setToolTip(self.tr("Light colours") if dark else self.tr("Dark colours"))
        self._look.setAccessibleName(self._look.toolTip())
        running = bool(self._running)
        tone = Tone.POSITIVE if running else Tone.WARNING
        self._dot.set_colour(self._theme.tone(tone)[0])
        self._switch.setText(self.tr("Stop") if running else self.tr("Start"))
        self._switch.setProperty("kind", "" if running or self._running is None else "primary")
        self._switch.style().polish(self._switch)
        give_icon(self._switch, self._theme, "stop" if running else "play")
        self._switch.setToolTip(
            self.tr("Stop reading the devices: nothing is recorded until it runs again")
            if running
            else self.tr(
                "Read the devices and record what they say; goes on when this window closes"
            )
        )

    def _say(self, state: str, detail: str) -> None:
        if self._state.text() != state:
            self._state.setText(state)
        if self._detail.text() != detail:
            self._detail.setText(detail)

    def _on_switch(self) -> None:
        (self.stop_wanted if self._running else self.start_wanted).emit()
