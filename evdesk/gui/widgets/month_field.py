"""A month, with a step to the one before and the one after."""

from datetime import date, timedelta

from PySide6.QtCore import QDate, QLocale, QSize, Signal
from PySide6.QtWidgets import QToolButton, QWidget

from evdesk.gui.theme import Theme
from evdesk.gui.widgets.fields import Chooser
from evdesk.gui.widgets.parts import row

MONTHS_BACK = 36
EARLY_IN_MONTH = 5  # up to this day, the month that has just ended is more likely meant


class MonthField(QWidget):
    """``changed`` tells that another month is chosen."""

    changed = Signal()

    def __init__(self, theme: Theme, today: date, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.months = Chooser(self.tr("Month"))
        self.earlier, self.later = QToolButton(), QToolButton()
        self.earlier.setAccessibleName(self.tr("The month before"))
        self.later.setAccessibleName(self.tr("The month after"))
        for part in (self.earlier, self.later):
            part.setToolTip(part.accessibleName())
            part.setIconSize(QSize(18, 18))
        self.setLayout(row(self.earlier, self.months, self.later, gap=4))
        self.offer(today)
        self.months.setCurrentIndex(1 if today.day <= EARLY_IN_MONTH else 0)
        self.months.currentIndexChanged.connect(self._on_changed)
        self.earlier.clicked.connect(self._on_earlier)
        self.later.clicked.connect(self._on_later)
        theme.changed.connect(self.repaint_icons)
        self.repaint_icons()
        self._offer_steps()

    def offer(self, today: date) -> None:
        """Offer the months up to this one; what was chosen stays chosen."""
        self.months.offer(_months(today))

    def month(self) -> str:
        """Return the month as ``YYYY-MM``."""
        return str(self.months.value())

    def text(self) -> str:
        """Return the month in words."""
        return self.months.currentText()

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in ((self.earlier, "chevron-left"), (self.later, "chevron-right")):
            part.setIcon(self._theme.icon(name, self._theme.palette.text))

    def _on_earlier(self) -> None:
        self.months.setCurrentIndex(self.months.currentIndex() + 1)

    def _on_later(self) -> None:
        self.months.setCurrentIndex(self.months.currentIndex() - 1)

    def _on_changed(self) -> None:
        self._offer_steps()
        self.changed.emit()

    def _offer_steps(self) -> None:
        here = self.months.currentIndex()
        self.earlier.setEnabled(here < self.months.count() - 1)
        self.later.setEnabled(here > 0)


def _months(today: date) -> list[tuple[str, str]]:
    """Return the months up to this one, newest first."""
    first, found = today.replace(day=1), []
    for _ in range(MONTHS_BACK):
        text = QLocale().toString(QDate(first.year, first.month, 1), "MMMM yyyy")
        found.append((f"{first.year:04d}-{first.month:02d}", text))
        first = (first - timedelta(days=1)).replace(day=1)
    return found
