"""A new data key for a site: new files are written beside the old ones and take their place.

The steps, and what the next opening finds where the program was ended between two of them:

1. ``persons.db.new`` marks that something is begun; site.db leaves the write-ahead log, which fails
   while anybody else has it open, and is locked against writers.
2. site.db and persons.db are copied under the new key, the entry of the audit log is written into
   the copy, and every page of the copies is checked.
3. The old site.db is marked as replaced: whoever opened it meanwhile writes no more.
4. keys.json: every slot opens the new key, and the old one is kept as ``former``.
   Before this, the next opening undoes all of it. From here on, it goes on.
5. The copies take the place of the old files; ``former`` goes.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from evdesk.domain.audit import Change
from evdesk.domain.errors import EvdeskError, StorageError
from evdesk.domain.notes import Head
from evdesk.domain.secrets import Secret
from evdesk.settings import JOURNAL
from evdesk.storage import faults
from evdesk.storage.connection import Connection
from evdesk.storage.disks import disk_of
from evdesk.storage.faults import Place
from evdesk.storage.key_file import KEYS, SECOND, even_out, held, read_keys, write_keys
from evdesk.storage.key_slots import KEY_BYTES, resealed, seal_to
from evdesk.storage.persons import persons_place
from evdesk.storage.site_store import SiteStore, WriteEntry

LOG = logging.getLogger(__name__)
SITE_DB, PERSONS_DB = "site.db", "persons.db"
NEW = ".new"
FORMER = "former data key"
PAGES = 1024  # copied between two looks at the progress: 4 MB
ROOM_BYTES = 4_000_000  # beside the copies
REPLACE_PATIENCE_S, REPLACE_LOOK_S = 10.0, 0.1  # Windows: until others let go of the old file
LEFT_BY = ("-wal", "-shm", "-journal")

IN_USE = (
    "The site is open in another window or program, so its key cannot be renewed now. Nothing was "
    "changed. Close the others, also on other screens, then try again."
)
NO_ROOM = (
    "A new key needs room for a second copy of the site, {needed_mb} MB, and {free_mb} MB are free "
    "in {folder}. Nothing was changed. Free some space, then try again."
)
NOT_WHOLE = (
    "The copy of {path} under the new key could not be read back whole; nothing was changed. "
    "Check the disk, make a backup, then try again."
)
NOT_REPLACED = (
    "{path} could not be replaced ({detail}). The new key holds already: close other programs that "
    "use the site folder, then open the site again, which goes on with it."
)


class Rotation:
    """One renewal of the data key; the keys are held by whoever calls."""

    def __init__(
        self,
        folder: Path,
        data_key: Secret,
        random_bytes: Callable[[int], bytes],
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._folder, self._old_key, self._free_bytes = folder, data_key, free_bytes
        self._new_key = Secret(random_bytes(KEY_BYTES))

    def carry_out(
        self, store: SiteStore, change: Change, intent: int, attend: Callable[[float], None]
    ) -> Secret:
        """Put the site under a new data key and return it; all or nothing.

        Raises:
            StorageError: somebody else has the site open, no room, or the disk failed.

        """

        def renew(write: WriteEntry) -> Head:
            sealed = False
            try:
                with disk_of(self._folder):
                    head = self._copy(lambda connection: write(connection, change, intent), attend)
                    self._seal()
                sealed = True
            finally:
                if not sealed:
                    with suppress(EvdeskError, OSError):  # or the next opening does
                        _finish(self._folder, self._old_key)
            _go_on(self._folder)
            return head

        with disk_of(self._folder):
            self._check_room()
        store.rekeyed(self._new_key, renew)
        return self._new_key

    def _check_room(self) -> None:
        names = [name + left for name in (SITE_DB, PERSONS_DB) for left in ("", "-wal")]
        paths = [self._folder / name for name in names]
        needed = sum(path.stat().st_size for path in paths if path.exists()) + ROOM_BYTES
        free = self._free_bytes(self._folder)
        if free < needed:
            facts = {"needed_mb": needed // 1_000_000 + 1, "free_mb": free // 1_000_000}
            raise StorageError(NO_ROOM, folder=self._folder, **facts)

    def _copy(self, write: Callable[[Connection], Head], attend: Callable[[float], None]) -> Head:
        """Write the new files and mark the old database as replaced."""
        _remove_new(self._folder)
        (self._folder / (PERSONS_DB + NEW)).touch(mode=0o600)
        LOG.debug("begun")
        old_site, old_persons = _places(self._folder, self._old_key)
        new_site, new_persons = _places(self._folder, self._new_key, NEW)
        with closing(Connection(old_site)) as old:
            _leave_the_log(old)
            LOG.debug("the write-ahead log is left")
            old.run("BEGIN IMMEDIATE")
            _copy_file(old_persons, new_persons, lambda _share: None)
            LOG.debug("the keys of persons are copied")
            _copy_file(old_site, new_site, attend)
            LOG.debug("the site is copied")
            head = _write_into(new_site, write)
            LOG.debug("the entry is written")
            for place in (new_site, new_persons):
                _check(place)
            schema = old.number("PRAGMA user_version")
            old.run(f"PRAGMA user_version = {-schema}")
            old.run("COMMIT")
            LOG.debug("the old database is marked as replaced")
        return head

    def _seal(self) -> None:
        """Let every slot open the new key; the old one stays beside it until all is done."""
        file, _ = read_keys(self._folder)
        about = file.about()
        former = {slot.id: seal_to(about, slot, FORMER, self._old_key) for slot in file.slots}
        slots = tuple(resealed(about, slot, self._new_key) for slot in file.slots)
        write_keys(self._folder, replace(file, slots=slots, former=former))


def finish(folder: Path, data_key: Secret) -> None:
    """Finish or undo a renewal that was ended half-way; called before the database is opened.

    Raises:
        StorageError: another program is at it, or the files cannot be replaced.

    """
    even_out(folder)
    if not _is_begun(folder):
        return
    with held(folder), disk_of(folder):
        if _is_begun(folder):
            _finish(folder, data_key)


def _is_begun(folder: Path) -> bool:
    if any((folder / (name + NEW)).exists() for name in (SITE_DB, PERSONS_DB)):
        return True
    return any(b'"former"' in _bytes(folder / name) for name in (KEYS, SECOND))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _finish(folder: Path, data_key: Secret) -> None:
    """Go on where every slot opens the new key, undo everything where not."""
    file, _ = read_keys(folder)
    if file.former is not None:
        _go_on(folder)
    else:
        _undo(folder, data_key)


def _go_on(folder: Path) -> None:
    for name in (PERSONS_DB, SITE_DB):
        if (folder / (name + NEW)).exists():
            _replace(folder / (name + NEW), folder / name)
            LOG.debug("%s is replaced", name)
    for copy in (*folder.glob("site.schema-*.db"), *folder.glob("persons.schema-*.db")):
        with suppress(OSError):
            copy.unlink()  # nobody has their key any more
    file, _ = read_keys(folder)
    write_keys(folder, replace(file, former=None))
    LOG.debug("done")


def _undo(folder: Path, data_key: Secret) -> None:
    with closing(Connection(_places(folder, data_key)[0])) as connection:
        schema = connection.number("PRAGMA user_version")
        if schema < 0:
            connection.run(f"PRAGMA user_version = {-schema}")
        connection.run("PRAGMA journal_mode = WAL")
    _remove_new(folder)


def _remove_new(folder: Path) -> None:
    for name in (SITE_DB, PERSONS_DB):  # the mark goes last
        for path in folder.glob(f"{name}{NEW}*"):
            path.unlink(missing_ok=True)


def _places(folder: Path, data_key: Secret, suffix: str = "") -> tuple[Place, Place]:
    patience_ms = JOURNAL.busy_timeout_ms
    return (
        Place(folder / (SITE_DB + suffix), data_key, patience_ms),
        persons_place(folder / (PERSONS_DB + suffix), data_key, patience_ms),
    )


def _leave_the_log(old: Connection) -> None:
    """Write the write-ahead log into the file; that takes being the only one who has it open."""
    try:
        old.run("PRAGMA journal_mode = DELETE")
    except StorageError as error:
        if error.template == faults.BUSY:
            raise StorageError(IN_USE) from error
        raise


def _copy_file(old: Place, new: Place, attend: Callable[[float], None]) -> None:
    new.path.touch(mode=0o600)
    with closing(Connection(old)) as source, closing(Connection(new)) as target:
        source.copy_to(target, PAGES, attend)


def _write_into(site: Place, write: Callable[[Connection], Head]) -> Head:
    with closing(Connection(site)) as connection:
        connection.run("PRAGMA synchronous = FULL")
        connection.run("BEGIN IMMEDIATE")
        head = write(connection)
        connection.run("COMMIT")
    return head


def _check(place: Place) -> None:
    """Read every page back, and have the file on the disk."""
    with closing(Connection(place)) as connection:
        if connection.all("PRAGMA cipher_integrity_check"):
            raise StorageError(NOT_WHOLE, path=place.path)
        if place.path.name.startswith(SITE_DB):
            connection.run("PRAGMA journal_mode = WAL")
    with place.path.open("r+b") as file:
        os.fsync(file.fileno())


def _replace(new: Path, old: Path) -> None:
    """Put a file in the place of another; what belonged to the other goes first."""
    try:
        for left in LEFT_BY:
            old.with_name(old.name + left).unlink(missing_ok=True)
        for last in _tries():
            try:
                new.replace(old)
                break
            except PermissionError:
                if last:
                    raise
    except OSError as error:
        raise StorageError(NOT_REPLACED, path=old, detail=error.strerror) from error


def _tries() -> Iterator[bool]:
    """Yield again and again for some seconds; the last time True."""
    tries = round(REPLACE_PATIENCE_S / REPLACE_LOOK_S)
    for number in range(tries):
        yield number == tries - 1
        time.sleep(REPLACE_LOOK_S)
