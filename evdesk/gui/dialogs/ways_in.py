"""What opens the site beside passwords: the printed code, the keyring, the start of this PC."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QWidget

from evdesk.domain.permissions import Action
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.parts import button, column, label, line, paragraph, row
from evdesk.services.keys import WaysIn


class WaysInForm(QWidget):
    """``changed`` tells that something else opens it now; ``code_made`` carries a new code."""

    changed = Signal()
    code_made = Signal(str)
    rotate_wanted = Signal()
    failed = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.recovery = paragraph("", "")
        self.new_code = button(self.tr("New code …"), self.ask_code)
        self.keyring = QCheckBox(self.tr("Open the site without my password on this PC (keyring)"))
        self.service = QCheckBox(self.tr("Let the collector start with this PC, before anybody"))
        self.new_key = button(self.tr("New data key …"), self.rotate_wanted.emit)
        beside = row(self.recovery, self.new_code, self.new_key)
        beside.setStretch(0, 1)
        self.setLayout(
            column(
                line(), label(self.tr("Other ways in"), "strong"), beside, self.keyring,
                paragraph(
                    self.tr("Whoever is logged in to this computer as you opens the site then, and "
                            "so does any program of yours."), "small",
                ),
                self.service,
                paragraph(
                    self.tr("A key is kept in a file on this PC: whoever takes this PC, or its "
                            "disk, can open the site."), "small",
                ),
                gap=6,
            )
        )  # fmt: skip
        for part in (self.new_code, self.service, self.new_key):
            context.rights.guard(part, Action.CHANGE_ACCOUNTS)
        self.keyring.clicked.connect(self._on_keyring)
        self.service.clicked.connect(self._on_service)

    def show_ways(self, ways: WaysIn, keyring: bool | None) -> None:
        """Show what opens the site; ``keyring`` None: nobody's own account is here."""
        since = ways.recovery_since
        self.recovery.setText(
            self.tr("No recovery code: if every password is lost, nothing opens the site.")
            if since is None
            else self.tr("The recovery code of {day} opens the site.").format(
                day=texts.day(since, self._context.zone)
            )
        )
        self.keyring.setEnabled(keyring is not None)
        self.keyring.setChecked(bool(keyring))
        self.service.setChecked(ways.service_since is not None)

    def ask_code(self) -> None:
        """Ask whether the old code may end."""
        self._ask(
            self.tr("Make a new recovery code?"),
            self.tr("The old one opens nothing from then on, but in backups of before. The new one "
                    "is shown once."),
            Choice("go", self.tr("Make a new code"), "primary"),
            self._on_code_answered,
        )  # fmt: skip

    def _on_code_answered(self, answer: str, _: bool) -> None:
        if answer == "go":
            keys = self._context.desk.keys
            self._context.tasks.run(
                keys.renew_recovery_code, self._on_code, self.failed.emit, Lane.OUTSIDE
            )

    def _on_code(self, code: str) -> None:
        self.changed.emit()
        self.code_made.emit(code)

    def _on_keyring(self, on: bool) -> None:
        keys = self._context.desk.keys
        self._run(keys.keyring_on if on else keys.keyring_off)

    def _on_service(self, on: bool) -> None:
        if not on:
            self._run(self._context.desk.keys.service_off)
            return
        self._ask(
            self.tr("Let the collector start with this PC?"),
            self.tr("After a power cut, reading goes on before anybody has typed a password. The "
                    "price: a key is kept in a file on this PC, and whoever takes the PC can open "
                    "the site with it."),
            Choice("go", self.tr("Turn it on"), "danger"),
            self._on_service_answered,
        )  # fmt: skip

    def _on_service_answered(self, answer: str, _: bool) -> None:
        if answer == "go":
            self._run(self._context.desk.keys.service_on)
        else:
            self.changed.emit()  # shows how it is

    def _run(self, work: Callable[[], object]) -> None:
        self._context.tasks.run(work, self._on_done, self._on_refused, Lane.OUTSIDE)

    def _on_done(self, _: object) -> None:
        self.changed.emit()

    def _on_refused(self, error: Exception) -> None:
        self.failed.emit(error)
        self.changed.emit()

    def _ask(
        self, heading: str, text: str, choice: Choice, answered: Callable[[str, bool], object]
    ) -> None:
        ask = Ask(heading, text, (choice, Choice("keep", self.tr("Cancel"), "quiet")), parent=self)
        ask.answered.connect(answered)
        self.question = ask
        ask.open()
