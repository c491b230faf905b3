"""A calm table: whole rows, hairlines, chips for states, the same selection after a refresh."""

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtWidgets import QWidget

from evdesk.gui.models.rows import ROW_ROLE, RowsModel, SortedRows
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.calm_table import CalmTable

T = TypeVar("T")


class RowsTable(CalmTable, Generic[T]):
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
        self.rows_model = model
        self.sorted = SortedRows(model)
        self._kept: set[Hashable] = set()
        super().__init__(model.columns, self.sorted, theme, parent)
        self.sorted.setParent(self)
        self.setSortingEnabled(True)
        self.sortByColumn(*sort)
        model.modelAboutToBeReset.connect(self._keep_selection)
        model.modelReset.connect(self._restore_selection)
        self.selectionModel().selectionChanged.connect(self._on_selection)
        self.doubleClicked.connect(self._on_opened)

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
