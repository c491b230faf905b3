"""What restoring would do and did, told to people."""

from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication

from evdesk.gui import texts
from evdesk.ports import PersonsSource, Restorable, Restored

translate = QCoreApplication.translate


def question(about: Restorable, zone: ZoneInfo) -> list[str]:
    """Return what would be there, what would be missing, and what is kept."""
    backup = about.verdict.backup
    at = texts.NONE if backup is None else texts.stamp(backup.created_at, zone)
    told = [
        translate(
            "restore",
            "The backup of {at} holds: {entries} entries of the log and {readings} readings were "
            "checked.",
        ).format(
            at=at,
            entries=texts.number(about.verdict.entries, 0),
            readings=texts.number(about.verdict.readings, 0),
        )
    ]
    if not about.replaces:
        told.append(
            translate("restore", "There is no site in {folder} yet.").format(folder=about.folder)
        )
    elif about.later_sessions is None or about.later_invoices is None:
        told.append(
            translate(
                "restore",
                "What was recorded since is not in it. How much that is cannot be told: the "
                "present site cannot be read.",
            )
        )
    else:
        told.append(
            translate(
                "restore",
                "{sessions} sessions and {invoices} invoices of the present site are not in it.",
            ).format(
                sessions=texts.number(about.later_sessions, 0),
                invoices=texts.number(about.later_invoices, 0),
            )
        )
    if about.replaces:
        told.append(translate("restore", "The present site is kept in a folder beside it, whole."))
    if about.persons is PersonsSource.NONE:
        told.append(
            translate("restore", "Nobody will be able to read who the drivers are, for ever.")
        )
    if not about.has_ledger:
        told.append(translate("restore", "What was erased since the backup comes back."))
    return told


def done(of: Restored, zone: ZoneInfo, *, is_old: bool) -> list[str]:
    """Return what was done; ``is_old``: the keys of persons are older than they should be."""
    told = [
        translate("restore", "The site is as it was on {at}.").format(
            at=texts.stamp(of.backup.created_at, zone)
        )
    ]
    if of.kept_aside is not None:
        told.append(
            translate("restore", "What was there before is kept in {folder}").format(
                folder=of.kept_aside
            )
        )
    told.append(
        translate("restore", "Passwords are those of before.")
        if of.kept_keys
        else translate(
            "restore",
            "Passwords and accounts are those of that day: whoever was removed since can get in "
            "again. Look at the accounts.",
        )
    )
    if of.persons is PersonsSource.NONE:
        told.append(translate("restore", "Who the drivers were cannot be read any more."))
    elif is_old:
        told.append(
            translate(
                "restore",
                "The keys of persons are old: who was erased since has come back, and has to be "
                "erased again.",
            )
        )
    if of.last_invoices:
        numbers = ", ".join(f"{series}-{n:05d}" for series, n in of.last_invoices.items())
        told.append(
            translate("restore", "Numbers of invoices go on after {numbers}.").format(
                numbers=numbers
            )
        )
    told.append(
        translate("restore", "The log has an entry of this restore; its head is {head}").format(
            head=of.head
        )
    )
    return told
