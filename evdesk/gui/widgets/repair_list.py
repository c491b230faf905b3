"""How long repairs take, per device."""

from collections.abc import Sequence
from datetime import timedelta

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from evdesk.gui import fault_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.widgets.parts import column, label
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.faults import Repair


class RepairList(QWidget):
    """The faults of this month that ended, added up per device."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.month = label("", "muted")
        self.model: RowsModel[Repair] = RowsModel(self._columns(), lambda r: r.device, self)
        self.table: RowsTable[Repair] = RowsTable(
            self.model, context.theme, (0, Qt.SortOrder.AscendingOrder)
        )
        self.table.setAccessibleName(self.tr("Time to repair"))
        box = column(self.month, self.table, gap=8)
        box.setContentsMargins(0, 12, 0, 0)
        box.setStretch(1, 1)
        self.setLayout(box)

    def _columns(self) -> list[Column[Repair]]:
        return [
            Column(self.tr("Device"), lambda r: r.device or self.tr("This computer"), width=240),
            Column(self.tr("Faults that ended"), lambda r: texts.number(r.faults, 0),
                   sort_key=lambda r: r.faults, numeric=True, width=150),
            Column(self.tr("Mean time to repair"), lambda r: _span(r.mean_s),
                   sort_key=lambda r: r.mean_s, numeric=True, width=170),
            Column(self.tr("Longest"), lambda r: _span(r.longest_s),
                   sort_key=lambda r: r.longest_s, numeric=True, width=130),
            Column(self.tr("All together"), lambda r: _span(r.total_s),
                   sort_key=lambda r: r.total_s, numeric=True, width=0),
        ]  # fmt: skip

    def show_repairs(self, repairs: Sequence[Repair]) -> None:
        """Show this month's repairs."""
        self.model.replace(repairs)
        month = texts.month(self._context.pulse.now(), self._context.zone)
        self.month.setText(
            self.tr("Faults that ended in {month}, from when they began.").format(month=month)
        )


def _span(seconds: int) -> str:
    return fault_texts.span(timedelta(seconds=seconds))
