"""keys.json: who can unlock the data key of a site, and how; read and written as a whole.

Format: ``magic, version, site_id, slots[], signing, former, sha256``. The digest tells damage from
a wrong password; it is no protection. Every slot is bound to magic, version and site id (see
``key_slots``); ``signing`` is the key of the audit log; ``former`` is the data key before the
present one, sealed to the slots, while files under it are being replaced. The file is written
twice, keys.json and keys.json.bak, each by an atomic replacement; what keys.json says holds.
"""

import base64
import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import filelock

from evdesk import settings
from evdesk.domain.errors import StorageError
from evdesk.storage.json_text import canonical
from evdesk.storage.key_slots import Slot, load_slot
from evdesk.storage.signing import Signing, load_signing

LOG = logging.getLogger(__name__)
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
    """The key file: whose it is, and its slots; ``former`` by slot id, empty mostly."""

    site_id: str
    slots: tuple[Slot, ...]
    signing: Signing | None = None
    former: Mapping[str, bytes] | None = None

    def about(self) -> dict[str, object]:
        """Return what every slot is bound to."""
        return {"magic": MAGIC, "version": VERSION, "site_id": self.site_id}

    def with_slot(self, slot: Slot) -> "KeyFile":
        """Return the file with one slot in place of that of the same kind and label."""
        others = tuple(s for s in self.slots if (s.kind, s.label) != (slot.kind, slot.label))
        return replace(self, slots=(*others, slot))

    def text(self) -> str:
        """Return the file as it is written."""
        data = {**self.about(), "slots": [slot.dump() for slot in self.slots]}
        if self.signing is not None:
            data["signing"] = self.signing.kept_for(self.slots).dump()
        if self.former is not None:
            data["former"] = {
                slot: base64.b64encode(sealed).decode() for slot, sealed in self.former.items()
            }
        return json.dumps({**data, "sha256": digest(data)}, indent=1, ensure_ascii=False) + "\n"


def read_keys(folder: Path) -> tuple[KeyFile, bool]:
    """Return the key file, and whether it was the second copy.

    Raises:
        StorageError: there is none, both copies are damaged, or a newer evdesk wrote them.

    """
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


def write_keys(folder: Path, file: KeyFile) -> None:
    """Replace the key file; the second copy first, so that a failure leaves what held before.

    Raises:
        StorageError: it could not be written; the old one still holds.

    """
    text = file.text().encode()
    try:
        for name in (SECOND, KEYS):
            write_atomically(folder / name, text)
            LOG.debug("%s is written", name)
    except OSError as error:
        raise StorageError(NOT_WRITTEN, folder=folder, detail=error.strerror) from error


def even_out(folder: Path) -> None:
    """Undo what an interrupted change left: a second copy other than the first, half a file."""
    if _same(folder) and not _strays(folder):
        return
    with held(folder):
        file, second = read_keys(folder)
        if not second and not _same(folder):
            write_keys(folder, file)
        for stray in _strays(folder):
            stray.unlink(missing_ok=True)


def _strays(folder: Path) -> list[Path]:
    return [path for name in (KEYS, SECOND) for path in folder.glob(f".{name}-*")]


def _same(folder: Path) -> bool:
    try:
        return (folder / KEYS).read_bytes() == (folder / SECOND).read_bytes()
    except OSError:
        return True  # whoever reads the keys says so


def _parse(text: bytes, path: Path) -> KeyFile | None:
    """Return the key file of a text, or None where the text is damaged."""
    try:
        data = json.loads(text)
        said = data.pop("sha256")
        if data["magic"] != MAGIC or said != digest(data):
            return None
        if data["version"] != VERSION:
            raise StorageError(NEWER, path=path, found=data["version"], known=VERSION)
        slots = tuple(load_slot(slot) for slot in data["slots"])
        signing, former = load_signing(data.get("signing")), data.get("former")
        if former is not None:
            former = {slot: base64.b64decode(value) for slot, value in former.items()}
        return KeyFile(str(data["site_id"]), slots, signing, former)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def digest(data: Mapping[str, object]) -> str:
    """Return what tells that the file was read as it was written."""
    return hashlib.sha256(canonical(data).encode()).hexdigest()


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
def held(folder: Path) -> Iterator[None]:
    """Let one process at a time change the keys.

    Raises:
        StorageError: another one is changing them, or the folder cannot be written.

    """
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
