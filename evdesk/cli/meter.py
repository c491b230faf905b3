"""``meter``: profiles, add, list, interval, remove."""

import asyncio
from dataclasses import asdict

from evdesk import bootstrap
from evdesk.cli import meter_choose, meter_facts, meter_find, meter_replace
from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import kwh, table
from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.ports import ProfileInfo
from evdesk.services.cautions import Caution, CautionCode
from evdesk.services.metering import AddedMeter, MeterRow

MS_PER_S = 1000


def add_to(groups: Groups) -> None:
    """Declare the group."""
    meter = groups.group("meter", "the devices the site reads", "evdesk meter list")
    meter.command(
        "profiles",
        profiles,
        "list the devices that evdesk can read",
        "evdesk meter profiles --json",
    )
    _declare_add(meter)
    meter_facts.declare_set(meter)
    meter.command("list", list_meters, "list the devices of the site", "evdesk meter list --json")
    meter_find.declare(meter)
    meter_replace.add_to(meter)
    meter_choose.add_to(meter)
    interval = meter.command(
        "interval",
        set_interval,
        "change how often a device is read",
        "evdesk meter interval bay1 5",
    )
    interval.add_argument("name", metavar="NAME", help="of the meter")
    interval.add_argument(
        "interval", metavar="SECONDS", help="a number, or auto: what the bus bears"
    )
    remove = meter.command(
        "remove",
        remove_meter,
        "read a device no longer; its readings stay",
        "evdesk meter remove bay1",
    )
    remove.add_argument("name", metavar="NAME", help="of the meter")


def _declare_add(meter: Groups) -> None:
    add = meter.command(
        "add",
        add_meter,
        "add a device",
        "evdesk meter add --name bay1 --profile keba-p30 --url tcp://192.168.1.40",
    )
    add.add_argument("--name", required=True, metavar="N", help="what you call it")
    add.add_argument("--profile", required=True, metavar="ID", help="see: evdesk meter profiles")
    add.add_argument(
        "--url", required=True, metavar="URL", help="tcp://host, rtu:///dev/ttyUSB0, tls://host …"
    )
    add.add_argument("--unit", type=int, metavar="U", help="unit id (default: the profile's)")
    add.add_argument(
        "--phases", default="123", metavar="123", help="those connected: 1, 12 or 123 (default)"
    )
    add.add_argument("--serial", metavar="S", help="serial number, as printed on it")
    meter_facts.add_options(add)
    add.add_argument(
        "--interval", metavar="S", help="seconds between two readings (default: what the bus bears)"
    )
    add.add_argument(
        "--role",
        choices=[role.value for role in MeterRole],
        default="station",
        help="station (default) also makes a charging point of the same name",
    )
    add.add_argument(
        "--choice",
        action="append",
        default=[],
        metavar="KEY=OPTION",
        help="what the profile leaves open, see: evdesk meter profiles --json; may be given again",
    )


def profiles(context: Context) -> None:
    """List the device profiles; needs no site."""
    found = bootstrap.device_profiles()
    data = [asdict(profile) for profile in found]
    rows = [
        (
            p.id, p.manufacturer, p.model, p.kind, " ".join(p.transports), p.confidence,
            _needs(p),
        )
        for p in found
    ]  # fmt: skip
    headings = ("id", "maker", "model", "kind", "transports", "confidence", "needs")
    context.out.answer(data, table(headings, rows, "No profile is installed."))


def _needs(profile: ProfileInfo) -> str | None:
    if profile.needs_meter:
        return "a meter beside it"
    return "a meter beside it to bill Wh: it counts VAh" if profile.counts_vah else None


def add_meter(context: Context) -> None:
    """Add a device."""
    args = context.args
    interval_ms = None if args.interval is None else _milliseconds(args.interval)
    with context.site() as services:
        profile = services.devices.profile(args.profile)
        new = NewMeter(
            name=args.name,
            profile=args.profile,
            url=args.url,
            unit=profile.default_unit if args.unit is None else args.unit,
            phases=args.phases,
            serial=args.serial,
            **meter_facts.given(args),
            interval_ms=interval_ms,
            role=MeterRole(args.role),
            choices=meter_find.chosen(args.choice),
        )
        added = asyncio.run(services.meters.add(new))
    data = {
        "id": str(added.meter.id),
        "name": added.meter.name,
        "station": added.station,
        "state": "new",
        "answered": added.silent is None,
        "needs_meter": added.needs_meter,
        "warnings": [
            {"code": caution.code, "text": _caution(caution), **caution.facts}
            for caution in added.warnings
        ],
    }
    context.out.answer(data, _added(added))


