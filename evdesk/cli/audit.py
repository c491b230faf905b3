"""``audit``: the log of what was done, its signed heads, and checking all of it."""

import json
from collections.abc import Mapping
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.context import Context, read_text
from evdesk.cli.options import Groups
from evdesk.cli.output import counted, facts, table
from evdesk.domain import merkle, notes
from evdesk.domain.audit import AuditEntry
from evdesk.domain.errors import UserError
from evdesk.domain.notes import Head
from evdesk.domain.verdicts import Doubt, Finding, Result, Verdict, What
from evdesk.ports import AuditFilter, KeptCheckpoint, KeptEntry
from evdesk.services.auditing import Verified

EXIT_CODES = {Result.INTACT: 0, Result.TAMPERED: 1, Result.UNVERIFIABLE: 2}
COLUMNS = ("seq", "at", "actor", "action", "object", "outcome", "reason")
RESULTS = {
    Result.INTACT: "All of it is as it was written.",
    Result.TAMPERED: "NOT all of it is as it was written.",
    Result.UNVERIFIABLE: "It cannot be told whether all of it is as it was written.",
}
WHAT = {
    What.ENTRY_CHANGED: "An entry is not the one that was written.",
    What.ENTRY_MISSING: "An entry is missing.",
    What.ORDER: "An entry stands where another one belongs.",
    What.PAYLOAD_CHANGED: "What an entry says in detail was changed, or is gone without a trace.",
    What.ROW_CHANGED: "A row that the log commits to is not what it was.",
    What.ROW_MISSING: "A row that the log commits to is gone.",
    What.ROW_UNKNOWN: "There is a row that the log does not know of.",
    What.SEGMENT_CHANGED: "Sealed readings are not what was sealed.",
    What.CHECKPOINT_FORGED: "A checkpoint is not signed with the key of this log.",
    What.CHECKPOINT_FORK: "Two signed checkpoints of one size contradict each other.",
    What.KEY_CHANGED: "The key in keys.json is not the one that the log began with.",
    What.ROLLED_BACK: "The log is shorter than a head that is known, or another log.",
    What.CLOCK: "An entry is older than the one before it, and does not say that the clock was "
    "set back.",
    What.NODE_CHANGED: "The stored tree of the log is not that of its entries.",
    What.FILE_CHANGED: "The database does not fit together: a part of it is damaged, or of an "
    "older copy.",
}
DOUBTS = {
    Doubt.KEY_MISSING: "keys.json cannot be read: there is no key to check signatures with.",
    Doubt.ANCHOR_MISSING: "There is no anchor.json: nobody can tell whether this is all. Give a "
    "head from an invoice with --anchor.",
    Doubt.RESTORED: "A head is of entries that were lost with a restore, which the log tells of.",
}
NOT_OF_IT = (
    "The log itself is intact; this head is not of it. Look again at what you typed, or whose it "
    "is."
)


def add_to(groups: Groups) -> None:
    """Declare the commands."""
    audit = groups.group(
        "audit", "the log of what was done, and whether it is whole", "evdesk audit verify"
    )
    found = audit.command(
        "list",
        list_entries,
        "list entries, newest first",
        "evdesk audit list --action session --from 2026-03-01",
    )
    found.add_argument("--from", dest="from_at", metavar="D", help="from this day or instant on")
    found.add_argument("--to", dest="to_at", metavar="D", help="until before this day or instant")
    found.add_argument("--actor", metavar="NAME", help="what this account or process did")
    found.add_argument(
        "--action", metavar="ACTION", help="one action, or its noun: session is all of session.…"
    )
    found.add_argument(
        "--object", metavar="OBJECT", help="one object or one kind: I-7K3M, invoice/I-7K3M, invoice"
    )
    found.add_argument("--limit", type=int, metavar="N", help="the newest N only")
    show = audit.command("show", show_entry, "show one entry, and prove it", "evdesk audit show 17")
    show.add_argument("seq", type=int, metavar="SEQ")
    show.add_argument("--proof", metavar="FILE", help="write a proof that needs no evdesk")
    audit.command("checkpoint", checkpoint, "sign the log as it is now", "evdesk audit checkpoint")
    verify = audit.command(
        "verify",
        verify_log,
        "check the log and all that rests on it; exit 0 intact, 1 changed, 2 cannot be told",
        "evdesk audit verify --anchor 120:XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
    )
    verify.add_argument(
        "--anchor",
        action="append",
        default=[],
        metavar="FILE|SIZE:ROOT",
        help="a head from an invoice or export, an anchor.json or a signed checkpoint",
    )
    explain = audit.command(
        "explain",
        explain_rollback,
        "say why the log is not the one that was anchored, and go on",
        "evdesk audit explain --reason 'the disk had failed; this is the last backup'",
    )
    explain.add_argument("--reason", required=True, metavar="TEXT", help="it is kept for good")


