"""What a page says while there is nothing to show: why, and what to do."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from evdesk.gui.theme import Theme
from evdesk.gui.widgets.parts import column, label, paragraph, row

ICON_PX = 48


class EmptyState(QWidget):
    """An icon, a heading, a sentence and, where there is one, the button that helps."""

    def __init__(
        self,
        theme: Theme,
        icon: str,
        heading: str,
        text: str,
        action: QPushButton | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._name = theme, icon
        self._icon = QLabel()
        self._heading = label(heading, "heading")
        self._text = paragraph(text)
        self._text.setMaximumWidth(420)
        centre = Qt.AlignmentFlag.AlignHCenter
        self._text.setAlignment(centre)
        words = row(self._text)
        words.setContentsMargins(24, 0, 24, 0)
        box = column(0, self._icon, self._heading, words, gap=10)
        for part in (self._icon, self._heading):
            box.setAlignment(part, centre)
        if action is not None:
            box.addSpacing(6)
            box.addWidget(action, 0, centre)
        box.addStretch(1)
        self.setLayout(box)
        theme.changed.connect(self.repaint_icon)
        self.repaint_icon()

    def say(self, heading: str, text: str) -> None:
        """Say something else."""
        self._heading.setText(heading)
        self._text.setText(text)

    def heading(self) -> str:
        """Return the heading."""
        return self._heading.text()

    def repaint_icon(self) -> None:
        """Draw the icon in the theme's colour."""
        icon = self._theme.icon(self._name, self._theme.palette.border_strong)
        self._icon.setPixmap(icon.pixmap(QSize(ICON_PX, ICON_PX)))
