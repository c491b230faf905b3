"""The certificate of a run of retention: what was done, what was not, and what proves it."""

from evdesk.domain.instants import rfc3339
from evdesk.domain.retention import Executed
from evdesk.services.retention import Certificate

NOT_DONE = (
    (
        "The medium was not wiped: an SSD keeps old pages out of reach of programs. What is on "
        "it is encrypted, and keys of persons were destroyed where the method says so."
    ),
    "Snapshots, file history, swap and hibernation of the computer are beyond evdesk's reach.",
    (
        "Backups from before keep what was deleted until they are gone; keys of persons are "
        "in none for longer than told here, and a restore erases again what the ledger names."
    ),
    "Entries of the audit log stay; they hold pseudonyms and hashes.",
)


def certificate_data(one: Certificate) -> dict[str, object]:
    """Return a certificate for machines."""
    first = one.executed[0]
    return {
        "site": one.site,
        "run": one.run,
        "started_at": rfc3339(first.started_at),
        "finished_at": rfc3339(first.finished_at),
        "actor": first.actor,
        "tool": "evdesk",
        "done": [_done(each) for each in one.executed],
        "not_done": list(NOT_DONE),
        "backups_until": None if one.backups_until is None else rfc3339(one.backups_until),
        "persons_until": rfc3339(one.persons_until),
        "holds": [{"kind": hold.kind.value, "object": hold.object} for hold in one.holds],
        "audit_head": one.audit_head,
        "ledger": first.ledger,
        "verified": all(each.verified for each in one.executed),
    }


def _done(one: Executed) -> dict[str, object]:
    planned = one.planned
    return {
        "rule": planned.rule.id,
        "rule_version": planned.rule.version,
        "data_class": planned.rule.data_class,
        "legal_basis": planned.rule.legal_basis,
        "cutoff_at": rfc3339(planned.cutoff_at),
        "selected": planned.selected,
        "deleted": one.deleted,
        "retained": planned.retained,
        "reasons": dict(planned.reasons),
        "left_over": one.left,
        "method": one.method,
        "checkpoint": one.checkpoint,
        "verified": one.verified,
    }


def certificate_text(one: Certificate) -> str:
    """Return a certificate for people, in English."""
    first = one.executed[0]
    lines = [
        f"Certificate of deletion - {one.site}",
        "",
        (
            f"Run {one.run}, {rfc3339(first.started_at)} to {rfc3339(first.finished_at)}, "
            f"carried out by {first.actor} with evdesk."
        ),
        "",
        "What was done:",
    ]
    for each in one.executed:
        rule = each.planned.rule
        lines += [
            f"- {rule.data_class}, rule {rule.id} version {rule.version} ({rule.legal_basis})",
            (
                f"  due before {rfc3339(each.planned.cutoff_at)}: "
                f"{each.planned.selected} selected, "
                f"{each.deleted} deleted, {each.planned.retained} retained"
            ),
            f"  method: {each.method}",
            (
                f"  a query afterwards found {each.left} left; emptying the write-ahead log "
                f"answered {each.checkpoint or each.error}: "
                f"{'verified' if each.verified else 'NOT VERIFIED'}"
            ),
        ]
        lines += [f"  retained: {count} for {why}" for why, count in each.planned.reasons]
    lines += ["", "What was not done:", *(f"- {text}" for text in NOT_DONE), ""]
    if one.backups_until is not None:
        lines.append(f"Backups from before are kept until {rfc3339(one.backups_until)} at most.")
    lines.append(f"Keys of persons lie in backup folders until {rfc3339(one.persons_until)}.")
    lines += [f"Hold: {hold.kind.value} {hold.object}" for hold in one.holds]
    lines += [
        "",
        f"Head of the audit log: {one.audit_head}",
        f"Newest line of the erasure ledger: {first.ledger or 'none'}",
    ]
    return "\n".join(lines)
