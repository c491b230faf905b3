"""``export``: tables for people and machines."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted
from evdesk.cli.session import add_filter, session_filter
from evdesk.domain.errors import Damaged, UserError
from evdesk.ports import FaultFilter
from evdesk.services.reconciling import Month

USAGE = 2

# what a row of each table is
ROWS = {"sessions": "session", "readings": "reading", "reconcile": "register", "faults": "fault",
        "consents": "event"}  # fmt: skip
EVIDENCE = "evidence"
# which options narrow each table down; the others are written whole
TAKES = {
    "sessions": {"from_at", "to_at", "station", "driver", "state"},
    "readings": {"from_at", "to_at", "meter"},
    "reconcile": {"month", "station"},
    "faults": {"from_at", "to_at"},
    "consents": {"driver"},
}
SUFFIX = {EVIDENCE: "zip", "ropa": "pdf"}
# registers, whole
REGISTERS: dict[str, Callable[[bootstrap.Services, str], tuple[bytes, int]]] = {
    "requests": lambda services, suffix: services.requests.export(suffix),
    "disclosures": lambda services, suffix: services.disclosures.export(suffix),
    "breaches": lambda services, suffix: services.breaches.export(suffix),
    "ropa": lambda services, suffix: services.ropa.export(suffix),
    "retention": lambda services, suffix: services.exports.retention(suffix),
}


def add_to(groups: Groups) -> None:
    """Declare the command."""
    export = groups.command(
        "export",
        export_table,
        "write a table; the format follows the suffix",
        "evdesk export sessions --out sessions.xlsx --from 2026-01-01",
    )
    choices = [*ROWS, *REGISTERS, EVIDENCE]
    export.add_argument(
        "--out",
        required=True,
        metavar="FILE",
        help=".xlsx, .csv, .json; ropa also .pdf; evidence .zip",
    )
    narrowing = [
        export.add_argument("--meter", metavar="NAME", help="readings of this meter only"),
        export.add_argument("--month", metavar="YYYY-MM", help="which month to reconcile"),
        *add_filter(export),
    ]
    export.add_argument(
        "what",
        choices=choices,
        metavar="WHAT",
        help=" or ".join(choices),
        action=_What,
        narrowing=narrowing,
    )


class _What(argparse.Action):
    """Keeps which table is asked for; ``--help`` behind it shows what that one takes alone."""

    def __init__(self, *given: Any, narrowing: Sequence[argparse.Action], **settings: Any) -> None:
        super().__init__(*given, **settings)
        self._narrowing = narrowing

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        _option: str | None = None,
    ) -> None:
        what = str(values)
        setattr(namespace, self.dest, what)
        for option in self._narrowing:
            if option.dest not in TAKES.get(what, ()):
                option.help = argparse.SUPPRESS
        self.metavar, self.help = what, "what is written"
        parser.epilog = f"example: evdesk export {what} --out {what}.{SUFFIX.get(what, 'xlsx')}"
        if what == EVIDENCE:
            parser.description = "write what proves the audit log, for somebody without evdesk"


def export_table(context: Context) -> int:
    """Write the table of sessions, readings, a month's registers, faults or consents.

    Where sealed readings are damaged, the rest is written, and it ends as an error all the same.
    """
    args = context.args
    out = Path(args.out)
    if args.what not in ROWS:
        return _evidence(context, out) if args.what == EVIDENCE else _register(context, out)
    suffix = out.suffix.lower()
    damage: Sequence[Damaged] = ()
    with bootstrap.saving(out) as file, context.site() as services:
        if args.what == "sessions":
            data, rows = services.exports.sessions(suffix, session_filter(context, services))
        elif args.what == "readings":
            span = (context.instant(name, services.info.tz) for name in ("from_at", "to_at"))
            data, rows, damage = services.exports.readings(suffix, args.meter, *span)
        elif args.what == "consents":
            wanted = session_filter(context, services)
            asked = suffix, wanted.driver, wanted.from_at, wanted.to_at
            data, rows = services.exports.consents(*asked)
        elif args.what == "faults":
            data, rows = services.faults.export(suffix, _lasted(context, services))
        else:
            month = _month(context, services)
            data, rows = services.exports.month(suffix, month)
            damage = [row.damage for row in month.rows if row.damage is not None]
        file.write(data)
    told = f"Saved {counted(rows, ROWS[args.what])} to {out}."
    if damage:
        told += " It is not complete: a row with the damage stands for each part that is missing."
    answer = {"file": str(out), "rows": rows, "damage": [str(each) for each in damage]}
    context.out.answer(answer, told)
    for each in damage:
        context.out.note(f"evdesk: {each}")
    return USAGE if damage else 0


def _register(context: Context, out: Path) -> int:
    """Write a register."""
    what = context.args.what
    with bootstrap.saving(out) as file, context.site() as services:
        data, rows = REGISTERS[what](services, out.suffix.lower())
        file.write(data)
    context.out.answer({"file": str(out), "rows": rows}, f"Saved {counted(rows, 'row')} to {out}.")
    return 0


def _evidence(context: Context, out: Path) -> int:
    """Write what proves the audit log, for somebody who has no evdesk."""
    if out.suffix.lower() != ".zip":
        raise UserError("Evidence is a .zip: name the file so, not {name}.", name=out.name)
    with context.site() as services, bootstrap.saving(out) as file:
        done = services.audit.export(file, context.out.progress)
    answer = {
        "file": str(out),
        "head": str(done.head),
        "entries": done.head.size,
        "manifest": done.manifest,
        "signed": done.signed is not None,
        "recorded": done.recorded,
    }
    context.out.answer(
        answer,
        f"Saved {done.head.size} entries with all that proves them to {out}.\n"
        f"Unpack it and run python3 verify.py in its folder; any Python 3.11 does.\n\n"
        f"Write down the head and keep it apart from the file:\n  {done.head}\n"
        f"MANIFEST (SHA-256):\n  {done.manifest}",
    )
    if not done.recorded:
        context.out.note("evdesk: The log is in doubt, so that no entry tells of this export.")
    return 0


def _lasted(context: Context, services: bootstrap.Services) -> FaultFilter:
    tz = services.info.tz
    return FaultFilter(from_at=context.instant("from_at", tz), to_at=context.instant("to_at", tz))


def _month(context: Context, services: bootstrap.Services) -> Month:
    args = context.args
    if args.month is None:
        raise UserError("Name the month: evdesk export reconcile --month 2026-03 --out FILE")
    return services.months.month(args.month, args.station, context.out.progress)
