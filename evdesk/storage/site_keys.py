"""The keys of an open site: slots are made, put, dropped; the data key is renewed."""

import base64
import secrets
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from evdesk.domain.audit import Change
from evdesk.domain.errors import StorageError
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId, Actor, SlotKind
from evdesk.ports import Clock, NewSlot, SlotInfo
from evdesk.storage.key_file import held, read_keys, write_keys
from evdesk.storage.key_slots import (
    KEY_BYTES,
    KdfCost,
    Slot,
    Whose,
    hint_of,
    load_slot,
    make_slot,
    seal_to,
)
from evdesk.storage.keys import info_of
from evdesk.storage.recovery import CODE_BYTES, write_code
from evdesk.storage.rotation import Rotation
from evdesk.storage.signing import PURPOSE
from evdesk.storage.site_store import SiteStore

NO_PART = (
    "This program was started without a part in the key that signs the audit log, so it cannot "
    "give one to others. Nothing was changed. Open the site with the password of an owner."
)


class StoredSiteKeys:
    """Implements ``ports.SiteKeys``; ``cost`` is what trying a password will take."""

    def __init__(
        self,
        folder: Path,
        store: SiteStore,
        clock: Clock,
        data_key: Secret,
        signing_key: Secret | None,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
        cost: KdfCost | None = None,
    ) -> None:
        self._folder, self._store, self._clock = folder, store, clock
        self._data_key, self._signing_key = data_key, signing_key
        self._random_bytes, self._cost = random_bytes, cost

    @property
    def data_key(self) -> Secret:
        """Return the key of the database; another one after ``rotate``."""
        return self._data_key

    @property
    def signing_key(self) -> Secret | None:
        """Return the key that signs heads of the audit log; None: whoever opened has no part."""
        return self._signing_key

    def held(self) -> AbstractContextManager[None]:
        """Let nobody else change the keys while the block lasts."""
        return held(self._folder)

    def slots(self) -> list[SlotInfo]:
        """Return what opens the site."""
        file, _ = read_keys(self._folder)
        return [info_of(slot) for slot in file.slots]

    def password_slot(
        self, account: AccountId, name: str, password: Secret, *, signs: bool
    ) -> NewSlot:
        """Return a slot for an account; takes the time of trying a password."""
        hint = hint_of(self._site_id(), name)
        return self._make(Whose(SlotKind.PASSWORD, account, hint), password, signs=signs)

    def recovery_slot(self) -> tuple[NewSlot, str]:
        """Return a slot with the code that opens it, as it is printed."""
        code = self._random_bytes(CODE_BYTES)
        return self._make(Whose(SlotKind.RECOVERY), Secret(code), signs=True), write_code(code)

    def random_slot(
        self, kind: SlotKind, account: AccountId | None, *, signs: bool
    ) -> tuple[NewSlot, Secret]:
        """Return a slot with the random key that opens it."""
        secret = Secret(self._random_bytes(KEY_BYTES))
        return self._make(Whose(kind, account or ""), secret, signs=signs), secret

    def change(self, put: NewSlot | None, drop: Iterable[str]) -> None:
        """Write a slot in place of that of the same kind and account, and take others away."""
        file, _ = read_keys(self._folder)
        dropped = set(drop)
        file = replace(file, slots=tuple(s for s in file.slots if s.id not in dropped))
        if put is not None:
            slot, share = _parts(put)
            file = file.with_slot(slot)
            if share is not None and file.signing is not None:
                sealed = {**file.signing.sealed, slot.id: share}
                file = replace(file, signing=replace(file.signing, sealed=sealed))
        write_keys(self._folder, file)

    def rotate(
        self, actor: Actor, change: Change, intent: int, attend: Callable[[float], None]
    ) -> None:
        """Put everything under a new data key; every slot opens it. Call it while keys are held."""
        rotation = Rotation(self._folder, self._data_key, self._random_bytes)
        store = self._store.acting_as(actor)
        self._data_key = rotation.carry_out(store, change, intent, attend)

    def _site_id(self) -> str:
        return read_keys(self._folder)[0].site_id

    def _make(self, whose: Whose, secret: Secret, *, signs: bool) -> NewSlot:
        if signs and self._signing_key is None:
            raise StorageError(NO_PART)
        file, _ = read_keys(self._folder)
        slot = make_slot(
            file.about(),
            whose,
            secret,
            self._data_key,
            created_at=self._clock.now(),
            random_bytes=self._random_bytes,
            cost=self._cost,
        )
        content: dict[str, object] = {"slot": slot.dump()}
        if signs and self._signing_key is not None:
            share = seal_to(file.about(), slot, PURPOSE, self._signing_key)
            content["share"] = base64.b64encode(share).decode()
        return NewSlot(info_of(slot), content)


def _parts(new: NewSlot) -> tuple[Slot, bytes | None]:
    slot, share = new.content["slot"], new.content.get("share")
    if not isinstance(slot, dict):
        raise TypeError("a slot that was not made here")
    return load_slot(slot), None if share is None else base64.b64decode(str(share))
