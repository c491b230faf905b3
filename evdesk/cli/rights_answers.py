"""What ``rights`` answers, for people and for machines."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from evdesk.cli.output import counted, table
from evdesk.cli.rights_register import request_json, request_text
from evdesk.domain.disclosures import Disclosure
from evdesk.domain.instants import rfc3339
from evdesk.services.erasure import Erasure, Reason
from evdesk.services.rights import Handed

REASONS = {
    "open_session": "{count} session(s) still plugged in",
    "review_session": "{count} session(s) in review",
    "unbilled_session": "{count} session(s) to be billed",
    "draft": "{count} draft(s) of an invoice",
    "legal_hold": "hold {count}",
}


def handed(out: Path, done: Handed) -> tuple[dict[str, object], str]:
    """Return what to say of a package, for machines and for people."""
    data = request_json(done.request) | {"folder": str(out), "files": list(done.files)}
    said = f"Saved {counted(len(done.files), 'file')} to {out}. {request_text(done.request)}"
    warning = "Hand it over so that nobody else can read it, then delete the folder."
    return data, f"{said}\n{warning}"


def told_text(to_tell: Sequence[Disclosure], tz: str) -> str:
    """Return who outside has to be told (Art. 19), or nothing."""
    if not to_tell:
        return ""
    rows = [(one.recipient, one.kind.value, one.at, ", ".join(one.classes)) for one in to_tell]
    headings = ("recipient", "kind", "was given at", "data")
    return "Tell those who were given the data (Art. 19 GDPR):\n" + table(headings, rows, "", tz)


def erasure_json(found: Erasure) -> list[dict[str, object]]:
    """Return what became of each class, as scripts are promised it."""
    return [
        {
            "class": one.end.data_class.value,
            "action": one.end.action.value,
            "legal_ground": one.end.legal_ground,
            "until": _until(one.end.until),
            "rows": one.end.count,
            "reasons": [
                {"code": why.code, "count": why.count, "until": _until(why.until)}
                for why in one.reasons
            ],
        }
        for one in found.classes
    ]


def erasure_text(found: Erasure, tz: str, *, dry: bool) -> str:
    """Return what became, or would become, of each class."""
    headings = ("class", "action", "rows", "until", "legal ground")
    rows = [
        (
            *(one.end.data_class.value, one.end.action.value, one.end.count, one.end.until),
            "; ".join([one.end.legal_ground, *map(_reason, one.reasons)]),
        )
        for one in found.classes
    ]
    parts = [table(headings, rows, "", tz)]
    if found.waits:
        parts.append("What billing needs goes later: bill the sessions, then run this once more.")
    if not dry:
        parts.append(
            "Backups of before cannot be read for this person any more; they go when their time is "
            "up. What was saved or printed outside of evdesk is yours to delete."
        )
    parts.append(told_text(found.to_tell, tz))
    parts.append("Nothing was changed." if found.request is None else request_text(found.request))
    return "\n\n".join(filter(None, parts))


def _reason(why: Reason) -> str:
    said = REASONS[why.code].format(count=why.count)
    return said if why.until is None else f"{said} (looked at again on {why.until:%Y-%m-%d})"


def _until(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)
