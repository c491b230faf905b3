"""A small curve without axes: the last minutes at a glance."""

import numpy as np
from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from evdesk.gui.models.points import EMPTY, Points, nice_top


class Sparkline(QWidget):
    """Draws at most some sixty points; a gap stays a gap."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._points = EMPTY
        self._range_s = (0.0, 1.0)
        self._colour = "#888888"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_points(self, points: Points, range_s: tuple[float, float], colour: str) -> None:
        """Show the part of a curve between two instants."""
        self._points, self._range_s, self._colour = points, range_s, colour
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(80, 32)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        if len(self._points.at_s) < 2:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._colour), 1.5))
        for piece in self._pieces():
            painter.drawPolyline(piece)
        painter.end()

    def _pieces(self) -> list[QPolygonF]:
        from_s, to_s = self._range_s
        top = nice_top(float(np.nanmax(self._points.kw, initial=0.0)))
        x = (self._points.at_s - from_s) / (to_s - from_s) * self.width()
        y = self.height() - 2 - self._points.kw / top * (self.height() - 4)
        gaps = np.flatnonzero(np.isnan(y))
        return [
            QPolygonF([QPointF(float(a), float(b)) for a, b in zip(xs, ys, strict=True)][skip:])
            for xs, ys, skip in _split(x, y, gaps)
            if len(xs) - skip > 1
        ]


def _split(
    x: np.ndarray, y: np.ndarray, gaps: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """Return the pieces between gaps; every piece but the first begins with the gap itself."""
    xs, ys = np.split(x, gaps), np.split(y, gaps)
    return [
        (a, b, 0 if number == 0 else 1) for number, (a, b) in enumerate(zip(xs, ys, strict=True))
    ]
