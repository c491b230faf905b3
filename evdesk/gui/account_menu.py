"""What the menu of the account offers: password, accounts, locking."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from evdesk.domain.permissions import Action
from evdesk.gui.context import Context
from evdesk.gui.dialogs.account_forms import NewPassword
from evdesk.gui.dialogs.accounts import AccountsDialog
from evdesk.gui.idle import Absence

LOCK_KEYS = "Ctrl+L"
MINUTES = (5, 10, 15, 30, 60, 0)  # 0: never


class AccountMenu(QObject):
    """``lock_wanted`` asks for the site to be closed until the password is given again."""

    lock_wanted = Signal(object)
    told = Signal(str)

    def __init__(self, context: Context, menu: QMenu, window: QWidget) -> None:
        super().__init__(window)
        self._context, self._window = context, window
        self.dialog: NewPassword | AccountsDialog | None = None
        self.password = menu.addAction(self.tr("Change my password …"), self.ask_password)
        self.accounts = menu.addAction(self.tr("Accounts and keys …"), self.show_accounts)
        context.rights.guard(self.password, Action.OWN_ACCOUNT)
        menu.addSeparator()
        self.lock = QAction(self.tr("Lock now"), window)
        self.lock.setShortcut(QKeySequence(LOCK_KEYS))
        self.lock.triggered.connect(self._on_lock)
        window.addAction(self.lock)  # so that its keys work while the menu is shut
        self._add_lock(menu)

    def _add_lock(self, menu: QMenu) -> None:
        menu.addAction(self.lock)
        after = menu.addMenu(self.tr("Lock when unused for"))
        group = QActionGroup(after)
        chosen = self._context.preferences.lock_after_min()
        for minutes in MINUTES:
            words = self.tr("{count} minutes").format(count=minutes)
            action = after.addAction(words if minutes else self.tr("Never"))
            action.setCheckable(True)
            action.setChecked(minutes == chosen)
            action.setData(minutes)
            group.addAction(action)
        group.triggered.connect(self._on_minutes)
        if self._context.site.demo:
            why = self.tr("A demo is not locked: nobody knows its password.")
            for part in (self.lock, after.menuAction()):
                part.setEnabled(False)
                part.setToolTip(why)

    def ask_password(self) -> None:
        """Ask for another password of one's own."""
        dialog = NewPassword(self._context, None, self._window)
        dialog.saved.connect(self._on_password)
        self.dialog = dialog
        dialog.open()

    def show_accounts(self) -> None:
        """Show who opens the site, and what else does."""
        dialog = AccountsDialog(self._context, self._window)
        dialog.told.connect(self.told)
        self.dialog = dialog
        dialog.open()

    def _on_password(self) -> None:
        self.told.emit(self.tr("Your new password holds; the old one opens nothing."))

    def _on_lock(self) -> None:
        self.lock_wanted.emit(Absence.ASKED)

    def _on_minutes(self, action: QAction) -> None:
        self._context.preferences.set_lock_after_min(int(action.data()))
