"""What a site keeps of its backups: when and where, and where keys of persons lie."""

from datetime import datetime
from pathlib import Path

from evdesk.domain.backups import BackupId, Schedule, ScheduleState
from evdesk.domain.instants import from_ms, to_ms
from evdesk.storage.connection import Connection

MADE, VERIFIED = "backup.made", "backup.verified"


class StoredBackups:
    """Implements ``ports.BackupRows``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def schedule(self) -> Schedule:
        """Return when and where backups are made."""
        row = self._db.one(
            "SELECT state, folder, at_minute, keep_days, watched_at_ms, made_at_ms"
            " FROM backup_schedule"
        )
        if row is None:
            msg = "a site without its row of backups"
            raise RuntimeError(msg)
        state, folder, at_minute, keep_days, watched_ms, made_ms = row
        return Schedule(
            state=ScheduleState(state),
            folder=None if folder is None else Path(folder),
            at_minute=at_minute,
            keep_days=keep_days,
            watched_at=None if watched_ms is None else from_ms(watched_ms),
            made_at=None if made_ms is None else from_ms(made_ms),
        )

    def set_schedule(self, schedule: Schedule) -> None:
        """Replace when and where backups are made."""
        watched, made = schedule.watched_at, schedule.made_at
        self._db.run(
            "UPDATE backup_schedule SET state = ?, folder = ?, at_minute = ?, keep_days = ?,"
            " watched_at_ms = ?, made_at_ms = ?",
            (
                schedule.state.value,
                None if schedule.folder is None else str(schedule.folder),
                schedule.at_minute,
                schedule.keep_days,
                None if watched is None else to_ms(watched),
                None if made is None else to_ms(made),
            ),
        )

    def watch_from(self, at: datetime) -> None:
        """Count a missing backup from an instant on, unless that is done already."""
        self._db.run(
            "UPDATE backup_schedule SET watched_at_ms = ? WHERE watched_at_ms IS NULL", (to_ms(at),)
        )

    def note_done(self, at: datetime) -> None:
        """Keep when the collector last made one that held."""
        self._db.run("UPDATE backup_schedule SET made_at_ms = ?", (to_ms(at),))

    def last_made_at(self) -> datetime | None:
        """Return when the newest one was made, by whomever."""
        row = self._db.one(
            "SELECT at FROM audit WHERE action = ? AND outcome = 'ok' ORDER BY seq DESC LIMIT 1",
            (MADE,),
        )
        return None if row is None else datetime.fromisoformat(row[0])

    def verified(self) -> set[BackupId]:
        """Return which ones were proven by restoring them."""
        rows = self._db.all(
            "SELECT object_ref FROM audit WHERE action = ? AND outcome = 'ok'", (VERIFIED,)
        )
        return {BackupId(backup) for (backup,) in rows}

    def note_place(self, folder: Path, persons_at: datetime) -> None:
        """Keep that a folder has a copy of the keys of persons, and from when."""
        self._db.run(
            "INSERT INTO backup_place (folder, persons_at_ms) VALUES (?, ?)"
            " ON CONFLICT (folder) DO UPDATE SET persons_at_ms = excluded.persons_at_ms",
            (str(folder), to_ms(persons_at)),
        )

    def forget_place(self, folder: Path) -> None:
        """Keep that a folder has no such copy."""
        self._db.run("DELETE FROM backup_place WHERE folder = ?", (str(folder),))

    def places(self) -> dict[Path, datetime]:
        """Return which folders have a copy of the keys of persons, and from when."""
        rows = self._db.all("SELECT folder, persons_at_ms FROM backup_place ORDER BY folder")
        return {Path(folder): from_ms(at_ms) for folder, at_ms in rows}
