"""``meter choose``: what a profile leaves open, decided otherwise."""

from evdesk.cli.context import Context
from evdesk.cli.meter_find import chosen
from evdesk.cli.options import Groups


def add_to(meter: Groups) -> None:
    """Declare the verb."""
    choose = meter.command(
        "choose",
        choose_options,
        "decide otherwise of what a profile leaves open, for readings from now on",
        'evdesk meter choose bay1 energy_unit=wh --reason "compared with its display"',
    )
    choose.add_argument("name", metavar="NAME", help="of the meter")
    choose.add_argument(
        "choices", nargs="+", metavar="KEY=OPTION", help="see: evdesk meter profiles --json"
    )
    choose.add_argument(
        "--reason", required=True, metavar="TEXT", help="kept for ever, with your name"
    )


def choose_options(context: Context) -> None:
    """Read a meter otherwise from now on."""
    args = context.args
    options = chosen(args.choices)
    said = ", ".join(f"{key}={option}" for key, option in sorted(options.items()))
    with context.site() as services:
        context.confirm(
            f"Read meter {args.name} with {said} from now on? Readings and sessions until now stay "
            "as they are; a session that is open goes to review if energy is counted otherwise."
        )
        made = services.meters.choose(args.name, options, args.reason)
    data = {
        "name": args.name,
        "choices": dict(made.now),
        "choices_before": dict(made.before),
        "energy_changed": made.counts_otherwise,
    }
    told = f"Meter {args.name} is read with {said} from now on."
    if made.counts_otherwise:
        told += (
            " Its energy is counted otherwise: earlier readings and sessions stay as they are, so "
            "correct those that are wrong (evdesk session correct). A session that is open goes to "
            "review."
        )
    context.out.answer(data, told)
