"""Who may open the site."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from evdesk.domain.audit import LOGIN
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.site import Account, AccountId, Role
from evdesk.storage.connection import Connection, Row

SELECT = "SELECT id, name, role, created_at_ms, removed_at_ms FROM account "


class StoredAccounts:
    """Implements ``ports.Accounts``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, account: Account) -> None:
        """Add an account; its name must be new."""
        self._db.run(
            "INSERT INTO account (id, name, role, created_at_ms) VALUES (?, ?, ?, ?)",
            (account.id, account.name, account.role.value, to_ms(account.created_at)),
        )

    def all(self, *, removed: bool = False) -> list[Account]:
        """Return accounts in the order they were added; with ``removed`` also those taken away."""
        which = "" if removed else "WHERE removed_at_ms IS NULL "
        return [_account(row) for row in self._db.all(f"{SELECT}{which}ORDER BY seq")]

    def by_name(self, name: str) -> Account | None:
        """Return the account of that name that is not removed."""
        row = self._db.one(SELECT + "WHERE name = ? AND removed_at_ms IS NULL", (name,))
        return _account(row) if row else None

    def by_id(self, account: AccountId) -> Account | None:
        """Return the account of that id, also a removed one."""
        row = self._db.one(SELECT + "WHERE id = ?", (account,))
        return _account(row) if row else None

    def remove(self, account: AccountId, at: datetime) -> None:
        """Mark an account as removed; what it did stays."""
        self._db.run(
            "UPDATE account SET removed_at_ms = ? WHERE id = ? AND removed_at_ms IS NULL",
            (to_ms(at), account),
        )

    def take_over(self, accounts: Sequence[Account]) -> None:
        """Bring accounts of later days in: who came since is there, who was removed is not."""
        mine = {account.id: account for account in self.all(removed=True)}
        for account in accounts:
            before = mine.get(account.id)
            if before is not None and account.removed_at and before.removed_at is None:
                self.remove(account.id, account.removed_at)
        for account in accounts:
            if account.id not in mine:
                self.add(replace(account, removed_at=None))
                if account.removed_at is not None:
                    self.remove(account.id, account.removed_at)

    def last_logins(self) -> dict[AccountId, datetime]:
        """Return when each account last opened the site, as far as the log tells."""
        found = {
            account.id: self._db.one(
                "SELECT at FROM audit WHERE object_type = 'account' AND object_ref = ?"
                " AND action = ? ORDER BY seq DESC LIMIT 1",
                (account.id, LOGIN),
            )
            for account in self.all(removed=True)
        }
        return {account: datetime.fromisoformat(row[0]) for account, row in found.items() if row}


def _account(row: Row) -> Account:
    account, name, role, created_at_ms, removed_at_ms = row
    removed_at = None if removed_at_ms is None else from_ms(removed_at_ms)
    return Account(AccountId(account), name, Role(role), from_ms(created_at_ms), removed_at)
