"""What the group ``backup`` answers: JSON for scripts, sentences and tables for people."""

from pathlib import Path

from evdesk.cli.output import counted, facts, kwh, table
from evdesk.domain.backups import Backup, Schedule, ScheduleState
from evdesk.ports import BackupVerdict, FoundBackup, PersonsSource, Restorable, Restored
from evdesk.services.backups import ListedBackup, MadeBackup

STATES = {
    ScheduleState.UNDECIDED: "not set up: a backup is made only when somebody makes one",
    ScheduleState.ON: "on",
    ScheduleState.OFF: "off",
}
SAME_DISK = (
    "\n\nIt is on the same disk as the site, and lost with it: copy it elsewhere, with persons.db "
    "and erasures.jsonl beside it."
)
SAME_DISK_FOLDER = (
    "\n\nThat folder is on the same disk as the site, and lost with it: choose another disk with "
    "--to."
)


def question(about: Restorable) -> str:
    """Return what is asked before a site is replaced."""
    backup = about.verdict.backup
    made = "" if backup is None else f" from {backup.created_at:%Y-%m-%d %H:%M} UTC"
    lost = "what was recorded since is not in it"
    if about.later_sessions is not None and about.later_invoices is not None:
        lost = (
            f"{counted(about.later_sessions, 'session')} and "
            f"{counted(about.later_invoices, 'invoice')} are not in it"
        )
    return (
        f"Put the backup{made} in the place of {about.folder}? The collector is stopped; {lost}. "
        "The present site is kept aside."
    )


def made_json(made: MadeBackup) -> dict[str, object]:
    """Return a new backup."""
    return {
        **_backup_json(made.backup),
        "verified": made.verdict.intact,
        "problems": _problems(made.verdict),
        "removed": [str(one.file) for one in made.removed],
        "same_disk": made.same_disk,
    }


def _backup_json(backup: Backup) -> dict[str, object]:
    return {
        "id": backup.id,
        "file": str(backup.file),
        "site_id": backup.site_id,
        "created_at": backup.created_at,
        "bytes": backup.size_bytes,
        "schema_version": backup.schema_version,
        "program": backup.program,
        "head": str(backup.head),
        "signed": backup.signed,
    }


def found_json(found: FoundBackup) -> dict[str, object]:
    """Return a file that is named like a backup."""
    if found.backup is not None:
        return {**_backup_json(found.backup), "readable": True}
    nothing = dict.fromkeys(("id", "site_id", "created_at", "schema_version", "program", "head"))
    size = {"file": str(found.file), "bytes": found.size_bytes, "signed": False}
    return {**nothing, **size, "readable": False}


def verdict_json(verdict: BackupVerdict) -> dict[str, object]:
    """Return what came of checking a backup."""
    backup = verdict.backup
    known = {} if backup is None else _backup_json(backup)
    return {
        "file": str(verdict.file),
        **known,
        "intact": verdict.intact,
        "problems": _problems(verdict),
        "entries": verdict.entries,
        "readings": verdict.readings,
        "own_password": verdict.own_password,
        "months": [
            {
                "month": name,
                "sessions": one.sessions,
                "energy_wh": one.energy_wh,
                "invoices": one.invoices,
                "gross": dict(one.gross),
            }
            for name, one in verdict.months.items()
        ],
    }


def _problems(verdict: BackupVerdict) -> list[str]:
    return [str(problem) for problem in verdict.problems]


def made_text(made: MadeBackup, tz: str) -> str:
    """Return a new backup, for people."""
    if not made.verdict.intact:
        said = f"{made.backup.file} was made, and does NOT hold:"
        return "\n".join([said, *_problems(made.verdict)])
    pairs = [
        ("file", str(made.backup.file)),
        ("size", _megabytes(made.backup.size_bytes)),
        ("made", made.backup.created_at),
        ("checked", "restored into a scratch file: all of it is as it was"),
        ("signature", "by the key of the site" if made.backup.signed else "unsigned"),
    ]
    gone = made.removed
    more = f"\n\n{counted(len(gone), 'older backup')} removed." if gone else ""
    return facts(pairs, tz) + more + (SAME_DISK if made.same_disk else "")


