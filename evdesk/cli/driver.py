"""``driver``: people who charge."""

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
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
    add.add_argument("--name", required=True)
    add.add_argument("--email", default="")
    add.add_argument("--language", choices=LANGUAGES)
    add.add_argument("--address", metavar='"STREET, POSTCODE TOWN, CC"')
    add.add_argument("--vat-id", default="")
    driver.command("list", list_drivers, "list drivers", "evdesk driver list --json")
    retire = driver.command(
        "retire", retire_driver, "no longer charges here", "evdesk driver retire D-7KQ2M9XF"
    )
    retire.add_argument("driver", metavar="DRIVER")


def add_driver(context: Context) -> None:
    """Add a driver."""
    args = context.args
    address = parse_address(args.address) if args.address else {}
    party = Party(name=args.name, email=args.email, vat_id=args.vat_id, **address)
    with context.site() as services:
        driver = services.drivers.add(party, args.language)
    context.out.answer(_row(driver), f"{driver.party.name} is {driver.id}.")


def list_drivers(context: Context) -> None:
    """List drivers."""
    with context.site() as services:
        found = services.drivers.all()
    rows = [(d.id, d.party.name, d.party.email, d.language) for d in found]
    empty = "There is no driver yet. Add one: evdesk driver add --help"
    text = table(("id", "name", "e-mail", "language"), rows, empty)
    context.out.answer([_row(driver) for driver in found], text)


def retire_driver(context: Context) -> None:
    """Mark a driver as no longer charging here."""
    driver = DriverId(context.args.driver)
    with context.site() as services:
        context.confirm(f"Retire driver {driver}? Bills stay.")
        services.drivers.retire(driver)
    context.out.answer({"id": driver}, f"{driver} no longer charges here; bills stay.")


def _row(driver: Driver) -> dict[str, object]:
    return {
        "id": driver.id,
        "name": driver.party.name,
        "email": driver.party.email,
        "language": driver.language,
        "state": "active" if driver.retired_at is None else "retired",
    }
