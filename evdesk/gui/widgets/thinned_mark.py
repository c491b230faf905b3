"""Marks in a plot what is left of old readings: the line up to which they were thinned out."""

import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, Qt

from evdesk.gui.stylesheet import Palette

INSET_PX = 8


class ThinnedMark:
    """A line and a word in the corner; both are hidden where every reading is there."""

    def __init__(self, view: pg.ViewBox) -> None:
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._text = pg.TextItem()
        view.addItem(self._line, ignoreBounds=True)
        self._text.setParentItem(view)
        self._text.setPos(INSET_PX, 0)
        self.show(None, 0.0)

    def show(self, until_s: float | None, from_s: float) -> None:
        """Mark everything before an instant; None and what is not seen mark nothing."""
        seen = until_s is not None and from_s < until_s
        self._line.setVisible(seen)
        self._text.setVisible(seen)
        if until_s is not None:
            self._line.setValue(until_s)

    def repaint(self, palette: Palette) -> None:
        """Take the theme's colours."""
        self._line.setPen(pg.mkPen(palette.muted, width=1, style=Qt.PenStyle.DashLine))
        text = QCoreApplication.translate("ThinnedMark", "lowest and highest of each quarter hour")
        self._text.setText(text, palette.muted)

    def visible(self) -> bool:
        """Return whether something is marked."""
        return bool(self._text.isVisible())
