"""A short word on a coloured ground: how states and flags look everywhere."""

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Theme

HEIGHT_PX, PAD_PX, ICON_PX = 24, 8, 14


def chip_font(base: QFont) -> QFont:
    """Return the font of chips."""
    font = QFont(base)
    font.setPointSizeF(9)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def chip_width(chip: Chip, font: QFont) -> int:
    """Return how wide a chip is drawn."""
    icon = ICON_PX + 5 if chip.icon else 0
    return QFontMetrics(chip_font(font)).horizontalAdvance(chip.text) + 2 * PAD_PX + icon + 2


def draw_chip(painter: QPainter, place: QRect, chip: Chip, theme: Theme, font: QFont) -> None:
    """Draw a chip into a place of its own width, centred in height."""
    colour, ground = theme.tone(chip.tone)
    box = QRect(place.x(), place.center().y() - HEIGHT_PX // 2 + 1, place.width(), HEIGHT_PX)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(ground))
    painter.drawRoundedRect(QRectF(box), HEIGHT_PX / 2, HEIGHT_PX / 2)
    left = box.x() + PAD_PX
    if chip.icon:
        icon = QRect(left, box.center().y() - ICON_PX // 2 + 1, ICON_PX, ICON_PX)
        theme.icon(chip.icon, colour).paint(painter, icon)
        left += ICON_PX + 5
    painter.setPen(QColor(colour))
    painter.setFont(chip_font(font))
    text = QRect(left, box.y(), box.right() - left, box.height())
    word = painter.fontMetrics().elidedText(
        chip.text, Qt.TextElideMode.ElideRight, text.width() - PAD_PX + 4
    )
    painter.drawText(text, Qt.AlignmentFlag.AlignVCenter, word)
    painter.restore()


class ChipLabel(QWidget):
    """One chip as a widget; ``compact`` leaves the icon alone where there is no room for a word."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._chip: Chip | None = None
        theme.changed.connect(self.update)

    def show_chip(self, chip: Chip) -> None:
        """Show a chip."""
        if chip != self._chip:
            self._chip = chip
            self.setAccessibleName(chip.text)
            self.setFixedSize(self.sizeHint())
            self.update()

    def text(self) -> str:
        """Return the chip's word."""
        return self._chip.text if self._chip else ""

    def sizeHint(self) -> QSize:
        if self._chip is None:
            return QSize(0, HEIGHT_PX)
        return QSize(chip_width(self._chip, self.font()), HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._chip is None:
            return
        painter = QPainter(self)
        draw_chip(painter, self.rect(), self._chip, self._theme, self.font())
        painter.end()
