"""How the audit log is told to people: what happened, to what, and what a check found."""

import json
from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.domain.notes import Rollback
from evdesk.domain.verdicts import Doubt, Finding, Result, Verdict, What
from evdesk.gui import texts
from evdesk.gui.theme import Tone
from evdesk.services.auditing import Verified

UNSUCCESSFUL = frozenset({"access.denied", "login.failed"})  # their words say so

translate = QCoreApplication.translate


def nouns() -> list[tuple[str | None, str]]:
    """Return what entries can be about, for a list to choose from."""
    return [
        (None, translate("audit", "Everything")),
        ("login", translate("audit", "Unlocking")),
        ("account", translate("audit", "Accounts and keys")),
        ("access", translate("audit", "What was refused")),
        ("person", translate("audit", "Names revealed")),
        ("session", translate("audit", "Sessions")),
        ("month", translate("audit", "Months")),
        ("invoice", translate("audit", "Invoices")),
        ("driver", translate("audit", "Drivers")),
        ("card", translate("audit", "Cards")),
        ("tariff", translate("audit", "Tariffs")),
        ("meter", translate("audit", "Meters")),
        ("station", translate("audit", "Stations")),
        ("readings", translate("audit", "Sealed readings")),
        ("fault", translate("audit", "Faults")),
        ("audit", translate("audit", "Checks of the log")),
        ("evidence", translate("audit", "Evidence handed over")),
        ("export", translate("audit", "Exports")),
        ("backup", translate("audit", "Backups")),
        ("site", translate("audit", "The site")),
        ("mail", translate("audit", "E-mail")),
    ]


def actions() -> dict[str, str]:
    """Return the words for what can happen; ask once where there are many entries."""
    return {**_work(), **_trust()}


def what(entry: AuditEntry, words: Mapping[str, str]) -> str:
    """Return what happened, or that it did not; what has no words is shown as it is."""
    told = words.get(entry.action, entry.action)
    if entry.outcome is Outcome.OK or entry.action in UNSUCCESSFUL:
        return told
    ended = outcome(entry.outcome)[0].lower()
    return translate("audit", "{what}: {outcome}").format(what=told, outcome=ended)


def _work() -> dict[str, str]:
    return {
        "archive.set": translate("audit", "Keeping of readings changed"),
        "card.added": translate("audit", "Card given"),
        "card.ended": translate("audit", "Card ended"),
        "driver.added": translate("audit", "Driver added"),
        "driver.changed": translate("audit", "Driver corrected"),
        "driver.retired": translate("audit", "Driver retired"),
        "fault.acknowledged": translate("audit", "Fault acknowledged"),
        "invoice.drafted": translate("audit", "Invoice drafted"),
        "invoice.dropped": translate("audit", "Draft dropped"),
        "invoice.issued": translate("audit", "Invoice issued"),
        "issuer.changed": translate("audit", "Who bills changed"),
        "mail.cleared": translate("audit", "E-mail turned off"),
        "mail.retried": translate("audit", "Mail sent again"),
        "mail.set": translate("audit", "Mail server changed"),
        "meter.added": translate("audit", "Meter added"),
        "meter.choices": translate("audit", "Meter options changed"),
        "meter.facts": translate("audit", "Meter label changed"),
        "meter.interval": translate("audit", "Reading interval changed"),
        "meter.removed": translate("audit", "Meter removed"),
        "meter.replaced": translate("audit", "Meter replaced"),
        "month.explained": translate("audit", "Difference explained"),
        "readings.sealed": translate("audit", "Hour sealed"),
        "readings.thinned": translate("audit", "Day thinned out"),
        "rows.kept": translate("audit", "Kept by the collector"),
        "session.assigned": translate("audit", "Session assigned"),
        "session.closed": translate("audit", "Session closed"),
        "session.corrected": translate("audit", "Session corrected"),
        "session.ended": translate("audit", "Session ended by hand"),
        "session.opened": translate("audit", "Session opened"),
        "session.released": translate("audit", "Session released"),
        "station.added": translate("audit", "Station added"),
        "station.default_driver": translate("audit", "Default driver changed"),
        "station.renamed": translate("audit", "Station renamed"),
        "station.retired": translate("audit", "Station retired"),
        "tariff.added": translate("audit", "Tariff added"),
        "tariff.assigned": translate("audit", "Tariff assigned"),
    }


def _trust() -> dict[str, str]:
    return {
        "access.denied": translate("audit", "Refused"),
        "account.added": translate("audit", "Account added"),
        "account.keyring": translate("audit", "Keyring turned on or off"),
        "account.password": translate("audit", "Password changed"),
        "account.recovery_code": translate("audit", "New recovery code"),
        "account.removed": translate("audit", "Account removed"),
        "account.rotated": translate("audit", "New data key"),
        "account.service": translate("audit", "Start at boot turned on or off"),
        "audit.verified": translate("audit", "Log checked"),
        "backup.begun": translate("audit", "Backup begun"),
        "backup.made": translate("audit", "Backup made"),
        "backup.removed": translate("audit", "Old backup removed"),
        "backup.schedule": translate("audit", "Backup schedule changed"),
        "backup.verified": translate("audit", "Backup checked"),
        "evidence.exported": translate("audit", "Evidence handed over"),
        "export.made": translate("audit", "Exported"),
        "log.begun": translate("audit", "Log begun"),
        "login.failed": translate("audit", "Wrong password"),
        "login.ok": translate("audit", "Unlocked"),
        "payload.erased": translate("audit", "Details erased"),
        "person.revealed": translate("audit", "Name revealed"),
        "site.create": translate("audit", "Site created"),
        "site.restored": translate("audit", "Site restored"),
        "support.bundled": translate("audit", "Support bundle written"),
    }


