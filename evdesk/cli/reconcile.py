"""``reconcile``: where every Wh of a month went; ``reconcile explain``: account for the rest."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import facts, kwh, table
from evdesk.domain.errors import UserError
from evdesk.domain.reconciling import Account, Gap, Remainder, Rest
from evdesk.services.reconciling import MeterMonth, Month

NO = 1
MUCH_WH = 100
LATE = timedelta(hours=1)
PLACES = Decimal("0.001")
EXAMPLE = "evdesk reconcile --month 2026-03"
WHY = {
    "correction": "session {session} was corrected to another energy than its register counted",
    "mismatch": "session {session} says another energy than its register counted",
    "overlap": "session {session} has energy that another session has, too",
    "no_register": "session {session} has no register, but its meter counted meanwhile",
    "forced_end": "counted after session {session} was ended by hand",
}
LOST = {
    "silence": "counted while nobody read it",
    "reset": "the register began anew; what it counted just before is lost",
    "rewind": "the register was set back; until it had passed its old value nothing was counted",
    "replaced": "counted by two meters while one was put in the other's place",
    "caught_up": "counted while the register stood still; it caught up later",
}


def add_to(groups: Groups) -> None:
    """Declare the command and its verb."""
    reconcile = groups.command(
        "reconcile", reconcile_month, "say where every kWh of a month went", EXAMPLE
    )
    reconcile.add_argument("--month", metavar="YYYY-MM", help="local to the site")
    reconcile.add_argument("--station", metavar="N", help="the register of this station only")
    verbs = Groups(reconcile.add_subparsers(metavar="VERB"), groups.common)
    explain = verbs.command(
        "explain",
        explain_rest,
        "account for energy that nothing else accounts for",
        'evdesk reconcile explain bay1 --month 2026-03 --wh 500 --reason "heater in the post"',
    )
    explain.add_argument("meter", metavar="METER", help="as reconcile names it")
    explain.add_argument("--month", required=True, metavar="YYYY-MM", help="local to the site")
    explain.add_argument(
        "--wh",
        required=True,
        type=int,
        metavar="N",
        help="as many of this sign as are unexplained, or fewer",
    )
    explain.add_argument(
        "--reason", required=True, metavar="TEXT", help="kept for ever, with your name"
    )


def reconcile_month(context: Context) -> int:
    """Say where every kWh of a month went; 1 where something is left to explain, or damaged."""
    args = context.args
    if args.month is None:
        raise UserError("Name a month: {example}", example=EXAMPLE)
    with context.site() as services:
        progress = context.out.progress
        month = services.months.month(args.month, args.station, progress)
        tz = services.info.tz
    context.out.answer([row_json(month, row) for row in month.rows], _text(month, tz))
    return 0 if month.is_clear else NO


def explain_rest(context: Context) -> None:
    """Account for energy that nothing else accounts for."""
    args = context.args
    with context.site() as services:
        row = services.months.explain(args.meter, args.month, args.wh, args.reason)
    rest = (
        "Nothing is left to explain." if row.is_clear else f"{_left(row.remainder)} kWh are left."
    )
    data = {"meter": row.name, "month": args.month, "explained_wh": row.explained_wh}
    context.out.answer(
        data | _left_json(row.remainder),
        f"{kwh(args.wh):.3f} kWh of {row.name} in {args.month} are explained. {rest}",
    )


def row_json(month: Month, row: MeterMonth) -> dict[str, object]:
    """Return a register's month as scripts are promised it; None is what damage hides."""
    return {
        "meter": row.name,
        "meter_serial": row.meter.serial,
        "stations": list(row.stations),
        "month": month.month,
        "from_at": month.from_at,
        "to_at": month.to_at,
        "so_far": month.so_far,
        **_account_json(row.account),
        "explained_wh": row.explained_wh,
        **_left_json(row.remainder),
        "damage": None if row.damage is None else str(row.damage),
        "explanations": [
            {
                "at": one.at,
                "author": month.names.get(one.author, one.author),
                "explained_wh": one.wh,
                "reason": one.reason,
            }
            for one in row.explained
        ],
    }


def _left_json(left: Remainder | None) -> dict[str, object]:
    return {
        "unexplained_wh": None if left is None else left.sum_wh,
        "unexplained_above_wh": None if left is None else left.above_wh,
        "unexplained_below_wh": None if left is None else left.below_wh,
    }


