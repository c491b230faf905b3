"""``meter replace``: another meter in the old one's place."""

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.domain.instants import rfc3339
from evdesk.services.replacing import Told


def add_to(meter: Groups) -> None:
    """Declare the verb."""
    replace = meter.command(
        "replace",
        replace_meter,
        "say that a meter was replaced, with what both displays showed",
        "evdesk meter replace bay1 --final-wh 8123456 --first-wh 12 --serial 4711",
    )
    replace.add_argument("name", metavar="NAME", help="of the meter; its name stays")
    replace.add_argument(
        "--final-wh",
        type=int,
        required=True,
        metavar="N",
        help="last register of the old meter, in Wh (8123.456 kWh: 8123456)",
    )
    replace.add_argument(
        "--first-wh",
        type=int,
        required=True,
        metavar="N",
        help="first register of the new one, in Wh",
    )
    replace.add_argument("--serial", metavar="S", help="of the new meter, as printed on it")
    replace.add_argument("--reason", default="", metavar="TEXT", help="why it was replaced")
    replace.add_argument("--socket", type=int, default=1, metavar="N", help="default: 1")
    replace.add_argument("--at", metavar="T", help="when (date or instant; default: now)")


def replace_meter(context: Context) -> None:
    """Keep what both displays showed."""
    args = context.args
    with context.site() as services:
        at = context.instant("at", services.info.tz)
        told = Told(args.final_wh, args.first_wh, args.serial, args.reason, args.socket, at)
        made = services.replacements.replace(args.name, told)
    answer = {
        "id": str(made.id),
        "meter": args.name,
        "at": rfc3339(made.at),
        "final_wh": made.final_wh,
        "first_wh": made.first_wh,
        "serial": made.serial,
    }
    context.out.answer(answer, f"{args.name} goes on with another meter; both registers are kept.")