def outcome(of: Outcome) -> tuple[str, Tone, str | None]:
    """Return word, tone and icon of how it ended."""
    return {
        Outcome.OK: (translate("audit", "Done"), Tone.NEUTRAL, None),
        Outcome.DENIED: (translate("audit", "Refused"), Tone.WARNING, "lock"),
        Outcome.FAILED: (translate("audit", "Failed"), Tone.DANGER, "error"),
    }[of]


def actor(ref: str, names: Mapping[str, str]) -> str:
    """Return who it was: an account, or a part of the program."""
    programs = {
        "collector": translate("audit", "Collector"),
        "recovery": translate("audit", "Recovery code"),
    }
    return names.get(ref) or programs.get(ref, ref)


def about(entry: AuditEntry) -> str:
    """Return the object of an entry."""
    return f"{entry.object_type} {entry.object_ref}"


def facts(text: str) -> list[tuple[str, str]]:
    """Return what an entry says in detail, as names and values."""
    found = json.loads(text) if text else {}
    if not isinstance(found, dict):
        return [("", str(found))]
    return [(name.replace("_", " "), _value(value)) for name, value in found.items()]


def _value(value: object) -> str:
    if value is None:
        return texts.NONE
    if isinstance(value, bool):
        return translate("audit", "yes") if value else translate("audit", "no")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


# -- what a check found ---------------------------------------------------------------------------


def result(of: Verdict) -> tuple[str, Tone]:
    """Return the verdict in one line, with its tone."""
    return {
        Result.INTACT: (translate("audit", "The log is intact"), Tone.POSITIVE),
        Result.TAMPERED: (translate("audit", "The log was tampered with"), Tone.DANGER),
        Result.UNVERIFIABLE: (
            translate("audit", "Nothing is wrong, but not all can be proven"),
            Tone.WARNING,
        ),
    }[of.result]


def known_already(of: Verified, rollback: Rollback | None) -> str | None:
    """Return the verdict where all that is wrong is a head that is not of this log; else None."""
    if of.only_heads:
        return translate("audit", "The log itself is intact; this head is not of it")
    kinds = [one.what for one in of.verdict.findings]
    if rollback is None or kinds != [What.ROLLED_BACK]:
        return None
    return missing(rollback) or translate("audit", "Nothing else is wrong with the log")


def missing(of: Rollback) -> str | None:
    """Return which entries are missing, or None where that is not known."""
    if of.anchored is None or of.found is None or of.found.size >= of.anchored.size:
        return None
    first, last = of.found.size, of.anchored.size - 1
    numbers = texts.number(first, 0), texts.number(last, 0)
    if first == last:
        return translate("audit", "Entry {seq} is missing").format(seq=numbers[0])
    if first + 1 == last:
        told = translate("audit", "Entries {first} and {last} are missing")
    else:
        told = translate("audit", "Entries {first} to {last} are missing")
    return told.format(first=numbers[0], last=numbers[1])


def what_to_do(rollback: Rollback | None) -> str:
    """Return what to do about a head that is not of this log."""
    if rollback is None:
        return translate("audit", "Look again at what you typed, or whose it is.")
    return translate(
        "audit",
        "What is here is as it was written. If you know why the rest is not, say so: Explain, "
        "above. If not, keep a copy of the folder as it is.",
    )


def finding(of: Finding) -> str:
    """Return what is wrong, where first, and how often."""
    where = "" if of.seq is None else translate("audit", " at entry {seq}").format(seq=of.seq)
    more = (
        ""
        if of.count == 1
        else translate("audit", ", and {count} more").format(count=texts.number(of.count - 1, 0))
    )
    return f"{_what(of.what)}{where}{more}."


def _what(of: What) -> str:
    return {
        What.ENTRY_CHANGED: translate("audit", "An entry was changed"),
        What.ENTRY_MISSING: translate("audit", "An entry is missing"),
        What.ORDER: translate("audit", "Entries changed places"),
        What.PAYLOAD_CHANGED: translate("audit", "What an entry says was changed or taken away"),
        What.ROW_CHANGED: translate("audit", "A row of the database was changed"),
        What.ROW_MISSING: translate("audit", "A row of the database is missing"),
        What.ROW_UNKNOWN: translate("audit", "A row is there that no entry tells of"),
        What.SEGMENT_CHANGED: translate("audit", "Sealed readings were changed"),
        What.CHECKPOINT_FORGED: translate("audit", "A checkpoint was not signed by this site"),
        What.CHECKPOINT_FORK: translate("audit", "Two signed heads contradict each other"),
        What.KEY_CHANGED: translate("audit", "The signing key is not the one the log began with"),
        What.ROLLED_BACK: translate("audit", "The log does not contain a head that was known"),
        What.CLOCK: translate("audit", "An entry is older than the one before it"),
        What.NODE_CHANGED: translate("audit", "A part of the tree was changed"),
        What.FILE_CHANGED: translate("audit", "The database file does not fit together"),
    }[of]


def doubt(of: Doubt) -> str:
    """Return why not all can be proven."""
    return {
        Doubt.KEY_MISSING: translate(
            "audit", "No key from outside the database is there to compare signatures with."
        ),
        Doubt.ANCHOR_MISSING: translate(
            "audit", "No head from outside the database is there to compare with."
        ),
        Doubt.RESTORED: translate(
            "audit", "Entries after a known head were lost when a backup was restored."
        ),
    }[of]
