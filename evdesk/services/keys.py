"""The other ways into a site: recovery code, keyring, service; and a new data key for all."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.errors import Occupied
from evdesk.domain.permissions import Action, allows
from evdesk.domain.site import AccountId, SlotKind
from evdesk.ports import Clock, SiteKeys, Store
from evdesk.services.accounts import own_account
from evdesk.services.key_changes import RECOVERY_CODE, ROTATED, KeyChanges, Places
from evdesk.services.permitting import permit
from evdesk.services.sites import is_running
from evdesk.settings import UNLOCKING

LOOK_S = 0.1
KEYRING, SERVICE = "account.keyring", "account.service"
STILL_COLLECTING = (
    "The collector has not ended after {seconds:g} s, and a new key needs it to. Nothing was "
    "changed. Stop it, then try again."
)


@dataclass(frozen=True, slots=True)
class WaysIn:
    """How else the site opens, and since when: with the printed code, and by itself on this PC."""

    recovery_since: datetime | None
    service_since: datetime | None


class KeyService:
    """Use cases of keys that are nobody's password; ``wall`` is the real clock."""

    def __init__(
        self,
        store: Store,
        wall: Clock,
        keys: SiteKeys,
        changes: KeyChanges,
        places: Places,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._wall, self._sleep = store, wall, sleep
        self._keys, self._changes, self._places = keys, changes, places

    @permit(Action.LOOK)
    def ways_in(self) -> WaysIn:
        """Return which other slots there are."""
        since = {slot.kind: slot.created_at for slot in self._keys.slots()}
        return WaysIn(since.get(SlotKind.RECOVERY), since.get(SlotKind.SERVICE))

    @permit(Action.CHANGE_ACCOUNTS)
    def renew_recovery_code(self) -> str:
        """Return a new recovery code, to be shown once; the old one opens nothing."""
        with self._keys.held():
            slot, code = self._keys.recovery_slot()
            change = Change(RECOVERY_CODE, "site", self._site(), {"slot": slot.info.id})
            self._changes.carry_out(self._store, change, put=slot)
        return code

    @permit(Action.OWN_ACCOUNT)
    def keyring_on(self) -> None:
        """Let the keyring of this computer's system open the site for the own account."""
        account = own_account(self._store)
        signs = allows(account.role, Action.SIGN_AUDIT)
        self._random_on(
            SlotKind.KEYRING,
            account.id,
            Change(KEYRING, "account", account.id, {"on": True}),
            signs=signs,
        )

    @permit(Action.OWN_ACCOUNT)
    def keyring_off(self) -> bool:
        """Let the own account open the site with its password alone; return whether it was on."""
        account = own_account(self._store).id
        change = Change(KEYRING, "account", account, {"on": False})
        return self._random_off(SlotKind.KEYRING, account, change)

    @permit(Action.CHANGE_ACCOUNTS)
    def service_on(self) -> None:
        """Let a collector that starts with this PC open the site; so can whoever takes the PC."""
        change = Change(SERVICE, "site", self._site(), {"on": True})
        self._random_on(SlotKind.SERVICE, None, change, signs=True)

    @permit(Action.CHANGE_ACCOUNTS)
    def service_off(self) -> bool:
        """Let nothing open the site by itself any more; return whether it was on."""
        change = Change(SERVICE, "site", self._site(), {"on": False})
        return self._random_off(SlotKind.SERVICE, None, change)

    @permit(Action.CHANGE_ACCOUNTS)
    def rotate(self, attend: Callable[[float], None] = lambda _share: None) -> bool:
        """Put the site under a new data key that every slot opens; what had the old one does not.

        The collector is stopped for it; return whether one was, so that it can be started again.
        Backups that were made before stay under the old key. ``attend`` is told the share.

        Raises:
            Occupied: the collector does not end.
            StorageError: the site is open elsewhere, or no room for a copy; nothing was changed.

        """
        stopped = self._stop_collector()
        with self._keys.held():
            slots = len(self._keys.slots())
            change = Change(ROTATED, "site", self._site(), {"slots": slots})
            self._changes.rotate(self._store, change, attend)
        return stopped

    # -- parts ------------------------------------------------------------------------------------

    def _random_on(
        self, kind: SlotKind, account: AccountId | None, change: Change, *, signs: bool
    ) -> None:
        place = self._places[kind]
        refusal = place.refusal()
        if refusal is not None:
            raise refusal
        with self._keys.held():
            before = self._of(kind, account)
            slot, secret = self._keys.random_slot(kind, account, signs=signs)
            place.keep(slot.info.id, secret)
            facts = {**change.facts, "slot": slot.info.id}
            self._changes.carry_out(self._store, replace(change, facts=facts), put=slot)
        for old in before:
            place.forget(old)

    def _random_off(self, kind: SlotKind, account: AccountId | None, change: Change) -> bool:
        with self._keys.held():
            before = self._of(kind, account)
            if before:
                self._changes.carry_out(self._store, change, drop=before)
        for old in before:
            self._places[kind].forget(old)
        return bool(before)

    def _of(self, kind: SlotKind, account: AccountId | None) -> list[str]:
        slots = self._keys.slots()
        return [slot.id for slot in slots if (slot.kind, slot.account) == (kind, account)]

    def _stop_collector(self) -> bool:
        if not self._is_collecting():
            return False
        with self._store.journal() as unit:
            unit.collector.request_stop()
        for _ in range(round(UNLOCKING.stop_patience_s / LOOK_S)):
            if not self._is_collecting():
                return True
            self._sleep(LOOK_S)
        raise Occupied(STILL_COLLECTING, seconds=UNLOCKING.stop_patience_s)

    def _is_collecting(self) -> bool:
        with self._store.read() as unit:
            return is_running(unit.collector.state(), self._wall.now())

    def _site(self) -> str:
        with self._store.read() as unit:
            return unit.site.load().id
