"""Who opens the site, and what else does."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.site import Account, SlotKind
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.account_forms import NewAccount, NewCode, NewPassword
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.dialogs.key_rotation import KeyRotation
from evdesk.gui.dialogs.ways_in import WaysInForm
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.rights import role_name, role_text
from evdesk.gui.tasks import Lane, Latest
from evdesk.gui.widgets.parts import button, label, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.accounts import AccountRow
from evdesk.services.keys import WaysIn


@dataclass(frozen=True, slots=True)
class _Read:
    """What one refresh reads."""

    rows: tuple[AccountRow, ...]
    ways: WaysIn


class AccountsDialog(FormDialog):
    """Lists the accounts and the other ways in; every change holds at once."""

    told = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.describe(self.tr("Accounts and keys"), "", self.tr("Close"))
        self._found = Latest(context.tasks, self._begin, self._show, self.complain, self)
        self.model: RowsModel[AccountRow] = RowsModel(self._columns(), lambda r: r.account.id, self)
        self.table: RowsTable[AccountRow] = RowsTable(self.model, context.theme)
        self.add = button(self.tr("Add …"), self.ask_new, "primary")
        self.password = button(self.tr("Set password …"), self.ask_password)
        self.remove = button(self.tr("Remove …"), self.ask_remove, "danger")
        self.ways = WaysInForm(context)
        self.rotation = KeyRotation(context)
        self._arrange()
        self._connect()
        self._found.ask()

    def _columns(self) -> list[Column[AccountRow]]:
        zone = self._context.zone
        return [
            Column(self.tr("Name"), self._name, width=190, least=120,
                   tooltip=lambda r: r.account.name),
            Column(self.tr("Role"), lambda r: role_name(r.account.role), width=96,
                   tooltip=lambda r: role_text(r.account.role)),
            Column(self.tr("Opens with"), self._opens, width=180, least=100, tooltip=self._opens),
            Column(self.tr("Last unlocked"), lambda r: texts.stamp(r.last_login_at, zone),
                   sort_key=lambda r: r.last_login_at, width=0),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Accounts"))
        self.table.setMinimumHeight(190)
        self.form.addLayout(
            row(label(self.tr("Accounts"), "strong"), 0, self.remove, self.password, self.add)
        )
        self.form.addWidget(self.table, 1)
        self.form.addWidget(self.ways)
        self.form.addWidget(self.rotation)
        self.cancel.hide()
        for part in (self.add, self.password, self.remove):
            self._context.rights.guard(part, Action.CHANGE_ACCOUNTS)
        self.setMinimumSize(760, 640)
        self._on_picked()

    def _connect(self) -> None:
        self.table.picked.connect(self._on_picked)
        self.ways.failed.connect(self.complain)
        self.ways.changed.connect(self._found.ask)
        self.ways.code_made.connect(self._show_code)
        self.ways.rotate_wanted.connect(self.rotation.ask)
        self.rotation.changed.connect(self._on_rotating)
        self.rotation.told.connect(self.told)
        self.rotation.failed.connect(self.complain)

    def _name(self, of: AccountRow) -> str:
        return self.tr("{name} (you)").format(name=of.account.name) if of.is_mine else (
            of.account.name
        )  # fmt: skip

    def _opens(self, of: AccountRow) -> str:
        words = {
            SlotKind.PASSWORD: self.tr("password"), SlotKind.KEYRING: self.tr("this PC's keyring"),
        }  # fmt: skip
        return ", ".join(words.get(kind, kind.value) for kind in of.slots) or texts.NONE

    # -- reading --------------------------------------------------------------------------------

    def _begin(self) -> Callable[[], _Read]:
        desk = self._context.desk
        return lambda: _Read(tuple(desk.accounts.rows()), desk.keys.ways_in())

    def _show(self, read: _Read) -> None:
        self.model.replace(read.rows)
        mine = next((one for one in read.rows if one.is_mine), None)
        self.ways.show_ways(read.ways, None if mine is None else SlotKind.KEYRING in mine.slots)
        self._on_picked()

    def _on_picked(self) -> None:
        for part in (self.password, self.remove):
            part.setEnabled(bool(self.table.selected()))

    # -- accounts -------------------------------------------------------------------------------

    def ask_new(self) -> None:
        """Ask for a new account."""
        dialog = NewAccount(self._context, self)
        dialog.saved.connect(self._found.ask)
        self.form_open = dialog
        dialog.open()

    def ask_password(self) -> None:
        """Ask for another password of the selected account."""
        chosen = self.table.selected()[0]
        self.form_of_password = NewPassword(
            self._context, None if chosen.is_mine else chosen.account, self
        )
        self.form_of_password.open()

    def ask_remove(self) -> None:
        """Ask whether the selected account may go."""
        account = self.table.selected()[0].account
        self._ask(
            self.tr("Remove {name}?").format(name=account.name),
            self.tr("The password opens nothing any more. What {name} did stays in the log under "
                    "the same name.").format(name=account.name),
            Choice("remove", self.tr("Remove"), "danger"),
            partial(self._on_remove_answered, account),
        )  # fmt: skip

    def _on_remove_answered(self, account: Account, answer: str, _: bool) -> None:
        if answer == "remove":
            accounts = self._context.desk.accounts
            self._context.tasks.run(
                lambda: accounts.remove(account.name), self._on_removed, self.complain, Lane.OUTSIDE
            )

    def _on_removed(self, _: Account) -> None:
        self.error.tell("")
        self._found.ask()
        self.rotation.ask()

    # -- a new data key -------------------------------------------------------------------------

    def _on_rotating(self, runs: bool) -> None:
        self.wait(runs, self.tr("Writing the site anew …"))
        if not runs:
            self._found.ask()

    def reject(self) -> None:
        if not self.rotation.runs:
            super().reject()

    # -- parts ----------------------------------------------------------------------------------

    def _show_code(self, code: str) -> None:
        self.sheet = NewCode(self._context, code, self)
        self.sheet.open()

    def _ask(
        self, heading: str, text: str, choice: Choice, answered: Callable[[str, bool], object]
    ) -> None:
        ask = Ask(heading, text, (choice, Choice("keep", self.tr("Cancel"), "quiet")), parent=self)
        ask.answered.connect(answered)
        self.question = ask
        ask.open()
