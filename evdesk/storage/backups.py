"""The backup files of one site: made while it is in use, found, proven, removed."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import filelock

from evdesk import __version__
from evdesk.domain.backups import Backup, Totals
from evdesk.domain.errors import EvdeskError, StorageError, UserError
from evdesk.domain.secrets import Secret
from evdesk.ports import Clock
from evdesk.ports.backups import (
    Attend,
    BackupOrder,
    BackupStage,
    BackupVerdict,
    FoundBackup,
    KeysInUse,
    unattended,
)
from evdesk.settings import JOURNAL
from evdesk.storage import backup_file, backup_keys, disks, keys, migrations
from evdesk.storage.backup_checks import verdict_of
from evdesk.storage.backup_file import CHUNK_BYTES, Manifest, Packing, Part, site_of, sync
from evdesk.storage.backup_keys import SCRATCH, KeyOfBackup
from evdesk.storage.chain import Chain
from evdesk.storage.connection import Connection
from evdesk.storage.disks import disk_of, sync_folder
from evdesk.storage.erasures import LEDGER
from evdesk.storage.faults import Place
from evdesk.storage.keys import write_atomically
from evdesk.storage.migrations import SITE_SCHEMA
from evdesk.storage.persons import persons_place
from evdesk.storage.scratch import discard, scratch_folder
from evdesk.storage.swapping import OWN_BACKUPS
from evdesk.storage.totals import totals_of

SITE_DB, PERSONS_DB = "site.db", "persons.db"
LOCK = "backup.lock"
PAGES = 256  # that are copied at once: 1 MB
ROOM_BYTES = 4_000_000  # beside what is written: the log of a scratch file, and the like
BYTES_PER_MB = 1_000_000

NO_FOLDER = (
    "There is no folder {folder}: a drive that is not connected? Nothing was done. Connect it, or "
    "make the folder, or choose another one."
)
SITE_FOLDER = (
    "{folder} is the folder of the site itself, where a backup would be lost with it. Nothing was "
    "done. Choose another folder, best on another drive."
)
OTHER_SITES = (
    "{folder} holds backups of another site ({site}). Each site needs a folder of its own there. "
    "Nothing was done."
)
OTHER_SITE = backup_keys.OTHER_SITE
BUSY = "Another backup of this site is being made. Nothing was done; try again when it is done."
KEYS_CHANGED = (
    "The keys of the site were changed while it was backed up, so that this backup would not open. "
    "It was removed; make another one."
)


class SiteBackups:
    """Implements ``ports.BackupFiles``; without a signing key, backups bear no signature."""

    def __init__(
        self,
        folder: Path,
        keys_in_use: KeysInUse,
        clock: Clock,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._folder, self._keys = folder.absolute(), keys_in_use
        self._clock, self._random_bytes = clock, random_bytes

    # -- folders --------------------------------------------------------------------------------

    def own_folder(self) -> Path:
        """Return the folder that is used where none is chosen: it is made when it is needed."""
        return self._folder / OWN_BACKUPS

    def check_folder(self, folder: Path) -> Path:
        """Return a folder as an absolute path, if backups of this site may go there.

        Raises:
            UserError: it is not there, it is the site folder itself, or another site's are in it.

        """
        folder = folder.expanduser().absolute()
        if folder == self.own_folder():
            with disk_of(self._folder):
                folder.mkdir(mode=0o700, exist_ok=True)
        if not folder.is_dir():
            raise UserError(NO_FOLDER, folder=folder)
        if folder.resolve() == self._folder.resolve() or (folder / keys.KEYS).exists():
            raise UserError(SITE_FOLDER, folder=folder)
        mine = keys.site_id(self._folder)
        with disk_of(folder):
            for file in folder.iterdir():
                site = site_of(file)
                if site is not None and site != mine:
                    raise UserError(OTHER_SITES, folder=folder, site=site)
        return folder

    def is_on_same_disk(self, folder: Path) -> bool:
        """Return whether a folder is lost with the disk that the site is on; False: not known."""
        return disks.are_on_one(self._folder, folder)

    def find(self, folder: Path) -> list[FoundBackup]:
        """Return the backups of this site in a folder, newest first."""
        if folder == self.own_folder() and not folder.exists():
            return []
        mine = keys.site_id(self._folder)
        return [one for one in find(folder) if site_of(one.file) == mine]

    # -- making ---------------------------------------------------------------------------------

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else make backups of this site while the block lasts.

        Raises:
            StorageError: somebody does.

        """
        lock = filelock.FileLock(self._folder / LOCK, timeout=0, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise StorageError(BUSY) from error
        except OSError as error:
            reason = disks.LOCKED
            raise StorageError(reason, folder=self._folder, detail=error.strerror) from error
        try:
            yield
        finally:
            lock.release()

    def make(self, order: BackupOrder, attend: Attend = unattended) -> Backup:
        """Write one backup, and beside it the newest keys of persons and erasure ledger.

        Call it while ``alone``.

        Raises:
            StorageError: no room, no permission, a drive that is gone; nothing of it is kept.

        """
        with self._working(order.folder) as work, disk_of(order.folder):
            self._check_room(order.folder)
            manifest, totals = self._copy(order, work, attend)
            before = self._key_file(work)
            self._copy_persons(work)
            packed = self._pack(work, manifest, totals, before, attend)
            if self._key_file(work) != before:
                raise StorageError(KEYS_CHANGED)
            self._put_persons(work, order.folder)
            name = backup_file.file_name(manifest.site_id, order.at, order.id)
            file = order.folder / name
            (work / name).replace(file)
            sync_folder(order.folder)
            size_bytes = file.stat().st_size
        return packed.told(file, size_bytes, signed=self._keys.signing_key is not None)

    def remove(self, backup: Backup) -> bool:
        """Remove a backup file; return whether it is gone."""
        with suppress(OSError):
            backup.file.unlink(missing_ok=True)
        return not backup.file.exists()

    @contextmanager
    def _working(self, folder: Path) -> Iterator[Path]:
        """Make a hidden folder for what is not whole yet; remove what a killed process left."""
        prefix = f".evdesk-{keys.site_id(self._folder)}-"
        with disk_of(folder):
            for left in folder.glob(f"{prefix}*"):
                discard(left)
            work = folder / f"{prefix}{os.getpid()}"
            work.mkdir(mode=0o700)
        try:
            yield work
        finally:
            discard(work)

    def _check_room(self, folder: Path) -> None:
        """Refuse to begin what cannot end: the copy, and the file that it is put into."""
        database = self._folder / SITE_DB
        needed_bytes = 2 * database.stat().st_size + ROOM_BYTES
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < needed_bytes:
            raise StorageError(
                disks.NO_ROOM,
                folder=folder,
                needed_mb=needed_bytes // BYTES_PER_MB + 1,
                free_mb=free_bytes // BYTES_PER_MB,
            )

    def _copy(self, order: BackupOrder, work: Path, attend: Attend) -> tuple[Manifest, Totals]:
        """Copy the database as it is at one moment; return what there is in it."""
        target = self._place(work / SITE_DB)
        with closing(Connection(self._place(self._folder / SITE_DB))) as source:
            source.run("PRAGMA query_only = ON")
            source.run("BEGIN")
            totals, head = totals_of(source), Chain(source).head()
            schema, known = source.number("PRAGMA user_version"), migrations.newest(SITE_SCHEMA)
            migrations.check_known(source.place, schema, known)
            (site_id,) = source.one("SELECT site_id FROM site") or ("",)
            _copy_pages(source, target, partial(attend, BackupStage.COPYING))
            source.run("COMMIT")
            # What was logged meanwhile is written into the file from here: whoever commits next
            # would have to do it otherwise, and would wait for it.
            source.run("PRAGMA wal_checkpoint(PASSIVE)")
        manifest = Manifest(
            id=order.id,
            site_id=site_id,
            created_at=order.at,
            schema_version=schema,
            program=__version__,
            head=head,
            parts={},
        )
        return manifest, totals

    def _pack(
        self, work: Path, manifest: Manifest, totals: Totals, key_file: bytes, attend: Attend
    ) -> Manifest:
        signing_key = self._keys.signing_key
        name = backup_file.file_name(manifest.site_id, manifest.created_at, manifest.id)
        with Packing(work / name) as packing:
            (work / name).chmod(0o600)
            parts: dict[str, Part] = {
                backup_file.SITE: packing.add_file(
                    backup_file.SITE, work / SITE_DB, partial(attend, BackupStage.PACKING)
                ),
                backup_file.KEYS: packing.add_text(backup_file.KEYS, key_file),
            }
            manifest = replace(manifest, parts=parts)
            proof = backup_file.prove(
                self._keys.data_key,
                manifest,
                totals,
                self._random_bytes,
                signed=signing_key is not None,
            )
            manifest = replace(manifest, proof=proof)
            packing.add_text(backup_file.MANIFEST, manifest.text().encode())
            if signing_key is not None:
                note = backup_file.signature_of(manifest, signing_key)
                packing.add_text(backup_file.NOTE, note.encode())
        return manifest

    def _key_file(self, work: Path) -> bytes:
        """Return the key file as it is, or its second copy where the first one is damaged."""
        for name in (keys.KEYS, keys.SECOND):
            content = b""
            with suppress(FileNotFoundError):
                content = (self._folder / name).read_bytes()
            (work / keys.KEYS).write_bytes(content)
            with suppress(EvdeskError):
                keys.site_id(work)
                return content
        keys.site_id(self._folder)
        raise StorageError(KEYS_CHANGED)

    # -- keys of persons, and the ledger --------------------------------------------------------

    def copy_persons(self, folder: Path) -> None:
        """Write the newest keys of persons and erasure ledger over those there, while ``alone``."""
        with self._working(folder) as work, disk_of(folder):
            self._copy_persons(work)
            self._put_persons(work, folder)

    def drop_persons(self, folder: Path) -> bool:
        """Remove the keys of persons from a folder; return whether none are left there."""
        with suppress(OSError):
            (folder / PERSONS_DB).unlink(missing_ok=True)
        return folder.is_dir() and not (folder / PERSONS_DB).exists()

    def _copy_persons(self, work: Path) -> None:
        """Copy both; the keys after the database, so that none is missing that it needs."""
        timeout_ms = JOURNAL.busy_timeout_ms
        source = persons_place(self._folder / PERSONS_DB, self._keys.data_key, timeout_ms)
        with closing(Connection(source)) as connection:
            _copy_pages(connection, replace(source, path=work / PERSONS_DB), lambda _share: None)
        ledger = self._folder / LEDGER
        content = ledger.read_bytes() if ledger.exists() else b""
        write_atomically(work / LEDGER, content)

    @staticmethod
    def _put_persons(work: Path, folder: Path) -> None:
        for name in (PERSONS_DB, LEDGER):
            (work / name).replace(folder / name)

    # -- proving --------------------------------------------------------------------------------

    def verify(
        self, file: Path, attend: Attend = unattended, then: Secret | None = None
    ) -> BackupVerdict:
        """Restore a backup of this site into a scratch file and check everything there is.

        Raises:
            UserError: there is no such file, or it is another site's.
            WrongKey: the data key is another one since, and ``then`` does not open the backup.
            StorageError: no room for the scratch file, or a newer program made it.

        """
        key_of = KeyOfBackup(file, keys.site_id(self._folder), self._keys.data_key, then)
        verdict = verify(file, key_of, self._clock.now(), attend)
        return replace(verdict, own_password=key_of.own_password)

    def _place(self, path: Path) -> Place:
        return Place(path, self._keys.data_key, JOURNAL.busy_timeout_ms)


def find(folder: Path) -> list[FoundBackup]:
    """Return the backups in a folder, of whatever site, newest first; no key is needed.

    Raises:
        StorageError: the folder cannot be read.

    """
    with disk_of(folder):
        files = [file for file in folder.iterdir() if site_of(file) is not None and file.is_file()]
        found = [_told(file) for file in files]
    return sorted(found, key=lambda one: one.file.name, reverse=True)


def verify(
    file: Path, key_of: Callable[[Path], Secret], now: datetime, attend: Attend = unattended
) -> BackupVerdict:
    """Restore a backup into a scratch file and check everything there is.

    ``key_of`` returns the data key, given the folder with the unpacked key file.

    Raises:
        UserError: there is no such file.
        WrongKey: the key is not one of this backup.
        StorageError: no room for the scratch file, or a newer program made it.

    """
    parent = _roomy(file)
    with disk_of(parent or file.absolute().parent), scratch_folder(SCRATCH, parent) as folder:
        return verdict_of(file, folder, key_of, now, attend)


def _roomy(file: Path) -> Path | None:
    """Return where a scratch file has room: None for the system's folder, or beside the backup."""
    if not file.is_file():
        raise UserError(backup_file.NO_FILE, file=file)
    with disk_of(file.absolute().parent):
        size_bytes = file.stat().st_size + ROOM_BYTES
        if shutil.disk_usage(tempfile.gettempdir()).free >= size_bytes:
            return None
        return file.absolute().parent


def _told(file: Path) -> FoundBackup:
    backup = None
    with suppress(EvdeskError), backup_file.reading(file) as found:
        backup = found.told()
    return FoundBackup(file, file.stat().st_size, backup)


def _copy_pages(source: Connection, target: Place, done: Callable[[float], None]) -> None:
    """Copy a database into a new file with the same key; durable when this returns."""
    with target.path.open("xb") as file, closing(Connection(target, alone=True)) as copy:
        target.path.chmod(0o600)
        copy.run("PRAGMA journal_mode = OFF")  # a copy that is not whole is thrown away
        copy.run("PRAGMA synchronous = OFF")
        steps = 0

        def step(share: float) -> None:
            nonlocal steps
            steps += 1
            if steps * PAGES * 4096 % backup_file.SYNC_BYTES == 0:
                os.fsync(file.fileno())
            done(share)

        try:
            source.copy_to(copy, PAGES, step)
        except StorageError:
            file.seek(0, os.SEEK_END)
            file.write(bytes(CHUNK_BYTES))  # where the disk is to blame, the system says why
            sync(file)
            raise
        sync(file)
