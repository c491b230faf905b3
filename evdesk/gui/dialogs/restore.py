"""Coming back to a backup, step by step; no window of the site is open meanwhile."""

import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

from PySide6.QtCore import QTimeZone, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QProgressBar, QStackedWidget, QWidget

from evdesk.domain.errors import EvdeskError
from evdesk.domain.secrets import Secret
from evdesk.gui import restore_texts
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Tasks
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.backup_work import attending
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.folder_field import PathField
from evdesk.gui.widgets.parts import column, label, paragraph, restyle
from evdesk.gui.widgets.step_list import StepList
from evdesk.gui.work import Stopped, Tell, Work
from evdesk.ports import OLDER_KEY, Restorable, Restored
from evdesk.services.restoring import (
    NO_LEDGER,
    NO_NUMBERS,
    NO_PERSONS,
    RestoreService,
    RestoreWish,
)

STEPS = 1_000
CHOOSE, AGREE, DONE = range(3)
NUMBER = re.compile(r"(.+)-([0-9]{1,9})")


class RestoreDialog(FormDialog):
    """Choose and check, agree, done; ``restored`` tells that the site can be opened again."""

    restored = Signal()

    def __init__(
        self,
        restores: RestoreService,
        folder: Path,
        tasks: Tasks,
        theme: Theme,
        file: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._restores, self._folder = restores, folder
        self._zone = _this_zone()
        self._work = Work(tasks, self)
        self.setWindowIcon(theme.icon("evdesk"))
        self.steps = StepList((self.tr("Check"), self.tr("Agree"), self.tr("Done")))
        self.file = PathField(
            self.tr("Backup"), kinds=self.tr("Backups (evdesk-*.zip);;All files (*)")
        )
        self.file.set_text(file)
        self.password, self.then = text_field(), text_field()
        self.last_invoice = text_field("2026-00017")
        for secret in (self.password, self.then):
            secret.setEchoMode(QLineEdit.EchoMode.Password)
        self.none_issued = QCheckBox(self.tr("No invoice was issued since the backup was made"))
        self.no_persons = QCheckBox(self.tr("Go on although nobody will know who the drivers are"))
        self.no_ledger = QCheckBox(self.tr("Go on although what was erased comes back"))
        self.words, self.outcome = paragraph("", ""), paragraph("", "")
        self._doubts = {
            self.no_persons: NO_PERSONS, self.no_ledger: NO_LEDGER, self.none_issued: NO_NUMBERS
        }  # fmt: skip
        self.agree = QCheckBox(self.tr("Yes, put the backup in the place of the site"))
        self.doing, self.bar = label("", "muted"), QProgressBar()
        self.pages = QStackedWidget()
        self._arrange()
        self._connect()
        self._show_step(CHOOSE)
        (self.password if file else self.file).setFocus()

    def _arrange(self) -> None:
        fields = form()
        add_field(fields, self.tr("Backup"), self.file)
        add_field(
            fields, self.tr("Password"), self.password,
            self.tr("An owner's of today where the site is here still, otherwise of when the "
                    "backup was made; the recovery code does, too."),
        )  # fmt: skip
        add_field(
            fields, self.tr("Password of then"), self.then,
            self.tr("One of when the backup was made: the data key was renewed since."),
        )  # fmt: skip
        fields.setRowVisible(self.then, False)
        self.fields = fields
        add_field(
            fields, self.tr("Last invoice"), self.last_invoice,
            self.tr("Only where the present site is lost: the number of the last invoice that was "
                    "sent, so that it is not given away twice."),
        )  # fmt: skip
        first = QWidget()
        first.setLayout(column(fields, *self._doubts, 0))
        second = QWidget()
        second.setLayout(column(self.words, self.agree, 0, gap=14))
        third = QWidget()
        third.setLayout(column(self.outcome, 0))
        for page in (first, second, third):
            self.pages.addWidget(page)
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How much is done"))
        for part in (*self._doubts, self.doing, self.bar):
            part.hide()
        self.form.insertWidget(0, self.steps)
        self.form.addWidget(self.pages, 1)
        self.form.addWidget(self.doing)
        self.form.addWidget(self.bar)
        self.setMinimumSize(640, 470)

    def _connect(self) -> None:
        self._work.progressed.connect(self._on_progress)
        self._work.changed.connect(self._on_running)
        self.agree.toggled.connect(self._on_agreed)

    def _show_step(self, step: int) -> None:
        self.pages.setCurrentIndex(step)
        self.steps.show_step(step)
        heading, text, accept = (
            (
                self.tr("Restore a backup"),
                self.tr("First the backup is restored beside the site and checked whole. Nothing "
                        "is changed by that."),
                self.tr("Check the backup"),
            ),
            (self.tr("This is what it would do"), "", self.tr("Restore")),
            (self.tr("The site is restored"), "", self.tr("Open the site")),
        )[step]  # fmt: skip
        self.describe(heading, text, accept)
        self.ok.setProperty("kind", "danger" if step == AGREE else "primary")
        restyle(self.ok)
        self.ok.updateGeometry()
        self.ok.setEnabled(step != AGREE or self.agree.isChecked())
        self.cancel.setVisible(step != DONE)

    # -- what can be done -----------------------------------------------------------------------

    def submit(self) -> None:
        step = self.pages.currentIndex()
        if step == DONE:
            self.restored.emit()
            self.accept()
            return
        wish = self._wish()
        if isinstance(wish, str):
            self.complain(wish)
            return
        self.wait(True, self.tr("Checking …") if step == CHOOSE else self.tr("Restoring …"))
        if step == CHOOSE:
            restores = self._restores
            self._work.run(
                lambda tell: restores.look(wish, attending(tell)), self._on_looked, self._on_failed
            )
        else:
            self._work.run(lambda tell: self._carry_out(wish, tell), self._on_done, self._on_failed)

    def reject(self) -> None:
        if self._work.runs:
            self._work.stop()
        elif self.pages.currentIndex() != DONE:
            super().reject()

    def _wish(self) -> RestoreWish | str:
        """Return what is asked for, or what has to be put right."""
        file, password, then = self.file.text(), self.password.text(), self.then.text()
        number = self.last_invoice.text().strip()
        found = NUMBER.fullmatch(number)
        mark_wrong(self.file.line, not file)
        mark_wrong(self.password, not password)
        mark_wrong(self.last_invoice, bool(number) and found is None)
        if not file:
            return self.tr("Choose the backup.")
        if not password:
            return self.tr("Type a password of an owner.")
        if number and found is None:
            return self.tr("Write the number as it is on the invoice, like 2026-00017.")
        return RestoreWish(
            file=Path(file).expanduser(),
            folder=self._folder,
            password=Secret(password.encode()),
            last_invoices={} if found is None else {found[1]: int(found[2])},
            without_persons=self.no_persons.isChecked(),
            without_ledger=self.no_ledger.isChecked(),
            none_issued=self.none_issued.isChecked(),
            backup_password=Secret(then.encode()) if then else None,
        )

    def _carry_out(self, wish: RestoreWish, tell: Tell) -> Restored:
        """In the worker: the person has agreed to what was shown."""
        return self._restores.restore(wish, lambda _about: None, attending(tell))

    def _on_looked(self, about: Restorable) -> None:
        self.words.setText("\n\n".join(restore_texts.question(about, self._zone)))
        self.agree.setVisible(about.replaces)
        self.agree.setChecked(not about.replaces)
        self._show_step(AGREE)

    def _on_agreed(self, agreed: bool) -> None:
        self.ok.setEnabled(agreed or self.pages.currentIndex() != AGREE)

    def _on_done(self, done: Restored) -> None:
        is_old = self._restores.are_old(done.persons_at)
        self.outcome.setText("\n\n".join(restore_texts.done(done, self._zone, is_old=is_old)))
        for secret in (self.password, self.then):
            secret.clear()
        self._show_step(DONE)

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, Stopped):
            self.wait(False)
            self._show_step(self.pages.currentIndex())
            return
        template = error.template if isinstance(error, EvdeskError) else ""
        for box, doubt in self._doubts.items():
            box.setVisible(box.isVisible() or template == doubt)
        if template == OLDER_KEY:
            self.fields.setRowVisible(self.then, True)
        self._show_step(CHOOSE)
        self.complain(error)

    def _on_progress(self, words: str, share: float) -> None:
        self.doing.setText(words)
        self.bar.setValue(round(share * STEPS))

    def _on_running(self, runs: bool) -> None:
        self.doing.setText("")
        self.bar.setValue(0)
        for part in (self.doing, self.bar):
            part.setVisible(runs)
        self.pages.setEnabled(not runs)
        self.cancel.setText(self.tr("Stop") if runs else self.tr("Cancel"))


def _this_zone() -> ZoneInfo:
    name = bytes(QTimeZone.systemTimeZoneId().data()).decode("ascii", "replace")
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return ZoneInfo(str(UTC))
