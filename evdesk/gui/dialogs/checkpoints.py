"""Signed heads of the audit log, to be read, copied and written down."""

from collections.abc import Sequence

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.widgets.parts import button, label
from evdesk.gui.widgets.table import RowsTable
from evdesk.ports import KeptCheckpoint

SHOWN = 500


class Checkpoints(FormDialog):
    """Lists the newest checkpoints; the one that is selected is shown as it was signed."""

    def __init__(
        self, context: Context, found: Sequence[KeptCheckpoint], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Checkpoints"),
            self.tr("Each signs how many entries the log had, and what they were. A head that is "
                    "kept elsewhere, on paper or in a mail, shows later that nothing before it "
                    "was changed."),
            self.tr("Close"),
        )  # fmt: skip
        self.model: RowsModel[KeptCheckpoint] = RowsModel(
            self._columns(context), lambda c: c.note, self
        )
        self.table: RowsTable[KeptCheckpoint] = RowsTable(self.model, context.theme)
        self.table.sortByColumn(
            1, self.table.horizontalHeader().sortIndicatorOrder().DescendingOrder
        )
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Checkpoints"))
        self.table.setMinimumHeight(220)
        self.note = QPlainTextEdit()
        self.note.setReadOnly(True)
        self.note.setFixedHeight(150)
        self.note.setTabChangesFocus(True)
        self.note.setAccessibleName(self.tr("The checkpoint as it was signed"))
        self.none = label(self.tr("Nothing is signed yet."), "muted")
        self.copy_head = button(self.tr("Copy head"), self._on_copy_head)
        self.copy_note = button(self.tr("Copy checkpoint"), self._on_copy_note)
        self.told = label("", "small")
        self.form.addWidget(self.table, 1)
        self.form.addWidget(self.none)
        self.form.addWidget(self.note)
        self.foot.insertWidget(0, self.copy_head)
        self.foot.insertWidget(1, self.copy_note)
        self.foot.insertWidget(2, self.told)
        self.cancel.hide()
        self.setMinimumSize(680, 560)
        self.table.picked.connect(self._on_picked)
        self.model.replace(tuple(found)[:SHOWN])
        for part in (self.table, self.note, self.copy_head, self.copy_note):
            part.setVisible(bool(found))
        self.none.setVisible(not found)
        self.table.selectRow(0)
        self.table.setFocus()

    def _columns(self, context: Context) -> list[Column[KeptCheckpoint]]:
        zone = context.zone
        return [
            Column(self.tr("Signed"), lambda c: texts.stamp(c.at, zone), width=170,
                   sort_key=lambda c: c.at),
            Column(self.tr("Entries"), lambda c: texts.number(c.head.size, 0), width=130,
                   numeric=True, sort_key=lambda c: c.head.size),
            Column(self.tr("Head"), lambda c: str(c.head), width=0),
        ]  # fmt: skip

    def _on_picked(self) -> None:
        chosen = self.table.selected()
        self.note.setPlainText(chosen[0].note if chosen else "")
        for part in (self.copy_head, self.copy_note):
            part.setEnabled(bool(chosen))

    def _on_copy_head(self) -> None:
        self._copy(str(self.table.selected()[0].head))

    def _on_copy_note(self) -> None:
        self._copy(self.table.selected()[0].note)

    def _copy(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.told.setText(self.tr("Copied."))
