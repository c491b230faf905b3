"""The left navigation: icon and word, with Ctrl and a number; a badge counts what waits."""

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from evdesk.gui.theme import Theme, Tone
from evdesk.gui.widgets.parts import label, row

WIDTH_PX = 188
MANY = 100


class Navigation(QFrame):
    """``chosen`` tells the number of the page."""

    chosen = Signal(int)

    def __init__(
        self, theme: Theme, entries: list[tuple[str, str]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("sidebar")
        self.setFixedWidth(WIDTH_PX)
        self._theme = theme
        self._icons = [icon for icon, _ in entries]
        self._mark = QLabel()
        self._group = QButtonGroup(self)
        self._badges: dict[int, QLabel] = {}
        box = QVBoxLayout(self)
        box.setContentsMargins(12, 14, 12, 14)
        box.setSpacing(4)
        brand = row(self._mark, label("evdesk", "heading"), 0, gap=10)
        brand.setContentsMargins(8, 0, 0, 14)
        box.addLayout(brand)
        for number, (_, text) in enumerate(entries):
            box.addWidget(self._entry(number, text))
        box.addStretch(1)
        self._group.idClicked.connect(self.chosen)
        theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def _entry(self, number: int, text: str) -> QToolButton:
        entry = QToolButton()
        entry.setText(f"  {text}")
        entry.setAccessibleName(text)
        entry.setCheckable(True)
        entry.setProperty("kind", "navigation")
        entry.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        entry.setIconSize(QSize(20, 20))
        entry.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        entry.setCursor(Qt.CursorShape.PointingHandCursor)
        keys = QKeySequence(f"Ctrl+{(number + 1) % 10}")  # the tenth is Ctrl+0
        entry.setToolTip(f"{text} ({keys.toString(QKeySequence.SequenceFormat.NativeText)})")
        QShortcut(keys, self).activated.connect(entry.click)
        self._group.addButton(entry, number)
        return entry

    def entry(self, number: int) -> QAbstractButton:
        """Return the button of a page."""
        return self._group.button(number)

    def count(self, number: int, waiting: int, what: str, tone: Tone = Tone.DANGER) -> None:
        """Show how much waits on a page; nothing where it is 0. ``what`` says it in words."""
        entry, badge = self._group.button(number), self._badges.get(number)
        if badge is None:
            badge = self._badges[number] = label("", "count")
            badge.setProperty("tone", tone.value)
            badge.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            badge.setAlignment(Qt.AlignmentFlag.AlignCenter)
            box = QHBoxLayout(entry)
            box.setContentsMargins(0, 0, 10, 0)
            box.addStretch(1)
            box.addWidget(badge)
        badge.setText(str(waiting) if waiting < MANY else f"{MANY - 1}+")
        badge.setVisible(waiting > 0)
        name = entry.text().strip()
        entry.setAccessibleName(f"{name}, {what}" if waiting else name)

    def mark(self, number: int) -> None:
        """Mark the page that is open."""
        self._group.button(number).setChecked(True)
        self.repaint_icons()

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        palette = self._theme.palette
        for number, icon in enumerate(self._icons):
            entry = self._group.button(number)
            colour = palette.accent if entry.isChecked() else palette.muted
            entry.setIcon(self._theme.icon(icon, colour))
        self._mark.setPixmap(self._theme.icon("evdesk").pixmap(QSize(28, 28)))
