"""Icons: one drawing each, in the colour that is asked for."""

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

SIZES_PX = (16, 18, 20, 32, 36, 48)

# Marks that must be there also where the folder of icons is not.
BUILT_IN = {
    "chevron-down": "M6 9l6 6 6-6",
    "chevron-up": "M6 15l6-6 6 6",
    "chevron-left": "M15 6l-6 6 6 6",
    "chevron-right": "M9 6l6 6-6 6",
    "check": "M5 13l4.5 4.5L19 7.5",
    "close": "M6 6l12 12M18 6L6 18",
    "add": "M12 5v14M5 12h14",
    "minus": "M5 12h14",
}
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="currentColor"'
    ' stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="{path}"/></svg>'
)


class Icons:
    """Renders ``NAME.svg`` of a folder; a missing drawing becomes a plain ring."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._text = lru_cache(maxsize=None)(self._read)
        self.icon = lru_cache(maxsize=None)(self._icon)

    def pixmap(self, name: str, colour: str, size_px: int, room: float = 1.0) -> QPixmap:
        """Return a picture with a transparent ground; ``room`` is its width over its height."""
        key = f"{self._folder}/{name} {colour} {size_px} {room}"
        picture = QPixmap()
        if not QPixmapCache.find(key, picture):
            picture = self._drawn(name, colour, size_px, room)
            QPixmapCache.insert(key, picture)
        return picture

    def _drawn(self, name: str, colour: str, size_px: int, room: float) -> QPixmap:
        picture = QPixmap(round(size_px * room), size_px)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self._text(name)
        if text is None:
            painter.setPen(QPen(QColor(colour), size_px / 12))
            painter.drawEllipse(QRectF(0, 0, size_px, size_px).adjusted(*_inset(size_px)))
        else:
            svg = QSvgRenderer(QByteArray(text.replace("currentColor", colour).encode()))
            svg.render(painter, QRectF(0, 0, size_px, size_px))
        painter.end()
        return picture

    def _icon(self, name: str, colour: str, room: float = 1.0) -> QIcon:
        icon = QIcon()
        for size_px in SIZES_PX:
            icon.addPixmap(self.pixmap(name, colour, size_px, room))
        return icon

    def _read(self, name: str) -> str | None:
        path = self._folder / f"{name}.svg"
        if path.is_file():
            return path.read_text(encoding="utf-8")
        return DRAWING.format(path=BUILT_IN[name]) if name in BUILT_IN else None


def _inset(size_px: int) -> tuple[float, float, float, float]:
    margin = size_px / 5
    return margin, margin, -margin, -margin
