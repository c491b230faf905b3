"""``rights``: what people may ask for about their data."""

import argparse
from dataclasses import fields
from pathlib import Path

from evdesk import bootstrap
from evdesk.cli import rights_register
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import facts
from evdesk.cli.rights_answers import erasure_json, erasure_text, handed, told_text
from evdesk.cli.rights_register import day, number, request_json, request_text
from evdesk.domain.errors import UserError
from evdesk.domain.processing import DetailKind
from evdesk.domain.purposes import PurposeId
from evdesk.domain.requests import IdentityCheck, RequestId
from evdesk.domain.site import DriverId, Party
from evdesk.services.drivers import LANGUAGES, parse_address
from evdesk.services.requests import Asked

DRIVER_HELP = "id, see: evdesk driver list"
NAMES = tuple(each.name for each in fields(Party))


def add_to(groups: Groups) -> None:
    """Declare the group."""
    rights = groups.group(
        "rights", "what people may ask for about their data", "evdesk rights requests"
    )
    _add_packages(rights)
    _add_changes(rights)
    _add_restraints(rights)
    rights_register.add_to(rights)
    controller = rights.command(
        "controller",
        tell_controller,
        "say what the record of processing cannot know by itself; without options, show it",
        'evdesk rights controller --dpo "Dr. Lee, dpo@example.org"',
    )
    for kind in DetailKind:
        option = "--" + kind.value.replace("_", "-")
        controller.add_argument(option, metavar="TEXT", help='"" takes it away')


def _add_packages(rights: Groups) -> None:
    access = rights.command(
        "access",
        give_access,
        "give somebody everything that is held of them: PDF, JSON and CSV (Art. 15)",
        "evdesk rights access D-7KQ2M9XF --out kim",
    )
    portability = rights.command(
        "portability",
        give_portability,
        "give somebody what they provided, for machines: JSON and CSV (Art. 20)",
        "evdesk rights portability D-7KQ2M9XF --out kim",
    )
    for command in (access, portability):
        _add_asked(command)
        command.add_argument("--out", required=True, metavar="DIR", help="a new or empty folder")


def _add_changes(rights: Groups) -> None:
    rectify = rights.command(
        "rectify",
        rectify_driver,
        "correct what is known of somebody, and list who is to be told (Art. 16, 19)",
        "evdesk rights rectify D-7KQ2M9XF --city Potsdam",
    )
    _add_asked(rectify)
    for name in NAMES:
        option = "--" + name.replace("_", "-")
        rectify.add_argument(option, metavar="TEXT", help='"" takes it away')
    rectify.add_argument("--address", metavar="ADDRESS", help='"street, postcode town, CC"')
    rectify.add_argument("--language", choices=LANGUAGES, help="of invoices and packages")
    erase = rights.command(
        "erase",
        erase_driver,
        "erase what may go, and say why the rest stays and until when (Art. 17)",
        "evdesk rights erase D-7KQ2M9XF --dry-run",
    )
    _add_asked(erase)
    erase.add_argument("--dry-run", action="store_true", help="say what would become of it")


def _add_restraints(rights: Groups) -> None:
    restrict = rights.command(
        "restrict",
        restrict_driver,
        "keep somebody's data and use it for nothing, until that is lifted (Art. 18)",
        'evdesk rights restrict D-7KQ2M9XF --reason "disputes the address"',
    )
    _add_asked(restrict)
    restrict.add_argument("--lift", action="store_true", help="use it again; tell them before")
    restrict.add_argument("--reason", required=True, metavar="TEXT", help="kept")
    objects = rights.command(
        "object",
        object_to,
        "stop using somebody's data for a purpose that they object to (Art. 21)",
        "evdesk rights object D-7KQ2M9XF --purpose analytics",
    )
    _add_asked(objects)
    objects.add_argument("--purpose", required=True, metavar="P", help="evdesk consent purposes")
    objects.add_argument(
        "--take-back", metavar="REASON", help="they no longer object; why, without names"
    )


def _add_asked(command: argparse.ArgumentParser) -> None:
    command.add_argument("driver", metavar="DRIVER", help=DRIVER_HELP)
    checks = [one.value for one in IdentityCheck]
    command.add_argument(
        "--check",
        choices=checks,
        default=IdentityCheck.KNOWN.value,
        help="how it is known who asks (default: known, in person); " + ", ".join(checks),
    )
    command.add_argument("--received", metavar="DATE", help="when it was asked for (today)")
    command.add_argument("--request", metavar="ID", help="which request this answers")
    command.add_argument("--note", default="", metavar="TEXT", help="kept under the person's key")


