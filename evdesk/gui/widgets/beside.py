"""A table with what is selected in it beside it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

ROOMY_PX = 1030  # from here on a table has room beside an empty panel
WIDTHS_PX = (840, 344)


class Beside(QSplitter):
    """Shows the panel always in a wide window, in a narrow one once there is something to show."""

    def __init__(self, table: QWidget, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._panel = panel
        self._is_needed = False
        self.addWidget(table)
        self.addWidget(panel)
        self.setHandleWidth(16)
        self.setStretchFactor(0, 1)
        self.setStretchFactor(1, 0)
        self.setChildrenCollapsible(False)
        self.setSizes(WIDTHS_PX)

    def need_panel(self, is_needed: bool) -> None:
        """Say whether something is selected."""
        self._is_needed = is_needed
        self._make_room()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        wanted = self._is_needed or self.width() >= ROOMY_PX
        if self._panel.isHidden() == wanted:
            self._panel.setVisible(wanted)
