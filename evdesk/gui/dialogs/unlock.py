"""Opening a site that is there: password or recovery code."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from evdesk.domain.errors import WrongKey
from evdesk.gui.desk import Desk, FirstRun
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.idle import Absence
from evdesk.gui.tasks import Lane, Tasks
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import button


@dataclass(frozen=True, slots=True)
class Locked:
    """A site that was open until now: whose, in whose account, and why it is locked."""

    site: str
    user: str
    why: Absence


class UnlockDialog(FormDialog):
    """``opened`` tells the desk; after a wrong password it may have to be waited for the next."""

    opened = Signal(object)
    restore_wanted = Signal()

    def __init__(
        self,
        first_run: FirstRun,
        folder: Path,
        tasks: Tasks,
        theme: Theme,
        locked: Locked | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._first_run, self._folder, self._tasks = first_run, folder, tasks
        self._left_s = 0
        self._describe(locked)
        mark = QLabel()
        mark.setPixmap(theme.icon("evdesk" if locked is None else "lock").pixmap(QSize(40, 40)))
        self.layout().insertWidget(0, mark)  # type: ignore[union-attr]
        self.user = text_field(self.tr("your name, as the owner wrote it"))
        self.password = text_field()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.fields = form()
        add_field(self.fields, self.tr("Account"), self.user)
        add_field(self.fields, self.tr("Password"), self.password)
        self.form.addLayout(self.fields)
        self.demo = button(self.tr("Try the demo"), self.open_demo, "quiet")
        self.restore = button(self.tr("Restore …"), self._on_restore, "quiet")
        self.restore.setToolTip(self.tr("Come back to a backup"))
        self.foot.insertWidget(0, self.demo)
        self.foot.insertWidget(1, self.restore)
        self.cancel.setText(self.tr("Quit"))
        self._clock = QTimer(self)
        self._clock.setInterval(1_000)
        self._clock.timeout.connect(self._count_down)
        if locked is not None:
            self.user.setText(locked.user)
            self.demo.hide()
            self.restore.hide()
        self.setMinimumWidth(480)
        self.password.setFocus()
        self._show_several(False)
        tasks.run(lambda: first_run.has_several_accounts(folder), self._show_several, self.complain)
        self._ask_wait()

    def _describe(self, locked: Locked | None) -> None:
        if locked is None:
            self.describe(
                self.tr("Open the site"),
                self.tr("The data on this PC is encrypted. Your password opens it; the recovery "
                        "code does, too."),
                self.tr("Open"),
            )  # fmt: skip
            return
        why = {
            Absence.ASKED: self.tr("You locked it. Devices are read all the same."),
            Absence.IDLE: self.tr("Nobody used it for a while. Devices are read all the same."),
            Absence.SLEPT: self.tr("This computer slept."),
        }[locked.why]
        self.describe(
            self.tr("{site} is locked").format(site=locked.site),
            why,
            self.tr("Unlock"),
        )

    def submit(self) -> None:
        password, user = self.password.text(), self.user.text().strip() or None
        if self._left_s:
            return
        if not password:
            self.complain(self.tr("Type the password."))
            return
        self.wait(True, self.tr("Opening …"))
        self._tasks.run(
            lambda: self._first_run.unlock(self._folder, user, password),
            self._on_open,
            self._on_refused,
            Lane.OUTSIDE,
        )

    def open_demo(self) -> None:
        """Open a throw-away site with simulated devices."""
        self.wait(True, self.tr("Opening the demo …"))
        self._tasks.run(self._first_run.demo, self._on_open, self._on_refused, Lane.OUTSIDE)

    def wait(self, waits: bool, text: str = "") -> None:
        super().wait(waits, text)
        self.demo.setEnabled(not waits)
        self.restore.setEnabled(not waits)
        if self._left_s > 0 and not waits:
            self._show_left()

    def _on_restore(self) -> None:
        self.restore_wanted.emit()
        self.accept()

    def _on_open(self, desk: Desk) -> None:
        self.password.clear()
        self.opened.emit(desk)
        self.accept()

    def _on_refused(self, error: Exception) -> None:
        self.complain(error)
        mark_wrong(self.password, True)
        self.password.selectAll()
        self.password.setFocus()
        if isinstance(error, WrongKey):
            self._ask_wait()

    def _ask_wait(self) -> None:
        first_run, folder = self._first_run, self._folder
        self._tasks.run(lambda: first_run.seconds_to_wait(folder), self._hold, self.complain)

    def _show_several(self, several: bool) -> None:
        """Ask for the name where it is needed; elsewhere it would only be in the way."""
        self.fields.setRowVisible(self.user, several or bool(self.user.text()))
        if several and not self.user.text():
            self.user.setFocus()

    def _hold(self, seconds: int) -> None:
        """Let no further try through for so long; the button counts."""
        self._left_s = seconds
        if seconds > 0:
            self._clock.start()
            self._show_left()

    def _count_down(self) -> None:
        self._left_s -= 1
        if self._left_s > 0:
            self._show_left()
            return
        self._clock.stop()
        self.wait(False)

    def _show_left(self) -> None:
        self.ok.setEnabled(False)
        self.ok.setText(self.tr("Try again in {seconds} s").format(seconds=self._left_s))
