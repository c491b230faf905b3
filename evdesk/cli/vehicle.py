"""``vehicle``: cars that are recognised by their VIN."""

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import facts
from evdesk.domain.site import DriverId
from evdesk.services.vehicles import ShownVehicle

DOUBT = (
    "evdesk: The check digit does not fit. Cars from Europe need none, so this may be right: "
    "compare it once more."
)


def add_to(groups: Groups) -> None:
    """Declare the group."""
    vehicle = groups.group(
        "vehicle", "cars that are recognised by their VIN", "evdesk vehicle show D-7KQ2M9XF"
    )
    put = vehicle.command(
        "set",
        set_vehicle,
        "keep the VIN of a driver's car; they have to have agreed to it",
        "evdesk vehicle set D-7KQ2M9XF --vin WVWZZZ1JZXW000001",
    )
    put.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    put.add_argument("--vin", required=True, metavar="VIN", help="17 characters")
    show = vehicle.command(
        "show", show_vehicle, "show a driver's car", "evdesk vehicle show D-7KQ2M9XF"
    )
    show.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")
    remove = vehicle.command(
        "remove", remove_vehicle, "delete a driver's car", "evdesk vehicle remove D-7KQ2M9XF"
    )
    remove.add_argument("driver", metavar="DRIVER", help="id, see: evdesk driver list")


def set_vehicle(context: Context) -> None:
    """Keep the VIN of a driver's car."""
    args = context.args
    with context.site() as services:
        car = services.vehicles.set(DriverId(args.driver), args.vin)
    context.out.answer(_row(car), f"{car.driver} drives {car.vin}.")
    if car.doubtful:
        context.out.note(DOUBT)


def show_vehicle(context: Context) -> None:
    """Show a driver's car."""
    with context.site() as services:
        car, tz = services.vehicles.show(DriverId(context.args.driver)), services.info.tz
    shown = [("driver", car.driver), ("vin", car.vin), ("since", car.set_at)]
    context.out.answer(_row(car), facts(shown, tz))


def remove_vehicle(context: Context) -> None:
    """Delete a driver's car."""
    driver = DriverId(context.args.driver)
    with context.site() as services:
        context.confirm(f"Delete the car of {driver}?")
        services.vehicles.remove(driver)
    context.out.answer({"driver": driver}, f"No car of {driver} is kept any more.")


def _row(car: ShownVehicle) -> dict[str, object]:
    return {
        "driver": car.driver,
        "vin": car.vin or None,
        "set_at": car.set_at,
        "check_digit_fits": not car.doubtful,
    }
