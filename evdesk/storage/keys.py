"""keys.json: who can unlock the data key of a site, and how.

Format: ``magic, version, site_id, slots[], signing, sha256``. The digest tells damage from a wrong
password; it is no protection. Every slot is bound to magic, version and site id (see
``key_slots``); ``signing`` is the key of the audit log. The file is written twice, keys.json and
keys.json.bak, each by an atomic replacement.
"""

import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import filelock

from evdesk import settings
from evdesk.domain.errors import StorageError, WrongKey
from evdesk.domain.notes import Verifier
from evdesk.domain.secrets import Secret
from evdesk.domain.site import AccountId
from evdesk.storage.json_text import canonical
from evdesk.storage.key_slots import (
    KEY_BYTES,
    RandomBytes,
    Slot,
    SlotKind,
    load_slot,
    make_slot,
    open_slot,
)
from evdesk.storage.recovery import CODE_BYTES, read_code, write_code
from evdesk.storage.signing import Signing, load_signing, new_signing

MAGIC = "evdesk-keys"
VERSION = 1
KEYS = "keys.json"
SECOND = "keys.json.bak"
LOCK = "keys.lock"

MISSING = (
    "{folder} has no key file (keys.json): without it nobody can open the site. Nothing was "
    "changed. Put keys.json back from a backup; the database itself need not be replaced."
)
DAMAGED = (
    "Both copies of the key file in {folder} are damaged; nothing was changed. "
    "Put keys.json back from a backup; the database itself need not be replaced."
)
NEWER = (
    "{path} is of version {found}, and this evdesk knows version {known}; nothing was changed. "
    "Install the evdesk that wrote it, or a later one."
)
WRONG = "That password does not open this site. Nothing was changed; try again."
WRONG_CODE = (
    "That recovery code does not open this site: it is well-formed, but belongs to another site or "
    "was replaced. Nothing was changed."
)
NO_ACCOUNT = "No key of this site belongs to that account. Nothing was changed; choose another."
NOT_WRITTEN = (
    "The key file in {folder} could not be written ({detail}); the old one still holds. "
    "Check the permissions and the free space, then try again."
)
NOT_READ = (
    "The key file in {folder} could not be read ({detail}); nothing was changed. "
    "Check the permissions of the site folder, then try again."
)
HELD = "Another program is changing the keys of this site. Nothing was changed; try again."


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The key file: whose it is, and its slots."""

    site_id: str
    slots: tuple[Slot, ...]
    signing: Signing | None = None

    def about(self) -> dict[str, object]:
        """Return what every slot is bound to."""
        return {"magic": MAGIC, "version": VERSION, "site_id": self.site_id}


@dataclass(frozen=True, slots=True)
class Unlocked:
    """An opened slot. ``account_id`` is None where the recovery code opened it.

    ``signing_key`` is None where the slot may not sign heads of the audit log.
    ``used_second_copy`` says that keys.json is damaged and keys.json.bak stood in: tell the owner.
    """

    data_key: Secret
    signing_key: Secret | None
    slot_id: str
    account_id: AccountId | None
    used_second_copy: bool


def create_keys(
    folder: Path,
    site_id: str,
    account_id: AccountId,
    password: Secret,
    *,
    created_at: datetime,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> tuple[Secret, str]:
    """Make a data key, a slot for the first account and one for recovery; return key and code."""
    data_key = Secret(random_bytes(KEY_BYTES))
    code = random_bytes(CODE_BYTES)
    file = KeyFile(site_id, ())
    file = _with_slot(
        file,
        make_slot(
            file.about(),
            SlotKind.PASSWORD,
            account_id,
            password,
            data_key,
            created_at=created_at,
            random_bytes=random_bytes,
        ),
    )
    file = _with_slot(file, _recovery_slot(file, code, data_key, created_at, random_bytes))
    _write(folder, replace(file, signing=_new_signing(file, random_bytes)))
    return data_key, write_code(code)


def unlock(folder: Path, account_id: AccountId | None, password: Secret) -> Unlocked:
    """Open the slot of an account (None: whichever fits); a recovery code also does.

    Raises:
        WrongKey: no slot opens with this.
        StorageError: no key file, both copies damaged, or a slot of an unreasonable cost.

    """
    file, second = _read(folder)
    code = read_code(password.reveal().decode(errors="replace"))
    for slot in file.slots:
        if slot.kind is SlotKind.RECOVERY:
            secret = None if code is None else Secret(code)
        else:
            secret = password if account_id in {None, slot.label} else None
        if secret is None:
            continue
        opened = open_slot(file.about(), slot, secret)
        if opened is not None:
            account = AccountId(slot.label) if slot.kind is SlotKind.PASSWORD else None
            signing = file.signing
            signing_key = None if signing is None else signing.opened(file.about(), opened)
            return Unlocked(opened.data_key, signing_key, slot.id, account, second)
    if code is not None:
        raise WrongKey(WRONG_CODE)
    known = {slot.label for slot in file.slots}
    raise WrongKey(WRONG if account_id is None or account_id in known else NO_ACCOUNT)


def set_password(
    folder: Path,
    account_id: AccountId,
    data_key: Secret,
    password: Secret,
    *,
    created_at: datetime,
    signing_key: Secret | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> None:
    """Give an account a slot under a new password in place of its old one, or its first one.

    Raises:
        StorageError: the key file cannot be read or written; the old one still holds.

    """
    with _held(folder):
        file, _ = _read(folder)
        slot = make_slot(
            file.about(),
            SlotKind.PASSWORD,
            account_id,
            password,
            data_key,
            created_at=created_at,
            random_bytes=random_bytes,
        )
        _write(folder, _shared(_with_slot(file, slot), slot, signing_key))


def remove_account(folder: Path, account_id: AccountId) -> None:
    """Take an account's slot away; who knows the data key still opens the database."""
    with _held(folder):
        file, _ = _read(folder)
        kept = tuple(slot for slot in file.slots if slot.label != account_id)
        _write(folder, replace(file, slots=kept))


