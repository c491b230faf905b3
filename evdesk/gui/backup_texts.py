"""How backups are told to people."""

from datetime import datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication

from evdesk.domain.backups import Schedule, ScheduleState
from evdesk.gui import texts
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Tone
from evdesk.ports import BackupStage, BackupVerdict
from evdesk.services.backups import ListedBackup

translate = QCoreApplication.translate
MINUTES_AN_HOUR = 60
MEGABYTE = 1e6


def size(size_bytes: int) -> str:
    """Return a size in MB."""
    amount = texts.number(size_bytes / MEGABYTE, 1)
    return translate("backups", "{size} MB").format(size=amount)


def stage(of: BackupStage) -> str:
    """Return what is being done."""
    return {
        BackupStage.COPYING: translate("backups", "Copying the database …"),
        BackupStage.PACKING: translate("backups", "Writing the file …"),
        BackupStage.UNPACKING: translate("backups", "Reading the file …"),
        BackupStage.PAGES: translate("backups", "Checking every page …"),
        BackupStage.LOG: translate("backups", "Checking the audit log …"),
        BackupStage.TOTALS: translate("backups", "Comparing the totals …"),
        BackupStage.BUILDING: translate("backups", "Building the site …"),
    }.get(of, of.value)


def state(of: ListedBackup) -> Chip:
    """Return what is known of a backup."""
    if of.found.backup is None:
        return Chip(translate("backups", "Unreadable"), Tone.DANGER, "error")
    if of.verified:
        return Chip(translate("backups", "Proven"), Tone.POSITIVE, "ok")
    return Chip(translate("backups", "Not checked"), Tone.WARNING, "info")


def made_at(of: ListedBackup) -> datetime | None:
    """Return when a backup was made."""
    return None if of.found.backup is None else of.found.backup.created_at


def schedule(of: Schedule) -> tuple[str, str]:
    """Return when backups are made by themselves, in a word and in more of them."""
    if of.state is not ScheduleState.ON:
        off = of.state is ScheduleState.OFF
        return (
            translate("backups", "Off") if off else translate("backups", "Not set up"),
            translate("backups", "only when you make one"),
        )
    hours, minutes = divmod(of.at_minute, MINUTES_AN_HOUR)
    return (
        translate("backups", "Daily, {at}").format(at=f"{hours:02d}:{minutes:02d}"),
        translate("backups", "kept {days} days").format(days=of.keep_days),
    )


def verdict(of: BackupVerdict, zone: ZoneInfo) -> tuple[str, Tone]:
    """Return what came of restoring a backup into a scratch file."""
    name = of.file.name
    if not of.intact:
        told = "\n".join(texts.sentence(problem) for problem in of.problems)
        head = translate("backups", "{file} does not hold.").format(file=name)
        return f"{head}\n{told}", Tone.DANGER
    at = texts.NONE if of.backup is None else texts.stamp(of.backup.created_at, zone)
    own = translate("backups", "Checked with its own password.") if of.own_password else ""
    return (
        translate(
            "backups",
            "Proven by restoring it: the backup of {at} has {entries} entries of the log, "
            "{readings} readings and {months} months, and all of it is as it was.",
        ).format(
            at=at,
            entries=texts.number(of.entries, 0),
            readings=texts.number(of.readings, 0),
            months=texts.number(len(of.months), 0),
        )
        + (f" {own}" if own else ""),
        Tone.POSITIVE,
    )
