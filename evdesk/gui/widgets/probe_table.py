"""What a device says when it is read once."""

from PySide6.QtWidgets import QWidget

from evdesk.gui import finding_texts, texts
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.parts import column
from evdesk.gui.widgets.session_panel import words
from evdesk.gui.widgets.table import RowsTable
from evdesk.ports import Mark, ProbedValue


class ProbeTable(QWidget):
    """Every value with what can be said of it, its address, its raw words, or why there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        columns: list[Column[ProbedValue]] = [
            Column(self.tr("Value"), _name, width=170),
            Column(self.tr("Reading"), _reading, numeric=True, width=136),
            Column(self.tr("Plausible"), lambda v: finding_texts.mark_look(v.mark)[0],
                   chips=_chips, width=124),
            Column(self.tr("Address"), lambda v: f"0x{v.address:04X}",
                   sort_key=lambda v: v.address, width=80),
            Column(self.tr("Raw words"), lambda v: words(v.raw.replace(" ", "")), width=98),
            Column(self.tr("Remark"), _remark, tooltip=_remark, width=0),
        ]  # fmt: skip
        self.model: RowsModel[ProbedValue] = RowsModel(columns, lambda v: (v.name, v.address), self)
        self.table: RowsTable[ProbedValue] = RowsTable(self.model, theme)
        self.table.setProperty("inset", "true")
        self.table.setAccessibleName(self.tr("Values of the device"))
        self.table.verticalHeader().setDefaultSectionSize(30)
        self.table.horizontalHeader().setSortIndicatorShown(False)
        self.table.sorted.sort(-1)  # in the order of the device
        self.setLayout(column(self.table))

    def show_values(self, values: tuple[ProbedValue, ...]) -> None:
        """Show what was read."""
        self.model.replace(values)


def _name(of: ProbedValue) -> str:
    return of.name.replace("_", " ")


def _reading(of: ProbedValue) -> str:
    if of.value is None:
        return texts.NONE
    if of.unit == "Wh" and of.value.isdecimal():  # as displays show it
        return f"{texts.kwh(int(of.value))} kWh"
    return f"{of.value} {of.unit}".strip()


def _chips(of: ProbedValue) -> list[Chip]:
    return [] if of.mark is Mark.OPEN else [Chip(*finding_texts.mark_look(of.mark))]


def _remark(of: ProbedValue) -> str:
    return "" if of.remark is None else texts.remark(of.remark)
