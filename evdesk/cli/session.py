"""``session``: list, show, assign."""

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted, facts, kwh, table
from evdesk.domain.errors import UserError
from evdesk.domain.sessions import SessionId, SessionState
from evdesk.domain.site import DriverId
from evdesk.ports import LoggedEvent, SessionFilter
from evdesk.services.exporting import session_json
from evdesk.services.sessions import SessionDetail

MOST_DIGITS = 18  # what SQLite counts to has 19


def add_to(groups: Groups) -> None:
    """Declare the group."""
    session = groups.group("session", "charging sessions", "evdesk session list")
    found = session.command(
        "list", list_sessions, "list sessions, newest first", "evdesk session list --state closed"
    )
    add_filter(found)
    show = session.command(
        "show", show_session, "show one with its evidence", "evdesk session show 12"
    )
    show.add_argument("id", metavar="ID", help="see: evdesk session list")
    assign = session.command(
        "assign",
        assign_sessions,
        "say whose sessions are",
        "evdesk session assign 12 13 --driver D-7KQ2M9XF",
    )
    assign.add_argument("ids", metavar="ID", nargs="+", help="one or more; all or none are changed")
    assign.add_argument("--driver", required=True, metavar="D", help="see: evdesk driver list")


def add_filter(parser) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Declare the options of ``session_filter``."""
    parser.add_argument("--from", dest="from_at", metavar="D", help="plugged in from then on")
    parser.add_argument("--to", dest="to_at", metavar="D", help="plugged in before then")
    parser.add_argument("--station", metavar="N", help="at this station only")
    parser.add_argument("--driver", metavar="D", help="of this driver only")
    parser.add_argument("--state", choices=[state.value for state in SessionState])


def session_filter(context: Context, services: bootstrap.Services) -> SessionFilter:
    """Return the filter that the options name."""
    args = context.args
    station = None
    if getattr(args, "station", None):
        station = services.stations.find(args.station)
    return SessionFilter(
        from_at=context.instant("from_at", services.info.tz),
        to_at=context.instant("to_at", services.info.tz),
        station=station,
        driver=DriverId(args.driver) if getattr(args, "driver", None) else None,
        state=SessionState(args.state) if getattr(args, "state", None) else None,
    )


def list_sessions(context: Context) -> None:
    """List sessions."""
    with context.site() as services:
        found, tz = services.sessions.find(session_filter(context, services)), services.info.tz
    headings = ("id", "station", "driver", "plugged in", "unplugged", "kWh", "state", "flags")
    rows = [
        (
            str(s.id),
            s.station,
            s.driver,
            s.figures.plugged_in_at,
            s.figures.unplugged_at,
            kwh(s.figures.energy_wh),
            s.state.value,
            " ".join(sorted(s.figures.flags)),
        )
        for s in found
    ]
    empty = "There is no such session. Does the collector run? See: evdesk info"
    context.out.answer([session_json(s) for s in found], table(headings, rows, empty, tz))


def show_session(context: Context) -> None:
    """Show a session with its evidence."""
    with context.site() as services:
        detail, tz = services.sessions.detail(session_id(context.args.id)), services.info.tz
    session, figures = detail.session, detail.session.figures
    data = session_json(session) | {
        "meter": detail.meter.name,
        "meter_serial": detail.meter.serial,
        "start_raw": "" if figures.start is None else figures.start.raw.hex(),
        "end_raw": "" if figures.end is None else figures.end.raw.hex(),
        "start_read_at": None if figures.start is None else figures.start.at,
        "end_read_at": None if figures.end is None else figures.end.at,
        "events": [_event(event) for event in detail.events],
    }
    context.out.answer(data, _text(detail, data, tz))


def _text(detail: SessionDetail, data: dict[str, object], tz: str) -> str:
    figures = detail.session.figures
    instants = {"plugged_in_at": figures.plugged_in_at, "unplugged_at": figures.unplugged_at}
    shown = [(key, value) for key, value in (data | instants).items() if key != "events"]
    events = [(e.at, e.kind.replace("_", " "), kwh(e.wh), e.raw) for e in detail.events]
    log = table(("at", "event", "register kWh", "raw words"), events, "No event.", tz)
    return facts(shown, tz) + "\n\n" + log


def _event(event: LoggedEvent) -> dict[str, object]:
    return {"at": event.at, "kind": event.kind, "wh": event.wh, "raw": event.raw, **event.detail}


def assign_sessions(context: Context) -> None:
    """Say whose sessions are."""
    args = context.args
    ids = [session_id(text) for text in args.ids]
    with context.site() as services:
        services.sessions.assign(ids, DriverId(args.driver))
    data = {"ids": [str(i) for i in ids], "driver": args.driver}
    context.out.answer(data, f"{counted(len(ids), 'session')} assigned to {args.driver}.")


def session_id(text: str) -> SessionId:
    """Return the id that a text spells."""
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise UserError(
            "There is no session {session}. List them with: evdesk session list", session=text
        )
    return SessionId(int(text))
