"""Where a backup goes, and when backups are made by themselves."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTime, Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QTimeEdit, QWidget

from evdesk.domain.backups import Schedule, ScheduleState
from evdesk.domain.secrets import Secret
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Latest
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.fields import (
    SPIN_MARGINS,
    WholeNumber,
    add_field,
    form,
    mark_wrong,
    text_field,
)
from evdesk.gui.widgets.folder_field import PathField
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.settings import BACKUPS


class MakeBackup(FormDialog):
    """``chosen`` carries the folder."""

    chosen = Signal(object)

    def __init__(self, usual: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Make a backup now"),
            self.tr("The whole site goes into one encrypted file, while reading goes on. It opens "
                    "with the passwords and the recovery code of today. It is restored into a "
                    "scratch file at once, to prove that it is good."),
            self.tr("Make backup"),
        )  # fmt: skip
        self.folder = PathField(self.tr("Folder"), str(usual))
        self.folder.set_text(str(usual))
        fields = form()
        add_field(
            fields, self.tr("Folder"), self.folder,
            self.tr("Better on another disk: what is on this PC is lost with this PC."),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(580)

    def submit(self) -> None:
        if not self.folder.text():
            self.complain(self.tr("Choose a folder."))
            return
        self.chosen.emit(Path(self.folder.text()).expanduser())
        self.accept()


class PasswordOfThen(FormDialog):
    """``chosen`` carries a password of when a backup was made."""

    chosen = Signal(object)

    def __init__(self, changed_on: object, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        day = self.tr("before the key of the site was changed on {on}").format(on=changed_on)
        another = self.tr("under another key than the site has today")
        self.describe(
            self.tr("A password of when it was made"),
            self.tr("This backup was made {when}. A password or the recovery code of that time "
                    "opens it. Nothing is wrong with it, as far as is known.")
            .format(when=another if changed_on is None else day),
            self.tr("Verify"),
        )  # fmt: skip
        self.password = text_field()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        fields = form()
        add_field(fields, self.tr("Password of then"), self.password)
        self.form.addLayout(fields)
        self.setMinimumWidth(500)
        self.password.setFocus()

    def submit(self) -> None:
        typed = self.password.text()
        mark_wrong(self.password, not typed)
        if not typed:
            self.complain(self.tr("Type the password."))
            return
        self.password.clear()
        self.chosen.emit(Secret(typed.encode()))
        self.accept()


class BackupSchedule(FormDialog):
    """``saved`` tells that it is kept."""

    saved = Signal()

    def __init__(
        self, context: Context, schedule: Schedule, usual: Path, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context = context
        self.describe(
            self.tr("Daily backups"),
            self.tr("The collector makes one a day and restores it to prove it. Three days "
                    "without a backup, and one that failed, are faults you are told of."),
            self.tr("Save"),
        )  # fmt: skip
        self.on = QCheckBox(self.tr("Make a backup every day"))
        self.folder = PathField(self.tr("Folder"), str(usual))
        self.at = QTimeEdit()
        self.at.lineEdit().setTextMargins(*SPIN_MARGINS)
        self.at.setDisplayFormat("HH:mm")
        self.days = WholeNumber(BACKUPS.fewest_days, BACKUPS.most_days)
        self.days.setSuffix(self.tr(" days"))
        self.on.setChecked(schedule.state is not ScheduleState.OFF)
        self.folder.set_text(str(usual))
        self.at.setTime(QTime(*divmod(schedule.at_minute, 60)))
        self.days.setValue(schedule.keep_days)
        fields = form()
        add_field(
            fields, self.tr("Folder"), self.folder,
            self.tr("Choose another disk or a network drive. What is needed to read names is "
                    "put beside the backups, never older than 7 days."),
        )  # fmt: skip
        self.same_disk = Banner(context.theme)
        self.same_disk.hide()
        fields.addRow("", self.same_disk)
        self._looked = Latest(
            context.tasks, self._begin_looking, self._show_disk, self.complain, self
        )
        self.folder.changed.connect(self._looked.ask)
        self.on.toggled.connect(self._looked.ask)
        add_field(fields, self.tr("At"), self.at)
        add_field(
            fields, self.tr("Kept for"), self.days,
            self.tr("Older ones are removed; the newest proven one always stays."),
        )  # fmt: skip
        self.form.addWidget(self.on)
        self.form.addLayout(fields)
        self.on.toggled.connect(self._on_toggled)
        self._on_toggled(self.on.isChecked())
        self._looked.ask()
        self.setMinimumWidth(580)
        self.on.setFocus()

    def _begin_looking(self) -> Callable[[], bool]:
        backups, typed = self._context.desk.backups, self.folder.text()
        on = self.on.isChecked() and bool(typed)
        return lambda: on and backups.is_on_same_disk(Path(typed))

    def _show_disk(self, same: bool) -> None:
        self.same_disk.setVisible(same)
        if same:
            self.same_disk.tell(
                self.tr("This folder is on the same disk as the site: a broken disk, or whoever "
                        "takes this PC, takes the backups with it."),
                Tone.WARNING,
            )  # fmt: skip

    def _on_toggled(self, on: bool) -> None:
        for part in (self.folder, self.at, self.days):
            part.setEnabled(on)

    def submit(self) -> None:
        on, at = self.on.isChecked(), self.at.time()
        if on and not self.folder.text():
            self.complain(self.tr("Choose a folder."))
            return
        folder = Path(self.folder.text()).expanduser() if on else None
        minute, days = at.hour() * 60 + at.minute(), self.days.value()
        backups = self._context.desk.backups
        self.wait(True, self.tr("Saving …"))
        self._context.tasks.run(
            lambda: backups.set_schedule(on=on, folder=folder, at_minute=minute, keep_days=days),
            self._on_saved,
            self.complain,
        )

    def _on_saved(self, _: object) -> None:
        self.saved.emit()
        self.accept()
