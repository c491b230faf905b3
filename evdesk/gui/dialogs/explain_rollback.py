"""Saying why the audit log is not the one that was anchored."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.notes import Rollback
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import label, paragraph, selectable


class ExplainRollback(FormDialog):
    """``explained`` tells that the site can be changed again."""

    explained = Signal()

    def __init__(self, context: Context, told: Rollback, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.describe(
            self.tr("Why is the log another one?"),
            self.tr("Say it only if you know it: for example, you put back a copy of the folder "
                    "after the disk failed. Both heads and your reason are written in the log and "
                    "stay there; whoever checks sees that entries are missing, and why."),
            self.tr("Write it in the log"),
        )  # fmt: skip
        heads = form()
        for caption, head in (
            (self.tr("Known before"), told.anchored), (self.tr("Here now"), told.found),
        ):  # fmt: skip
            shown = selectable(str(head or self.tr("unknown")))
            heads.addRow(label(caption, "muted"), shown)
        self.reason = text_field(self.tr("Such as: disk failed, folder copied back from Sunday"))
        fields = form()
        add_field(fields, self.tr("Reason"), self.reason)
        self.form.addLayout(heads)
        self.form.addLayout(fields)
        self.form.addWidget(
            paragraph(
                self.tr("If you do not know why, change nothing: keep a copy of the folder as it "
                        "is, and restore the newest backup instead."),
                "",
            )
        )  # fmt: skip
        self.setMinimumWidth(640)
        self.reason.setFocus()

    def submit(self) -> None:
        reason, audit = self.reason.text().strip(), self._context.desk.audit
        mark_wrong(self.reason, not reason)
        if not reason:
            self.complain(self.tr("Say why: a reason of some words is kept with your name."))
            self.reason.setFocus()
            return
        self.wait(True, self.tr("Writing …"))
        self._context.tasks.run(
            lambda: audit.explain_rollback(reason), self._on_done, self.complain, Lane.OUTSIDE
        )

    def _on_done(self, _: object) -> None:
        self.explained.emit()
        self.accept()
