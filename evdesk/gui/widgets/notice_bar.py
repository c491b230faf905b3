"""One sentence for the person: what went wrong, or what was done."""

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QToolButton, QWidget

from evdesk.gui.theme import Theme, Tone
from evdesk.gui.widgets.parts import paragraph, restyle, row

GOOD_NEWS_MS = 7_000
ICONS = {Tone.DANGER: "error", Tone.WARNING: "warning", Tone.POSITIVE: "ok", Tone.INFO: "info"}


class NoticeBar(QFrame):
    """Stays until it is closed; good news goes by itself."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._theme = theme
        self._tone = Tone.INFO
        self._icon = QLabel()
        self._text = paragraph("", "")
        self._close = QToolButton()
        self._close.setAccessibleName(self.tr("Close this message"))
        self._close.setToolTip(self.tr("Close (Esc)"))
        self._close.clicked.connect(self.dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        box = row(self._icon, self._text, self._close, gap=12)
        box.setStretch(1, 1)
        box.setContentsMargins(16, 8, 8, 8)
        self.setLayout(box)
        theme.changed.connect(self._paint)
        self.hide()

    def tell(self, text: str, tone: Tone) -> None:
        """Show a sentence; it replaces the one before."""
        self._tone = tone
        self._text.setText(text)
        self.setAccessibleName(text)
        self.setProperty("tone", tone.value)
        restyle(self)
        self._paint()
        self.show()
        if tone is Tone.POSITIVE:
            self._timer.start(GOOD_NEWS_MS)
        else:
            self._timer.stop()

    def text(self) -> str:
        """Return the sentence."""
        return self._text.text()

    def dismiss(self) -> None:
        """Take the sentence away."""
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def _paint(self) -> None:
        colour, _ = self._theme.tone(self._tone)
        icon = self._theme.icon(ICONS.get(self._tone, "info"), colour)
        self._icon.setPixmap(icon.pixmap(QSize(20, 20)))
        self._close.setIcon(self._theme.icon("close", colour))


class FieldError(QLabel):
    """A sentence inside a dialog about what has to be put right; takes no room while empty."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "error")
        self.setWordWrap(True)
        self.hide()

    def tell(self, text: str) -> None:
        """Show the sentence, or nothing."""
        self.setText(text)
        self.setVisible(bool(text))
