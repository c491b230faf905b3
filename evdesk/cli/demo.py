"""``demo``: a depot to look at, made and removed in one go."""

import os
import signal
import sys
import time
from pathlib import Path
from zoneinfo import ZoneInfo

from evdesk import bootstrap
from evdesk.bootstrap.demo import DemoDepot
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.domain.errors import NothingFound, UserError
from evdesk.domain.invoices import Invoice
from evdesk.domain.sessions import SessionState
from evdesk.ports import SessionFilter


def add_to(groups: Groups) -> None:
    """Declare the command."""
    demo = groups.command(
        "demo",
        run_demo,
        "make a throw-away depot with simulated chargers and open the desk on it",
        "evdesk demo --no-gui --out out",
    )
    demo.add_argument("--no-gui", action="store_true", help="leave files instead of a window")
    demo.add_argument("--out", default="evdesk-demo", metavar="DIR", help="where the files go")
    demo.add_argument(
        "--days", type=int, default=2, metavar="N", help="days of history (default 2)"
    )
    demo.add_argument(
        "--seconds", type=float, default=15.0, metavar="S", help="how long it runs live"
    )


def run_demo(context: Context) -> int | None:
    """Show the demo in the window, or leave its files."""
    args = context.args
    leaves_files = args.no_gui or not has_display()
    if leaves_files and args.days < 1:
        raise UserError("An invoice needs sessions: give it --days 1 or more. Nothing was made.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended like by Ctrl-C: tidily
    depot = DemoDepot(context.out.note, context.out.progress)
    try:
        opened = depot.build(max(args.days, 0))
        if leaves_files:
            _leave_files(context, depot, opened)
            return None
        depot.run()
        return bootstrap.open_window(opened.folder, opened)
    finally:
        depot.stop()


def has_display() -> bool:
    """Return whether a window can be shown here."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _leave_files(context: Context, depot: DemoDepot, opened: bootstrap.Opened) -> None:
    args, services = context.args, opened.services
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    context.out.note(f"Collecting live for {args.seconds:g} s …")
    depot.run()
    time.sleep(args.seconds)
    bootstrap.picture(opened, out / "live.png")
    depot.halt()
    invoice = _invoice(services)
    bootstrap.save(out / "invoice.pdf", services.billing.document(invoice.id))
    spreadsheet, sessions = services.exports.sessions(".xlsx", SessionFilter())
    bootstrap.save(out / "sessions.xlsx", spreadsheet)
    with bootstrap.saving(out / "evidence.zip") as file:
        evidence = services.audit.export(file)
    info = services.site.info()
    data = {
        "site": info.site.name,
        "meters": info.meters,
        "readings": info.readings,
        "sessions": sessions,
        "invoice": invoice.number,
        "gross": invoice.totals.gross,
        "currency": invoice.currency,
        "out": str(out),
        "head": str(evidence.head),
        "files": ["live.png", "invoice.pdf", "sessions.xlsx", "evidence.zip"],
    }
    context.out.answer(
        data,
        f"{info.meters} meters, {info.readings} readings, {sessions} sessions; invoice "
        f"{invoice.number} over {invoice.totals.gross}.\n"
        f"Look at live.png, invoice.pdf, sessions.xlsx and evidence.zip in {out}.\n"
        f"The audit log ends at {evidence.head}.",
    )


def _invoice(services: bootstrap.Services) -> Invoice:
    """Draft and issue an invoice for whoever has the most closed sessions."""
    closed = services.sessions.find(SessionFilter(state=SessionState.CLOSED, unbilled=True))
    zone = ZoneInfo(services.info.tz)
    months: dict[tuple[str, str], int] = {}
    for session in closed:
        if session.driver is not None:
            month = f"{session.figures.plugged_in_at.astimezone(zone):%Y-%m}"
            months[session.driver, month] = months.get((session.driver, month), 0) + 1
    if not months:
        raise NothingFound("No session was closed in this demo: give it --days 1 or more.")
    wanted = max(months, key=lambda key: months[key])
    driver = next(d for d in services.drivers.all() if d.id == wanted[0])
    draft = services.billing.draft(driver.id, wanted[1]).invoice
    return services.billing.issue(draft.id)
