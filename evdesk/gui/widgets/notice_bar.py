"""One sentence for the person: what went wrong, or what was done."""

from PySide6.QtCore import QEvent, QObject, QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGraphicsDropShadowEffect, QLabel, QToolButton, QWidget

from evdesk.gui.theme import Theme, Tone
from evdesk.gui.widgets.parts import paragraph, restyle, row

GOOD_NEWS_MS = 7_000
SIDE_PX, BELOW_PX, MOST_PX, SHADOW_PX = 24, 16, 760, 18
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
    """Floats over a page and moves nothing there; good news goes by itself, the rest by Esc."""

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
        self._page: QWidget | None = None
        self.hide()

    def float_over(self, page: QWidget) -> None:
        """Lie at the foot of a page from now on; its window shows it above what is there."""
        shadow = QGraphicsDropShadowEffect(self)
        shadow.setBlurRadius(SHADOW_PX)
        shadow.setOffset(0, 2)
        self.setGraphicsEffect(shadow)
        self._page = page
        self.setParent(page.parentWidget())
        page.installEventFilter(self)
        self.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in {QEvent.Type.Resize, QEvent.Type.Move}:
            self._place()
        return super().eventFilter(watched, event)

    def _place(self) -> None:
        page = self._page
        if page is None or not self.isVisible():
            return
        width = min(page.width() - 2 * SIDE_PX, MOST_PX)
        height = max(self.heightForWidth(width), self.minimumSizeHint().height())
        left = page.x() + (page.width() - width) // 2
        top = page.y() + page.height() - height - BELOW_PX
        self.setGeometry(left, top, width, height)
        self.raise_()

    def tell(self, text: str, tone: Tone) -> None:
        """Show a sentence; it replaces the one before."""
        super().tell(text, tone)
        self._place()
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
