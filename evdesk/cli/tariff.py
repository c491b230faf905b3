"""``tariff``: OCPI 2.2.1 tariffs and where they hold."""

from pathlib import Path

from evdesk.cli.context import Context, read_text
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.site import DriverId
from evdesk.domain.tariffs import Assignment, Tariff, TariffId


def add_to(groups: Groups) -> None:
    """Declare the group."""
    tariff = groups.group("tariff", "what charging costs", "evdesk tariff list")
    add = tariff.command(
        "add",
        add_tariff,
        "add a tariff from a file with an OCPI 2.2.1 tariff object",
        "evdesk tariff add sample_data/tariff.json",
    )
    add.add_argument("file", metavar="FILE.json")
    assign = tariff.command(
        "assign",
        assign_tariff,
        "let a tariff hold for a station, a driver, or (neither) the whole site",
        "evdesk tariff assign standard --from 2026-01-01",
    )
    assign.add_argument("tariff", metavar="T")
    assign.add_argument("--station", metavar="N")
    assign.add_argument("--driver", metavar="D")
    assign.add_argument("--from", dest="from_at", metavar="D", help="date (default: now)")
    tariff.command("list", list_tariffs, "list tariffs", "evdesk tariff list --json")


def add_tariff(context: Context) -> None:
    """Add a tariff."""
    text = read_text(Path(context.args.file), "The tariff file")
    with context.site() as services:
        tariff = services.tariffs.add(text)
    context.out.answer(_row(tariff, []), f"Tariff {tariff.id} was added; assign it to use it.")


def assign_tariff(context: Context) -> None:
    """Let a tariff hold from a date on."""
    args = context.args
    driver = None if args.driver is None else DriverId(args.driver)
    with context.site() as services:
        from_at = context.instant("from_at", services.info.tz) or services.clock.now()
        services.tariffs.assign(TariffId(args.tariff), from_at, args.station, driver)
    where = args.driver or args.station or "the whole site"
    data = {
        "tariff": args.tariff,
        "station": args.station,
        "driver": args.driver,
        "from_at": from_at,
    }
    context.out.answer(data, f"Tariff {args.tariff} holds for {where}.")


def list_tariffs(context: Context) -> None:
    """List tariffs."""
    with context.site() as services:
        found = services.tariffs.all()
    data = [_row(tariff, assignments) for tariff, assignments in found]
    rows = [
        (
            tariff.id,
            ", ".join(f"{c.dimension} {c.price} +{c.vat_percent} %" for c in tariff.components),
            tariff.currency,
            len(assignments),
        )
        for tariff, assignments in found
    ]
    empty = "There is no tariff yet. Add one: evdesk tariff add --help"
    context.out.answer(data, table(("id", "prices", "currency", "assigned"), rows, empty))


def _row(tariff: Tariff, assignments: list[Assignment]) -> dict[str, object]:
    return {
        "id": tariff.id,
        "currency": tariff.currency,
        "components": [
            {"type": c.dimension, "price": c.price, "vat": c.vat_percent} for c in tariff.components
        ],
        "assignments": [
            {"station": a.station and str(a.station), "driver": a.driver, "from_at": a.from_at}
            for a in assignments
        ],
    }
