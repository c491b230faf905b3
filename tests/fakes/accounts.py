"""Accounts and keys that open nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from evdesk.domain.errors import EvdeskError, UserError
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account, AccountId, Role, SlotKind
from evdesk.services.accounts import AccountRow, AccountService
from evdesk.services.keys import KeyService, WaysIn

SINCE = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
SEEN = datetime(2026, 11, 22, 16, 40, tzinfo=UTC)
PEOPLE = (
    ("A-HANNA000", "Hanna Krüger", Role.OWNER),
    ("A-DENIZ000", "Deniz Aydin", Role.STAFF),
    ("A-AUDIT000", "Marta Nowak", Role.AUDITOR),
)
CODE = "7KQ2M9XF-4T8WBC1P-ZR6N3HYD-0VJE5SGA"


class StubAccounts(AccountService):
    """Three people, of whom the first one of the role is here; ``broken`` refuses every change."""

    def __init__(self, role: Role = Role.OWNER) -> None:
        self.broken: EvdeskError | None = None
        self.mine = next(ref for ref, _, of in PEOPLE if of is role)
        self.known = [Account(AccountId(ref), name, of, SINCE) for ref, name, of in PEOPLE]
        self.slots: dict[AccountId, tuple[SlotKind, ...]] = {
            account.id: (SlotKind.PASSWORD,) for account in self.known
        }
        self.passwords: dict[str, bytes] = {}

    def rows(self, *, removed: bool = False) -> list[AccountRow]:
        return [
            AccountRow(
                account, self.slots.get(account.id, ()),
                SEEN if account.role is not Role.AUDITOR else None, account.id == self.mine,
            )
            for account in self.known
            if removed or account.removed_at is None
        ]  # fmt: skip

    def add(self, name: str, role: Role, password: Secret) -> Account:
        self._check()
        if any(account.name == name for account in self.known):
            raise UserError("There is an account {name} already.", name=name)
        account = Account(AccountId(f"A-NEW{len(self.known)}"), name, role, SINCE)
        self.known.append(account)
        self.slots[account.id] = (SlotKind.PASSWORD,)
        self.passwords[name] = password.reveal()
        return account

    def change_password(self, password: Secret) -> Account:
        own = next(account for account in self.known if account.id == self.mine)
        return self.set_password(own.name, password)

    def set_password(self, name: str, password: Secret) -> Account:
        self._check()
        self.passwords[name] = password.reveal()
        return next(account for account in self.known if account.name == name)

    def remove(self, name: str) -> Account:
        self._check()
        account = next(account for account in self.known if account.name == name)
        gone = replace(account, removed_at=SINCE)
        self.known = [gone if each is account else each for each in self.known]
        return gone

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken


class StubKeys(KeyService):
    """Changes the slots of the stub's accounts; ``rotated`` counts new data keys."""

    def __init__(self, accounts: StubAccounts) -> None:
        self.accounts = accounts
        self.recovery_since: datetime | None = SINCE
        self.service_since: datetime | None = None
        self.rotated = 0
        self.refusal: EvdeskError | None = None

    def ways_in(self) -> WaysIn:
        return WaysIn(self.recovery_since, self.service_since)

    def renew_recovery_code(self) -> str:
        self.recovery_since = SEEN
        return CODE

    def keyring_on(self) -> None:
        if self.refusal is not None:
            raise self.refusal
        mine = AccountId(self.accounts.mine)
        self.accounts.slots[mine] = (SlotKind.PASSWORD, SlotKind.KEYRING)

    def keyring_off(self) -> bool:
        self.accounts.slots[AccountId(self.accounts.mine)] = (SlotKind.PASSWORD,)
        return True

    def service_on(self) -> None:
        self.service_since = SEEN

    def service_off(self) -> bool:
        self.service_since = None
        return True

    def rotate(self, attend: Callable[[float], None] = lambda _share: None) -> bool:
        for share in range(5):
            attend(share / 5)
        self.rotated += 1
        return False
