"""Names and values of curves: a legend that is read like a table."""

from collections.abc import Hashable, Mapping, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from evdesk.gui.theme import Theme
from evdesk.gui.widgets.chart import Series
from evdesk.gui.widgets.parts import ElidedLabel, column

KEY_ROLE = Qt.ItemDataRole.UserRole
SERIES_ROLE = Qt.ItemDataRole.UserRole + 1
VALUE_ROLE = Qt.ItemDataRole.UserRole + 2
ROW_PX, SAMPLE_PX = 28, 18


class LegendRow(QStyledItemDelegate):
    """Draws a sample of the line, the name and the value."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, ROW_PX)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        palette = self._theme.palette
        place: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(place, QColor(palette.accent_soft))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(place, QColor(palette.raised))
        series: Series = index.data(SERIES_ROLE)
        pen = QPen(QColor(series.colour), 3)
        if series.dash_px:
            pen.setDashPattern([series.dash_px / 3, series.dash_px / 3])
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        painter.setPen(pen)
        left, middle = place.left() + 12, place.center().y() + 1
        painter.drawLine(QPoint(left, middle), QPoint(left + SAMPLE_PX, middle))
        painter.setPen(QColor(palette.text))
        value = str(index.data(VALUE_ROLE) or "")
        metrics = painter.fontMetrics()
        right = place.right() - 12 - metrics.horizontalAdvance(value)
        painter.drawText(
            QRect(right, place.top(), place.right() - 12 - right + 1, place.height()),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight,
            value,
        )
        name = QRect(left + SAMPLE_PX + 8, place.top(), right - left - SAMPLE_PX - 16, ROW_PX)
        text = metrics.elidedText(index.data(), Qt.TextElideMode.ElideRight, name.width())
        painter.drawText(name, Qt.AlignmentFlag.AlignVCenter, text)
        painter.restore()


class LegendList(QListView):
    """A list in which Return and Space do what a click does."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self.clicked.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


class Legend(QWidget):
    """One row per curve; choosing a row shows that curve alone, choosing it again shows all."""

    chosen = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = ElidedLabel(role="small")
        self._model = QStandardItemModel(self)
        self._list = LegendList()
        self._list.setModel(self._model)
        self._list.setItemDelegate(LegendRow(theme, self._list))
        self._list.setUniformItemSizes(True)
        self._list.setMouseTracking(True)
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self._list.setStyleSheet("QListView { border: none; background: transparent; }")
        self._list.setAccessibleName(self.tr("Curves"))
        self._list.clicked.connect(self._on_clicked)
        box = column(self._title, self._list, gap=6)
        self._title.setContentsMargins(12, 0, 12, 0)
        self.setLayout(box)
        self.setFixedWidth(216)

    def set_rows(self, rows: Sequence[tuple[Series, str]]) -> None:
        """Show these curves with their names."""
        same = [(s.key, name) for s, name in rows] == [
            (self._item(n).data(KEY_ROLE), self._item(n).text())
            for n in range(self._model.rowCount())
        ]
        if not same:
            self._model.clear()
            for series, name in rows:
                item = QStandardItem(name)
                item.setEditable(False)
                item.setData(series.key, KEY_ROLE)
                self._model.appendRow(item)
        for number, (series, _) in enumerate(rows):
            self._item(number).setData(series, SERIES_ROLE)

    def set_values(self, title: str, values: Mapping[Hashable, str]) -> None:
        """Show what is read off at one instant."""
        self._title.set_text(title)
        for number in range(self._model.rowCount()):
            item = self._item(number)
            value = values.get(item.data(KEY_ROLE), "")
            if item.data(VALUE_ROLE) != value:
                item.setData(value, VALUE_ROLE)

    def values(self) -> dict[str, str]:
        """Return names with the values shown."""
        items = [self._item(number) for number in range(self._model.rowCount())]
        return {item.text(): str(item.data(VALUE_ROLE) or "") for item in items}

    def mark(self, key: Hashable | None) -> None:
        """Mark the curve that is shown alone."""
        self._list.clearSelection()
        for number in range(self._model.rowCount()):
            if key is not None and self._item(number).data(KEY_ROLE) == key:
                self._list.setCurrentIndex(self._model.index(number, 0))

    def _item(self, number: int) -> QStandardItem:
        return self._model.item(number)

    def _on_clicked(self, index: QModelIndex) -> None:
        self.chosen.emit(index.data(KEY_ROLE))
