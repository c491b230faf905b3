"""``driver``: people who charge."""

from dataclasses import replace

from evdesk.cli import card
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import facts, table
from evdesk.domain.errors import UserError
from evdesk.domain.site import Driver, DriverId, Party
from evdesk.services.drivers import LANGUAGES, parse_address


def add_to(groups: Groups) -> None:
    """Declare the group."""
    driver = groups.group("driver", "people who charge", "evdesk driver list")
    add = driver.command(
        "add",
        add_driver,
        "add a driver",
        'evdesk driver add --name "Kim Lee" --address "Hafenstr. 3, 89073 Ulm, DE"',
    )
    add.add_argument("--name", required=True, metavar="NAME", help="as it stands on the invoice")
    add.add_argument("--email", default="", metavar="ADDRESS")
    add.add_argument("--language", choices=LANGUAGES, help="of the invoices (default: the site's)")
    add.add_argument(
        "--address", metavar="ADDRESS", help='"street, postcode town, CC" (CC: country code)'
    )
    add.add_argument("--vat-id", default="", metavar="ID", help="of a business")
    edit = driver.command(
        "edit",
        edit_driver,
        "correct what is known of a driver; issued invoices stay as they are",
        "evdesk driver edit D-7KQ2M9XF --email kim@example.org",
    )
    edit.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    edit.add_argument("--name", metavar="NAME", help="as it stands on the invoice")
    edit.add_argument("--email", metavar="ADDRESS", help='"" takes it away')
    edit.add_argument("--language", choices=LANGUAGES, help="of the invoices")
    edit.add_argument("--address", metavar="ADDRESS", help='"street, postcode town, CC"')
    edit.add_argument("--vat-id", metavar="ID", help='of a business; "" takes it away')
    found = driver.command(
        "list", list_drivers, "list those who charge here", "evdesk driver list --json"
    )
    found.add_argument("--retired", action="store_true", help="also those who no longer do")
    retire = driver.command(
        "retire",
        retire_driver,
        "say that somebody no longer charges here; bills stay",
        "evdesk driver retire D-7KQ2M9XF",
    )
    retire.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    reveal = driver.command(
        "reveal",
        reveal_driver,
        "show who a driver is to an auditor; the log says who asked, and why",
        "evdesk driver reveal D-7KQ2M9XF --reason 'compare invoice and contract'",
    )
    reveal.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    reveal.add_argument(
        "--reason", required=True, metavar="TEXT", help="kept with the entry; name no person in it"
    )
    card.add_to(driver)


def add_driver(context: Context) -> None:
    """Add a driver."""
    args = context.args
    address = parse_address(args.address) if args.address else {}
    party = Party(name=args.name, email=args.email, vat_id=args.vat_id, **address)
    with context.site() as services:
        driver = services.drivers.add(party, args.language)
    context.out.answer(_row(driver), f"{driver.party.name} is {driver.id}.")


def edit_driver(context: Context) -> None:
    """Correct what is known of a driver."""
    args, driver = context.args, DriverId(context.args.driver)
    given = {"name": args.name, "email": args.email, "vat_id": args.vat_id}
    given |= parse_address(args.address) if args.address else {}
    wanted = {field: text for field, text in given.items() if text is not None}
    if not wanted and args.language is None:
        raise UserError(
            "Say what to correct: --name, --email, --address, --vat-id or --language. Nothing was "
            "changed."
        )
    with context.site() as services:
        before = services.drivers.get(driver)
        after = services.drivers.change(driver, replace(before.party, **wanted), args.language)
    context.out.answer(_row(after), f"{driver} is corrected: {after.party.name}.")


def list_drivers(context: Context) -> None:
    """List drivers."""
    with context.site() as services:
        found = services.drivers.all(retired=context.args.retired)
    data = [_row(driver) for driver in found]
    rows = [(r["id"], r["name"], r["email"], r["language"], r["state"]) for r in data]
    empty = "There is no driver yet. Add one: evdesk driver add --help"
    headings = ("id", "name", "e-mail", "language", "state")
    context.out.answer(data, table(headings, rows, empty))


def retire_driver(context: Context) -> None:
    """Mark a driver as no longer charging here."""
    driver = DriverId(context.args.driver)
    with context.site() as services:
        context.confirm(f"Retire driver {driver}? Bills stay.")
        services.drivers.retire(driver)
    context.out.answer({"id": driver}, f"{driver} no longer charges here; bills stay.")


def reveal_driver(context: Context) -> None:
    """Show who a driver is; the log says so."""
    with context.site() as services:
        driver = services.drivers.reveal(DriverId(context.args.driver), context.args.reason)
    party = driver.party
    town = " ".join(part for part in (party.postcode, party.city) if part)
    address = ", ".join(part for part in (party.street, town, party.country) if part)
    data = {**_row(driver), "address": address, "vat_id": party.vat_id}
    context.out.answer(data, facts(data.items()))


def _row(driver: Driver) -> dict[str, object]:
    return {
        "id": driver.id,
        "name": driver.party.name,
        "email": driver.party.email,
        "language": driver.language,
        "state": "active" if driver.retired_at is None else "retired",
    }
