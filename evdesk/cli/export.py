"""``export``: tables for people and machines."""

from pathlib import Path

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted
from evdesk.cli.session import add_filter, session_filter


def add_to(groups: Groups) -> None:
    """Declare the command."""
    export = groups.command(
        "export",
        export_table,
        "write a table; the format follows the suffix",
        "evdesk export sessions --out sessions.xlsx --from 2026-01-01",
    )
    export.add_argument("what", choices=["sessions"], metavar="WHAT", help="so far: sessions")
    export.add_argument("--out", required=True, metavar="FILE", help=".xlsx, .csv or .json")
    add_filter(export)


def export_table(context: Context) -> None:
    """Write the table of sessions."""
    out = Path(context.args.out)
    with context.site() as services:
        wanted = session_filter(context, services)
        data, rows = services.exports.sessions(out.suffix.lower(), wanted)
    bootstrap.save(out, data)
    context.out.answer(
        {"file": str(out), "rows": rows}, f"Saved {counted(rows, 'session')} to {out}."
    )