def _added(added: AddedMeter) -> str:
    parts = [f"Meter {added.meter.name} was added."]
    if added.station:
        parts.append(f"Station {added.station} takes its energy from it.")
    if added.needs_meter:
        parts.append(
            "It needs a meter beside it, as it has no lifetime register to bill: add that meter, "
            "then: evdesk station add NAME --energy-from METER "
            f"--state-from {added.meter.name}."
        )
    if added.silent is None:
        parts.append("It answered.")
    else:
        parts.append(f"It did not answer: {added.silent} The collector will try again.")
    parts += [_caution(caution) for caution in added.warnings]
    return " ".join(parts)


def _caution(caution: Caution) -> str:
    facts = caution.facts
    match caution.code:
        case CautionCode.BY_DEFAULT:
            return (
                f"{facts['about']} It is taken as {facts['default']}; if that is wrong: evdesk "
                f"meter choose {facts['name']} {facts['choice']}=OPTION --reason TEXT, one of "
                f"{', '.join(map(str, _listed(facts['options'])))}."
            )
        case CautionCode.NO_ENERGY:
            return "It answered, but its lifetime register says nothing: look at it with a probe."
        case CautionCode.VAH:
            return (
                "By its maker's table its register counts apparent energy (VAh), not Wh: it shows "
                "as much as was drawn, or more. Invoices say so. To bill Wh, add a meter beside "
                "it, retire its station and make another: evdesk station add NAME --energy-from "
                f"METER --state-from {facts['name']}."
            )
        case CautionCode.SOCKETS:
            return (
                f"It may have up to {facts['sockets']} sockets; each further one needs a station: "
                f"evdesk station add NAME --energy-from {facts['name']}:2 "
                f"--state-from {facts['name']}:2."
            )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def list_meters(context: Context) -> None:
    """List the devices."""
    with context.site() as services:
        found, tz = services.meters.rows(), services.info.tz
    data = [_row(row) for row in found]
    headings = ("name", "profile", "url", "unit", "state", "last read", "every s", "kWh", "W")
    rows = [
        (
            row["name"], row["profile"], of.meter.place, row["unit"], row["state"],
            row["last_read_at"], row["interval_s"], kwh(_wh(row)), row["power_w"],
        )
        for row, of in zip(data, found, strict=True)
    ]  # fmt: skip
    empty = "There is no meter yet. Add one: evdesk meter add --help"
    context.out.answer(data, table(headings, rows, empty, tz))


def _wh(row: dict[str, object]) -> int | None:
    wh = row["import_wh"]
    return wh if isinstance(wh, int) else None


def _row(row: MeterRow) -> dict[str, object]:
    status, latest = row.status, row.latest
    return {
        "id": str(row.meter.id),
        "name": row.meter.name,
        "profile": row.meter.profile,
        "url": row.meter.url,
        "link": row.meter.link.value,
        "unit": row.meter.unit,
        "role": row.meter.role.value,
        "state": status.state.value,
        "last_read_at": status.last_read_at or (latest and latest.at),
        "interval_s": None if status.interval_ms is None else status.interval_ms / MS_PER_S,
        "import_wh": None if latest is None else latest.import_wh,
        "power_w": None if latest is None else latest.power_w,
        "requests": status.requests,
        "errors": status.errors,
        "last_error": status.last_error,
        "not_supported": list(row.missing),
        "choices": dict(row.meter.choices),
        "counts_vah": row.profile is not None and row.profile.counts_vah,
        **meter_facts.fields(row),
    }


def set_interval(context: Context) -> None:
    """Ask for another interval."""
    text = context.args.interval
    interval_ms = None if text == "auto" else _milliseconds(text)
    with context.site() as services:
        services.meters.set_interval(context.args.name, interval_ms)
    data = {"name": context.args.name, "interval_s": interval_ms and interval_ms / MS_PER_S}
    often = "as often as its bus bears" if interval_ms is None else f"every {text} s"
    context.out.answer(data, f"Meter {context.args.name} is read {often} from now on.")


def remove_meter(context: Context) -> None:
    """Take a device away."""
    name = context.args.name
    with context.site() as services:
        services.meters.find(name)
        context.confirm(f"Take meter {name} away? Its readings stay.")
        services.meters.remove(name)
    context.out.answer({"name": name}, f"Meter {name} is no longer read; its readings stay.")


def _milliseconds(text: str) -> int:
    try:
        return round(float(text) * MS_PER_S)
    except (ValueError, OverflowError) as error:
        raise UserError("'{text}' is no number of seconds.", text=text) from error
