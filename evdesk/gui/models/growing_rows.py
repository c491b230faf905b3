"""Rows that come page by page, as far as somebody scrolls."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from PySide6.QtCore import QObject, Signal

from evdesk.gui.models.rows import NOWHERE, Column, Index, RowsModel

T = TypeVar("T")


class GrowingRows(RowsModel[T]):
    """``more_wanted`` asks for the rows that follow; ``append`` brings them."""

    more_wanted = Signal()

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], Hashable],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(columns, key, parent)
        self._ends = True

    def begin(self, rows: Sequence[T], *, ends: bool) -> None:
        """Show these and nothing else; ``ends``: nothing follows them."""
        self.beginResetModel()
        self._rows, self._ends = tuple(rows), ends
        self.endResetModel()

    def append(self, rows: Sequence[T], *, ends: bool) -> None:
        """Show these below what is there."""
        self._ends = ends
        if not rows:
            return
        first = len(self._rows)
        self.beginInsertRows(NOWHERE, first, first + len(rows) - 1)
        self._rows += tuple(rows)
        self.endInsertRows()

    def prepend(self, rows: Sequence[T]) -> None:
        """Show these above what is there."""
        if not rows:
            return
        self.beginInsertRows(NOWHERE, 0, len(rows) - 1)
        self._rows = tuple(rows) + self._rows
        self.endInsertRows()

    def canFetchMore(self, parent: Index) -> bool:
        return not parent.isValid() and not self._ends

    def fetchMore(self, parent: Index) -> None:
        if not self._ends:
            self.more_wanted.emit()
