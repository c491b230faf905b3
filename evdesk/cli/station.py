"""``station``: charging points."""

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import table
from evdesk.domain.site import DriverId


def add_to(groups: Groups) -> None:
    """Declare the group."""
    station = groups.group("station", "charging points", "evdesk station list")
    add = station.command(
        "add",
        add_station,
        "add a charging point",
        "evdesk station add bay2 --energy-from meter2 --state-from charger2",
    )
    add.add_argument("name", metavar="NAME", help="what you call it")
    add.add_argument(
        "--energy-from", required=True, metavar="METER[:SOCKET]", help="whose register is billed"
    )
    add.add_argument(
        "--state-from",
        metavar="METER[:SOCKET]",
        help="which charger tells whether a car is plugged in (default: judged by the current)",
    )
    station.command("list", list_stations, "list charging points", "evdesk station list --json")
    rename = station.command(
        "rename",
        rename_station,
        "give a charging point another name",
        "evdesk station rename bay2 gate",
    )
    rename.add_argument("name", metavar="NAME", help="as it is called now")
    rename.add_argument("new_name", metavar="NEW_NAME", help="issued invoices keep the old one")
    retire = station.command(
        "retire",
        retire_station,
        "take a charging point out of use; its sessions stay",
        "evdesk station retire bay2",
    )
    retire.add_argument("name", metavar="NAME", help="see: evdesk station list")
    default = station.command(
        "default-driver",
        set_default_driver,
        "bill a bay without cards to its tenant from a date on",
        "evdesk station default-driver bay2 D-7KQ2M9XF --from 2026-01-01",
    )
    default.add_argument("name", metavar="NAME", help="see: evdesk station list")
    default.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list; or none")
    default.add_argument(
        "--from", dest="from_at", metavar="D", help="date or instant (default: now)"
    )


def add_station(context: Context) -> None:
    """Add a charging point."""
    args = context.args
    with context.site() as services:
        station = services.stations.add(args.name, args.energy_from, args.state_from)
    context.out.answer(
        {"id": str(station.id), "name": station.name}, f"Station {station.name} was added."
    )


def list_stations(context: Context) -> None:
    """List charging points."""
    with context.site() as services:
        found = services.stations.rows()
    data = [
        {
            "id": str(row.station.id),
            "name": row.station.name,
            "energy_from": row.energy_from,
            "state_from": row.state_from,
            "default_driver": row.default_driver,
        }
        for row in found
    ]
    headings = ("name", "energy from", "state from", "default driver")
    rows = [(r.station.name, r.energy_from, r.state_from, r.default_driver) for r in found]
    empty = (
        "There is no station yet. A charger brings its own (evdesk meter add --help); for others: "
        "evdesk station add --help"
    )
    context.out.answer(data, table(headings, rows, empty))


def rename_station(context: Context) -> None:
    """Give a charging point another name."""
    args = context.args
    with context.site() as services:
        services.stations.rename(args.name, args.new_name)
    context.out.answer(
        {"name": args.new_name}, f"Station {args.name} is called {args.new_name} now."
    )


def retire_station(context: Context) -> None:
    """Take a charging point out of use."""
    name = context.args.name
    with context.site() as services:
        context.confirm(f"Take station {name} out of use? Its sessions stay.")
        services.stations.retire(name)
    context.out.answer({"name": name}, f"Station {name} is out of use; its sessions stay.")


def set_default_driver(context: Context) -> None:
    """Bill a bay to its tenant."""
    args = context.args
    with context.site() as services:
        from_at = context.instant("from_at", services.info.tz) or services.clock.now()
        driver = None if args.driver == "none" else DriverId(args.driver)
        services.stations.set_default_driver(args.name, driver, from_at)
    data = {"station": args.name, "driver": driver, "from_at": from_at}
    whose = "nobody's" if driver is None else f"{driver}'s"
    context.out.answer(data, f"New sessions at {args.name} are {whose} by default.")
