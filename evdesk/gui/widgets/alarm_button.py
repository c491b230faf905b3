"""A critical fault in the header: seen from every page, and the way to it."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QPushButton, QWidget

from evdesk.domain.faults import Fault, Severity
from evdesk.gui import fault_texts
from evdesk.gui.theme import Theme

WIDTH_PX, ROOM_PX = 320, 50


class AlarmButton(QPushButton):
    """Shows the newest critical fault that nobody has acknowledged, and how many more there are."""

    def __init__(
        self, theme: Theme, clicked: Callable[[], object], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setProperty("kind", "alarm")
        self.setMaximumWidth(WIDTH_PX)
        self.setIconSize(QSize(18, 18))
        self.clicked.connect(clicked)
        self.hide()

    def show_faults(self, faults: Sequence[Fault]) -> None:
        """Show the critical ones of these, if there are any."""
        found = [
            fault
            for fault in faults
            if fault.severity is Severity.CRITICAL and fault.acknowledged_at is None
        ]
        self.setVisible(bool(found))
        if not found:
            return
        more = self.tr(" and {count} more").format(count=len(found) - 1) if found[1:] else ""
        newest = max(found, key=lambda fault: fault.since_at)
        text = fault_texts.headline(newest)
        metrics = QFontMetrics(self.font())
        room = WIDTH_PX - ROOM_PX - metrics.horizontalAdvance(more)
        self.setText(metrics.elidedText(text, Qt.TextElideMode.ElideRight, room) + more)
        self.setAccessibleName(text + more)
        self.setToolTip("\n".join(fault_texts.headline(fault) for fault in found))
        self.setIcon(self._theme.icon("error", self._theme.palette.danger))