def _account_json(found: Account | None) -> dict[str, object]:
    start, end = (None, None) if found is None else (found.start, found.end)
    return {
        "register_start_at": None if start is None else start.at,
        "register_start_wh": None if start is None else start.wh,
        "register_end_at": None if end is None else end.at,
        "register_end_wh": None if end is None else end.wh,
        "register_delta_wh": None if found is None else found.delta_wh,
        "sessions": None if found is None else found.sessions,
        "sessions_wh": None if found is None else found.sessions_wh,
        "idle_wh": None if found is None else found.idle_wh,
        "gap_wh": None if found is None else found.gap_wh,
        "exceptions": [] if found is None else [_rest_json(rest) for rest in found.rests],
        "gaps": [] if found is None else [_gap_json(gap) for gap in found.gaps],
    }


def _rest_json(rest: Rest) -> dict[str, object]:
    return {
        "kind": rest.kind.value,
        "unexplained_wh": rest.wh,
        "session": str(rest.session),
        "from_at": rest.from_at,
        "to_at": rest.to_at,
    }


def _gap_json(gap: Gap) -> dict[str, object]:
    return {
        "kind": gap.kind.value,
        "gap_wh": gap.wh,
        "complete": gap.complete,
        "from_at": gap.from_at,
        "to_at": gap.to_at,
    }


def _text(month: Month, tz: str) -> str:
    headings = (
        "meter", "register at start", "at end", "counted kWh", "sessions", "idle", "gaps",
        "explained", "unexplained",
    )  # fmt: skip
    figures = (
        "register_start_wh", "register_end_wh", "register_delta_wh", "sessions_wh", "idle_wh",
        "gap_wh",
    )  # fmt: skip
    rows = []
    for row in month.rows:
        found = _account_json(row.account)
        amounts = (*(found[name] for name in figures), row.explained_wh)
        rows.append((row.name, *map(_kwh, amounts), _left(row.remainder)))
    parts = [table(headings, rows, f"No register was read in {month.month}.", tz)]
    if month.so_far:
        parts.append(facts([("so far, until", month.to_at)], tz))
    remarks = [remark for row in month.rows for remark in _remarks(month, row)]
    if remarks:
        parts.append(table(("meter", "from", "until", "kWh", "what"), remarks, "", tz))
    parts += [f"{row.name}: {row.damage}" for row in month.rows if row.damage is not None]
    return "\n\n".join([*parts, _verdict(month)])


def _remarks(month: Month, row: MeterMonth) -> Iterable[tuple[object, ...]]:
    """Return what stands out, and gaps in which something was lost or much was counted."""
    if row.account is None:
        return
    start, end = row.account.start, row.account.end
    if start is not None and start.at > month.from_at:
        yield row.name, month.from_at, start.at, None, "not read before"
    if end is not None and month.to_at - end.at > LATE:
        yield row.name, end.at, month.to_at, None, "not read since"
    for rest in row.account.rests:
        words = WHY[rest.kind.value].format(session=rest.session)
        yield row.name, rest.from_at, rest.to_at, _kwh(rest.wh), words
    for gap in (gap for gap in row.account.gaps if gap.wh >= MUCH_WH or not gap.complete):
        yield row.name, gap.from_at, gap.to_at, _kwh(gap.wh), LOST[gap.kind.value]


def _verdict(month: Month) -> str:
    left = [row for row in month.rows if row.account is not None and not row.is_clear]
    uncounted = [row.name for row in month.rows if row.account is None]
    if not month.rows:
        return "There is nothing to account for."
    verdicts = []
    if left:
        named = ", ".join(f"{row.name} {_left(row.remainder)} kWh" for row in left)
        verdicts.append(
            f"To be explained: {named}. Below 0: more was claimed than the register counted. "
            "See: evdesk reconcile explain --help"
        )
    if uncounted:
        verdicts.append(f"Not counted, because readings are damaged: {', '.join(uncounted)}.")
    return "\n".join(verdicts) or "Everything is accounted for."


def _left(left: Remainder | None) -> str | Decimal | None:
    """Return kWh with three decimals; two amounts where something is above and below."""
    if left is None:
        return None
    if left.above_wh and left.below_wh:
        return f"+{_kwh(left.above_wh)} {_kwh(left.below_wh)}"
    return _kwh(left.sum_wh)


def _kwh(wh: object) -> Decimal | None:
    """Return kWh with three decimals, so that a column lines up."""
    amount = kwh(wh) if isinstance(wh, int) else None
    return None if amount is None else amount.quantize(PLACES)
