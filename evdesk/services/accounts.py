"""Accounts: who opens the site with a password of their own; each change is in the log."""

from dataclasses import dataclass, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action, allows, sees_persons
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Account, AccountId, Role, SlotKind
from evdesk.ports import Clock, NewSlot, Pseudonyms, SiteKeys, Store
from evdesk.services.key_changes import ADDED, KeyChanges
from evdesk.services.naming import demand_plain
from evdesk.services.passwords import demand_good
from evdesk.services.permitting import permit

REMOVED, PASSWORD = "account.removed", "account.password"
NO_ACCOUNT = "There is no account {name}. List them with: evdesk account list"
LAST_OWNER = (
    "{name} is the only owner: somebody has to be able to change accounts and keys. Nothing was "
    "changed. Add another owner first."
)
NOBODYS = (
    "The site was opened with the recovery code, which is nobody's account. Nothing was changed. "
    "Name an account, or open the site with the password of one."
)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with what opens it; ``is_mine``: it is the one that opened the site."""

    account: Account
    slots: tuple[SlotKind, ...]
    last_login_at: datetime | None
    is_mine: bool


class AccountService:
    """Use cases of accounts."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keys: SiteKeys,
        changes: KeyChanges,
        pseudonyms: Pseudonyms,
    ) -> None:
        self._store, self._clock, self._pseudonyms = store, clock, pseudonyms
        self._keys, self._changes = keys, changes

    @permit(Action.LOOK)
    def rows(self, *, removed: bool = False) -> list[AccountRow]:
        """Return accounts in the order they were added; auditors see names as pseudonyms."""
        with self._store.read() as unit:
            accounts, logins = unit.accounts.all(removed=removed), unit.accounts.last_logins()
        slots = self._keys.slots()
        return [
            AccountRow(
                account=self._shown(account),
                slots=tuple(slot.kind for slot in slots if slot.account == account.id),
                last_login_at=logins.get(account.id),
                is_mine=account.id == self._store.actor.ref,
            )
            for account in accounts
        ]

    @permit(Action.CHANGE_ACCOUNTS)
    def add(self, name: str, role: Role, password: Secret) -> Account:
        """Add an account that opens the site with its own password."""
        name = " ".join(name.split())
        if not name:
            raise UserError("An account needs a name.")
        demand_plain(name, "name")
        self._demand_good(password, name)
        with self._keys.held():
            with self._store.read() as unit:
                if unit.accounts.by_name(name) is not None:
                    raise UserError("There is an account {name} already.", name=name)
            account = Account(AccountId(self._pseudonyms.make("A")), name, role, self._clock.now())
            slot = self._password_slot(account, password)
            self._changes.carry_out(
                self._store,
                Change(ADDED, "account", account.id, {"role": role.value, "slot": slot.info.id}),
                put=slot,
                also=lambda unit: unit.accounts.add(account),
            )
        return account

    @permit(Action.OWN_ACCOUNT)
    def change_password(self, password: Secret) -> Account:
        """Give the account that opened the site another password; the old one opens nothing."""
        return self._set_password(own_account(self._store), password)

    @permit(Action.CHANGE_ACCOUNTS)
    def set_password(self, name: str, password: Secret) -> Account:
        """Give anybody's account another password, for instance when it was forgotten.

        A keyring opens the site for somebody else's account no more: who has it may not be them.
        """
        return self._set_password(self._named(name), password)

    @permit(Action.CHANGE_ACCOUNTS)
    def remove(self, name: str) -> Account:
        """Take an account away: its password opens nothing any more; what it did stays.

        Whoever kept a copy of the data key can still read what they copied: see ``rotate``.
        """
        with self._keys.held():
            account = self._named(name)
            with self._store.read() as unit:
                owners = [one for one in unit.accounts.all() if one.role is Role.OWNER]
            if owners == [account]:
                raise UserError(LAST_OWNER, name=account.name)
            at = self._clock.now()
            self._changes.carry_out(
                self._store,
                Change(REMOVED, "account", account.id, {"role": account.role.value}),
                drop=self._slots_of(account, *SlotKind),
                also=lambda unit: unit.accounts.remove(account.id, at),
            )
        return replace(account, removed_at=at)

    def _set_password(self, account: Account, password: Secret) -> Account:
        self._demand_good(password, account.name)
        with self._keys.held():
            slot = self._password_slot(account, password)
            own = account.id == self._store.actor.ref
            keyrings = [] if own else self._slots_of(account, SlotKind.KEYRING)
            facts = {"own": own, "slot": slot.info.id}
            change = Change(PASSWORD, "account", account.id, facts)
            self._changes.carry_out(self._store, change, put=slot, drop=keyrings)
        return account

    def _slots_of(self, account: Account, *kinds: SlotKind) -> list[str]:
        slots = [slot for slot in self._keys.slots() if slot.account == account.id]
        return [slot.id for slot in slots if slot.kind in kinds]

    def _password_slot(self, account: Account, password: Secret) -> NewSlot:
        signs = allows(account.role, Action.SIGN_AUDIT)
        return self._keys.password_slot(account.id, account.name, password, signs=signs)

    def _demand_good(self, password: Secret, name: str) -> None:
        with self._store.read() as unit:
            site = unit.site.load()
        demand_good(password, (site.name, name), demo=site.demo)

    def _named(self, name: str) -> Account:
        with self._store.read() as unit:
            account = unit.accounts.by_name(name)
        if account is None:
            raise UserError(NO_ACCOUNT, name=name)
        return account

    def _shown(self, account: Account) -> Account:
        own = account.id == self._store.actor.ref
        hidden = not own and not sees_persons(self._store.actor.role)
        return replace(account, name=account.id) if hidden else account


def own_account(store: Store) -> Account:
    """Return the account that opened the site.

    Raises:
        UserError: it was the recovery code, which is nobody's.

    """
    with store.read() as unit:
        account = unit.accounts.by_id(AccountId(store.actor.ref))
    if account is None:
        raise UserError(NOBODYS)
    return account