def found_text(found: list[ListedBackup], tz: str) -> str:
    """Return backups, for people."""
    rows = []
    for one in found:
        backup = one.found.backup
        rows.append(
            (
                one.found.file.name,
                None if backup is None else backup.created_at,
                _megabytes(one.found.size_bytes),
                "cannot be read" if backup is None else backup.site_id,
                one.verified,
            )
        )
    return table(("file", "made", "size", "site", "proven"), rows, "There is no backup here.", tz)


def verdict_text(verdict: BackupVerdict) -> str:
    """Return what came of checking a backup, for people."""
    if not verdict.intact:
        return "\n".join([f"{verdict.file} does NOT hold:", *_problems(verdict)])
    rows = [
        (name, one.sessions, kwh(one.energy_wh), one.invoices,
         ", ".join(f"{amount} {currency}" for currency, amount in one.gross.items()))
        for name, one in verdict.months.items()
    ]  # fmt: skip
    months = table(
        ("month", "sessions", "kWh", "invoices", "gross"), rows, "There are no sessions in it."
    )
    backup = verdict.backup
    signed = backup is not None and backup.signed
    signature = "signed by the key of the site" if signed else "unsigned"
    return (
        f"{verdict.file} was restored into a scratch file, and holds: every page, every reference, "
        f"the audit log\n({counted(verdict.entries, 'entry').replace('entrys', 'entries')}), "
        f"{counted(verdict.readings, 'reading')}, the totals. It is {signature}.\n\n{months}"
    )


def schedule_json(schedule: Schedule, folder: Path) -> dict[str, object]:
    """Return when and where backups are made."""
    return {
        "state": schedule.state.value,
        "folder": str(folder),
        "at": "{:02d}:{:02d}".format(*divmod(schedule.at_minute, 60)),
        "keep_days": schedule.keep_days,
        "last_made_at": schedule.made_at,
    }


def restored_json(done: Restored) -> dict[str, object]:
    """Return what a restore did."""
    return {
        "id": done.backup.id,
        "site_id": done.backup.site_id,
        "folder": str(done.folder),
        "created_at": done.backup.created_at,
        "kept_aside": None if done.kept_aside is None else str(done.kept_aside),
        "kept_keys": done.kept_keys,
        "persons": done.persons.name.lower(),
        "persons_at": done.persons_at,
        "erased_again": done.erased_again,
        "head": str(done.head),
        "signed": done.signed,
        "last_invoices": dict(done.last_invoices),
    }


def restored_text(done: Restored, *, is_old: bool) -> str:
    """Return what a restore did, for people; ``is_old``: the keys of persons are."""
    lines = [
        f"The site is in {done.folder} as it was at {done.backup.created_at:%Y-%m-%d %H:%M} UTC."
    ]
    if done.kept_aside is not None:
        lines.append(f"What was there before is kept in {done.kept_aside}.")
    lines += _about_persons(done, is_old=is_old)
    if not done.kept_keys:
        lines.append(
            "Passwords and accounts are those of that day: whoever was removed since can get in "
            "again. See: evdesk account list"
        )
    if done.last_invoices:
        numbers = ", ".join(f"{series}-{n:05d}" for series, n in done.last_invoices.items())
        lines.append(f"Numbers of invoices go on after {numbers}.")
    elif done.kept_aside is None:
        lines.append(
            "Invoices that were sent after the backup are not in it, and their numbers would be "
            "given away again: if there are any, restore once more with --last-invoice NUMBER."
        )
    lines.append(f"Head of the audit log, with the entry of this restore: {done.head}")
    return "\n".join(lines)


def _about_persons(done: Restored, *, is_old: bool) -> list[str]:
    if done.persons is PersonsSource.NONE:
        return ["There are no keys of persons: who the drivers were cannot be read any more."]
    lines = []
    if is_old:
        lines.append(
            f"The keys of persons are from {done.persons_at:%Y-%m-%d}: who was erased since has "
            "come back, and has to be erased again."
        )
    if done.erased_again:
        lines.append(f"{counted(done.erased_again, 'key')} of persons erased since: erased again.")
    return lines


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB"
