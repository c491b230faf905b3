"""``collect``: the collector in the foreground."""

import sys

from evdesk import bootstrap
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import counted
from evdesk.domain.errors import NotPermitted, UserError
from evdesk.domain.secrets import Secret
from evdesk.services.collecting import Tally

KEY_BYTES = 32
MOST_SECONDS = 1e9  # some thirty years: beyond it, a demo site's clock would leave the calendar


def add_to(groups: Groups) -> None:
    """Declare the commands."""
    collect = groups.command(
        "collect",
        run_collector,
        "read the devices until stopped; one collector per site",
        "evdesk collect --seconds 60",
    )
    collect.add_argument(
        "--seconds", metavar="S", help="stop after so long (a demo site: of its own time)"
    )
    collect.add_argument(
        "--speed", metavar="X", help="demo sites: X times as fast as the wall at most, or max"
    )
    collect.add_argument("--stop", action="store_true", help="ask the running collector to end")
    collect.add_argument(
        "--key-stdin", action="store_true", help="for evdesk itself: the data key on standard input"
    )


def run_collector(context: Context) -> None:
    """Collect, or ask the collector to end."""
    args = context.args
    if args.stop:
        _stop(context)
        return
    seconds, speed = _seconds(args.seconds), _speed(args.speed)
    opened = _open(context)
    context.tell(opened)
    try:
        tally = bootstrap.collect(opened, seconds, speed)
    finally:
        opened.services.store.close()
    context.out.answer(_counts(tally), _sentence(tally))


def _open(context: Context) -> bootstrap.Opened:
    folder = context.folder()
    bootstrap.check_site(folder)
    if context.args.key_stdin:
        data_key, signing_key = _read_keys()
        return bootstrap.open_with_key(folder, data_key, bootstrap.COLLECTOR, signing_key)
    if context.option("password_file") is None:  # as when a service manager starts it
        opened = bootstrap.open_service(folder)
        if opened is not None:
            return opened
    opened = context.open()
    try:
        opened.services.site.demand_collecting()
    except NotPermitted:
        opened.services.store.close()
        raise
    return bootstrap.as_collector(opened)


def _stop(context: Context) -> None:
    with context.site() as services:
        running = services.site.info().running
        services.site.stop_collector()
    if running:
        context.out.answer({"stop": "requested"}, "The collector ends within a second or two.")
    else:
        context.out.answer({"stop": "not running"}, "No collector is running for this site.")


def _counts(tally: Tally) -> dict[str, object]:
    return {
        "readings": tally.readings,
        "failures": tally.failures,
        "commits": tally.commits,
        "lateness_ms": tally.lateness_ms,
    }


def _sentence(tally: Tally) -> str:
    stored = f"Stored {counted(tally.readings, 'reading')}"
    failed = f"; a device did not answer {counted(tally.failures, 'time')}"
    return f"{stored}{failed if tally.failures else ''}."


def _read_keys() -> tuple[Secret, Secret | None]:
    """Return the data key and, where it follows on the line, the key that signs the audit log."""
    first, *more = sys.stdin.readline().split() or [""]
    return _key(first), _key(more[0]) if more else None


def _key(text: str) -> Secret:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UserError("--key-stdin: standard input does not hold a data key.")
    return Secret(key)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= MOST_SECONDS:
        raise UserError("--seconds {text}: give a number above 0, up to 1000000000.", text=text)
    return seconds


def _speed(text: str | None) -> bootstrap.Speed:
    if text is None:
        return bootstrap.Speed(given=False, times=1.0)
    if text == "max":
        return bootstrap.Speed(given=True, times=None)
    try:
        times = float(text)
    except ValueError:
        times = 0.0
    if not 0 < times < 1e6:  # noqa: PLR2004 - beyond it, say max
        raise UserError("--speed {text}: give a number above 0, or max.", text=text)
    return bootstrap.Speed(given=True, times=times)
