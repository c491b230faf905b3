"""Getting in: a password, the recovery code or a random key opens a slot of keys.json."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from evdesk.domain.errors import WrongKey
from evdesk.domain.instants import parse_instant
from evdesk.domain.notes import Verifier
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId, SlotKind
from evdesk.ports import SlotInfo
from evdesk.storage.key_file import (
    KEYS,
    SECOND,
    KeyFile,
    held,
    read_keys,
    write_atomically,
    write_keys,
)
from evdesk.storage.key_slots import (
    KEY_BYTES,
    OpenSlot,
    RandomBytes,
    Slot,
    Whose,
    hint_of,
    make_slot,
    open_slot,
)
from evdesk.storage.recovery import CODE_BYTES, is_mistyped, read_code, write_code
from evdesk.storage.signing import Signing, new_signing

__all__ = ["KEYS", "SECOND", "write_atomically"]

WRONG = "That password does not open this site. Nothing was changed; try again."
WRONG_CODE = (
    "That recovery code does not open this site: it is well-formed, but belongs to another site or "
    "was replaced. Nothing was changed."
)
MISTYPED = (
    "This is a recovery code with a letter mistyped. Nothing was changed; compare it with the "
    "paper, group by group."
)
NO_ACCOUNT = "No key of this site belongs to that account. Nothing was changed; choose another."
NO_SLOT = "The key that is kept for this site opens it no more. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Unlocked:
    """An opened slot. ``account_id`` is None where it is nobody's own (recovery, service).

    ``signing_key`` is None where the slot may not sign heads of the audit log.
    ``used_second_copy`` says that keys.json is damaged and keys.json.bak stood in: tell the owner.
    """

    data_key: Secret
    signing_key: Secret | None
    slot_id: str
    kind: SlotKind
    account_id: AccountId | None
    used_second_copy: bool


def create_keys(
    folder: Path,
    site_id: str,
    account_id: AccountId,
    password: Secret,
    *,
    created_at: datetime,
    name: str | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> tuple[Secret, str]:
    """Make a data key, a slot for the first account and one for recovery; return key and code."""
    data_key = Secret(random_bytes(KEY_BYTES))
    code = random_bytes(CODE_BYTES)
    file = KeyFile(site_id, ())
    hint = None if name is None else hint_of(site_id, name)
    for whose, secret in (
        (Whose(SlotKind.PASSWORD, account_id, hint), password),
        (Whose(SlotKind.RECOVERY), Secret(code)),
    ):
        slot = make_slot(
            file.about(),
            whose,
            secret,
            data_key,
            created_at=created_at,
            random_bytes=random_bytes,
        )
        file = file.with_slot(slot)
    write_keys(folder, replace(file, signing=_new_signing(file, random_bytes)))
    return data_key, write_code(code)


def unlock(
    folder: Path, account_id: AccountId | None, password: Secret, *, user: str | None = None
) -> Unlocked:
    """Open the slot of an account (None: whichever fits); a recovery code also does.

    The name of a ``user`` spares trying the slots of others, each of which takes its time.

    Raises:
        WrongKey: no slot opens with this.
        StorageError: no key file, both copies damaged, or a slot of an unreasonable cost.

    """
    file, second = read_keys(folder)
    code = read_code(password.reveal().decode(errors="replace"))
    if code is not None:
        slots = [slot for slot in file.slots if slot.kind is SlotKind.RECOVERY]
        secret = Secret(code)
    else:
        hints = None if user is None else {None, hint_of(file.site_id, user)}
        slots = [
            slot
            for slot in file.slots
            if slot.kind is SlotKind.PASSWORD
            and account_id in {None, slot.label}
            and (hints is None or slot.hint in hints)
        ]
        secret = password
    opened = _opened(file, slots, secret)
    if opened is not None:
        return _unlocked(folder, file, opened, used_second_copy=second)
    if code is not None:
        raise WrongKey(WRONG_CODE)
    if is_mistyped(password.reveal().decode(errors="replace")):
        raise WrongKey(MISTYPED)
    raise WrongKey(WRONG if slots else NO_ACCOUNT)


def unlock_slot(folder: Path, slot_id: str, secret: Secret) -> Unlocked:
    """Open one slot with its random key.

    Raises:
        WrongKey: the slot is gone, or another key belongs to it.
        StorageError: as ``unlock``.

    """
    file, second = read_keys(folder)
    opened = _opened(file, [slot for slot in file.slots if slot.id == slot_id], secret)
    if opened is None:
        raise WrongKey(NO_SLOT)
    return _unlocked(folder, file, opened, used_second_copy=second)


def slots(folder: Path) -> list[SlotInfo]:
    """Return what opens a site; no password needed."""
    file, _ = read_keys(folder)
    return [info_of(slot) for slot in file.slots]


def info_of(slot: Slot) -> SlotInfo:
    """Return what anybody can see of a slot."""
    account = AccountId(slot.label) if slot.label else None
    return SlotInfo(slot.id, slot.kind, account, parse_instant(slot.created_at, "UTC"))


def verifier(folder: Path, *, random_bytes: RandomBytes = secrets.token_bytes) -> Verifier:
    """Return the public key of the site's audit log; a key file without one is given one.

    It is shared with every slot that is there then.

    Raises:
        StorageError: the key file cannot be read or written.

    """
    file, _ = read_keys(folder)
    signing = file.signing
    if signing is None:
        with held(folder):
            file, _ = read_keys(folder)  # another process may have been faster
            signing = file.signing or _new_signing(file, random_bytes)
            write_keys(folder, replace(file, signing=signing))
    return Verifier(f"evdesk/{file.site_id}", signing.public)


def site_id(folder: Path) -> str:
    """Return which site the keys are for; no password needed."""
    file, _ = read_keys(folder)
    return file.site_id


def _opened(file: KeyFile, slots: Iterable[Slot], secret: Secret) -> OpenSlot | None:
    found = (open_slot(file.about(), slot, secret) for slot in slots)
    return next((opened for opened in found if opened is not None), None)


def _unlocked(folder: Path, file: KeyFile, opened: OpenSlot, *, used_second_copy: bool) -> Unlocked:
    if file.signing is None:  # written before there was a signing key
        verifier(folder)
        file, _ = read_keys(folder)
    signing_key = None if file.signing is None else file.signing.opened(file.about(), opened)
    return Unlocked(
        data_key=opened.data_key,
        signing_key=signing_key,
        slot_id=opened.slot.id,
        kind=opened.slot.kind,
        account_id=info_of(opened.slot).account,
        used_second_copy=used_second_copy,
    )


def _new_signing(file: KeyFile, random_bytes: RandomBytes) -> Signing:
    """Return a new signing key that every slot has a part in."""
    signing, key = new_signing(random_bytes)
    for slot in file.slots:
        signing = signing.shared_with(file.about(), slot, key)
    return signing
