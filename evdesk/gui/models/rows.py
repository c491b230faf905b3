"""Frozen rows as a Qt table model, described column by column."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from evdesk.gui.theme import Tone

T = TypeVar("T")
Index = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()

SORT_ROLE = Qt.ItemDataRole.UserRole
ROW_ROLE = Qt.ItemDataRole.UserRole + 1
CHIPS_ROLE = Qt.ItemDataRole.UserRole + 2


@dataclass(frozen=True, slots=True)
class Chip:
    """A short word on a coloured ground, with an icon where it is a state."""

    text: str
    tone: Tone
    icon: str | None = None


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One column: what a row shows there, and what it is sorted by where that is not its text.

    ``chips`` replaces the text by chips. ``width`` is in pixels; 0, for the last, is the rest.
    Where a table is narrow, texts are cut to ``least`` pixels (0: never), and then columns that are
    ``spare`` are left out, the highest number first.
    """

    title: str
    text: Callable[[T], str]
    sort_key: Callable[[T], Any] | None = None
    numeric: bool = False
    tooltip: Callable[[T], str] | None = None
    chips: Callable[[T], Sequence[Chip]] | None = None
    width: int = 120
    least: int = 0
    spare: int = 0


class RowsModel(QAbstractTableModel, Generic[T]):
    """Shows a tuple of rows; ``key`` says which row is the same after a refresh."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], Hashable],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self._key = key
        self._rows: tuple[T, ...] = ()

    def rows(self) -> tuple[T, ...]:
        """Return what is shown, unsorted."""
        return self._rows

    def key_of(self, row: int) -> Hashable:
        """Return what identifies a row."""
        return self._key(self._rows[row])

    def replace(self, rows: Sequence[T]) -> None:
        """Show other rows; where they are the same ones, only what changed is drawn anew."""
        new = tuple(rows)
        if new == self._rows:
            return
        if [self._key(row) for row in new] != [self._key(row) for row in self._rows]:
            self.beginResetModel()
            self._rows = new
            self.endResetModel()
            return
        old, self._rows = self._rows, new
        last = len(self.columns) - 1
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            if before != after:
                self.dataChanged.emit(self.index(number, 0), self.index(number, last))

    def rowCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        column, row = self.columns[index.column()], self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return column.text(row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.ToolTipRole:
                return column.tooltip(row) if column.tooltip else None
            case _:
                return self._ours(column, row, role)

    def _ours(self, column: Column[T], row: T, role: int) -> Any:
        if role == SORT_ROLE:
            return column.sort_key(row) if column.sort_key else column.text(row).casefold()
        if role == ROW_ROLE:
            return row
        if role == CHIPS_ROLE:
            return tuple(column.chips(row)) if column.chips else None
        return None


class SortedRows(QSortFilterProxyModel):
    """Sorts by the columns' keys (None last) and keeps rows in which every searched word occurs."""

    def __init__(self, model: RowsModel[Any], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()
        self._wanted: Callable[[Any], bool] | None = None
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)

    def search(self, text: str) -> None:
        """Keep rows in which every word occurs somewhere."""
        self.beginFilterChange()
        self._words = tuple(text.casefold().split())
        self.endFilterChange()

    def keep(self, wanted: Callable[[Any], bool] | None) -> None:
        """Keep rows for which this holds."""
        self.beginFilterChange()
        self._wanted = wanted
        self.endFilterChange()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        model = self.sourceModel()
        first = model.index(source_row, 0)
        if self._wanted is not None and not self._wanted(first.data(ROW_ROLE)):
            return False
        if not self._words:
            return True
        cells = (model.index(source_row, n).data() for n in range(model.columnCount()))
        text = " ".join(str(cell) for cell in cells).casefold()
        return all(word in text for word in self._words)

    def lessThan(self, left: Index, right: Index) -> bool:
        one, other = left.data(SORT_ROLE), right.data(SORT_ROLE)
        if one is None or other is None:
            ascending = self.sortOrder() is Qt.SortOrder.AscendingOrder
            missing = other if ascending else one  # which of the two may be None to be told apart
            return missing is None and one is not other
        return bool(one < other)


def _alignment(column: Column[Any]) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column.numeric else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
