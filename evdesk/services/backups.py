"""Backups of an open site: made, proven, found, and scheduled."""

from dataclasses import dataclass, replace
from pathlib import Path

from evdesk.domain.audit import Change
from evdesk.domain.backups import Backup, Schedule, ScheduleState
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.secrets import Secret
from evdesk.ports import (
    Attend,
    BackupFiles,
    BackupVerdict,
    Clock,
    FoundBackup,
    Pseudonyms,
    Store,
    Unit,
    unattended,
)
from evdesk.services.backing_up import BackupWork
from evdesk.services.permitting import permit
from evdesk.settings import BACKUPS

SCHEDULED = "backup.schedule"
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class MadeBackup:
    """A new backup, and what came of restoring it; ``removed`` are older ones that went for it.

    ``same_disk``: it lies on the disk of the site, and is lost with it.
    """

    backup: Backup
    verdict: BackupVerdict
    removed: tuple[Backup, ...]
    same_disk: bool = False


@dataclass(frozen=True, slots=True)
class ListedBackup:
    """A backup in a folder; ``verified``: it was restored once to check it, and held."""

    found: FoundBackup
    verified: bool


class BackupService:
    """Use cases of backups; ``wall`` is the real clock, also on demo sites."""

    def __init__(
        self, store: Store, files: BackupFiles, pseudonyms: Pseudonyms, wall: Clock
    ) -> None:
        self._store, self._files, self._wall = store, files, wall
        self._work = BackupWork(store, files, pseudonyms, wall)

    @permit(Action.MAKE_BACKUPS)
    def create(self, folder: Path | None = None, attend: Attend = unattended) -> MadeBackup:
        """Make a backup in a folder, or where they always go, and restore it to check it.

        In the folder of the schedule and in the site's own one, backups that are kept for long
        enough go afterwards.

        Raises:
            UserError: there is no such folder, or it is the one of the site itself.
            StorageError: no room, no permission, a drive that is gone; nothing of it is kept.

        """
        usual = self._work.usual_folder()
        backup = self._work.make(folder or usual, attend)
        verdict = self._work.verify(backup.file, attend)
        removed: tuple[Backup, ...] = ()
        if verdict.intact and backup.file.parent in {usual, self._files.own_folder()}:
            removed = self._work.rotate(backup.file.parent)
        return MadeBackup(backup, verdict, removed, self._files.is_on_same_disk(backup.file.parent))

    @permit(Action.VERIFY_BACKUPS)
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
        return self._work.verify(file.expanduser().absolute(), attend, then)

    @permit(Action.LOOK)
    def find(self, folder: Path | None = None) -> list[ListedBackup]:
        """Return the backups of this site in a folder, or where they always go, newest first."""
        found = self._files.find(folder or self._work.usual_folder())
        with self._store.read() as unit:
            verified = unit.backups.verified()
        return [
            ListedBackup(one, one.backup is not None and one.backup.id in verified) for one in found
        ]

    @permit(Action.LOOK)
    def schedule(self) -> Schedule:
        """Return when and where the collector makes backups."""
        with self._store.read() as unit:
            return unit.backups.schedule()

    @permit(Action.LOOK)
    def usual_folder(self) -> Path:
        """Return where backups go when no folder is named."""
        return self._work.usual_folder()

    @permit(Action.LOOK)
    def is_on_same_disk(self, folder: Path) -> bool:
        """Return whether backups in a folder are lost with the disk that the site is on."""
        return self._files.is_on_same_disk(folder.expanduser().absolute())

    @permit(Action.CHANGE_SETTINGS)
    def set_schedule(
        self,
        *,
        on: bool,
        folder: Path | None = None,
        at_minute: int | None = None,
        keep_days: int | None = None,
    ) -> Schedule:
        """Turn the collector's daily backups on or off; what is None stays as it is.

        Raises:
            UserError: no such folder, time or number of days, or a demo site.

        """
        with self._store.read() as unit:
            before, demo = unit.backups.schedule(), unit.site.load().demo
        if demo and on:
            raise UserError(
                "This is a demo site: nobody would miss it, so that no backups are made of it by "
                "themselves. Nothing was changed. Make one by hand: evdesk backup create"
            )
        wanted = replace(
            before,
            state=ScheduleState.ON if on else ScheduleState.OFF,
            folder=before.folder if folder is None else self._chosen(folder),
            at_minute=before.at_minute if at_minute is None else _checked_minute(at_minute),
            keep_days=before.keep_days if keep_days is None else _checked_days(keep_days),
        )
        if wanted == before:
            return before
        wanted = replace(wanted, watched_at=self._wall.now())
        with self._store.write() as unit:
            unit.backups.set_schedule(wanted)
            unit.record_change(_scheduled(unit, wanted))
        return wanted

    def _chosen(self, folder: Path) -> Path | None:
        folder = self._files.check_folder(folder)
        return None if folder == self._files.own_folder() else folder


def _scheduled(unit: Unit, schedule: Schedule) -> Change:
    """Return the entry; a path may hold the name of a person, and is left out."""
    facts = {
        "state": schedule.state.value,
        "folder": "own" if schedule.folder is None else "chosen",
        "at_minute": schedule.at_minute,
        "keep_days": schedule.keep_days,
    }
    return Change(SCHEDULED, "site", unit.site.load().id, facts)


def _checked_minute(at_minute: int) -> int:
    if not 0 <= at_minute < MINUTES_A_DAY:
        raise UserError("A time of day is from 00:00 to 23:59. Nothing was changed.")
    return at_minute


def _checked_days(days: int) -> int:
    if not BACKUPS.fewest_days <= days <= BACKUPS.most_days:
        raise UserError(
            "Backups are kept for {fewest} to {most} days; {days} is neither. What was erased must "
            "be gone from them some day. Nothing was changed.",
            fewest=BACKUPS.fewest_days,
            most=BACKUPS.most_days,
            days=days,
        )
    return days
