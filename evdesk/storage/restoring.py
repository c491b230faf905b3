"""Restoring a backup: built and checked beside its place, settled, and put there by renaming."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from evdesk.domain.errors import EvdeskError, StorageError, UserError
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.ports.backups import (
    Attend,
    BackupStage,
    PersonsSource,
    Restorable,
    Restored,
    unattended,
)
from evdesk.storage import backup_file, keys
from evdesk.storage.accounts import StoredAccounts
from evdesk.storage.backup_checks import NOT_A_BACKUP, Unpacked, check, unpack
from evdesk.storage.backups import OTHER_SITE, find
from evdesk.storage.connection import Connection
from evdesk.storage.disks import disk_of, sync_folder
from evdesk.storage.erasures import LEDGER, LedgerFile
from evdesk.storage.exclusive import alone
from evdesk.storage.faults import Place
from evdesk.storage.keys import write_atomically
from evdesk.storage.places import refuse_bad_place
from evdesk.storage.replaced import Figures, PersonKey, ReplacedSite, figures_of, person_keys
from evdesk.storage.restoring_keys import RestoreKeys, present_keys, put_keys, restore_keys
from evdesk.storage.scratch import scratch_folder
from evdesk.storage.settling import Newer, Settled, settle
from evdesk.storage.site_folder import NOT_EMPTY, PERSONS_DB, SITE_DB
from evdesk.storage.swapping import Swap, finish, prefix_of, restoring, swap

RECOVERY = Actor("recovery", Role.OWNER)
SCRATCH = "evdesk-keys-"
REMOVED = (
    "The account of this password is not in the backup. Nothing was done. Use a password of "
    "somebody who had an account then, or the recovery code."
)
NO_CHANGE = "{file} does not hold, so nothing was restored and nothing was changed. {why}"


@dataclass(frozen=True, slots=True)
class KeysOfPersons:
    """The keys of persons that a restored site gets: where from, from when, and what."""

    source: PersonsSource
    at: datetime | None
    rows: Sequence[PersonKey]


@dataclass(frozen=True, slots=True)
class Wish:
    """Which backup is to be restored, where, with whose password, and when that is.

    ``backup_password`` opens the backup where the data key has been renewed since.
    """

    file: Path
    folder: Path
    password: Secret
    now: datetime
    backup_password: Secret | None = None


@contextmanager
def restoration(wish: Wish, attend: Attend = unattended) -> Iterator["BuiltSite"]:
    """Restore a backup beside its place and check it; nothing is changed before ``carry_out``.

    Raises:
        UserError: there is no such file, or the backup is another site's than the one that is here.
        WrongKey: the password opens neither the site that is there nor, without one, the backup.
        StorageError: the backup does not hold, a newer program made it, or a disk refuses.

    """
    folder = wish.folder.expanduser().absolute()
    wish = replace(wish, file=wish.file.expanduser().absolute(), folder=folder)
    refuse_bad_place(folder)
    finish(folder)
    is_site = _is_site(folder)
    present = present_keys(folder, wish.password) if is_site else None
    with disk_of(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with restoring(folder), _building(folder) as built:
        unpacked = _unpacked(wish.file, built, attend)
        if is_site:
            _refuse_other_site(unpacked, folder)
        found = restore_keys(built, wish.file, wish.password, wish.backup_password, present)
        check(unpacked, found.unlocked.data_key, wish.now, attend)
        _refuse_damage(unpacked)
        replaced = ReplacedSite(folder, found.data_keys) if is_site else None
        yield BuiltSite(wish, unpacked, found, replaced)


class BuiltSite:
    """Implements ``ports.Restoration``: a verified backup in a folder beside its place."""

    def __init__(
        self, wish: Wish, unpacked: Unpacked, found: RestoreKeys, replaced: ReplacedSite | None
    ) -> None:
        self._unpacked, self._keys, self._replaced = unpacked, found, replaced
        self._unlocked = found.unlocked
        self._place, self._password, self._now = wish.folder, wish.password, wish.now
        self.about = self._told()

    def carry_out(self, last_invoices: Mapping[str, int], attend: Attend = unattended) -> Restored:
        """Stop the collector, put the site in place, and keep what was there before aside.

        Raises:
            StorageError: the site is open elsewhere, or a disk refuses; all is as it was before.

        """
        built, database = self._unpacked.folder, self._place / SITE_DB
        aside = None if self._replaced is None else _free_name(self._place, self._now)
        with ExitStack() as stopped:
            if self._replaced is not None:
                stopped.enter_context(self._replaced.stopped())
            with alone(database):
                attend(BackupStage.BUILDING, 0.1)
            restored = self._settle(last_invoices, aside)
            attend(BackupStage.BUILDING, 0.8)
            if os.name != "posix":
                stopped.close()  # a folder with an open file cannot be moved there
            with alone(database):
                swap(Swap(self._place, built, aside))
        attend(BackupStage.BUILDING, 1.0)
        return restored

    def _told(self) -> Restorable:
        place = Place(self._unpacked.folder / SITE_DB, self._unlocked.data_key, 5_000)
        connection = Connection(place)
        try:
            actor = self._actor(connection)
            ours = figures_of(connection)
        finally:
            connection.close()
        theirs = None if self._replaced is None else self._replaced.figures()
        persons = self._persons()
        return Restorable(
            verdict=self._unpacked.verdict(),
            folder=self._place,
            actor=actor,
            replaces=self._replaced is not None,
            persons=persons.source,
            persons_at=persons.at,
            has_ledger=bool(self._ledgers()),
            later_sessions=None if theirs is None else max(0, theirs.sessions - ours.sessions),
            later_invoices=None if theirs is None else max(0, theirs.invoices - ours.invoices),
        )

    def _actor(self, connection: Connection) -> Actor:
        account = self._unlocked.account_id
        if account is None:
            return RECOVERY
        today = () if self._replaced is None else self._replaced.accounts() or ()
        then = StoredAccounts(connection).all(removed=True)
        roles = {one.id: one.role for one in (*then, *today)}
        if account not in roles:
            raise UserError(REMOVED)
        return Actor(account, roles[account])

    def _settle(self, last_invoices: Mapping[str, int], aside: Path | None) -> Restored:
        """Make the unpacked parts a whole site, with what is newer than they are."""
        folder, replaced, backup = self._unpacked.folder, self._replaced, self._unpacked.backup
        theirs = (None if replaced is None else replaced.figures()) or Figures()
        taken = _highest(last_invoices, theirs.last_invoices)
        anchored = None if replaced is None else replaced.anchored()
        persons, ledger = self._persons(), self._newest_ledger()
        with disk_of(folder):
            kept_keys = put_keys(folder, self._place, self._keys)
            if ledger.path.exists():
                write_atomically(folder / LEDGER, ledger.path.read_bytes())
            facts = {
                "backup": backup.id,
                "made_at": backup.created_at,
                "anchored": None if anchored is None else str(anchored),
                "found": str(backup.head),
                "replaced": replaced is not None,
                "kept_keys": kept_keys,
                "persons": persons.source.value,
                "persons_at": persons.at,
                "last_invoices": taken,
            }
            accounts = None if replaced is None else replaced.accounts()
            newer = Newer(persons.rows, ledger, taken, accounts or (), backup.created_at)
            settled = settle(folder, self._unlocked, self.about.actor, self._now, newer, facts)
            sync_folder(folder)
        return self._restored(aside, persons, taken, settled, kept_keys=kept_keys)

    def _restored(
        self,
        aside: Path | None,
        persons: KeysOfPersons,
        taken: Mapping[str, int],
        settled: Settled,
        *,
        kept_keys: bool,
    ) -> Restored:
        return Restored(
            backup=self._unpacked.backup,
            folder=self._place,
            kept_aside=aside,
            kept_keys=kept_keys,
            persons=persons.source,
            persons_at=persons.at,
            erased_again=settled.erased_again,
            head=settled.head,
            signed=settled.signed,
            last_invoices=taken,
        )

    # -- keys and ledger ------------------------------------------------------------------------

    def _persons(self) -> KeysOfPersons:
        """Return the newest keys of persons there are."""
        if self._replaced is not None:
            rows = self._replaced.person_keys()
            if rows is not None:
                return KeysOfPersons(PersonsSource.REPLACED_SITE, self._now, rows)
        copy = self._unpacked.file.parent / PERSONS_DB
        if copy.is_file():
            rows = self._copied_person_keys(copy)
            if rows is not None:
                at = datetime.fromtimestamp(copy.stat().st_mtime, UTC)
                return KeysOfPersons(PersonsSource.BACKUP_FOLDER, at, rows)
        return KeysOfPersons(PersonsSource.NONE, None, ())

    def _copied_person_keys(self, copy: Path) -> list[PersonKey] | None:
        """Read the copy in the backup folder, which may lie under a newer data key."""
        with scratch_folder(SCRATCH) as folder:
            shutil.copyfile(copy, folder / PERSONS_DB)
            rows = person_keys(folder / PERSONS_DB, [self._unlocked.data_key])
            newest = next(iter(find(copy.parent)), None)
            if rows is None and newest is not None and newest.file != self._unpacked.file:
                with suppress(EvdeskError), backup_file.reading(newest.file) as found:
                    found.unpack(backup_file.KEYS, folder / keys.KEYS, lambda _share: None)
                    opened = keys.unlock(folder, None, self._password)
                    rows = person_keys(folder / PERSONS_DB, [opened.data_key])
        return rows

    def _ledgers(self) -> list[LedgerFile]:
        """Return the erasure ledgers that are there and whole."""
        folders = [self._unpacked.file.parent]
        if self._replaced is not None:
            folders.append(self._place)
        ledgers = [LedgerFile(folder / LEDGER) for folder in folders]
        return [ledger for ledger in ledgers if ledger.path.exists() and ledger.is_whole()]

    def _newest_ledger(self) -> LedgerFile:
        """Return the longest one: a ledger is only ever added to."""
        nothing = LedgerFile(self._unpacked.folder / LEDGER)
        return max(self._ledgers(), key=lambda ledger: len(ledger.all()), default=nothing)


def _is_site(folder: Path) -> bool:
    """Return whether there is a site; a folder with anything else is refused."""
    with disk_of(folder):
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return False
        if any((folder / name).exists() for name in (SITE_DB, keys.KEYS, keys.SECOND)):
            return True
    raise UserError(NOT_EMPTY, folder=folder)


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """Make a private folder beside a place; what a killed restore left there goes."""
    prefix, parent = prefix_of(folder), folder.parent
    with disk_of(parent):
        for left in parent.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        built = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))  # 0700
    try:
        yield built
    finally:
        shutil.rmtree(built, ignore_errors=True)  # in its place by now, unless something failed


def _unpacked(file: Path, built: Path, attend: Attend) -> Unpacked:
    try:
        unpacked = unpack(file, built, attend)
    except StorageError as error:
        if error.template not in NOT_A_BACKUP:
            raise
        raise StorageError(NO_CHANGE, file=file, why=error) from error
    _refuse_damage(unpacked)
    return unpacked


def _refuse_damage(unpacked: Unpacked) -> None:
    if unpacked.problems:
        raise StorageError(NO_CHANGE, file=unpacked.file, why=unpacked.problems[0])


def _refuse_other_site(unpacked: Unpacked, folder: Path) -> None:
    """Refuse to put one site in the place of another; one whose keys are lost is not asked."""
    with suppress(StorageError):
        if keys.site_id(folder) != unpacked.manifest.site_id:
            site = unpacked.manifest.site_id
            raise UserError(OTHER_SITE, file=unpacked.file, site=site)


def _highest(*numbers: Mapping[str, int]) -> dict[str, int]:
    highest: dict[str, int] = {}
    for each in numbers:
        for series, serial in each.items():
            highest[series] = max(serial, highest.get(series, serial))
    return highest


def _free_name(folder: Path, now: datetime) -> Path:
    """Return a name beside a folder that nothing has."""
    name = f"{folder.name}.replaced-{now:%Y%m%dT%H%M%SZ}"
    names = [name, *(f"{name}-{number}" for number in range(2, 100))]
    return next(folder.with_name(each) for each in names if not folder.with_name(each).exists())
