"""``session``: list, show, assign, correct, release, close."""

import time
from argparse import Action, ArgumentParser
from dataclasses import asdict

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted, facts, kwh, table
from evdesk.domain.corrections import DecisionKind
from evdesk.domain.errors import Unlikely, UserError
from evdesk.domain.sessions import Session, SessionId, SessionState
from evdesk.domain.site import DriverId
from evdesk.ports import LoggedEvent, SessionFilter
from evdesk.services.exporting import session_json
from evdesk.services.sessions import SessionDetail

MOST_DIGITS = 18  # what SQLite counts to has 19
PATIENCE_S, LOOK_AGAIN_S = 10.0, 0.2  # for a collector that ends a session
TABLES = {"events", "corrections", "releases", "forced_ends"}
TABLES |= {"corrected_at", "corrected_by", "correction_reason"}  # shown as tables of their own


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
    _declare_decisions(session)


def _declare_decisions(session: Groups) -> None:
    correct = session.command(
        "correct",
        correct_session,
        "let other registers hold; what was measured stays beside them",
        'evdesk session correct 12 --start-wh 81200 --end-wh 93650 --reason "read off the display"',
    )
    correct.add_argument("--start-wh", required=True, type=int, metavar="WH",
                         help="register at the plug-in, in Wh (81.2 kWh: 81200)")  # fmt: skip
    correct.add_argument("--end-wh", required=True, type=int, metavar="WH",
                         help="register at the unplug, in Wh")  # fmt: skip
    release = session.command(
        "release",
        release_session,
        "let a session in review be billed",
        'evdesk session release 12 --reason "meter replaced by the fitter, see his report"',
    )
    close = session.command(
        "close",
        close_session,
        "end a session whose device is gone for good, at its last register",
        'evdesk session close 12 --reason "charger taken down"',
    )
    for command in (correct, release, close):
        command.add_argument("id", metavar="ID", help="see: evdesk session list")
        command.add_argument(
            "--reason", required=True, metavar="TEXT", help="kept for ever, with your name"
        )


def add_filter(parser: ArgumentParser) -> list[Action]:
    """Declare the options of ``session_filter``, and return them."""
    states = [state.value for state in SessionState]
    return [
        parser.add_argument("--from", dest="from_at", metavar="D", help="plugged in from then on"),
        parser.add_argument("--to", dest="to_at", metavar="D", help="plugged in before then"),
        parser.add_argument("--station", metavar="N", help="at this station only"),
        parser.add_argument("--driver", metavar="D", help="of this driver only"),
        parser.add_argument("--state", choices=states),
    ]


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
            kwh(s.energy_wh),
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
    measured = session.measured()
    data = session_json(session) | {
        "measured_start_wh": measured.start_wh,
        "measured_end_wh": measured.end_wh,
        "meter": detail.meter.name,
        "meter_serial": detail.meter.serial,
        "start_raw": "" if figures.start is None else figures.start.raw.hex(),
        "end_raw": "" if figures.end is None else figures.end.raw.hex(),
        "start_read_at": None if figures.start is None else figures.start.at,
        "end_read_at": None if figures.end is None else figures.end.at,
        "corrections": _decisions(detail, DecisionKind.CORRECTED),
        "releases": _decisions(detail, DecisionKind.RELEASED),
        "forced_ends": _decisions(detail, DecisionKind.ENDED),
        "events": [_event(event) for event in detail.events],
    }
    context.out.answer(data, _text(detail, data, tz))


def _text(detail: SessionDetail, data: dict[str, object], tz: str) -> str:
    figures = detail.session.figures
    instants = {"plugged_in_at": figures.plugged_in_at, "unplugged_at": figures.unplugged_at}
    shown = [(key, value) for key, value in (data | instants).items() if key not in TABLES]
    events = [(e.at, e.kind.replace("_", " "), kwh(e.wh), e.raw) for e in detail.events]
    log = table(("at", "event", "register kWh", "raw words"), events, "No event.", tz)
    decided = [
        (
            d.at,
            d.kind.value,
            detail.names.get(d.author, d.author),
            kwh(None if d.before is None else d.before.energy_wh),
            kwh(None if d.after is None else d.after.energy_wh),
            d.reason,
        )
        for d in detail.decisions
    ]
    parts = [facts(shown, tz), log]
    if decided:
        headings = ("at", "decision", "by", "kWh before", "kWh since", "reason")
        parts.append(table(headings, decided, "", tz))
    return "\n\n".join(parts)


def _decisions(detail: SessionDetail, kind: DecisionKind) -> list[dict[str, object]]:
    return [
        {
            "at": one.at,
            "author": detail.names.get(one.author, one.author),
            "author_id": one.author,
            "reason": one.reason,
            "before": None if one.before is None else asdict(one.before),
            "after": None if one.after is None else asdict(one.after),
        }
        for one in detail.decisions
        if one.kind is kind
    ]


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


def correct_session(context: Context) -> None:
    """Let other registers hold."""
    args = context.args
    number = session_id(args.id)
    with context.site() as services:
        says = number, args.start_wh, args.end_wh, args.reason
        try:
            found = services.reviews.correct(*says)
        except Unlikely as doubt:
            context.confirm(f"{doubt} Correct it all the same?")
            found = services.reviews.correct(*says, certain=True)
    rest = " It stays in review until it is released." if _in_review(found) else ""
    context.out.answer(
        session_json(found),
        f"Session {number} has {_amount(found.energy_wh)} now; "
        f"{_amount(found.figures.energy_wh)} was measured and stays on record.{rest}",
    )


def release_session(context: Context) -> None:
    """Let a session in review be billed."""
    number = session_id(context.args.id)
    with context.site() as services:
        found = services.reviews.release(number, context.args.reason)
    text = f"Session {number} is out of review, with {_amount(found.energy_wh)}; it can be billed."
    context.out.answer(session_json(found), text)


def close_session(context: Context) -> None:
    """End a session whose device is gone; a collector that runs needs a moment for it."""
    number = session_id(context.args.id)
    with context.site() as services:
        context.confirm(
            f"End session {number} at its last stored register? What its car drew since then is "
            "not in it."
        )
        ended = services.reviews.end(number, context.args.reason)
        until = time.monotonic() + PATIENCE_S
        while not ended and time.monotonic() < until:
            time.sleep(LOOK_AGAIN_S)
            ended = services.sessions.detail(number).session.state is not SessionState.OPEN
        found = services.sessions.detail(number).session
    text = f"Session {number} has ended with {_amount(found.energy_wh)}; it is in review now."
    if not ended:
        text = f"Session {number} will end as soon as the collector takes notice."
    context.out.answer(session_json(found), text)


def _in_review(session: Session) -> bool:
    return session.state is SessionState.REVIEW


def _amount(wh: int | None) -> str:
    amount = kwh(wh)
    return "no energy" if amount is None else f"{amount:.3f} kWh"


def session_id(text: str) -> SessionId:
    """Return the id that a text spells."""
    if not text.isdecimal() or len(text) > MOST_DIGITS:
        raise UserError(
            "There is no session {session}. List them with: evdesk session list", session=text
        )
    return SessionId(int(text))
