"""``tariff``: OCPI 2.2.1 tariffs and where they hold."""

from pathlib import Path

from evdesk.cli.context import Context, read_text
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.meters import StationId
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
    add.add_argument("file", metavar="FILE.json", help="kept as it is; a tariff is never edited")
    assign = tariff.command(
        "assign",
        assign_tariff,
        "let a tariff hold for a station, a driver, or (neither) the whole site",
        "evdesk tariff assign standard --from 2026-01-01",
    )
    assign.add_argument("tariff", metavar="T", help="id, see: evdesk tariff list")
    assign.add_argument("--station", metavar="N", help="at this station only")
    assign.add_argument("--driver", metavar="D", help="for this driver only")
    assign.add_argument(
        "--from", dest="from_at", metavar="D", help="date or instant (default: now)"
    )
    tariff.command("list", list_tariffs, "list tariffs", "evdesk tariff list --json")


def add_tariff(context: Context) -> None:
    """Add a tariff."""
    text = read_text(Path(context.args.file), "The tariff file")
    with context.site() as services:
        tariff = services.tariffs.add(text)
    use = f"evdesk tariff assign {tariff.id} --from DATE"
    context.out.answer(_row(tariff, [], {}), f"Tariff {tariff.id} was added. To use it: {use}")


def assign_tariff(context: Context) -> None:
    """Let a tariff hold from a date on."""
    args = context.args
    driver = None if args.driver is None else DriverId(args.driver)
    with context.site() as services:
        from_at = context.instant("from_at", services.info.tz) or services.clock.now()
        services.tariffs.assign(TariffId(args.tariff), from_at, args.station, driver)
    for_whom = [args.driver] if args.driver else []
    where = " at ".join(for_whom + ([args.station] if args.station else []))
    data = {
        "tariff": args.tariff,
        "station": args.station,
        "driver": args.driver,
        "from_at": from_at,
    }
    context.out.answer(data, f"Tariff {args.tariff} holds for {where or 'the whole site'}.")


def list_tariffs(context: Context) -> None:
    """List tariffs."""
    with context.site() as services:
        found, stations = services.tariffs.all(), services.stations.names()
    data = [_row(tariff, assignments, stations) for tariff, assignments in found]
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


def _row(
    tariff: Tariff, assignments: list[Assignment], stations: dict[StationId, str]
) -> dict[str, object]:
    return {
        "id": tariff.id,
        "currency": tariff.currency,
        "components": [
            {
                "type": c.dimension,
                "price": c.price,
                "currency": tariff.currency,
                "vat": c.vat_percent,
            }
            for c in tariff.components
        ],
        "assignments": [
            {
                "station": None if a.station is None else stations[a.station],
                "driver": a.driver,
                "from_at": a.from_at,
            }
            for a in assignments
        ],
    }
