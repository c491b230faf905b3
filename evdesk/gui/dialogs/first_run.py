"""The first start: a new site, or the demo; the recovery code is shown once."""

from pathlib import Path

from PySide6.QtCore import QLocale, QSize, QTimeZone, Signal
from PySide6.QtWidgets import QDialog, QLabel, QStackedWidget, QVBoxLayout, QWidget

from evdesk.domain.errors import UserError
from evdesk.gui import texts
from evdesk.gui.desk import Desk, FirstRun
from evdesk.gui.tasks import Lane, Tasks
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.notice_bar import FieldError
from evdesk.gui.widgets.parts import button, column, label, paragraph, row
from evdesk.gui.widgets.recovery_sheet import RecoverySheet
from evdesk.gui.widgets.site_form import SiteForm
from evdesk.services.passwords import SHORT, WEAK

OF_PASSWORDS = {SHORT, WEAK}


class FirstRunDialog(QDialog):
    """Welcome, form, recovery code; ``opened`` tells the desk."""

    opened = Signal(object)
    restore_wanted = Signal()

    def __init__(
        self,
        first_run: FirstRun,
        folder: Path,
        tasks: Tasks,
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Welcome to evdesk"))
        self._first_run, self._folder, self._tasks, self._theme = first_run, folder, tasks, theme
        self._desk: Desk | None = None
        self._waits = False
        self.fields = SiteForm(tasks, QLocale.system(), _system_zone())
        self.code = RecoverySheet(theme)
        self.error = FieldError()
        self.demo = button(self.tr("Try the demo"), self.open_demo)
        self.new = button(self.tr("Set up my site"), self.show_form, "primary")
        self.restore = button(
            self.tr("Restore a backup …"), self._on_restore, "quiet",
            self.tr("For a new PC: the backup folder and a password are enough"),
        )  # fmt: skip
        self.back = button(self.tr("Back"), self.show_welcome, "quiet")
        self.make = button(self.tr("Create site"), self.submit, "primary")
        self.finish = button(self.tr("Open the site"), self._on_finished, "primary")
        self.pages = QStackedWidget()
        for page in (self._welcome(), self._form(), self._recovery()):
            self.pages.addWidget(page)
        box = QVBoxLayout(self)
        box.setContentsMargins(32, 28, 32, 24)
        box.setSpacing(12)
        box.addWidget(self.pages, 1)
        box.addWidget(self.error)
        self.finish.setEnabled(False)
        self.code.agreed.connect(self.finish.setEnabled)
        self.setMinimumSize(640, 660)
        self.show_welcome()

    def _welcome(self) -> QWidget:
        mark = QLabel()
        mark.setPixmap(self._theme.icon("evdesk").pixmap(QSize(48, 48)))
        page = QWidget()
        page.setLayout(
            column(
                0, mark, label(self.tr("Welcome to evdesk"), "title"),
                paragraph(
                    self.tr(
                        "It reads your meters and chargers, keeps every reading, and turns "
                        "sessions into invoices. Everything stays on this PC, encrypted."
                    ),
                    "",
                ),
                8,
                paragraph(
                    self.tr(
                        "Not sure yet? The demo is a small depot with simulated devices: try "
                        "everything, nothing of it is kept."
                    )
                ),
                0, row(self.restore, 0, self.demo, self.new), gap=12,
            )
        )  # fmt: skip
        return page

    def _form(self) -> QWidget:
        page = QWidget()
        box = column(
            label(self.tr("Your site"), "title"), self.fields, row(self.back, 0, self.make), gap=14
        )
        box.setStretch(1, 1)
        page.setLayout(box)
        return page

    def _recovery(self) -> QWidget:
        page = QWidget()
        box = column(self.code, row(0, self.finish), gap=14)
        box.setStretch(0, 1)
        page.setLayout(box)
        return page

    # -- steps ----------------------------------------------------------------------------------

    def show_welcome(self) -> None:
        """Offer a site or the demo."""
        self._step(0)
        self.new.setDefault(True)
        self.new.setFocus()

    def show_form(self) -> None:
        """Ask for the site."""
        self._step(1)
        self.make.setDefault(True)
        self.fields.name.setFocus()

    def submit(self) -> None:
        """Create the site."""
        answers = self.fields.answers()
        if isinstance(answers, str):
            self.error.tell(answers)
            return
        self._wait(True)
        self._tasks.run(
            lambda: self._first_run.create(self._folder, *answers),
            self._on_created,
            self._on_failed,
            Lane.OUTSIDE,
        )

    def open_demo(self) -> None:
        """Open a throw-away site with simulated devices."""
        self._wait(True)
        self.demo.setText(self.tr("Building the demo …"))
        self._tasks.run(self._first_run.demo, self._on_demo, self._on_failed, Lane.OUTSIDE)

    def _step(self, number: int) -> None:
        self.error.tell("")
        self.pages.setCurrentIndex(number)

    def _wait(self, waits: bool) -> None:
        self.error.tell("")
        self._waits = waits
        for part in (self.demo, self.new, self.restore, self.make, self.back, self.fields):
            part.setEnabled(not waits)
        self.make.setText(self.tr("Creating …") if waits else self.tr("Create site"))

    def _on_created(self, made: tuple[Desk, str]) -> None:
        self._wait(False)
        self._desk, code = made
        self.code.show_code(code, self.fields.name.text().strip())
        self._step(2)
        self.finish.setDefault(True)

    def _on_restore(self) -> None:
        self.restore_wanted.emit()
        self.accept()

    def _on_demo(self, desk: Desk) -> None:
        self._desk = desk
        self._on_finished()

    def _on_finished(self) -> None:
        self.opened.emit(self._desk)
        self.accept()

    def _on_failed(self, error: Exception) -> None:
        self._wait(False)
        self.demo.setText(self.tr("Try the demo"))
        self.error.tell(texts.sentence(error))
        if isinstance(error, UserError) and error.template in OF_PASSWORDS:
            self.fields.secret.refuse()

    def reject(self) -> None:
        if self._desk is None and not self._waits:  # a code that was shown must be acknowledged
            super().reject()


def _system_zone() -> str:
    return bytes(QTimeZone.systemTimeZoneId().data()).decode("ascii", "replace")