# -- reading --------------------------------------------------------------------------------------


def list_entries(context: Context) -> None:
    """List entries, newest first."""
    args = context.args
    if args.limit is not None and args.limit < 1:
        raise UserError("--limit {limit}: give a number above 0.", limit=args.limit)
    with context.site() as services:
        tz = services.info.tz
        wanted = AuditFilter(
            from_at=context.instant("from_at", tz),
            to_at=context.instant("to_at", tz),
            actor=args.actor,
            action=args.action,
            about=args.object,
        )
        names = _names(services)
        found = [_entry_json(one, names) for one in services.audit.find(wanted, args.limit)]
    rows = [[_actor(row) if c == "actor" else row[c] for c in COLUMNS] for row in found]
    context.out.answer(found, table(COLUMNS, rows, "No entry fits.", tz))


def show_entry(context: Context) -> None:
    """Show one entry, and write its proof where that is asked for."""
    args = context.args
    with context.site() as services:
        kept = services.audit.show(args.seq)
        proof = None if args.proof is None else services.audit.proof(args.seq)
        tz, names = services.info.tz, _names(services)
    data = _kept_json(kept, names)
    if proof is not None:
        bootstrap.save(Path(args.proof), proof.encode())
        data["proof"] = args.proof
    shown = {name: _flat(value) for name, value in data.items() if name != "actor_name"}
    shown["actor"] = _actor(data)
    context.out.answer(data, facts(shown.items(), tz))


def _names(services: bootstrap.Services) -> dict[str, str]:
    """Return the names of all accounts there ever were, by what the log calls them."""
    return {str(row.account.id): row.account.name for row in services.accounts.rows(removed=True)}


def _actor(row: Mapping[str, object]) -> str:
    """Return who it was, for people: the name with the id."""
    name = row["actor_name"]
    return str(row["actor"]) if name is None else f"{name} ({row['actor']})"


def _entry_json(entry: AuditEntry, names: Mapping[str, str]) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "actor": entry.actor,
        "actor_name": names.get(entry.actor),
        "action": entry.action,
        "object": f"{entry.object_type}/{entry.object_ref}",
        "outcome": entry.outcome.value,
        "reason": entry.reason,
        "facts": json.loads(entry.facts) if entry.facts else None,
    }


def _kept_json(kept: KeptEntry, names: Mapping[str, str]) -> dict[str, object]:
    head, seq = kept.head, kept.entry.seq
    signed = kept.checkpoint
    return {
        **_entry_json(kept.entry, names),
        "payload": "erased" if kept.body is None else "kept",
        "rows": [
            {"table": name, "key": key, "digest": None if digest is None else digest.hex()}
            for name, key, digest in kept.rows
        ],
        "leaf": kept.leaf.hex(),
        "included": merkle.includes(head.root, head.size, seq, kept.leaf, kept.path),
        "head": str(head),
        "checkpoint_size": None if signed is None else signed.head.size,
        "entry": kept.text,
    }


