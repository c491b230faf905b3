"""Backups that were never made."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evdesk.domain.backups import Backup, BackupId, MonthTotals, Schedule, ScheduleState
from evdesk.domain.errors import EvdeskError, StorageError, WrongKey
from evdesk.domain.notes import Head
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.ports import (
    Attend,
    BackupStage,
    BackupVerdict,
    FoundBackup,
    PersonsSource,
    Restorable,
    Restored,
    unattended,
)
from evdesk.ports.backups import MADE_BEFORE_ROTATION
from evdesk.services.backups import BackupService, ListedBackup, MadeBackup
from evdesk.services.restoring import RestoreService, RestoreWish

FOLDER = Path("/media/backup/evdesk")
NEWEST = datetime(2026, 11, 23, 2, 0, 9, tzinfo=UTC)
STAGES = (BackupStage.COPYING, BackupStage.PAGES, BackupStage.LOG, BackupStage.TOTALS)
HEAD = Head(4_812, b"h" * 32)


def backup(number: int = 0, folder: Path = FOLDER) -> Backup:
    """Return the backup of so many days ago."""
    at = NEWEST - timedelta(days=number)
    name = f"evdesk-S-4F7K-{at:%Y%m%dT%H%M%SZ}-B-{number}7KQ2.zip"
    return Backup(
        BackupId(f"B-{number}7KQ2"), folder / name, "S-4F7K", at, 81_400_000 - number * 910_000,
        15, "0.4.0", Head(4_812 - 40 * number, b"h" * 32), signed=True,
    )  # fmt: skip


class StubBackups(BackupService):
    """``problem`` is what is wrong with every backup that is checked."""

    def __init__(self, days: int = 6) -> None:
        self.made = [ListedBackup(_found(backup(n)), n not in {0, 3}) for n in range(days)]
        self.problem: EvdeskError | None = None
        self.when = Schedule(ScheduleState.UNDECIDED, None, 180, 30, None, None)
        self.asked: list[Path | None] = []
        self.password_of_then: bytes | None = None  # that every backup needs which is checked

    def usual_folder(self) -> Path:
        return self.when.folder or FOLDER

    def own_folder(self) -> Path:
        return Path("/srv/site/backups")

    def is_on_same_disk(self, folder: Path) -> bool:
        return folder == self.own_folder()

    def find(self, folder: Path | None = None) -> list[ListedBackup]:
        return list(self.made) if folder in {None, FOLDER} else []

    def create(self, folder: Path | None = None, attend: Attend = unattended) -> MadeBackup:
        self.asked.append(folder)
        for stage in STAGES:
            attend(stage, 0.5)
        new = replace(backup(), id=BackupId("B-NEW"), file=FOLDER / "evdesk-new.zip")
        self.made.insert(0, ListedBackup(_found(new), verified=True))
        return MadeBackup(new, self._verdict(new.file), ())

    def verify(
        self, file: Path, attend: Attend = unattended, then: Secret | None = None
    ) -> BackupVerdict:
        for stage in STAGES:
            attend(stage, 0.5)
        needed = self.password_of_then
        if needed is not None and (then is None or then.reveal() != needed):
            raise WrongKey(MADE_BEFORE_ROTATION, file=file, on="2026-11-20")
        if self.problem is None:
            self.made = [
                replace(one, verified=one.verified or one.found.file == file) for one in self.made
            ]
        return replace(self._verdict(file), own_password=needed is not None)

    def _verdict(self, file: Path) -> BackupVerdict:
        problems = () if self.problem is None else (self.problem,)
        months = {f"2026-{n:02d}": MonthTotals() for n in range(3, 12)}
        return BackupVerdict(file, backup(), problems, 4_812, 2_904_117, months)

    def schedule(self) -> Schedule:
        return self.when

    def set_schedule(self, *, on, folder=None, at_minute=None, keep_days=None) -> Schedule:
        state = ScheduleState.ON if on else ScheduleState.OFF
        self.when = replace(
            self.when, state=state, folder=folder, at_minute=at_minute or 0, keep_days=keep_days
        )
        return self.when


class StubRestores(RestoreService):
    """``refusal`` answers every wish until it is met; ``done`` are the wishes that were met."""

    def __init__(self, refusal: Callable[[RestoreWish], EvdeskError | None] | None = None) -> None:
        self.refusal = refusal or (lambda _wish: None)
        self.done: list[RestoreWish] = []
        self.replaces = True

    def look(self, wish: RestoreWish, attend: Attend = unattended) -> Restorable:
        for stage in STAGES:
            attend(stage, 0.5)
        refusal = self.refusal(wish)
        if refusal is not None:
            raise refusal
        verdict = BackupVerdict(wish.file, backup(), (), 4_812, 2_904_117)
        return Restorable(
            verdict, wish.folder, Actor("A-HANNA000", Role.OWNER), self.replaces,
            PersonsSource.REPLACED_SITE, NEWEST, has_ledger=True,
            later_sessions=37 if self.replaces else None,
            later_invoices=2 if self.replaces else None,
        )  # fmt: skip

    def restore(self, wish, agree, attend: Attend = unattended) -> Restored:
        agree(self.look(wish, attend))
        self.done.append(wish)
        return Restored(
            backup(), wish.folder, wish.folder.with_name("site-before") if self.replaces else None,
            True, PersonsSource.REPLACED_SITE, NEWEST, 0, HEAD, True, wish.last_invoices,
        )  # fmt: skip

    def are_old(self, at: datetime | None) -> bool:
        return False


def _found(of: Backup) -> FoundBackup:
    return FoundBackup(of.file, of.size_bytes, of)


DAMAGED = StorageError("Page {page} of the backup is not what was written.", page=812)
