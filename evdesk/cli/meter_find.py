"""``meter scan`` and ``meter probe``: what is there, and what it says."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evdesk.cli.context import Context
from evdesk.cli.options import Groups
from evdesk.cli.output import Output, table
from evdesk.domain.errors import UserError
from evdesk.ports import (
    Candidate,
    Certainty,
    FoundDevice,
    Probe,
    ProbedValue,
    ProfileInfo,
    Scan,
    ScanStep,
)
from evdesk.services.finding import check_found, spell_units

INTERRUPTED = 130  # as a shell says of Ctrl-C
URL_HELP = "tcp://host:502, rtu-tcp://host:port, rtu:///dev/ttyUSB0?baud=9600 or tls://host"


def declare(meter: Groups) -> None:
    """Declare both verbs."""
    scan = meter.command(
        "scan",
        scan_bus,
        "look for devices on one bus or host; reads only, nothing is kept",
        "evdesk meter scan rtu:///dev/ttyUSB0?baud=9600 --units 1-16",
    )
    scan.add_argument("url", metavar="URL", help=URL_HELP)
    scan.add_argument(
        "--units",
        metavar="A-B",
        help="which to ask, as 1-247 or 1,5,7-9 (default: 1-16 and other usual ones on a line; on a"
        " network host 255, 1 and 0, and 1-16 where it turns out to be a gateway)",
    )
    scan.add_argument(
        "--thorough",
        action="store_true",
        help="ask longer: for devices that are silent where others refuse",
    )
    probe = meter.command(
        "probe",
        probe_meter,
        "read every value of a device once, with what is implausible; nothing is kept",
        "evdesk meter probe tcp://192.168.1.40 --unit 255 --profile keba-p30",
    )
    probe.add_argument("url", metavar="URL", help=URL_HELP)
    probe.add_argument(
        "--unit", type=int, metavar="U", help="unit id (default: the profile's or 1)"
    )
    probe.add_argument("--profile", metavar="ID", help="without one, the one that fits best")
    probe.add_argument(
        "--choice",
        action="append",
        default=[],
        metavar="KEY=OPTION",
        help="what the profile leaves open (see: evdesk meter profiles --json)",
    )


# -- scan -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Watch:
    """Shows how far a scan is, and keeps what was found should it be interrupted."""

    out: Output
    found: list[FoundDevice] = field(default_factory=list)

    def tell(self, step: ScanStep) -> None:
        if step.found is not None:
            self.found.append(step.found)
        known = ", ".join(f"unit {one.unit} {_short(one)}" for one in self.found[-1:])
        text = f"unit {step.unit}; {len(self.found)} found{': … ' + known if known else ''}"
        self.out.progress(step.done / step.total if step.total else 1.0, text)

    def stopped(self) -> bool:
        return False


def scan_bus(context: Context) -> int | None:
    """Look for devices; what was found before Ctrl-C is printed all the same."""
    args, watch = context.args, _Watch(context.out)
    with context.site() as services:
        known = {profile.id: profile for profile in services.finding.profiles()}
        try:
            scan = asyncio.run(
                services.finding.scan(args.url, args.units, watch, thorough=args.thorough)
            )
        except KeyboardInterrupt:
            context.out.progress(1.0)
            _answer(context, watch.found, known)
            context.out.note("evdesk: Interrupted: this is what was found so far.")
            return INTERRUPTED
    context.out.progress(1.0)
    _answer(context, scan.devices, known)
    _tell(context, scan)
    check_found(scan)
    return None


def _answer(
    context: Context, found: Iterable[FoundDevice], known: Mapping[str, ProfileInfo]
) -> None:
    found = list(found)
    rows = [
        (d.unit, _name(d, known), d.profile, d.certainty.value, d.serial, len(d.candidates))
        for d in found
    ]
    headings = ("unit", "device", "profile", "how sure", "serial", "profiles that fit")
    lines = [table(headings, rows, "Nothing was found."), *_explained(context.args.url, found)]
    context.out.answer([_device(device) for device in found], "\n".join(lines))


def _tell(context: Context, scan: Scan) -> None:
    for note in scan.notes:
        context.out.note(f"evdesk: {note}")
    if scan.left:
        context.out.note(f"evdesk: Not asked: unit {spell_units(scan.left)}.")


def _short(device: FoundDevice) -> str:
    return device.profile or device.certainty.value


def _name(device: FoundDevice, known: Mapping[str, ProfileInfo]) -> str | None:
    said = " ".join(filter(None, (device.maker, device.model)))
    if said or device.profile is None:
        return said or None
    profile = known[device.profile]
    return f"{profile.manufacturer} {profile.model}"


def _explained(url: str, found: Iterable[FoundDevice]) -> Iterable[str]:
    """Say for people why, and what to do next."""
    for device in found:
        yield ""
        if device.same_as is not None:
            yield f"Unit {device.unit} is the same device as unit {device.same_as}."
            continue
        for note in device.notes:
            yield f"Unit {device.unit}: {note}."
        if device.certainty is Certainty.AMBIGUOUS:
            yield (
                f"Unit {device.unit}: these fit about as well. Look at its name plate, then choose:"
            )
        for candidate in device.candidates:
            why = "; ".join(map(str, candidate.reasons)) or "no more is known"
            yield f"  {candidate.profile} ({candidate.score}): {why}"
        if device.candidates:
            first = device.candidates[0].profile
            yield f"  next: evdesk meter probe '{url}' --unit {device.unit} --profile {first}"


def _device(device: FoundDevice) -> dict[str, object]:
    return {
        "unit": device.unit,
        "certainty": device.certainty.value,
        "profile": device.profile,
        "maker": device.maker,
        "model": device.model,
        "serial": device.serial,
        "same_as_unit": device.same_as,
        "candidates": [_candidate(candidate) for candidate in device.candidates],
        "notes": [str(note) for note in device.notes],
    }


def _candidate(candidate: Candidate) -> dict[str, object]:
    return {
        "profile": candidate.profile,
        "score": candidate.score,
        "identified": candidate.identified,
        "reasons": [str(reason) for reason in candidate.reasons],
    }


# -- probe ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Progress:
    """Shows how many values are read."""

    out: Output

    def tell(self, step: ScanStep) -> None:
        self.out.progress(step.done / max(step.total, 1))

    def stopped(self) -> bool:
        return False


def probe_meter(context: Context) -> None:
    """Read every value of a device once."""
    args = context.args
    choices = chosen(args.choice)
    with context.site() as services:
        watch = _Progress(context.out)
        probe = asyncio.run(
            services.finding.probe(args.url, args.unit, args.profile, choices, watch)
        )
    context.out.progress(1.0)
    context.out.answer(
        [*_chosen_rows(probe), *map(_value, probe.values), *_hint_rows(probe)], _shown(probe)
    )


def chosen(texts: Iterable[str]) -> dict[str, str]:
    """Return choices from ``KEY=OPTION`` as they are typed.

    Raises:
        UserError: one is written in another way.

    """
    found: dict[str, str] = {}
    for text in texts:
        key, sign, option = text.partition("=")
        if not (key and sign and option):
            raise UserError("'{text}' is not written KEY=OPTION.", text=text)
        found[key] = option
    return found


def _shown(probe: Probe) -> str:
    rows = [(v.name, v.address, v.value, v.unit, v.raw, _remark(v)) for v in probe.values]
    headings = ("value", "address", "reads", "unit", "raw", "remark")
    lines = [f"Profile {probe.profile}, unit {probe.unit}."]
    if len(probe.candidates) > 1:
        others = ", ".join(f"{c.profile} ({c.score})" for c in probe.candidates[1:])
        lines.append(
            f"It fits best of all ({probe.candidates[0].score}); these fit as well: {others}."
        )
    for one in probe.decided:
        who = "the device says so" if one.by_device else "chosen or by default"
        lines.append(f"{one.key} is {one.option} ({who}).")
    lines += ["", table(headings, rows, "Nothing was read."), ""]
    lines += [f"Hint: {hint}" for hint in probe.hints]
    return "\n".join(lines).rstrip()


def _chosen_rows(probe: Probe) -> Iterable[dict[str, object]]:
    """Return first the profile that was taken, where none was named, and what was decided."""
    if probe.candidates:
        others = ", ".join(candidate.profile for candidate in probe.candidates[1:])
        remark = (
            f"fits best of all; others that fit: {others}" if others else "the only one that fits"
        )
        yield _fact("profile", probe.profile, remark)
    for one in probe.decided:
        remark = "the device says so" if one.by_device else "chosen or by default"
        yield _fact(f"choice {one.key}", one.option, remark)


def _hint_rows(probe: Probe) -> Iterable[dict[str, object]]:
    for hint in probe.hints:
        yield _fact("hint", hint.code, str(hint))


def _fact(name: str, value: str, remark: str) -> dict[str, object]:
    return {
        "name": name, "address": None, "value": value, "unit": "", "raw": "", "remark": remark,
        "mark": None,
    }  # fmt: skip


def _value(value: ProbedValue) -> dict[str, object]:
    return {
        "name": value.name,
        "address": value.address,
        "value": value.value,
        "unit": value.unit,
        "raw": value.raw,
        "remark": _remark(value),
        "mark": value.mark.value,
    }


def _remark(value: ProbedValue) -> str:
    return "" if value.remark is None else str(value.remark)
