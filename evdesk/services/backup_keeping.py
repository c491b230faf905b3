"""The keeper of the backups: makes them when they are due, and says when there are none."""

import logging
from contextlib import suppress
from datetime import datetime, timedelta

from evdesk.domain.backups import is_due, last_due, missing_since
from evdesk.domain.errors import EvdeskError, StorageError
from evdesk.domain.faults import FaultChange, FaultCode, FaultKey
from evdesk.domain.instants import EPOCH
from evdesk.ports import Attend, BackupFiles, Clock, Pseudonyms, Store
from evdesk.services.backing_up import BackupWork
from evdesk.settings import ARCHIVE, BACKUPS

LOG = logging.getLogger(__name__)
FAILED, OVERDUE = FaultKey(FaultCode.BACKUP_FAILED), FaultKey(FaultCode.BACKUP_OVERDUE)
HOUR = timedelta(hours=1)


class BackupKeeper:
    """Works beside the collector of a real site, in a thread of its own; never on a demo site."""

    def __init__(
        self, store: Store, files: BackupFiles, pseudonyms: Pseudonyms, wall: Clock
    ) -> None:
        self._store, self._wall = store, wall
        self._work = BackupWork(store, files, pseudonyms, wall)
        self._retry_at: datetime | None = None
        self._tidy_at: datetime | None = None

    def step(self, attend: Attend) -> None:
        """Do what is due; a failure is a fault, and is tried again later.

        Raises:
            StorageError: the database is busy or fails.

        """
        now = self._wall.now()
        self._watch(now)
        if self._tidy_at is None or now >= self._tidy_at:
            self._tidy_at = now + HOUR
            with suppress(StorageError):  # one is being made at the moment: the next hour
                self._work.tidy()
        if self._is_time(now):
            self._make(attend)

    def _watch(self, now: datetime) -> None:
        """Open a fault where there has been no backup for days; close it when there is one."""
        with self._store.read() as unit:
            schedule, last = unit.backups.schedule(), unit.backups.last_made_at()
            is_open = OVERDUE in unit.faults.open_keys()
        if schedule.watched_at is None:
            with self._store.journal() as unit:
                unit.backups.watch_from(now)
            return
        since = missing_since(schedule, last, now, timedelta(days=BACKUPS.overdue_days))
        if since is not None and not is_open:
            day = None if last is None else f"{last:%Y-%m-%d}"
            self._tell(FaultChange(OVERDUE, since, {"last": day}, opened=True))
        elif since is None and is_open:
            self._tell(FaultChange(OVERDUE, now, {}, opened=False))

    def _is_time(self, now: datetime) -> bool:
        """Return whether a backup is due and nothing else is to be done first."""
        if self._retry_at is not None and now < self._retry_at:
            return False
        with self._store.read() as unit:
            schedule, tz = unit.backups.schedule(), unit.site.load().tz
            oldest = unit.archive.oldest_row()
        if not is_due(schedule, now, tz):
            return False
        waits = oldest is not None and _settled(oldest) <= now
        due = last_due(now, tz, schedule.at_minute)
        return not waits or now - due >= timedelta(seconds=BACKUPS.patience_s)

    def _make(self, attend: Attend) -> None:
        try:
            why = self._made_and_proven(attend)
        except EvdeskError as error:
            why = str(error)
        now = self._wall.now()
        with self._store.read() as unit:
            is_open = FAILED in unit.faults.open_keys()
        if why is not None:
            LOG.info("A backup failed: %s", why)
            self._retry_at = now + timedelta(seconds=BACKUPS.retry_s)
            if not is_open:
                self._tell(FaultChange(FAILED, now, {"why": why}, opened=True))
        elif is_open:
            self._tell(FaultChange(FAILED, now, {}, opened=False))

    def _made_and_proven(self, attend: Attend) -> str | None:
        """Make a backup and restore it to check it; return what is wrong with it."""
        folder = self._work.usual_folder()
        made = self._work.make(folder, attend)
        verdict = self._work.verify(made.file, attend)
        if not verdict.intact:
            return str(verdict.problems[0])
        with self._store.journal() as unit:
            unit.backups.note_done(made.created_at)
        self._work.rotate(folder)
        return None

    def _tell(self, change: FaultChange) -> None:
        with self._store.journal() as unit:
            unit.faults.apply([change], self._store.actor.ref)


def _settled(oldest: datetime) -> datetime:
    """Return when the hour of the oldest reading that is not sealed is to be sealed."""
    hour_began = oldest - (oldest - EPOCH) % HOUR
    return hour_began + HOUR + timedelta(seconds=ARCHIVE.settle_s)
