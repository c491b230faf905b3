"""A calm table: whole rows, hairlines, chips for states, the same selection after a refresh."""

import math
from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from evdesk.gui.models.rows import CHIPS_ROLE, ROW_ROLE, Chip, Column, RowsModel, SortedRows
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.chip import chip_width, draw_chip

T = TypeVar("T")
ROW_PX, CHIP_GAP_PX, PAD_PX = 40, 6, 12
REST_PX = 108  # of a last column that takes the rest, at least


class Cells(QStyledItemDelegate):
    """Draws chips where a column has them, else text without the dotted focus."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        shown = QStyleOptionViewItem(option)
        shown.state &= ~QStyle.StateFlag.State_HasFocus
        chips: Sequence[Chip] | None = index.data(CHIPS_ROLE)
        if chips is None:
            super().paint(painter, shown, index)
            return
        self.initStyleOption(shown, index)
        shown.text = ""
        widget: QWidget = shown.widget
        widget.style().drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, widget)
        place = shown.rect.adjusted(PAD_PX, 0, -4, 0)
        for chip in chips:
            width = min(chip_width(chip, widget.font()), place.width())
            if width < 24:
                break
            box = place.adjusted(0, 0, 0, 0)
            box.setWidth(width)
            draw_chip(painter, box, chip, self._theme, widget.font())
            place.setLeft(place.left() + width + CHIP_GAP_PX)


class RowsTable(QTableView, Generic[T]):
    """Shows a RowsModel, sorted and searched; ``picked`` tells that other rows are selected."""

    picked = Signal()
    opened = Signal()

    def __init__(
        self,
        model: RowsModel[T],
        theme: Theme,
        sort: tuple[int, Qt.SortOrder] = (0, Qt.SortOrder.AscendingOrder),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.rows_model = model
        self.sorted = SortedRows(model, self)
        self._kept: set[Hashable] = set()
        self._is_sharing = self._is_dragged = False
        self.setModel(self.sorted)
        self.setItemDelegate(Cells(theme, self))
        self._arrange()
        self.sortByColumn(*sort)
        model.modelAboutToBeReset.connect(self._keep_selection)
        model.modelReset.connect(self._restore_selection)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.doubleClicked.connect(self._on_opened)

    def _arrange(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setSortingEnabled(True)
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setCornerButtonEnabled(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setMinimumSectionSize(48)
        header.setFixedHeight(38)
        header.setStretchLastSection(not self.rows_model.columns[-1].width)
        self._share_width()
        header.sectionHandleDoubleClicked.connect(self._on_dragged)
        header.sectionResized.connect(self._on_dragged)

    def selected(self) -> list[T]:
        """Return the selected rows in the order of the screen."""
        indexes = sorted(self.selectionModel().selectedRows(), key=QModelIndex.row)
        return [index.data(ROW_ROLE) for index in indexes]

    def shown(self) -> list[T]:
        """Return what is left after searching, in the order of the screen."""
        first = (self.sorted.index(number, 0) for number in range(self.sorted.rowCount()))
        return [index.data(ROW_ROLE) for index in first]

    def select_key(self, key: Hashable) -> None:
        """Select the row of this key, if it is shown."""
        self._kept = {key}
        self._restore_selection()

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
        widths = shared_widths(self.rows_model.columns, self.viewport().width())
        for number, width in enumerate(widths):
            self.setColumnHidden(number, not width)
            if width:
                self.setColumnWidth(number, width)
        self._is_sharing = False

    def _on_dragged(self, *_: int) -> None:
        by_hand = bool(QGuiApplication.mouseButtons()) and not self._is_sharing
        self._is_dragged = self._is_dragged or by_hand

    def _keep_selection(self) -> None:
        model = self.rows_model
        self._kept = {
            model.key_of(self.sorted.mapToSource(index).row())
            for index in self.selectionModel().selectedRows()
        }

    def _restore_selection(self) -> None:
        model, chosen = self.rows_model, self.selectionModel()
        flags = chosen.SelectionFlag.Select | chosen.SelectionFlag.Rows
        for number in range(model.rowCount()):
            if model.key_of(number) in self._kept:
                index = self.sorted.mapFromSource(model.index(number, 0))
                if index.isValid():
                    chosen.setCurrentIndex(index, flags)
        self._kept = set()
        self.picked.emit()

    def _on_selection(self, *_: Any) -> None:
        self.picked.emit()

    def _on_opened(self, *_: Any) -> None:
        self.opened.emit()


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
