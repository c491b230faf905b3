"""Small parts: buttons, labels, surfaces, rows, with the spacing and looks of the house."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from evdesk.gui.theme import Theme

GAP_PX = 8
ICON_PX, ICON_GAP_PX = 18, 4


def button(
    text: str, clicked: Callable[[], object], kind: str = "", tooltip: str = ""
) -> QPushButton:
    """Return a button; ``kind`` is primary, danger, quiet, link, toggle or nothing."""
    made = QPushButton(text)
    made.setProperty("kind", kind)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    made.setAutoDefault(False)
    if tooltip:
        made.setToolTip(tooltip)
    made.clicked.connect(clicked)
    return made


def give_icon(owner: QPushButton, theme: Theme, name: str) -> None:
    """Put an icon on a button in the colour of its text, at a distance from it."""
    palette = theme.palette
    colours = {"primary": palette.on_accent, "danger": palette.danger, "link": palette.accent}
    colour = colours.get(str(owner.property("kind")), palette.text)
    width_px = ICON_PX + (ICON_GAP_PX if owner.text() else 0)
    owner.setIcon(theme.icon(name, colour, width_px / ICON_PX))
    owner.setIconSize(QSize(width_px, ICON_PX))


def label(text: str = "", role: str = "") -> QLabel:
    """Return a label; ``role`` is title, heading, figure, strong, muted, small or error."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    if role:
        made.setProperty("role", role)
    return made


def paragraph(text: str = "", role: str = "muted") -> QLabel:
    """Return a label that wraps."""
    made = label(text, role)
    made.setWordWrap(True)
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    made.setSizePolicy(policy)
    return made


def selectable(text: str = "", role: str = "") -> QLabel:
    """Return a label whose text can be copied."""
    made = label(text, role)
    made.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse
        | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    return made


def surface() -> QFrame:
    """Return a white panel with a hairline."""
    made = QFrame()
    made.setProperty("role", "surface")
    return made


def line() -> QFrame:
    """Return a hairline."""
    made = QFrame()
    made.setProperty("role", "line")
    return made


def column(*parts: QWidget | QLayout | int, gap: int = GAP_PX, margin: int = 0) -> QVBoxLayout:
    """Return parts one below the other; an int is a stretch (0) or a space in pixels."""
    made = QVBoxLayout()
    fill(made, *parts, gap=gap, margin=margin)
    return made


def row(*parts: QWidget | QLayout | int, gap: int = GAP_PX, margin: int = 0) -> QHBoxLayout:
    """Return parts side by side; an int is a stretch (0) or a space in pixels."""
    made = QHBoxLayout()
    fill(made, *parts, gap=gap, margin=margin)
    return made


def fill(box: QBoxLayout, *parts: QWidget | QLayout | int, gap: int, margin: int) -> None:
    """Put parts into a box."""
    box.setSpacing(gap)
    box.setContentsMargins(margin, margin, margin, margin)
    for part in parts:
        if isinstance(part, QWidget):
            box.addWidget(part)
        elif isinstance(part, QLayout):
            box.addLayout(part)
        elif part == 0:
            box.addStretch(1)
        else:
            box.addSpacing(part)


def restyle(widget: QWidget) -> None:
    """Let the style sheet see a property that changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class ElidedLabel(QLabel):
    """A label that ends in … where it is too narrow, and then tells all in its tooltip."""

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._full = text
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._elide()

    def set_text(self, text: str) -> None:
        """Show another text."""
        if text != self._full:
            self._full = text
            self._elide()

    def text_in_full(self) -> str:
        """Return the text that is not elided."""
        return self._full

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._elide()

    def paintEvent(self, event: QPaintEvent) -> None:
        self._elide()  # the style sheet may have changed the font
        super().paintEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def _elide(self) -> None:
        shown = QFontMetrics(self.font()).elidedText(
            self._full, Qt.TextElideMode.ElideRight, max(self.width(), 24)
        )
        if shown != self.text():
            self.setText(shown)
            self.setToolTip(self._full if shown != self._full else "")
            self.setAccessibleName(self._full)
