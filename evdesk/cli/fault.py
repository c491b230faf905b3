"""``fault``: list, acknowledge, time to repair."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.errors import UserError
from evdesk.domain.faults import CATALOGUE, Fault, FaultId, Severity
from evdesk.ports import FaultFilter
from evdesk.services.faults import COLUMNS, fault_row

MOST_DIGITS = 18  # what SQLite counts to has 19


def add_to(groups: Groups) -> None:
    """Declare the group."""
    fault = groups.group("fault", "what is wrong, and what was", "evdesk fault list --open")
    found = fault.command(
        "list", list_faults, "list faults, open ones first", "evdesk fault list --open"
    )
    found.add_argument("--open", action="store_true", help="only those that last")
    found.add_argument("--from", dest="from_at", metavar="D", help="that lasted then or later")
    found.add_argument("--to", dest="to_at", metavar="D", help="that began before then")
    found.add_argument("--meter", metavar="N", help="of this device only")
    found.add_argument("--severity", choices=[severity.value for severity in Severity])
    ack = fault.command(
        "ack",
        acknowledge,
        "say that you have seen it and take care of it",
        'evdesk fault ack 12 --note "electrician comes on Monday"',
    )
    ack.add_argument("id", metavar="ID", help="see: evdesk fault list")
    ack.add_argument("--note", metavar="TEXT", help="is kept with it")
    repairs = fault.command(
        "repairs",
        list_repairs,
        "show the time to repair per device for one month",
        "evdesk fault repairs --month 2026-03",
    )
    repairs.add_argument("--month", metavar="YYYY-MM", help="default: this month")


def list_faults(context: Context) -> None:
    """List faults."""
    with context.site() as services:
        services.faults.look()
        found, tz = services.faults.find(_filter(context, services)), services.info.tz
    rows = [
        (
            str(f.id),
            f.severity.value,
            f.station or f.meter,
            CATALOGUE[f.code].title,
            f.since_at,
            _span(f.repair_s()) or "open",
            f.acknowledged_by,
            CATALOGUE[f.code].action,
        )
        for f in found
    ]
    headings = ("id", "severity", "where", "what", "since", "lasted", "seen by", "what to do")
    empty = "Nothing is wrong." if context.args.open else "There is no such fault."
    context.out.answer([_json(fault) for fault in found], table(headings, rows, empty, tz))


def _filter(context: Context, services: bootstrap.Services) -> FaultFilter:
    args = context.args
    meter = None
    if args.meter is not None:
        rows = {row.meter.name: row.meter.id for row in services.meters.rows()}
        if args.meter not in rows:
            raise UserError(
                "There is no meter named {name}. List them with: evdesk meter list",
                name=args.meter,
            )
        meter = rows[args.meter]
    return FaultFilter(
        open_only=args.open,
        from_at=context.instant("from_at", services.info.tz),
        to_at=context.instant("to_at", services.info.tz),
        meter=meter,
        severity=None if args.severity is None else Severity(args.severity),
    )


def acknowledge(context: Context) -> None:
    """Say that somebody has seen a fault."""
    text = context.args.id
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise UserError("There is no fault {fault}. List them with: evdesk fault list", fault=text)
    with context.site() as services:
        fault = services.faults.acknowledge(FaultId(int(text)), context.args.note)
    context.out.answer(_json(fault), f"Fault {fault.id} is acknowledged.")


def list_repairs(context: Context) -> None:
    """Show the time to repair per device."""
    with context.site() as services:
        now = services.clock.now().astimezone(ZoneInfo(services.info.tz))
        month = context.args.month or f"{now:%Y-%m}"
        found = services.faults.repairs(month)
    data = [
        {
            "meter": repair.device or None,
            "faults": repair.faults,
            "total_s": repair.total_s,
            "mean_s": repair.mean_s,
            "longest_s": repair.longest_s,
        }
        for repair in found
    ]
    rows = [
        (r.device or "the site", r.faults, _span(r.mean_s), _span(r.longest_s), _span(r.total_s))
        for r in found
    ]
    headings = ("device", "faults", "mean", "longest", "all together")
    context.out.answer(data, table(headings, rows, f"No fault ended in {month}."))


def _json(fault: Fault) -> dict[str, object]:
    data: dict[str, object] = dict(zip(COLUMNS, fault_row(fault), strict=True))
    data["text"] = f"{CATALOGUE[fault.code].meaning} {data['detail']}".strip()
    data["socket"] = fault.key.socket
    data["unseen_end"] = fault.unseen_end
    data["facts"] = dict(fault.facts)
    return data


def _span(seconds: int | None) -> str:
    return "" if seconds is None else str(timedelta(seconds=seconds))
