"""Opening a site that is there: password or recovery code."""

from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget

from evdesk.gui.desk import Desk, FirstRun
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Lane, Tasks
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import button


class UnlockDialog(FormDialog):
    """``opened`` tells the desk."""

    opened = Signal(object)

    def __init__(
        self,
        first_run: FirstRun,
        folder: Path,
        tasks: Tasks,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Open the site"),
            self.tr("The data on this PC is encrypted. Your password opens it; the recovery code "
                    "does, too."),
            self.tr("Open"),
        )  # fmt: skip
        self._first_run, self._folder, self._tasks = first_run, folder, tasks
        mark = QLabel()
        mark.setPixmap(theme.icon("evdesk").pixmap(QSize(40, 40)))
        self.layout().insertWidget(0, mark)  # type: ignore[union-attr]
        self.user = text_field(self.tr("only where there are several accounts"))
        self.password = text_field()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        fields = form()
        add_field(fields, self.tr("Password"), self.password)
        add_field(fields, self.tr("Account"), self.user)
        self.form.addLayout(fields)
        self.demo = button(self.tr("Try the demo"), self.open_demo, "quiet")
        self.foot.insertWidget(0, self.demo)
        self.cancel.setText(self.tr("Quit"))
        self.setMinimumWidth(480)
        self.password.setFocus()

    def submit(self) -> None:
        password, user = self.password.text(), self.user.text().strip() or None
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

    def _on_open(self, desk: Desk) -> None:
        self.opened.emit(desk)
        self.accept()

    def _on_refused(self, error: Exception) -> None:
        self.complain(error)
        mark_wrong(self.password, True)
        self.password.selectAll()
        self.password.setFocus()
