"""``breach``: what went wrong with personal data, and who was told."""

import argparse
from dataclasses import replace

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.breaches import BreachFacts, BreachId
from evdesk.domain.errors import UserError
from evdesk.services.breaches import DueBreach

NO = 1
TEXTS = {
    "nature": "what happened",
    "categories": "whose and which data",
    "consequences": "what may come of it",
    "measures": "what is done against it",
    "contact": "who can be asked",
    "risk": "why a risk is unlikely, where the authority need not be told",
}
COUNTS = {"subjects": "about how many persons", "records": "about how many records"}
TOLD = {"authority_told_at": "the authority", "subjects_told_at": "the persons concerned"}


def add_to(groups: Groups) -> None:
    """Declare the group."""
    breach = groups.group(
        "breach", "what went wrong with personal data (Art. 33, 34)", "evdesk breach list"
    )
    add = breach.command(
        "add",
        add_breach,
        "enter a breach; the authority is told within 72 hours of becoming aware",
        'evdesk breach add --nature "a notebook was lost" --subjects 30 --aware 2026-03-02T08:00',
    )
    add.add_argument("--aware", dest="aware_at", metavar="T", help="when it was noticed (now)")
    add.add_argument("--happened", dest="happened_at", metavar="T", help="when it happened")
    update = breach.command(
        "update",
        update_breach,
        "enter what is known by now; what was known before stays beside it",
        "evdesk breach update 1 --authority-told 2026-03-03T17:00",
    )
    update.add_argument("breach", metavar="ID", help="see: evdesk breach list")
    for command in (add, update):
        _add_facts(command, needed=command is add)
    breach.command(
        "list",
        list_breaches,
        "list breaches; exit 1 where the authority should have been told and was not",
        "evdesk breach list",
    )


def _add_facts(command: argparse.ArgumentParser, *, needed: bool) -> None:
    for name, what in TEXTS.items():
        required = needed and name == "nature"
        command.add_argument(f"--{name}", required=required, metavar="TEXT", help=what)
    for name, what in COUNTS.items():
        command.add_argument(f"--{name}", type=int, metavar="N", help=what)
    for name, whom in TOLD.items():
        option = "--" + name.removesuffix("_at").replace("_", "-")
        command.add_argument(option, dest=name, metavar="T", help=f"when {whom} were told")


def add_breach(context: Context) -> None:
    """Enter a breach."""
    with context.site() as services:
        tz = services.info.tz
        facts = _facts(context, BreachFacts("", "", None, None, "", "", ""), tz)
        aware_at, happened_at = (context.instant(name, tz) for name in ("aware_at", "happened_at"))
        done = services.breaches.add(facts, aware_at, happened_at)
    _answer(context, done)


def update_breach(context: Context) -> None:
    """Enter what is known of a breach by now."""
    text = context.args.breach
    if not text.isdecimal():
        raise UserError("'{text}' is no id of a breach. See: evdesk breach list", text=text)
    breach = BreachId(int(text))
    with context.site() as services:
        before = services.breaches.get(breach).breach.facts
        done = services.breaches.update(breach, _facts(context, before, services.info.tz))
    _answer(context, done)


def list_breaches(context: Context) -> int:
    """List breaches; 1 where the authority should have been told and was not."""
    with context.site() as services:
        found, tz = services.breaches.all(), services.info.tz
    headings = ("id", "noticed", "tell by", "authority told", "persons told", "what happened")
    rows = [
        (
            *(one.breach.id, one.breach.aware_at, one.breach.tell_by),
            _told(one),
            *(one.breach.facts.subjects_told_at, one.breach.facts.nature),
        )
        for one in found
    ]
    said = table(headings, rows, "There was no breach.", tz)
    context.out.answer([breach_json(one) for one in found], said)
    return NO if any(one.is_exception for one in found) else 0


def breach_json(one: DueBreach) -> dict[str, object]:
    """Return a breach as scripts are promised it."""
    breach, facts = one.breach, one.breach.facts
    return {
        "id": str(breach.id),
        "happened_at": breach.happened_at,
        "aware_at": breach.aware_at,
        "tell_by_at": breach.tell_by,
        "hours_left": one.hours_left,
        "late": one.late,
        **{name: getattr(facts, name) for name in (*TEXTS, *COUNTS, *TOLD)},
        "accounts": len(one.accounts),
    }


def _facts(context: Context, before: BreachFacts, tz: str) -> BreachFacts:
    args = context.args
    said = {name: getattr(args, name) for name in (*TEXTS, *COUNTS)}
    said |= {name: context.instant(name, tz) for name in TOLD}
    return replace(before, **{name: value for name, value in said.items() if value is not None})


def _answer(context: Context, done: DueBreach) -> None:
    left = done.hours_left
    if left is None:
        clock = "Nobody has to be told any more."
    elif left < 0:
        clock = "The authority should have been told: tell it now, and say why it is late."
    else:
        clock = f"{left} hours are left to tell the authority (Art. 33)."
    context.out.answer(breach_json(done), f"Breach {done.breach.id} is kept. {clock}")


def _told(one: DueBreach) -> str:
    facts = one.breach.facts
    if facts.authority_told_at is not None:
        return "late" if one.late else "in time"
    if facts.risk:
        return "not needed"
    return "OVERDUE" if one.late else f"{one.hours_left} hours left"
