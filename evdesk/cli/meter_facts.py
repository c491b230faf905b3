"""What is written on a meter: options of ``meter add``, and the verb ``meter set``."""

from argparse import ArgumentParser, Namespace
from datetime import date
from typing import TypedDict

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import facts
from evdesk.domain.errors import UserError
from evdesk.domain.meters import MidClass
from evdesk.services.meter_facts import MeterFacts
from evdesk.services.metering import MeterRow

NONE = "none"


class Given(TypedDict):
    """What the options of ``meter add`` say of a new meter."""

    mid_class: MidClass | None
    seal: str | None
    calibrated_until: date | None


def add_options(parser: ArgumentParser) -> None:
    """Declare the options."""
    classes = [*(each.value for each in MidClass), NONE]
    parser.add_argument("--mid-class", choices=classes, help="accuracy class on its label")
    parser.add_argument("--seal", metavar="TEXT", help="number of its seal")
    parser.add_argument(
        "--calibrated-until", metavar="DATE", help="last day of its calibration, like 2034-12-31"
    )


def given(args: Namespace) -> Given:
    """Return what the options say of a new meter."""
    return {
        "mid_class": _mid_class(args.mid_class),
        "seal": _text(args.seal),
        "calibrated_until": _day(args.calibrated_until),
    }


def declare_set(meter: Groups) -> None:
    """Declare the verb."""
    change = meter.command(
        "set",
        set_facts,
        "say what is written on a meter; what is not given stays, none takes it away",
        "evdesk meter set bay1 --mid-class B --seal DE-M24-0102 --calibrated-until 2032-12-31",
    )
    change.add_argument("name", metavar="NAME", help="of the meter")
    change.add_argument("--serial", metavar="S", help="serial number, as printed on it")
    add_options(change)


def set_facts(context: Context) -> None:
    """Say what is written on a meter."""
    args = context.args
    with context.site() as services:
        before = services.meter_facts.get(args.name)
        new = MeterFacts(
            before.serial if args.serial is None else _text(args.serial),
            before.mid_class if args.mid_class is None else _mid_class(args.mid_class),
            before.seal if args.seal is None else _text(args.seal),
            before.calibrated_until
            if args.calibrated_until is None
            else _day(args.calibrated_until),
        )
        kept = services.meter_facts.set(args.name, new)
    data = {"name": args.name, "serial": kept.serial, **_fields(kept)}
    context.out.answer(data, facts(data.items()))


def fields(row: MeterRow) -> dict[str, object]:
    """Return what a list says of a meter's label; ``seen_serial`` is the one first read."""
    meter = row.meter
    said = MeterFacts(meter.serial, meter.mid_class, meter.seal, meter.calibrated_until)
    return {"serial": meter.serial, "seen_serial": row.status.seen_serial, **_fields(said)}


def _fields(said: MeterFacts) -> dict[str, object]:
    until = said.calibrated_until
    return {
        "mid_class": said.mid_class,
        "seal": said.seal,
        "calibration_valid_until": None if until is None else until.isoformat(),
    }


def _text(text: str | None) -> str | None:
    return None if text is None or text.strip().lower() in {"", NONE} else text.strip()


def _mid_class(text: str | None) -> MidClass | None:
    return None if text in {None, NONE} else MidClass(text)


def _day(text: str | None) -> date | None:
    if _text(text) is None or text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UserError(
            "--calibrated-until {text} is no date: write it like 2034-12-31.", text=text
        ) from error
