"""Forms of one account: a new one, another password, a new recovery code."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QWidget

from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account, Role
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.rights import role_name, role_text
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.fields import Chooser, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import paragraph
from evdesk.gui.widgets.password_fields import PasswordFields
from evdesk.gui.widgets.recovery_sheet import RecoverySheet


class NewAccount(FormDialog):
    """``saved`` carries the account."""

    saved = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.describe(
            self.tr("Add an account"),
            self.tr("Each person opens the site with a password of their own, so that the log says "
                    "who did what."),
            self.tr("Add account"),
        )  # fmt: skip
        self.name, self.role = text_field(), Chooser(self.tr("Role"))
        self.role.offer([(role, role_name(role)) for role in Role])
        self.role.choose(Role.STAFF)
        self.about = paragraph("", "small")
        self.secret = PasswordFields(
            context.tasks, lambda: (context.site.name, self.name.text()), self
        )
        fields = form()
        add_field(fields, self.tr("Name"), self.name)
        add_field(fields, self.tr("Role"), self.role)
        fields.addRow("", self.about)
        self.secret.add_to(fields)
        self.form.addLayout(fields)
        self.role.currentIndexChanged.connect(self._on_role)
        self._on_role()
        self.setMinimumWidth(560)
        self.name.setFocus()

    def _on_role(self) -> None:
        self.about.setText(role_text(self.role.value()))

    def submit(self) -> None:
        name = self.name.text().strip()
        mark_wrong(self.name, not name)
        wrong = self.secret.complaint() if name else self.tr("An account needs a name.")
        if wrong is not None:
            self.complain(wrong)
            return
        accounts, role = self._context.desk.accounts, self.role.value()
        password = Secret(self.secret.password.text().encode())
        self.wait(True, self.tr("Adding …"))
        self._context.tasks.run(
            lambda: accounts.add(name, role, password), self._on_saved, self.complain, Lane.OUTSIDE
        )

    def _on_saved(self, account: Account) -> None:
        self.saved.emit(account)
        self.accept()


class NewPassword(FormDialog):
    """Another password for an account, ``None`` for one's own; ``saved`` says that it holds."""

    saved = Signal()

    def __init__(
        self, context: Context, account: Account | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._account = context, account
        own = account is None
        name = context.desk.who.name if account is None else account.name
        self.describe(
            self.tr("Change your password")
            if own
            else self.tr("New password for {name}").format(name=name),
            self.tr("The old one opens nothing from then on. Backups that were made before keep "
                    "the old one."),
            self.tr("Change password"),
        )  # fmt: skip
        self.secret = PasswordFields(context.tasks, lambda: (context.site.name, name), self)
        self.current = text_field()
        self.current.setEchoMode(QLineEdit.EchoMode.Password)
        fields = form()
        if own:
            add_field(fields, self.tr("Password so far"), self.current)
        self.secret.add_to(fields, self.tr("New password"))
        self.form.addLayout(fields)
        self.setMinimumWidth(560)
        (self.current if own else self.secret.password).setFocus()

    def submit(self) -> None:
        own = self._account is None
        missing = own and not self.current.text()
        mark_wrong(self.current, missing)
        wrong = (
            self.tr("Your password so far is asked for, so that nobody else changes it.")
            if missing
            else self.secret.complaint()
        )
        if wrong is not None:
            self.complain(wrong)
            return
        self.wait(True, self.tr("Changing …"))
        work = self._own() if self._account is None else self._others(self._account)
        self._context.tasks.run(work, self._on_saved, self.complain, Lane.OUTSIDE)

    def _own(self) -> Callable[[], object]:
        desk, current, password = self._context.desk, self.current.text(), self._password()

        def change() -> object:
            desk.prove(current)
            return desk.accounts.change_password(password)

        return change

    def _others(self, account: Account) -> Callable[[], object]:
        accounts, password = self._context.desk.accounts, self._password()
        return lambda: accounts.set_password(account.name, password)

    def _password(self) -> Secret:
        return Secret(self.secret.password.text().encode())

    def _on_saved(self, _: object) -> None:
        self.saved.emit()
        self.accept()


class NewCode(FormDialog):
    """Shows a new recovery code once; it has to be said that it is written down."""

    def __init__(self, context: Context, code: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(self.tr("New recovery code"), "", self.tr("Done"))
        self._heading.hide()
        self.sheet = RecoverySheet(context.theme)
        self.sheet.show_code(code, context.site.name)
        self.form.addWidget(self.sheet, 1)
        self.cancel.hide()
        self.ok.setEnabled(False)
        self.sheet.agreed.connect(self.ok.setEnabled)
        self.setMinimumWidth(600)

    def reject(self) -> None:
        """Stay: a code that was shown must be acknowledged."""
