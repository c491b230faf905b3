"""A site with everything that opens it, and whoever opened it; passwords cost little to try."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from evdesk.bootstrap.services import RandomPseudonyms
from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.domain.errors import WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import PROGRAM, Actor, SlotKind
from evdesk.services.accounts import AccountService
from evdesk.services.key_changes import KeyChanges, Places
from evdesk.services.keys import KeyService
from evdesk.storage import keys
from evdesk.storage.service_key import ServiceKeyFile
from evdesk.storage.site_folder import create_site, open_store
from evdesk.storage.site_keys import StoredSiteKeys
from evdesk.storage.site_store import SiteStore
from tests.fakes.clock import SetClock
from tests.fakes.keyring import MemoryKeyring, os_keyring
from tests.fakes.keys import CHEAP, make_cheap
from tests.services.desk import OWNER, PASSWORD, SITE


@dataclass
class Keyholder:
    """Somebody who opened the site, with the use cases of accounts and keys in their name."""

    folder: Path
    store: SiteStore
    site_keys: StoredSiteKeys
    changes: KeyChanges
    accounts: AccountService
    keys: KeyService

    def audit(self) -> list[AuditEntry]:
        """Return every entry, oldest first."""
        with self.store.read() as unit:
            return unit.audit.entries(10_000)[::-1]

    def said(self, action: str) -> list[Outcome]:
        return [entry.outcome for entry in self.audit() if entry.action == action]


@dataclass
class House:
    """A site folder, this PC's keyring and its folder for service keys."""

    folder: Path
    keyring: MemoryKeyring
    service: ServiceKeyFile
    recovery_code: str

    def places(self) -> Places:
        return {SlotKind.KEYRING: os_keyring(self.keyring), SlotKind.SERVICE: self.service}

    def enter(self, password: Secret, user: str | None = None) -> Keyholder:
        """Open the site; raises WrongKey."""
        return self.hold(keys.unlock(self.folder, None, password, user=user))

    def hold(self, unlocked: keys.Unlocked) -> Keyholder:
        clock = SetClock()
        program = open_store(self.folder, unlocked.data_key, PROGRAM, clock)
        account = unlocked.account_id
        with program.read() as unit:
            found = None if account is None else unit.accounts.by_id(account)
        actor = Actor("recovery", OWNER.role) if found is None else Actor(found.id, found.role)
        store = program.acting_as(actor)
        site_keys = StoredSiteKeys(
            self.folder, program, clock, unlocked.data_key, unlocked.signing_key, cost=CHEAP
        )
        changes = KeyChanges(program, site_keys, clock, self.places())
        accounts = AccountService(store, clock, site_keys, changes, RandomPseudonyms())
        key_service = KeyService(store, SetClock(), site_keys, changes, self.places())
        return Keyholder(self.folder, store, site_keys, changes, accounts, key_service)

    def opens(self, password: Secret, user: str | None = None) -> bool:
        """Whether somebody gets as far as the database."""
        try:
            holder = self.enter(password, user)
        except WrongKey:
            return False
        holder.store.close()
        return True


def make_house(folder: Path) -> House:
    """Make a site whose owner's password costs little to try."""
    code = create_site(folder / "site", SITE, OWNER, PASSWORD)
    make_cheap(folder / "site", PASSWORD)
    service = ServiceKeyFile(folder / "service", folder / "credentials")
    return House(folder / "site", MemoryKeyring(), service, code)


def copied(house: House, folder: Path) -> House:
    """Return the same house elsewhere."""
    site = Path(shutil.copytree(house.folder, folder / "site"))
    service = ServiceKeyFile(folder / "service", folder / "credentials")
    return House(site, MemoryKeyring(), service, house.recovery_code)
