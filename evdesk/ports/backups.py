"""Backups: files that hold a whole site, made while it is in use and proven by restoring them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from evdesk.domain.backups import Backup, BackupId, MonthTotals, Schedule
from evdesk.domain.erasures import Erasure
from evdesk.domain.errors import EvdeskError
from evdesk.domain.notes import Head
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor

OLDER_KEY = (
    "{file} was made before the site was given another data key, so the password of today does not "
    "open it. Nothing was changed. Give a password of that time as well: --backup-password-file"
)

MADE_UNDER_ANOTHER = (
    "{file} was made under another data key than the site has today, and no password that was "
    "given opens it. Give a password of when it was made: --backup-password-file"
)
MADE_BEFORE_ROTATION = (
    "{file} was made before the key was changed on {on}; give the password of then: "
    "--backup-password-file"
)


class BackupStage(StrEnum):
    """What is done at the moment, of making, verifying and restoring a backup."""

    COPYING = "copying the database"
    PACKING = "writing the file"
    UNPACKING = "reading the file"
    PAGES = "checking every page"
    LOG = "checking the audit log"
    TOTALS = "comparing the totals"
    BUILDING = "building the site"


# Told of a stage and of the share of it that is done. It may take its time, which slows the work
# down, and whatever it raises ends the work: nothing half-done is left.
Attend = Callable[[BackupStage, float], None]


def unattended(_stage: BackupStage, _share: float) -> None:
    """Let the work go on at its own pace."""


@dataclass(frozen=True, slots=True)
class BackupOrder:
    """A backup to be made: its id, its folder and its instant."""

    id: BackupId
    folder: Path
    at: datetime


@dataclass(frozen=True, slots=True)
class FoundBackup:
    """A file that is named like a backup; ``backup`` None: what it says of itself is not there."""

    file: Path
    size_bytes: int
    backup: Backup | None


@dataclass(frozen=True, slots=True)
class BackupVerdict:
    """What came of restoring a backup into a scratch file; no problems: all of it is as it was.

    ``signed`` is whether the site's key signed it; a backup made by somebody without that key is
    proven by the data key alone. ``months`` are totals as they were restored. ``own_password``: it
    was not opened with the data key of today, but with a password of its own.
    """

    file: Path
    backup: Backup | None
    problems: tuple[EvdeskError, ...]
    entries: int = 0
    readings: int = 0
    months: Mapping[str, MonthTotals] = field(default_factory=dict)
    own_password: bool = False

    @property
    def intact(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.problems


class KeysInUse(Protocol):
    """The keys that a site was opened with; they may be others after a rotation."""

    @property
    def data_key(self) -> Secret:
        """Return the key of the database."""

    @property
    def signing_key(self) -> Secret | None:
        """Return the key that signs, or None where whoever opened has no part in it."""


class BackupRows(Protocol):
    """What a site keeps of its backups."""

    def schedule(self) -> Schedule:
        """Return when and where backups are made."""

    def set_schedule(self, schedule: Schedule) -> None:
        """Replace when and where backups are made."""

    def watch_from(self, at: datetime) -> None:
        """Count a missing backup from an instant on, unless that is done already."""

    def note_done(self, at: datetime) -> None:
        """Keep when the collector last made one that held."""

    def last_made_at(self) -> datetime | None:
        """Return when the newest one was made, by whomever."""

    def verified(self) -> set[BackupId]:
        """Return which ones were proven by restoring them."""

    def note_place(self, folder: Path, persons_at: datetime) -> None:
        """Keep that a folder has a copy of the keys of persons, and from when."""

    def forget_place(self, folder: Path) -> None:
        """Keep that a folder has no such copy."""

    def places(self) -> dict[Path, datetime]:
        """Return which folders have a copy of the keys of persons, and from when."""


class BackupFiles(Protocol):
    """The backup files of one unlocked site."""

    def own_folder(self) -> Path:
        """Return the folder that is used where none is chosen: it is made when it is needed."""

    def check_folder(self, folder: Path) -> Path:
        """Return a folder as an absolute path, if backups of this site may go there.

        Raises:
            UserError: it is not there, it is the site folder itself, or another site's are in it.

        """

    def is_on_same_disk(self, folder: Path) -> bool:
        """Return whether a folder is lost with the disk that the site is on; False: not known."""

    def alone(self) -> AbstractContextManager[None]:
        """Let nobody else make backups of this site while the block lasts.

        Raises:
            StorageError: somebody does.

        """

    def make(self, order: BackupOrder, attend: Attend = unattended) -> Backup:
        """Write one backup, and beside it the newest keys of persons and erasure ledger.

        Call it while ``alone``.

        Raises:
            StorageError: no room, no permission, a drive that is gone; nothing of it is kept.

        """

    def verify(
        self, file: Path, attend: Attend = unattended, then: Secret | None = None
    ) -> BackupVerdict:
        """Restore a backup of this site into a scratch file and check everything there is.

        ``then`` is a password that is tried where the data key is another one since.

        Raises:
            UserError: there is no such file, or it is another site's.
            WrongKey: the data key is another one since, and ``then`` does not open the backup.
            StorageError: no room for the scratch file, or a newer program made it.

        """

    def find(self, folder: Path) -> list[FoundBackup]:
        """Return the backups of this site in a folder, newest first."""

    def remove(self, backup: Backup) -> bool:
        """Remove a backup file; return whether it is gone."""

    def copy_persons(self, folder: Path) -> None:
        """Write the newest keys of persons and erasure ledger over those there, while ``alone``."""

    def drop_persons(self, folder: Path) -> bool:
        """Remove the keys of persons from a folder; return whether none are left there."""


class ErasureLedger(Protocol):
    """What was erased, oldest first (append-only); backups older than a line still hold it."""

    def append(self, erasure: Erasure) -> None:
        """Write that something is gone, durable when this returns."""

    def since(self, at: datetime) -> list[Erasure]:
        """Return what was erased at an instant or later."""


class ErasureReplay(Protocol):
    """Erases once more, in a site that was restored, what had been erased."""

    def replay(self, erasures: Iterable[Erasure]) -> int:
        """Erase what of these is there again; return how many were."""


class PersonsSource(StrEnum):
    """Where a restored site has the keys of persons from."""

    REPLACED_SITE = "the replaced site"
    BACKUP_FOLDER = "the backup folder"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Restorable:
    """What restoring a backup would do; nothing is changed yet.

    ``replaces`` says that a site is there now. ``persons_at`` is from when the keys of persons are
    that would be used. ``later_…`` counts what the present site has and the backup does not have;
    None where it cannot be read. ``actor`` is whose password it was.
    """

    verdict: BackupVerdict
    folder: Path
    actor: Actor
    replaces: bool
    persons: PersonsSource
    persons_at: datetime | None
    has_ledger: bool
    later_sessions: int | None = None
    later_invoices: int | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """What restoring a backup did.

    ``last_invoices`` are the highest numbers that are taken, by series, beyond those in the backup.
    ``kept_keys`` says that the passwords are those of the site that was replaced.
    """

    backup: Backup
    folder: Path
    kept_aside: Path | None
    kept_keys: bool
    persons: PersonsSource
    persons_at: datetime | None
    erased_again: int
    head: Head
    signed: bool
    last_invoices: Mapping[str, int]


class Restoration(Protocol):
    """A backup on its way into a folder: restored beside it and checked, not yet in its place."""

    about: Restorable

    def carry_out(self, last_invoices: Mapping[str, int], attend: Attend = unattended) -> Restored:
        """Stop the collector, put the site in place, and keep what was there before aside.

        ``last_invoices`` are numbers known to be taken, by series.

        Raises:
            StorageError: the site is open elsewhere, or a disk refuses; all is as it was before.

        """
