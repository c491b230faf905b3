"""``retention``: rules and who approved them, holds, what would go, what went, and its proof."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted, table
from evdesk.domain.errors import UserError
from evdesk.domain.instants import rfc3339
from evdesk.domain.retention import Executed, Hold, HoldKind, KeptRule, Planned, RuleState
from evdesk.services.certificates import certificate_data, certificate_text

MOST_DIGITS = 18  # what SQLite counts to has 19
HEADINGS = ("rule", "version", "class", "due before", "selected", "deleted", "retained", "reason",
            "verified")  # fmt: skip


def add_to(groups: Groups) -> None:
    """Declare the group."""
    group = groups.group(
        "retention", "how long what is kept, and what was erased", "evdesk retention plan"
    )
    _add_rules(group)
    _add_runs(group)
    _add_holds(group)


def _add_rules(group: Groups) -> None:
    rules = group.command(
        "rules", list_rules, "list the rules with their history", "evdesk retention rules"
    )
    rules.add_argument("--all", action="store_true", help="also those of other countries")
    change = group.command(
        "change",
        change_rule,
        "give a rule another period; a shorter one waits for a second person",
        'evdesk retention change cards --period 60d --reason "cards come back late"',
    )
    change.add_argument("rule", metavar="RULE", help="see: evdesk retention rules")
    change.add_argument("--period", required=True, metavar="P", help="30d, 18m or 8y")
    change.add_argument("--reason", required=True, metavar="TEXT", help="is kept with it")
    confirm = group.command(
        "confirm",
        confirm_rules,
        "let rules hold that are offered for the country of this site",
        "evdesk retention confirm --yes",
    )
    confirm.add_argument("rule", metavar="RULE", nargs="?", help="default: all that are offered")
    approve = group.command(
        "approve",
        approve_rule,
        "let a shorter period hold that somebody else has proposed",
        "evdesk retention approve cards",
    )
    approve.add_argument("rule", metavar="RULE", help="see: evdesk retention rules")


def _add_runs(group: Groups) -> None:
    plan = group.command(
        "plan", plan_run, "show what would be erased; changes nothing", "evdesk retention plan"
    )
    plan.add_argument("--as-of", dest="as_of_at", metavar="T", help="date or instant, also to come")
    run = group.command("run", run_now, "erase what is due", "evdesk retention run --yes")
    run.add_argument("--as-of", dest="as_of_at", metavar="T", help="date or instant gone by")
    log = group.command("log", list_log, "list what was erased", "evdesk retention log --json")
    log.add_argument("--run", metavar="N", help="of one run only")
    group.command(
        "overdue", list_overdue, "list what should be gone by now", "evdesk retention overdue"
    )
    certificate = group.command(
        "certificate",
        write_certificate,
        "write what a run did, and what it did not do",
        "evdesk retention certificate --out erased.txt",
    )
    certificate.add_argument("--run", metavar="N", help="default: the newest that erased anything")
    certificate.add_argument("--out", required=True, metavar="FILE", help=".json or .txt")


def _add_holds(group: Groups) -> None:
    hold = group.group("hold", "what is not erased, whatever is due", "evdesk retention hold list")
    add = hold.command(
        "add",
        add_hold,
        "let nothing of a person, an invoice or a class be erased",
        'evdesk retention hold add --person D-7KQ2M9XF --reason "court" --review 2027-01-31',
    )
    what = add.add_mutually_exclusive_group(required=True)
    what.add_argument("--person", metavar="DRIVER")
    what.add_argument("--invoice", metavar="INVOICE", help="id or number")
    what.add_argument("--class", dest="data_class", metavar="CLASS", help="such as invoice")
    add.add_argument("--reason", required=True, metavar="TEXT", help="is kept with it")
    add.add_argument("--review", required=True, metavar="DAY", help="when it is looked at again")
    release = hold.command(
        "release", release_hold, "end a hold", 'evdesk retention hold release 3 --reason "over"'
    )
    release.add_argument("id", metavar="ID", help="see: evdesk retention hold list")
    release.add_argument("--reason", required=True, metavar="TEXT", help="is kept with it")
    hold.command("list", list_holds, "list the holds", "evdesk retention hold list")


# -- rules ----------------------------------------------------------------------------------------


def list_rules(context: Context) -> None:
    """List the rules."""
    with context.site() as services:
        kept = services.retention.rules()
    shown = [one for one in kept if context.args.all or one.state is not RuleState.OFFERED]
    offered = len(kept) - len(shown)
    data = [_rule_row(one) for one in shown]
    rows = [
        (r["rule"], r["version"], r["data_class"], r["trigger"], r["period"], r["jurisdiction"],
         r["state"], r["approved_by"], r["legal_basis"])
        for r in data
    ]  # fmt: skip
    headings = ("rule", "version", "class", "from", "period", "country", "state", "approved by",
                "legal basis")  # fmt: skip
    text = table(headings, rows, "No rule holds yet. See: evdesk retention rules --all")
    if offered:
        text += f"\n{counted(offered, 'more rule')} offered: evdesk retention rules --all"
    context.out.answer(data, text)


def change_rule(context: Context) -> None:
    """Change a period."""
    args = context.args
    with context.site() as services:
        kept = services.retention.change(args.rule, args.period, args.reason)
    said = f"{kept.rule.id} is kept for {kept.rule.period} from now on."
    if kept.state is RuleState.PROPOSED:
        said = (
            f"{kept.rule.period} for {kept.rule.id} is proposed. It is shorter, so that another "
            f"owner has to approve it: evdesk retention approve {kept.rule.id}"
        )
    context.out.answer(_rule_row(kept), said)


def confirm_rules(context: Context) -> None:
    """Confirm what is offered."""
    context.confirm("What is past its date under these rules is erased for good. Confirm them?")
    with context.site() as services:
        kept = services.retention.confirm(context.args.rule)
    names = ", ".join(one.rule.id for one in kept)
    context.out.answer([_rule_row(one) for one in kept], f"These rules hold now: {names}.")


def approve_rule(context: Context) -> None:
    """Approve a shorter period."""
    rule = context.args.rule
    context.confirm(f"What is past its shorter date under {rule} is erased for good. Approve it?")
    with context.site() as services:
        kept = services.retention.approve(rule)
    context.out.answer(_rule_row(kept), f"{rule} is kept for {kept.rule.period} from now on.")


def _rule_row(one: KeptRule) -> dict[str, object]:
    rule = one.rule
    return {
        "rule": rule.id,
        "version": rule.version,
        "data_class": rule.data_class,
        "trigger": rule.trigger.value,
        "period": str(rule.period),
        "legal_basis": rule.legal_basis,
        "jurisdiction": rule.jurisdiction,
        "justification": rule.justification,
        "valid_from": rule.valid_from.isoformat(),
        "statutory": rule.statutory,
        "state": one.state.value,
        "author": one.author,
        "at": None if one.at is None else rfc3339(one.at),
        "reason": one.reason,
        "approved_by": one.approver,
        "approved_at": None if one.approved_at is None else rfc3339(one.approved_at),
    }


# -- plans and runs -------------------------------------------------------------------------------


def plan_run(context: Context) -> None:
    """Show what would go."""
    with context.site() as services:
        tz = services.info.tz
        planned = services.retention.plan(context.instant("as_of_at", tz))
    empty = "Nothing is past its date."
    _answer_plans(context, [one for one in planned if one.selected], empty, tz)


def list_overdue(context: Context) -> int:
    """List what should be gone; exit with 1 where there is anything."""
    with context.site() as services:
        tz, overdue = services.info.tz, services.retention.overdue()
    _answer_plans(context, overdue, "Nothing is overdue.", tz)
    return int(bool(overdue))


def run_now(context: Context) -> None:
    """Erase what is due."""
    with context.site() as services:
        tz = services.info.tz
        as_of = context.instant("as_of_at", tz)
        going = sum(one.deletable for one in services.retention.plan(as_of))
        if going:
            context.confirm(f"{counted(going, 'object')} past their date are erased for good. Go?")
        done = services.retention.run(as_of, context.out.progress)
    _answer_runs(context, done, "Nothing was past its date.", tz)


def list_log(context: Context) -> None:
    """List what was erased."""
    run = _number(context.args.run, "run")
    with context.site() as services:
        tz, found = services.info.tz, services.retention.log(run)
    _answer_runs(context, found, "Nothing has been erased yet.", tz)


def write_certificate(context: Context) -> None:
    """Write the certificate of a run."""
    out = Path(context.args.out).expanduser()
    if out.suffix not in {".json", ".txt"}:
        raise UserError("A certificate is written as .json or .txt, not {out}.", out=out)
    with context.site() as services:
        found = services.retention.certificate(_number(context.args.run, "run"))
    data = certificate_data(found)
    is_json = out.suffix == ".json"
    text = json.dumps(data, indent=2, ensure_ascii=False) if is_json else certificate_text(found)
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError("{out} cannot be written: {why}.", out=out, why=error.strerror) from error
    context.out.answer({"file": str(out), **data}, f"Written: {out}")


def _answer_plans(context: Context, planned: list[Planned], empty: str, tz: str) -> None:
    data = [{**_planned_row(one), "deleted": one.deletable, "verified": None} for one in planned]
    context.out.answer(data, table(HEADINGS, map(_cells, data), empty, tz))


def _answer_runs(context: Context, done: list[Executed], empty: str, tz: str) -> None:
    data = [_executed_row(one) for one in done]
    context.out.answer(data, table(HEADINGS, map(_cells, data), empty, tz))


def _cells(row: dict[str, object]) -> Sequence[object]:
    names = ("rule", "rule_version", "data_class", "cutoff_at", "selected", "deleted", "retained",
             "reason", "verified")  # fmt: skip
    return tuple(row[name] for name in names)


def _planned_row(one: Planned) -> dict[str, object]:
    return {
        "rule": one.rule.id,
        "rule_version": one.rule.version,
        "data_class": one.rule.data_class,
        "cutoff_at": rfc3339(one.cutoff_at),
        "selected": one.selected,
        "deleted": 0,
        "retained": one.retained,
        "reason": ", ".join(why for why, _ in one.reasons) or None,
        "reasons": dict(one.reasons),
        "trigger": one.rule.trigger.value,
        "legal_basis": one.rule.legal_basis,
        "verified": None,
    }


def _executed_row(one: Executed) -> dict[str, object]:
    return {
        **_planned_row(one.planned),
        "deleted": one.deleted,
        "verified": one.verified,
        "run": one.run,
        "started_at": rfc3339(one.started_at),
        "finished_at": rfc3339(one.finished_at),
        "actor": one.actor,
        "method": one.method,
        "checkpoint": one.checkpoint,
        "left_over": one.left,
        "ledger": one.ledger or None,
        "error": one.error or None,
    }


# -- holds ----------------------------------------------------------------------------------------


def add_hold(context: Context) -> None:
    """Add a hold."""
    args = context.args
    wishes = ((HoldKind.PERSON, args.person), (HoldKind.INVOICE, args.invoice),
              (HoldKind.CLASS, args.data_class))  # fmt: skip
    kind, ref = next((kind, ref) for kind, ref in wishes if ref is not None)
    try:
        review_on = date.fromisoformat(args.review)
    except ValueError as error:
        raise UserError(
            "--review {text} is no date: write 2027-01-31.", text=args.review
        ) from error
    with context.site() as services:
        hold = services.retention.hold(kind, ref, args.reason, review_on)
    said = f"Hold {hold.id}: nothing of {kind.value} {hold.object} is erased until it is released."
    context.out.answer(_hold_row(hold), said)


def release_hold(context: Context) -> None:
    """End a hold."""
    number = _number(context.args.id, "hold")
    with context.site() as services:
        hold = services.retention.release(number or 0, context.args.reason)
    context.out.answer(_hold_row(hold), f"Hold {hold.id} on {hold.object} is released.")


def list_holds(context: Context) -> None:
    """List the holds."""
    with context.site() as services:
        tz, holds = services.info.tz, services.retention.holds()
    rows = [
        (one.id, one.kind.value, one.object, one.author, one.reason, one.since_at,
         one.review_on, one.released_at)
        for one in holds
    ]  # fmt: skip
    headings = ("id", "kind", "object", "who", "why", "since", "review", "released")
    text = table(headings, rows, "There is no hold.", tz)
    context.out.answer([_hold_row(one) for one in holds], text)


def _hold_row(one: Hold) -> dict[str, object]:
    return {
        "id": str(one.id),
        "kind": one.kind.value,
        "object": one.object,
        "author": one.author,
        "reason": one.reason,
        "since_at": rfc3339(one.since_at),
        "review_on": one.review_on.isoformat(),
        "released_at": None if one.released_at is None else rfc3339(one.released_at),
        "released_by": one.released_by,
    }


def _number(text: str | None, what: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise UserError("There is no {what} {text}.", what=what, text=text)
    return int(text)
