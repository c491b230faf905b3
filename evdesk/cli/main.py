"""Parsing, and the one place where errors become exit codes."""

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from tempfile import mkstemp

import evdesk
from evdesk import bootstrap
from evdesk.cli import (
    account,
    audit,
    backup,
    breach,
    collect,
    consent,
    demo,
    driver,
    export,
    fault,
    invoice,
    mail,
    meter,
    notice,
    reconcile,
    retention,
    rights,
    session,
    simulate,
    site,
    station,
    support,
    tariff,
    vehicle,
)
from evdesk.cli.context import Context
from evdesk.cli.options import Command, Groups, Parser, common_options
from evdesk.cli.output import Output
from evdesk.domain.errors import (
    DeviceError,
    EvdeskError,
    NothingFound,
    NotPermitted,
    StorageError,
    UserError,
    WrongKey,
)

DONE, NO, USAGE, DENIED, LOCKED, UNREACHABLE, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 5, 70, 130
EXIT_CODES: tuple[tuple[type[EvdeskError], int], ...] = (
    (NothingFound, NO),
    (UserError, USAGE),
    (StorageError, USAGE),
    (NotPermitted, DENIED),
    (WrongKey, LOCKED),
    (DeviceError, UNREACHABLE),
)
EPILOG = """\
exit codes: 0 done; 1 a check said no; 2 usage or bad input; 3 not permitted;
4 wrong password or locked; 5 a device or server could not be reached; 70 a bug.
Without a command the window opens. Example: evdesk demo"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of every group."""
    common = common_options()
    top = Parser(
        prog="evdesk",
        description="The desk of a small EV-charging site.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common],
    )
    top.add_argument("--version", action="store_true", help="print the version and stop")
    groups = Groups(top.add_subparsers(dest="group", metavar="GROUP"), common)
    for module in (
        demo, site, meter, station, simulate, collect, session, reconcile, fault, driver, tariff,
        consent, notice, vehicle, invoice, mail, export, audit, account, backup, retention, support,
        rights, breach,
    ):  # fmt: skip
        module.add_to(groups)
    return top


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; no traceback reaches the screen."""
    bootstrap.harden()
    out = Output(as_json=False)
    try:
        _check_text(arguments)
        args = parser().parse_args(list(arguments))
        out = Output(as_json=getattr(args, "json", False))
        code = _dispatch(Context(args, out))
        _flush()
    except EvdeskError as error:
        out.note(f"evdesk: {error}")
        return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), BUG)
    except SystemExit:  # argparse has printed the help that was asked for
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _silence()
        return DONE
    except OSError as error:
        return _no_space(out) if error.errno == errno.ENOSPC else _crashed(out, error)
    except Exception as error:  # noqa: BLE001 - the edge of the process: a bug leaves a file
        return _crashed(out, error)
    return code


def _check_text(arguments: Sequence[str]) -> None:
    """Refuse bytes that are no text: neither the database nor a JSON answer could hold them."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            shown = argument.encode(errors="replace").decode()
            raise UserError("The argument {text} is no valid UTF-8 text.", text=shown) from error


def _dispatch(context: Context) -> int:
    args = context.args
    if args.version:
        return _version(context)
    command: Command | None = getattr(args, "command", None)
    if command is not None:
        return command(context) or DONE
    return bootstrap.open_window(context.folder())


def _flush() -> None:
    """Write out the answer: a reader that left is noticed here and not at the very end."""
    if sys.stdout is not None:  # closed by whoever started us
        sys.stdout.flush()


def _no_space(out: Output) -> int:
    _silence()
    out.note("evdesk: The answer could not be written: no space is left where it goes.")
    return USAGE


def _silence() -> None:
    """Let what is still to be printed go nowhere: the end of the program would print it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(context: Context) -> int:
    versions: dict[str, object] = {"evdesk": evdesk.__version__}
    if context.out.as_json:
        versions |= bootstrap.versions()
    context.out.answer(versions, f"evdesk {evdesk.__version__}")
    return DONE


def _crashed(out: Output, error: Exception) -> int:
    """Keep in a file where it came from, and say where that is."""
    descriptor, path = mkstemp(prefix="evdesk-crash-", suffix=".txt")  # readable by its owner only
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"evdesk {evdesk.__version__}\n{bootstrap.told_of(error)}")
    out.note(f"evdesk: This is a bug in evdesk. Please report it with the file {path}.")
    return BUG
