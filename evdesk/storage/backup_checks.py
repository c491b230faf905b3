"""Proves a backup by restoring it: every page, every reference, the audit log, the totals."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from evdesk.domain.backups import Backup, Totals
from evdesk.domain.errors import EvdeskError, StorageError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.verdicts import Known
from evdesk.ports.backups import Attend, BackupStage, BackupVerdict
from evdesk.settings import JOURNAL
from evdesk.storage import backup_file, keys, migrations
from evdesk.storage.backup_file import Manifest
from evdesk.storage.connection import Connection
from evdesk.storage.disks import DISK_TEMPLATES
from evdesk.storage.faults import Place
from evdesk.storage.totals import dump_totals, totals_of
from evdesk.storage.verification import verify_log

NOT_A_BACKUP = {backup_file.NO_BACKUP, backup_file.OTHER_PARTS}
OTHER_KEY = (
    "The keys in {file} do not open the database in it: the two are of different times or sites. "
    "Use another backup."
)
DAMAGED = "The database in {file} is damaged: {detail}. Use another backup."
REFERENCES = "The database in {file} has {rows} rows that refer to nothing. Use another backup."
OTHER_SITE = "The database in {file} is another site's than the file says. Use another backup."
LOG = (
    "The audit log in {file} does not hold ({what}, first told by entry {seq}). Use another "
    "backup. If the newest one says the same, run evdesk audit verify."
)
OTHER_LOG = (
    "The audit log in {file} is longer or shorter than the one that was backed up. Use another "
    "backup."
)
OTHER_TOTALS = (
    "The totals in {file} are not those that were backed up, first in {month}. Use another backup."
)
OTHER_READINGS = (
    "{file} has {found} readings, and {told} were backed up. Some are missing; use another backup."
)


@dataclass(slots=True)
class Unpacked:
    """A backup whose parts are in a folder of their own, and what is wrong with it so far."""

    file: Path
    folder: Path
    backup: Backup
    manifest: Manifest
    note: str | None
    problems: list[EvdeskError] = field(default_factory=list)
    entries: int = 0
    totals: Totals = field(default_factory=lambda: Totals({}, 0))

    def verdict(self) -> BackupVerdict:
        """Return what came of it."""
        return BackupVerdict(
            file=self.file,
            backup=self.backup,
            problems=tuple(self.problems),
            entries=self.entries,
            readings=self.totals.readings,
            months=self.totals.months,
        )


def unpack(file: Path, folder: Path, attend: Attend) -> Unpacked:
    """Write the parts of a backup into a folder; parts that were changed are problems.

    Raises:
        UserError: there is no such file.
        StorageError: it is no whole backup, a newer program made it, or there is no room.

    """
    with backup_file.reading(file) as found:
        backup, manifest = found.told(), found.manifest
        known = migrations.newest(migrations.SITE_SCHEMA)
        if manifest.schema_version > known:
            raise StorageError(backup_file.NEWER, file=file, program=manifest.program)
        unpacked = Unpacked(file, folder, backup, manifest, found.note)
        for part in (backup_file.KEYS, backup_file.SITE):
            if not found.unpack(part, folder / part, partial(attend, BackupStage.UNPACKING)):
                unpacked.problems.append(StorageError(backup_file.ALTERED, part=part, file=file))
    return unpacked


def verdict_of(
    file: Path, folder: Path, key_of: Callable[[Path], Secret], now: datetime, attend: Attend
) -> BackupVerdict:
    """Restore a backup into a folder and check all of it; ``key_of`` opens the keys in a folder.

    Raises:
        UserError: there is no such file.
        WrongKey: the key is not one of this backup.
        StorageError: a newer program made it, it cannot be read, or there is no room.

    """
    try:
        unpacked = unpack(file, folder, attend)
    except StorageError as error:
        if error.template not in NOT_A_BACKUP:
            raise
        return BackupVerdict(file, None, (error,))
    if not unpacked.problems:
        check(unpacked, key_of(folder), now, attend)
    return unpacked.verdict()


def check(unpacked: Unpacked, data_key: Secret, now: datetime, attend: Attend) -> None:
    """Add what is wrong with an unpacked backup; its database is brought up to date on the way.

    Raises:
        StorageError: there is no room for the work.

    """
    told = _check_manifest(unpacked, data_key)
    place = Place(unpacked.folder / backup_file.SITE, data_key, JOURNAL.busy_timeout_ms)
    with _problem(unpacked):
        with _opened(place) as connection:
            if not _check_pages(unpacked, connection, attend):
                return
        copy = migrations.migrate(place, migrations.SITE_SCHEMA, now)
        if copy is not None:
            copy.unlink()  # the backup is that copy
        with _opened(place) as connection:
            _check_log(unpacked, connection, attend)
            _check_totals(unpacked, connection, told, attend)


def _check_manifest(unpacked: Unpacked, data_key: Secret) -> dict[str, object]:
    """Return what the proof holds; nothing where it does not hold."""
    manifest, note, file = unpacked.manifest, unpacked.note, unpacked.file
    told = backup_file.proven(data_key, manifest)
    if told is None:
        unpacked.problems.append(StorageError(backup_file.NOT_PROVEN, file=file))
        return {}
    verifier = keys.verifier(unpacked.folder)
    fits = note is not None and backup_file.is_signature_of(note, manifest, verifier)
    if fits is not told["signed"] or (note is None) is told["signed"]:
        unpacked.problems.append(StorageError(backup_file.NOT_SIGNED, file=file))
    return told


def _check_pages(unpacked: Unpacked, connection: Connection, attend: Attend) -> bool:
    """Return whether the database can be read."""
    file, problems = unpacked.file, unpacked.problems
    attend(BackupStage.PAGES, 0.0)
    wrong = connection.all("PRAGMA cipher_integrity_check")
    attend(BackupStage.PAGES, 0.4)
    with connection.attended(partial(attend, BackupStage.PAGES, 0.5)):
        wrong = wrong or connection.all("PRAGMA integrity_check(3)")
    if wrong != [("ok",)]:
        problems.append(StorageError(DAMAGED, file=file, detail=wrong[0][0]))
        return False
    with connection.attended(partial(attend, BackupStage.PAGES, 0.9)):
        lost = connection.all("PRAGMA foreign_key_check")
    if lost:
        problems.append(StorageError(REFERENCES, file=file, rows=len(lost)))
    row = connection.one("SELECT site_id FROM site")
    if row is None or row[0] != unpacked.manifest.site_id:
        problems.append(StorageError(OTHER_SITE, file=file))
    attend(BackupStage.PAGES, 1.0)
    return True


def _check_log(unpacked: Unpacked, connection: Connection, attend: Attend) -> None:
    """Check the log with all that rests on it, and that it is as long as it was."""
    head = unpacked.manifest.head
    known = Known(keys.verifier(unpacked.folder), [head])
    connection.run("BEGIN")
    with connection.attended(partial(attend, BackupStage.LOG, 0.9)):
        verdict = verify_log(connection, known, partial(attend, BackupStage.LOG))
    connection.run("COMMIT")
    unpacked.entries, first = verdict.entries, verdict.first
    if first is not None:
        what = first.what.value.replace("_", " ")
        seq = "?" if first.seq is None else first.seq
        unpacked.problems.append(StorageError(LOG, file=unpacked.file, what=what, seq=seq))
    elif verdict.head != head:
        unpacked.problems.append(StorageError(OTHER_LOG, file=unpacked.file))


def _check_totals(
    unpacked: Unpacked, connection: Connection, told: dict[str, object], attend: Attend
) -> None:
    attend(BackupStage.TOTALS, 0.0)
    with connection.attended(partial(attend, BackupStage.TOTALS, 0.5)):
        unpacked.totals = totals_of(connection)
    found = dump_totals(unpacked.totals)
    months, before = found["months"], told.get("months")
    if isinstance(months, dict) and isinstance(before, dict) and months != before:
        names = sorted(months.keys() | before.keys())
        first = next(name for name in names if months.get(name) != before.get(name))
        unpacked.problems.append(StorageError(OTHER_TOTALS, file=unpacked.file, month=first))
    if told and found["readings"] != told["readings"]:
        unpacked.problems.append(
            StorageError(
                OTHER_READINGS,
                file=unpacked.file,
                found=found["readings"],
                told=told["readings"],
            )
        )
    attend(BackupStage.TOTALS, 1.0)


@contextmanager
def _problem(unpacked: Unpacked) -> Iterator[None]:
    """Let what is wrong with the database be a problem of the backup."""
    try:
        yield
    except WrongKey:
        unpacked.problems.append(StorageError(OTHER_KEY, file=unpacked.file))
    except StorageError as error:
        if error.template in DISK_TEMPLATES:
            raise  # there is no room for the work, which says nothing about the backup
        unpacked.problems.append(StorageError(DAMAGED, file=unpacked.file, detail=error))


@contextmanager
def _opened(place: Place) -> Iterator[Connection]:
    connection = Connection(place)
    try:
        yield connection
    finally:
        connection.close()
