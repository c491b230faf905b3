"""Says on every page that the log is not the one that was anchored, and what that means."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QWidget

from evdesk.domain.notes import Rollback
from evdesk.domain.permissions import Action
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.explain_rollback import ExplainRollback
from evdesk.gui.pulse import Snapshot
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import button, column


class RollbackBanner(QFrame):
    """Takes no room while all is well; an owner may say why, and go on. ``told`` says so."""

    told = Signal(str)
    failed = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._rollback: Rollback | None = None
        self._asking = False
        self.banner = Banner(context.theme)
        self.explain = button(self.tr("Explain …"), self.ask_reason)
        context.rights.guard(self.explain, Action.EXPLAIN_ROLLBACK)
        self.banner.box.addWidget(self.explain)
        box = column(self.banner)
        box.setContentsMargins(24, 12, 24, 0)
        self.setLayout(box)
        self.dialog: ExplainRollback | None = None
        self.hide()
        context.pulse.beat.connect(self._on_beat)

    def _on_beat(self, _: Snapshot) -> None:
        audit = self._context.desk.audit
        if self._asking:
            return
        self._asking = True
        self._context.tasks.run(audit.rollback, self.show_rollback, self._on_failed)

    def _on_failed(self, error: Exception) -> None:
        self._asking = False
        self.failed.emit(error)

    def show_rollback(self, rollback: Rollback | None) -> None:
        """Say what is wrong, or nothing."""
        self._asking = False
        if rollback == self._rollback:
            return
        self._rollback = rollback
        self.setVisible(rollback is not None)
        if rollback is not None:
            self.banner.tell(self._words(rollback), Tone.DANGER)

    def _words(self, told: Rollback) -> str:
        rest = self.tr(
            "Nothing can be changed until an owner says why; meters are read and recorded all the "
            "same."
        )
        if told.found is None:
            return self.tr(
                "The audit log is not whole: entries are missing or damaged. Nothing can be "
                "changed; meters are read and recorded all the same. See the Audit log, keep a "
                "copy of the folder, and restore the newest backup."
            )
        if told.anchored is None:
            what = self.tr(
                "The file anchor.json of this site is missing or damaged: nobody can tell whether "
                "the audit log is all there was. Put the file back, or compare with a head on "
                "paper (Audit log, Compare)."
            )
            return f"{what} {rest}"
        known, here = texts.number(told.anchored.size, 0), texts.number(told.found.size, 0)
        if told.found.size < told.anchored.size:
            what = self.tr(
                "The audit log is shorter than it was: this PC knew {known} entries, {here} are "
                "here. An older copy of the site was put back, or entries were taken away."
            )
        else:
            what = self.tr(
                "The audit log is another one than before: of the {known} entries this PC knew, "
                "not all are the same. The site was exchanged, or entries were altered."
            )
        return f"{what.format(known=known, here=here)} {rest}"

    def ask_reason(self) -> None:
        """Ask an owner why."""
        if self._rollback is None:
            return
        self.dialog = ExplainRollback(self._context, self._rollback, self)
        self.dialog.explained.connect(self._on_explained)
        self.dialog.open()

    def _on_explained(self) -> None:
        self.show_rollback(None)
        self.told.emit(self.tr("Explained and signed. The site can be changed again."))
        self._context.pulse.hurry()