def _flat(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


# -- signing --------------------------------------------------------------------------------------


def checkpoint(context: Context) -> None:
    """Sign the head of the log as it is now."""
    with context.site() as services:
        signed = services.audit.checkpoint()
    context.out.answer(_checkpoint_json(signed), signed.note)


def explain_rollback(context: Context) -> None:
    """Say why the log is not the one that was anchored."""
    with context.site() as services:
        signed = services.audit.explain_rollback(context.args.reason)
        head = services.audit.head()
    answer = {"head": str(head), "checkpoint": None if signed is None else signed.note}
    context.out.answer(answer, f"Kept with your name. The log goes on from {head}.")


def _checkpoint_json(signed: KeptCheckpoint) -> dict[str, object]:
    return {
        "size": signed.head.size,
        "root": notes.encoded(signed.head.root),
        "at": signed.at,
        "note": signed.note,
    }


# -- checking -------------------------------------------------------------------------------------


def verify_log(context: Context) -> int:
    """Check the log and all that rests on it."""
    heads = [_head(text) for text in context.args.anchor]
    with context.site() as services:
        done = services.audit.verify(heads, context.out.progress)
        tz = services.info.tz
    data = _verdict_json(done)
    context.out.answer(data, _told(done, data, tz))
    return EXIT_CODES[done.verdict.result]


def _head(text: str) -> Head:
    """Return the head that is typed, or that of a file."""
    try:
        return notes.parse_head(text)
    except ValueError:
        path = Path(text).expanduser()
    if not path.exists():
        raise UserError(
            "--anchor {text} is neither a head, such as 120:XcnaeacG…=, nor a file. Look again: "
            "every letter counts.",
            text=text,
        )
    found = notes.head_in(read_text(path, "The anchor"))
    if found is None:
        raise UserError("There is no head in {path}.", path=path)
    return found


def _verdict_json(done: Verified) -> dict[str, object]:
    verdict = done.verdict
    first = verdict.first
    return {
        "result": verdict.result.value,
        "what": None if first is None else first.what.value,
        "first_bad_seq": None if first is None else first.seq,
        **_counts(verdict),
        "findings": [_finding_json(one) for one in verdict.findings],
        "doubts": [doubt.value for doubt in verdict.doubts],
        "erased_under": dict(verdict.erased_under),
        "recorded": done.recorded,
        "signed_size": None if done.signed is None else done.signed.head.size,
    }


def _counts(verdict: Verdict) -> dict[str, object]:
    return {
        "entries": verdict.entries,
        "verified": verdict.verified,
        "erased": verdict.erased,
        "erased_rows": sum(rows for _, rows in verdict.erased_under),
        "erased_days": verdict.erased_days,
        "clock_set_back": verdict.clock_set_back,
        "rows": verdict.rows,
        "segments": verdict.segments,
        "unproven_segments": verdict.unproven_segments,
        "checkpoints": verdict.checkpoints,
        "unsigned_tail": verdict.unsigned_tail,
        "newest_checkpoint_at": verdict.newest_checkpoint_at,
        "head": None if verdict.head is None else str(verdict.head),
    }


def _finding_json(found: Finding) -> dict[str, object]:
    return {
        "what": found.what.value,
        "seq": found.seq,
        "count": found.count,
        "facts": dict(found.facts),
    }


def _told(done: Verified, data: dict[str, object], tz: str) -> str:
    verdict = done.verdict
    lines = [RESULTS[verdict.result], *([NOT_OF_IT] if done.only_heads else [])]
    for found in verdict.findings:
        where = "" if found.seq is None else f" First: entry {found.seq}."
        often = f" ({counted(found.count, 'time')})" if found.count > 1 else ""
        detail = f" Such as: {found.facts['detail']}." if found.facts.get("detail") else ""
        lines.append(f"  {found.what}: {WHAT[found.what]}{where}{often}{detail}")
    lines += [f"  {doubt}: {DOUBTS[doubt]}" for doubt in verdict.doubts]
    names = list(_counts(verdict))
    lines += ["", facts(((name, data[name]) for name in names), tz)]
    lines += [f"{rows} rows were erased under rule {rule}." for rule, rows in verdict.erased_under]
    if done.signed is not None:
        lines.append("The head was signed now. Write it down, or take it out of the house.")
    return "\n".join(lines)