def renew_recovery_code(
    folder: Path,
    data_key: Secret,
    *,
    created_at: datetime,
    signing_key: Secret | None = None,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> str:
    """Return a new recovery code; the old one opens nothing from now on."""
    code = random_bytes(CODE_BYTES)
    with _held(folder):
        file, _ = _read(folder)
        slot = _recovery_slot(file, code, data_key, created_at, random_bytes)
        _write(folder, _shared(_with_slot(file, slot), slot, signing_key))
    return write_code(code)


def verifier(folder: Path, *, random_bytes: RandomBytes = secrets.token_bytes) -> Verifier:
    """Return the public key of the site's audit log; a key file without one is given one.

    It is shared with every slot that is there then.

    Raises:
        StorageError: the key file cannot be read or written.

    """
    file, _ = _read(folder)
    signing = file.signing
    if signing is None:
        with _held(folder):
            file, _ = _read(folder)  # another process may have been faster
            signing = file.signing or _new_signing(file, random_bytes)
            _write(folder, replace(file, signing=signing))
    return Verifier(f"evdesk/{file.site_id}", signing.public)


def site_id(folder: Path) -> str:
    """Return which site the keys are for; no password needed."""
    file, _ = _read(folder)
    return file.site_id


def _recovery_slot(
    file: KeyFile, code: bytes, data_key: Secret, created_at: datetime, random_bytes: RandomBytes
) -> Slot:
    return make_slot(
        file.about(),
        SlotKind.RECOVERY,
        "",
        Secret(code),
        data_key,
        created_at=created_at,
        random_bytes=random_bytes,
    )


def _new_signing(file: KeyFile, random_bytes: RandomBytes) -> Signing:
    """Return a new signing key that every slot has a part in."""
    signing, key = new_signing(random_bytes)
    for slot in file.slots:
        signing = signing.shared_with(file.about(), slot, key)
    return signing


def _shared(file: KeyFile, slot: Slot, signing_key: Secret | None) -> KeyFile:
    """Return the file with a part in the signing key for a slot, where there is a key to give."""
    if file.signing is None or signing_key is None:
        return file
    return replace(file, signing=file.signing.shared_with(file.about(), slot, signing_key))


def _with_slot(file: KeyFile, slot: Slot) -> KeyFile:
    """Return the file with one slot in place of that of the same kind and label."""
    others = tuple(s for s in file.slots if (s.kind, s.label) != (slot.kind, slot.label))
    return replace(file, slots=(*others, slot))


def _read(folder: Path) -> tuple[KeyFile, bool]:
    """Return the key file, and whether it was the second copy."""
    found = False
    for name in (KEYS, SECOND):
        try:
            text = (folder / name).read_bytes()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise StorageError(NOT_READ, folder=folder, detail=error.strerror) from error
        found = True
        file = _parse(text, folder / name)
        if file is not None:
            return file, name == SECOND
    raise StorageError(DAMAGED if found else MISSING, folder=folder)


def _parse(text: bytes, path: Path) -> KeyFile | None:
    """Return the key file of a text, or None where the text is damaged."""
    try:
        data = json.loads(text)
        digest = data.pop("sha256")
        if data["magic"] != MAGIC or digest != _digest(data):
            return None
        if data["version"] != VERSION:
            raise StorageError(NEWER, path=path, found=data["version"], known=VERSION)
        slots = tuple(load_slot(slot) for slot in data["slots"])
        return KeyFile(str(data["site_id"]), slots, load_signing(data.get("signing")))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _digest(data: dict[str, object]) -> str:
    return hashlib.sha256(canonical(data).encode()).hexdigest()


def _write(folder: Path, file: KeyFile) -> None:
    data = {**file.about(), "slots": [slot.dump() for slot in file.slots]}
    if file.signing is not None:
        data["signing"] = file.signing.kept_for(file.slots).dump()
    text = json.dumps({**data, "sha256": _digest(data)}, indent=1, ensure_ascii=False) + "\n"
    try:
        for name in (KEYS, SECOND):
            write_atomically(folder / name, text.encode())
    except OSError as error:
        raise StorageError(NOT_WRITTEN, folder=folder, detail=error.strerror) from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file as a whole, 0600, durable when this returns.

    Raises:
        OSError: it could not be written; the old file still stands.

    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Let one process at a time change the keys."""
    timeout_s = settings.JOURNAL.busy_timeout_ms / 1000
    lock = filelock.FileLock(folder / LOCK, timeout=timeout_s, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StorageError(HELD) from error
    except OSError as error:
        raise StorageError(NOT_WRITTEN, folder=folder, detail=error.strerror) from error
    try:
        yield
    finally:
        lock.release()
