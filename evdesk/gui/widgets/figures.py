"""Large figures in a row: what matters at a glance."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from evdesk.gui.widgets.parts import column, label, row


class Figure(QFrame):
    """One figure with its unit, and what it says below."""

    def __init__(self, caption: str, unit: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self._caption = caption
        self._value = label("–", "figure")
        self._unit = label(unit, "muted")
        self._unit.setContentsMargins(0, 0, 0, 3)
        figure = row(self._value, self._unit, 0, gap=6)
        figure.setAlignment(self._unit, Qt.AlignmentFlag.AlignBottom)
        box = column(label(caption, "small"), figure, gap=0)
        box.setContentsMargins(16, 10, 16, 8)
        self.setLayout(box)

    def set_value(self, value: str, unit: str | None = None) -> None:
        """Show another figure."""
        if self._value.text() != value:
            self._value.setText(value)
        if unit is not None and self._unit.text() != unit:
            self._unit.setText(unit)
        self.setAccessibleName(f"{self._caption}: {value} {self._unit.text()}")

    def value(self) -> str:
        """Return the figure."""
        return self._value.text()
