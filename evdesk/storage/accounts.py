"""Who may open the site."""

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.site import Account, AccountId, Role
from evdesk.storage.connection import Connection, Row

SELECT = "SELECT id, name, role, created_at_ms FROM account "


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

    def all(self) -> list[Account]:
        """Return accounts in the order they were added."""
        return [_account(row) for row in self._db.all(SELECT + "ORDER BY seq")]

    def by_name(self, name: str) -> Account | None:
        """Return the account of that name."""
        row = self._db.one(SELECT + "WHERE name = ?", (name,))
        return _account(row) if row else None

    def by_id(self, account: AccountId) -> Account | None:
        """Return the account of that id."""
        row = self._db.one(SELECT + "WHERE id = ?", (account,))
        return _account(row) if row else None


def _account(row: Row) -> Account:
    account, name, role, created_at_ms = row
    return Account(AccountId(account), name, Role(role), from_ms(created_at_ms))
