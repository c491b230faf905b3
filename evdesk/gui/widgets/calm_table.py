"""What all tables look like: whole rows, hairlines, chips for states, columns that share width."""

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from evdesk.gui.models.rows import CHIPS_ROLE, Chip, Column
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.chip import chip_width, draw_chip

ROW_PX, CHIP_GAP_PX, PAD_PX, LEAST_CHIP_PX = 40, 6, 12, 24
REST_PX = 108  # of a last column that takes the rest, at least


class Cells(QStyledItemDelegate):
    """Draws chips where a column has them, else text.

    The style sheet's own cells are not used: they take twice the time of all the rest.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        rect, colours = option.rect, self._theme.palette
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(colours.accent_soft))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, QColor(colours.raised))
        painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, QColor(colours.border))
        chips: Sequence[Chip] | None = index.data(CHIPS_ROLE)
        if chips is None:
            self._text(painter, option, index)
        else:
            self._chips(painter, option, chips)

    def _text(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        text = index.data()
        if not text:
            return
        place = option.rect.adjusted(PAD_PX, 0, -PAD_PX, -1)
        if option.fontMetrics.horizontalAdvance(text) > place.width():
            text = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, place.width())
        painter.setFont(option.font)
        painter.setPen(QColor(self._theme.palette.text))
        painter.drawText(place, index.data(Qt.ItemDataRole.TextAlignmentRole), text)

    def _chips(
        self, painter: QPainter, option: QStyleOptionViewItem, chips: Sequence[Chip]
    ) -> None:
        place = option.rect.adjusted(PAD_PX, 0, -4, 0)
        for chip in chips:
            width = min(chip_width(chip, option.font), place.width())
            if width < LEAST_CHIP_PX:
                break
            box = place.adjusted(0, 0, 0, 0)
            box.setWidth(width)
            draw_chip(painter, box, chip, self._theme, option.font)
            place.setLeft(place.left() + width + CHIP_GAP_PX)


class CalmTable(QTableView):
    """A table of columns as they are described; once somebody drags one, widths stay."""

    def __init__(
        self,
        columns: Sequence[Column[Any]],
        model: QAbstractItemModel,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._columns = tuple(columns)
        self._is_sharing = self._is_dragged = False
        self.setModel(model)
        self.setItemDelegate(Cells(theme, self))
        self._arrange()

    def _arrange(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(48)
        header.setFixedHeight(38)
        header.setStretchLastSection(not self._columns[-1].width)
        self._share_width()
        header.sectionHandleDoubleClicked.connect(self._on_dragged)
        header.sectionResized.connect(self._on_dragged)

    def sizeHint(self) -> QSize:
        return QSize(640, 320)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._share_width()

    def _share_width(self) -> None:
        """Give columns their widths; once somebody has dragged one, they stay as they are."""
        if self._is_sharing or self._is_dragged:
            return
        self._is_sharing = True
        widths = shared_widths(self._columns, self.viewport().width())
        for number, width in enumerate(widths):
            self.setColumnHidden(number, not width)
            if width:
                self.setColumnWidth(number, width)
        self._is_sharing = False

    def _on_dragged(self, *_: int) -> None:
        by_hand = bool(QGuiApplication.mouseButtons()) and not self._is_sharing
        self._is_dragged = self._is_dragged or by_hand


def shared_widths(columns: Sequence[Column[Any]], room_px: int) -> list[int]:
    """Return a width for each column, 0 for one that is left out; texts take what is to spare."""
    wanted = [column.width or REST_PX for column in columns]
    least = [column.least or width for column, width in zip(columns, wanted, strict=True)]
    spare = [number for number, column in enumerate(columns) if column.spare]
    for number in sorted(spare, key=lambda n: -columns[n].spare):
        if sum(least) > room_px:
            wanted[number] = least[number] = 0
    over_px = room_px - sum(wanted)
    if over_px < 0:
        return _cut(wanted, least, -over_px)
    elastic = [number for number, column in enumerate(columns) if column.least and wanted[number]]
    for number in elastic:
        wanted[number] += over_px // (len(elastic) + 1)  # the rest is for the last column
    return wanted


def _cut(wanted: Sequence[int], least: Sequence[int], short_px: int) -> list[int]:
    give = [width - low for width, low in zip(wanted, least, strict=True)]
    share = min(short_px / sum(give), 1.0) if sum(give) else 0.0
    return [width - math.ceil(one * share) for width, one in zip(wanted, give, strict=True)]
