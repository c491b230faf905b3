"""``backup``: made, proven by restoring, restored, scheduled and listed."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.backup_answers import (
    SAME_DISK_FOLDER,
    STATES,
    found_json,
    found_text,
    made_json,
    made_text,
    question,
    restored_json,
    restored_text,
    schedule_json,
    verdict_json,
    verdict_text,
)
from evdesk.cli.context import Context, Trial, read_password
from evdesk.cli.options import Groups
from evdesk.cli.output import facts
from evdesk.domain.errors import UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.ports import Attend, BackupStage, BackupVerdict, Restorable
from evdesk.services.backups import ListedBackup
from evdesk.services.restoring import RestoreWish

NO = 1


def add_to(groups: Groups) -> None:
    """Declare the group."""
    backup = groups.group(
        "backup", "copies of the whole site, proven by restoring them", "evdesk backup create"
    )
    create = backup.command(
        "create",
        create_backup,
        "make a backup now, and restore it into a scratch file to check it",
        "evdesk backup create --to /media/usb/depot",
    )
    create.add_argument(
        "--to", metavar="DIR", help="folder (default: where they always go, see: backup schedule)"
    )
    verify = backup.command(
        "verify",
        verify_backup,
        "restore a backup into a scratch file and check all of it; needs one of its passwords",
        "evdesk backup verify evdesk-S-7KQ2M9XF-20261122T020000Z-B-3XW8K2PA.zip",
    )
    verify.add_argument("file", metavar="FILE")
    verify.add_argument(
        "--backup-password-file",
        metavar="FILE",
        help="a password of when the backup was made, if the data key was renewed since",
    )
    _add_restore(backup)
    schedule = backup.command(
        "schedule",
        schedule_backups,
        "show or set when and where the collector makes a backup every day",
        "evdesk backup schedule --to /media/usb/depot --at 02:30 --keep-days 30",
    )
    schedule.add_argument("--to", metavar="DIR", help="folder; best on another drive, or a share")
    schedule.add_argument("--off", action="store_true", help="make none by themselves")
    schedule.add_argument("--at", metavar="HH:MM", help="time of day at the site")
    schedule.add_argument(
        "--keep-days", type=int, metavar="N", help="older ones are removed, but for the newest"
    )
    listed = backup.command(
        "list", list_backups, "list backups, newest first", "evdesk backup list --in /media/usb"
    )
    listed.add_argument(
        "--in", dest="folder", metavar="DIR", help="folder; needs neither a site nor a password"
    )


def _add_restore(backup: Groups) -> None:
    restore = backup.command(
        "restore",
        restore_backup,
        "restore a backup into a new folder, or in the place of the site it is of",
        "evdesk backup restore FILE --to depot",
    )
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--to", metavar="DIR", required=True, help="new, or the site's own folder")
    restore.add_argument(
        "--without-persons",
        action="store_true",
        help="go on although no persons.db lies beside it: nobody can read then who drivers are",
    )
    restore.add_argument(
        "--without-ledger",
        action="store_true",
        help="go on although no erasures.jsonl lies beside it: what was erased may come back",
    )
    restore.add_argument(
        "--last-invoice",
        action="append",
        default=[],
        metavar="NUMBER",
        help="number of the last invoice that was sent, where it is not in the backup",
    )
    restore.add_argument(
        "--no-later-invoices",
        action="store_true",
        help="go on although the present site cannot be read: no invoice was issued since",
    )
    restore.add_argument(
        "--backup-password-file",
        metavar="FILE",
        help="a password of when the backup was made, if the data key was renewed since",
    )


# -- making and listing ----------------------------------------------------------------------------


def create_backup(context: Context) -> int | None:
    """Make a backup and check it."""
    folder = None if context.args.to is None else Path(context.args.to)
    with _ending_in_order(), context.site() as services:
        made = services.backups.create(folder, _progress(context))
        tz = services.info.tz
    context.out.answer(made_json(made), made_text(made, tz))
    return None if made.verdict.intact else NO


def list_backups(context: Context) -> None:
    """List backups in a folder."""
    if context.args.folder is not None:
        found = [
            ListedBackup(one, verified=False)
            for one in bootstrap.find_backups(Path(context.args.folder))
        ]
        context.out.answer([found_json(one.found) for one in found], found_text(found, "UTC"))
        return
    with context.site() as services:
        found, folder = services.backups.find(), services.backups.usual_folder()
        tz = services.info.tz
    data = [{**found_json(one.found), "verified": one.verified} for one in found]
    context.out.answer(data, f"{found_text(found, tz)}\n\nFolder: {folder}")


def schedule_backups(context: Context) -> None:
    """Show or set when and where backups are made."""
    args = context.args
    changes = args.off or any(given is not None for given in (args.to, args.at, args.keep_days))
    with context.site() as services:
        found = services.backups.schedule()
        if changes:
            found = services.backups.set_schedule(
                on=not args.off,
                folder=None if args.to is None else Path(args.to),
                at_minute=None if args.at is None else _minute(args.at),
                keep_days=args.keep_days,
            )
        folder, site = services.backups.usual_folder(), services.info
        near = SAME_DISK_FOLDER if services.backups.is_on_same_disk(folder) else ""
    data = schedule_json(found, folder)
    context.out.answer(
        {"id": site.id, **data},
        facts({**data, "state": STATES[found.state]}.items(), site.tz) + near,
    )


# -- verifying -------------------------------------------------------------------------------------


def verify_backup(context: Context) -> int | None:
    """Check a backup by restoring it into a scratch file."""
    file, then = Path(context.args.file), _password_of_then(context)
    with _ending_in_order():
        if context.option("site") is not None and bootstrap.is_backup_of(file, context.folder()):
            verdict = _verified_at_site(context, file, then)
        else:
            password = context.password() if then is None else then
            verdict = bootstrap.verify_backup(file, password, _progress(context))
    context.out.answer(verdict_json(verdict), verdict_text(verdict))
    return None if verdict.intact else NO


def _verified_at_site(context: Context, file: Path, then: Secret | None) -> BackupVerdict:
    """Check it as the site that was named, so that it is in its log, if its password was given."""
    trial = Trial(may_be_older=partial(bootstrap.opens_backup, file))
    try:
        with context.opened(trial) as opened:
            own = trial.password if then is None else then
            verdict = opened.services.backups.verify(file, _progress(context), own)
            if verdict.own_password:
                context.out.note("Checked with its own password.")
            return verdict
    except WrongKey:
        if not trial.excused or trial.password is None:
            raise
    verdict = bootstrap.verify_backup(file, trial.password, _progress(context))
    context.out.note("Checked with its own password: the log of the site does not tell of it.")
    return verdict


def _password_of_then(context: Context) -> Secret | None:
    file = context.args.backup_password_file
    return None if file is None else read_password(Path(file).expanduser())


# -- restoring -------------------------------------------------------------------------------------


def restore_backup(context: Context) -> None:
    """Restore a backup."""
    args = context.args
    wish = RestoreWish(
        file=Path(args.file),
        folder=Path(args.to),
        password=context.password(),
        last_invoices=dict(map(_number, args.last_invoice)),
        without_persons=args.without_persons,
        without_ledger=args.without_ledger,
        none_issued=args.no_later_invoices,
        backup_password=_password_of_then(context),
    )
    service = bootstrap.restore_service()

    def agree(about: Restorable) -> None:
        if about.replaces:
            context.confirm(question(about))

    with _ending_in_order():
        done = service.restore(wish, agree, _progress(context))
    is_old = service.are_old(done.persons_at)
    context.out.answer(restored_json(done), restored_text(done, is_old=is_old))


def _number(text: str) -> tuple[str, int]:
    """Return series and serial of an invoice number."""
    series, dash, serial = text.rpartition("-")
    if not dash or not series or not serial.isascii() or not serial.isdigit() or not int(serial):
        raise UserError("--last-invoice {text}: write it as on the invoice, like 2026-00017.",
                        text=text)  # fmt: skip
    return series, int(serial)


def _minute(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    digits = hours + minutes
    if not colon or not digits.isascii() or not digits.isdigit() or int(minutes) > 59:  # noqa: PLR2004
        raise UserError("--at {text}: write a time of day like 02:30.", text=text)
    return 60 * int(hours) + int(minutes)


# -- long work -------------------------------------------------------------------------------------


def _progress(context: Context) -> Attend:
    def tell(stage: BackupStage, share: float) -> None:
        context.out.progress(share, stage.value)

    return tell


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Let SIGTERM end the work like Ctrl-C does: what was begun is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
