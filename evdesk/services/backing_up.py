"""Making backups, by people and by the collector: begun, made, proven, and the oldest removed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from evdesk.domain.audit import Change, Outcome
from evdesk.domain.backups import Backup, BackupId, ScheduleState, expired
from evdesk.domain.errors import EvdeskError, WrongKey
from evdesk.domain.instants import parse_instant, rfc3339
from evdesk.domain.secrets import Secret
from evdesk.ports import (
    Attend,
    AuditFilter,
    BackupFiles,
    BackupOrder,
    BackupVerdict,
    Clock,
    Pseudonyms,
    Store,
    Unit,
    unattended,
)
from evdesk.ports.backups import MADE_BEFORE_ROTATION, MADE_UNDER_ANOTHER
from evdesk.services.key_changes import ROTATED
from evdesk.settings import BACKUPS

LOG = logging.getLogger(__name__)
MAKE = "make_backup"  # the kind of the intent
BEGUN, MADE, VERIFIED, REMOVED = "backup.begun", "backup.made", "backup.verified", "backup.removed"


class BackupWork:
    """What making backups consists of; ``wall`` is the real clock, also on demo sites.

    Each step that changes a folder has an entry before it and one after it. A step that was cut off
    is looked at before the next one begins.
    """

    def __init__(
        self, store: Store, files: BackupFiles, pseudonyms: Pseudonyms, wall: Clock
    ) -> None:
        self._store, self._files = store, files
        self._pseudonyms, self._wall = pseudonyms, wall

    def usual_folder(self) -> Path:
        """Return where backups go when no folder is named."""
        with self._store.read() as unit:
            return unit.backups.schedule().folder or self._files.own_folder()

    def make(self, folder: Path, attend: Attend = unattended) -> Backup:
        """Make a backup; whatever ends it, that is in the log.

        Raises:
            UserError: there is no such folder, or it is the one of the site itself.
            StorageError: another one is being made, or the disk refuses; nothing of it is kept.

        """
        folder = self._files.check_folder(folder)
        with self._files.alone():
            self._finish_begun()
            self._tidy_persons()
            order = BackupOrder(BackupId(self._pseudonyms.make("B")), folder, self._wall.now())
            with self._recording() as unit:
                data = {"id": order.id, "folder": str(folder), "at": rfc3339(order.at)}
                intent = unit.intents.begin(MAKE, data, order.at)
                unit.record_change(_change(BEGUN, order.id))
            made: Backup | None = None
            try:
                made = self._files.make(order, attend)
            finally:
                self._end(order, intent, made)
        return made

    def tidy(self) -> None:
        """Look at what a process that died had begun, and at copies that are too old.

        Raises:
            StorageError: a backup is being made at the moment.

        """
        with self._files.alone():
            self._finish_begun()
            self._tidy_persons()

    def verify(
        self, file: Path, attend: Attend = unattended, then: Secret | None = None
    ) -> BackupVerdict:
        """Restore a backup into a scratch file, check it, and enter the verdict in the log.

        Raises:
            WrongKey: the data key is another one since, and ``then`` does not open the backup;
                that says nothing about the backup, and nothing is entered.

        """
        try:
            verdict = self._files.verify(file, attend, then)
        except WrongKey as error:
            if error.template != MADE_UNDER_ANOTHER:
                raise
            raise self._dated(error) from error
        backup = "unknown" if verdict.backup is None else verdict.backup.id
        facts = {"problems": len(verdict.problems), "entries": verdict.entries}
        with self._recording() as unit:
            unit.record_change(_change(VERIFIED, backup, ok=verdict.intact, **facts))
        return verdict

    def rotate(self, folder: Path) -> tuple[Backup, ...]:
        """Remove the backups in a folder that are kept for long enough; return those that are gone.

        The newest one that was proven is never among them.
        """
        found = [one.backup for one in self._files.find(folder) if one.backup is not None]
        with self._store.read() as unit:
            verified, days = unit.backups.verified(), unit.backups.schedule().keep_days
        old = expired(found, verified, self._wall.now(), days)
        for one in old:
            with self._recording() as unit:
                made_at = rfc3339(one.created_at)
                unit.record_change(_change(REMOVED, one.id, made_at=made_at, keep_days=days))
        return tuple(one for one in old if self._files.remove(one))

    def _dated(self, error: WrongKey) -> WrongKey:
        """Return the error with the day on which the key was changed, where the log tells it."""
        made_at = error.facts["made_at"]
        if not isinstance(made_at, datetime):
            return error
        with self._store.read() as unit:
            found = unit.audit.find(AuditFilter(from_at=made_at, action=ROTATED))
            zone = ZoneInfo(unit.site.load().tz)
        if not found:
            return error
        return WrongKey(
            MADE_BEFORE_ROTATION,
            file=error.facts["file"],
            on=found[-1].at.astimezone(zone).date().isoformat(),
        )

    # -- parts ----------------------------------------------------------------------------------

    def _finish_begun(self) -> None:
        """Look at what was begun by a process that died, and say what became of it."""
        with self._store.read() as unit:
            begun = unit.intents.open(MAKE)
        for intent, data in begun.items():
            order = BackupOrder(
                BackupId(str(data["id"])),
                Path(str(data["folder"])),
                parse_instant(str(data["at"]), "UTC"),
            )
            self._end(order, intent, self._made_after_all(order), cut_off=True)

    def _tidy_persons(self) -> None:
        """Let no copy of the keys of persons lie in a folder for longer than it may.

        Where backups still go, it is renewed, elsewhere it is removed; a drive that is not here is
        looked at again the next time.
        """
        now = self._wall.now()
        with self._store.read() as unit:
            places, schedule = unit.backups.places(), unit.backups.schedule()
        used = self.usual_folder() if schedule.state is ScheduleState.ON else None
        for folder, persons_at in places.items():
            if now - persons_at < timedelta(days=BACKUPS.persons_days):
                continue
            if folder == used and self._renewed(folder):
                with self._store.journal() as unit:
                    unit.backups.note_place(folder, now)
            elif self._files.drop_persons(folder):
                with self._store.journal() as unit:
                    unit.backups.forget_place(folder)

    def _renewed(self, folder: Path) -> bool:
        try:
            self._files.copy_persons(folder)
        except EvdeskError as error:
            LOG.info("The keys of persons beside the backups could not be renewed: %s", error)
            return False
        return True

    def _made_after_all(self, order: BackupOrder) -> Backup | None:
        with suppress(EvdeskError):
            found = (one.backup for one in self._files.find(order.folder))
            return next((one for one in found if one is not None and one.id == order.id), None)
        return None

    def _end(
        self,
        order: BackupOrder,
        intent: int,
        made: Backup | None,
        *,
        cut_off: bool = False,
    ) -> None:
        facts: dict[str, object] = {"cut_off": True} if cut_off else {}
        if made is not None:
            facts |= {"bytes": made.size_bytes, "head": str(made.head), "signed": made.signed}
        with self._recording() as unit:
            unit.intents.done([intent], self._wall.now())
            if made is not None:
                unit.backups.note_place(order.folder, order.at)
            unit.record_change(_change(MADE, order.id, ok=made is not None, **facts))

    @contextmanager
    def _recording(self) -> Iterator[Unit]:
        """Write entries; a site whose log was rolled back can be backed up, too."""
        through = self._store.journal if self._store.rollback else self._store.write
        with through() as unit:
            yield unit


def _change(action: str, backup: str, *, ok: bool = True, **facts: object) -> Change:
    outcome = Outcome.OK if ok else Outcome.FAILED
    return Change(action, "backup", backup, facts, outcome=outcome)