def asked(context: Context) -> Asked:
    """Return what is known of whoever asks."""
    args = context.args
    return Asked(
        check=IdentityCheck(args.check),
        received_on=day(args.received),
        note=args.note,
        request=None if args.request is None else RequestId(number(args.request, "request")),
    )


def give_access(context: Context) -> None:
    """Give somebody everything that is held of them."""
    _give(context, portable=False)


def give_portability(context: Context) -> None:
    """Give somebody what they provided or caused."""
    _give(context, portable=True)


def _give(context: Context, *, portable: bool) -> None:
    args, out = context.args, Path(context.args.out)
    with bootstrap.saving_folder(out) as save, context.site() as services:
        give = services.rights.portability if portable else services.rights.access
        done = give(DriverId(args.driver), asked(context), save)
    context.out.answer(*handed(out, done))


def rectify_driver(context: Context) -> None:
    """Correct what is known of somebody."""
    args = context.args
    wanted = {name: getattr(args, name) for name in NAMES if getattr(args, name) is not None}
    wanted |= parse_address(args.address) if args.address else {}
    if not wanted and args.language is None:
        raise UserError("Say what to correct. See: evdesk rights rectify --help")
    with context.site() as services:
        driver, done = services.rights.rectify(
            DriverId(args.driver), wanted, args.language, asked(context)
        )
        tz = services.info.tz
    data = request_json(done.request) | {
        "driver": driver.id,
        "fields": sorted(wanted),
        "tell": [rights_register.disclosure_json(one) for one in done.to_tell],
    }
    said = f"{driver.id} is corrected. {request_text(done.request)}"
    context.out.answer(data, "\n\n".join(filter(None, [said, told_text(done.to_tell, tz)])))


def erase_driver(context: Context) -> None:
    """Erase what may go, class by class."""
    args, driver = context.args, DriverId(context.args.driver)
    with context.site() as services:
        if args.dry_run:
            found = services.erasures.plan(driver)
        else:
            services.drivers.get(driver)  # an unknown one is refused before anybody is asked
            context.confirm(f"Erase what may go of {driver}? It does not come back.")
            found = services.erasures.erase(driver, asked(context))
        tz = services.info.tz
    context.out.answer(erasure_json(found), erasure_text(found, tz, dry=args.dry_run))
    if found.request is not None and not found.emptied:
        context.out.note(
            "evdesk: Somebody reads the database, so that the write-ahead log could not be emptied "
            "yet: what was erased is gone from it with the next retention run."
        )


def restrict_driver(context: Context) -> None:
    """Restrict somebody's data, or lift that."""
    args, driver = context.args, DriverId(context.args.driver)
    with context.site() as services:
        if args.lift:
            services.rights.lift(driver, args.reason)
            data = {"driver": driver, "restricted": False}
            context.out.answer(data, f"The data of {driver} is used again.")
            return
        done = services.rights.restrict(driver, args.reason, asked(context))
        tz = services.info.tz
    data = request_json(done.request) | {
        "restricted": True,
        "tell": [rights_register.disclosure_json(one) for one in done.to_tell],
    }
    said = f"The data of {driver} is kept and used for nothing. {request_text(done.request)}"
    context.out.answer(data, "\n\n".join(filter(None, [said, told_text(done.to_tell, tz)])))


def object_to(context: Context) -> None:
    """Stop using somebody's data for a purpose, or go on."""
    args, driver = context.args, DriverId(context.args.driver)
    purpose = PurposeId(args.purpose)
    with context.site() as services:
        if args.take_back is not None:
            services.rights.end_objection(driver, purpose, args.take_back)
            data = {"driver": driver, "purpose": purpose, "objects": False}
            context.out.answer(data, f"{driver} no longer objects to '{purpose}'.")
            return
        done = services.rights.object_to(driver, purpose, asked(context))
    data = request_json(done.request) | {"purpose": purpose, "objects": True}
    context.out.answer(
        data,
        f"The data of {driver} is not used for '{purpose}' any more. {request_text(done.request)}",
    )


def tell_controller(context: Context) -> None:
    """Say, or show, what the record of processing cannot know by itself."""
    said = {kind: getattr(context.args, kind.value) for kind in DetailKind}
    wanted = {kind: text for kind, text in said.items() if text is not None}
    with context.site() as services:
        for kind, text in wanted.items():
            services.ropa.set_detail(kind, text)
        found = services.ropa.details()
    data = {kind.value: found[kind].text if kind in found else None for kind in DetailKind}
    if wanted:
        context.out.answer(data, "Kept. It stands in the record from now on: evdesk export ropa")
        return
    context.out.answer(data, facts((kind.value, data[kind.value]) for kind in DetailKind))
