"""One sentence for the person: what went wrong, or what was done."""

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QLabel, QToolButton, QWidget

from evdesk.gui.theme import Theme, Tone
from evdesk.gui.widgets.parts import paragraph, restyle, row

GOOD_NEWS_MS = 7_000
ICONS = {Tone.DANGER: "error", Tone.WARNING: "warning", Tone.POSITIVE: "ok", Tone.INFO: "info"}


class Banner(QFrame):
    """A sentence with an icon on the ground of its tone; it stays."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice")
        self._theme = theme
        self._tone = Tone.INFO
        self._icon = QLabel()
        self._text = paragraph("", "")
        self.box = row(self._icon, self._text, gap=12)
        self.box.setStretch(1, 1)
        self.box.setContentsMargins(16, 8, 8, 8)
        self.setLayout(self.box)
        theme.changed.connect(self.repaint_icons)

    def tell(self, text: str, tone: Tone) -> None:
        """Show a sentence; it replaces the one before."""
        self._tone = tone
        self._text.setText(text)
        self.setAccessibleName(text)
        self.setProperty("tone", tone.value)
        restyle(self)
        self.repaint_icons()
        self.show()

    def text(self) -> str:
        """Return the sentence."""
        return self._text.text()

    def colour(self) -> str:
        """Return the colour of the tone."""
        return self._theme.tone(self._tone)[0]

    def repaint_icons(self) -> None:
        """Draw the icon in the theme's colours."""
        icon = self._theme.icon(ICONS.get(self._tone, "info"), self.colour())
        self._icon.setPixmap(icon.pixmap(QSize(20, 20)))


class NoticeBar(Banner):
    """Stays until it is closed; good news goes by itself."""

    closed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._close = QToolButton()
        super().__init__(theme, parent)
        self._close.setAccessibleName(self.tr("Close this message"))
        self._close.setToolTip(self.tr("Close (Esc)"))
        self._close.clicked.connect(self.dismiss)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.dismiss)
        self.box.addWidget(self._close)
        self.hide()

    def tell(self, text: str, tone: Tone) -> None:
        """Show a sentence; it replaces the one before."""
        super().tell(text, tone)
        if tone is Tone.POSITIVE:
            self._timer.start(GOOD_NEWS_MS)
        else:
            self._timer.stop()

    def dismiss(self) -> None:
        """Take the sentence away."""
        self._timer.stop()
        self.hide()
        self.closed.emit()

    def repaint_icons(self) -> None:
        """Draw both icons in the theme's colours."""
        super().repaint_icons()
        self._close.setIcon(self._theme.icon("close", self.colour()))


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
