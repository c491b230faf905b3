"""Scenarios from TOML files, checked line by line; the keys are in ``sample_data/depot.toml``."""

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from evdesk.devices.simulator.loads import (
    MS_PER_MINUTE,
    MW_PER_W,
    UNITS_PER_WH,
    Point,
    Session,
    constant_then_taper,
    cut,
    with_pause,
)
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.devices.simulator.trace_file import load_trace
from evdesk.devices.toml_text import TomlFile, TomlTable
from evdesk.domain.meters import MeterRole

MS_PER_DAY = 86_400_000
MAX_POWER_W = 1_000_000
_MOST_SOCKETS = 48
PHASES = ("1", "2", "3", "12", "13", "23", "123")
_OFFSET = re.compile(
    r"(?:(?P<days>\d{1,4})d )?(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)(?::(?P<seconds>[0-5]\d))?"
)
_MOST_WH = 10**12
_MOST_WORDS = 2**31 - 1
_TAG = re.compile("(?:[0-9A-F]{2}){4,10}")
_AMOUNTS = {  # key, least, most
    FaultKind.SLOW: ("delay_ms", 1, 600_000),
    FaultKind.EXCEPTION: ("code", 1, 255),
    FaultKind.REWIND: ("wh", 1, _MOST_WH),
    FaultKind.JUMP: ("wh", 1, _MOST_WH),
    FaultKind.FLUTTER: ("wh", 1, _MOST_WH),
    FaultKind.REPLACE: ("wh", 0, _MOST_WH),
    FaultKind.GLITCH: ("wh", 0, _MOST_WH),
    FaultKind.POWER: ("percent", 0, 1_000),
    FaultKind.STATE: ("raw", 0, _MOST_WORDS),
}
_SERIALS = frozenset({FaultKind.REPLACE, FaultKind.SERIAL})
_OF_ONE_REGISTER = frozenset({FaultKind.EXCEPTION, FaultKind.SILENCE, FaultKind.DROP})


def load_scenario(path: Path) -> Scenario:
    """Return the scenario of a TOML file; traces are looked up beside it.

    Raises:
        UserError: the file or a trace is wrong; the sentence names file and line.

    """
    root = TomlFile(path).root
    root.whole("schema_version", low=1, high=1)
    repeat_days = root.whole("repeat_days", 0, low=0, high=3_660)
    repeat_ms = repeat_days * MS_PER_DAY or None
    devices = [_device(table, repeat_ms, path.parent) for table in root.tables("device", "device")]
    names: set[str] = set()
    for table, device in zip(root.tables("device", "device"), devices, strict=True):
        if device.name in names:
            raise table.error("name", "another device is named '{name}'.", name=device.name)
        names.add(device.name)
    scenario = Scenario(
        devices=tuple(devices),
        name=root.text("name", path.stem),
        start_at=root.instant("start_at") if root.has("start_at") else None,
        repeat_ms=repeat_ms,
    )
    root.done()
    if not devices:
        raise root.error("device", "a scenario has at least one [[device]].")
    return scenario


def _device(table: TomlTable, repeat_ms: int | None, folder: Path) -> Device:
    name = table.text("name")
    table.title = f"device '{name}'"
    sessions: list[tuple[Session, TomlTable]] = []
    for row in table.tables("session", f"{table.title}, session"):
        sessions += [(session, row) for session in _on_days(row, folder)]
    _check_order(sessions, repeat_ms)
    device = Device(
        name=name,
        profile=table.text("profile"),
        unit=table.whole("unit", low=0, high=255) if table.has("unit") else None,
        phases=table.choice("phases", PHASES, "123"),
        role=MeterRole(table.choice("role", list(MeterRole), MeterRole.STATION)),
        bus=table.text("bus") if table.has("bus") else None,
        is_rtu=table.choice("framing", ("tcp", "rtu"), "tcp") == "rtu",
        initial_wh=table.whole("initial_wh", 0, low=0, high=_MOST_WH),
        base_w=table.whole("base_w", 0, low=0, high=MAX_POWER_W),
        export_w=table.whole("export_w", 0, low=0, high=MAX_POWER_W),
        serial=table.whole("serial", 0, low=0, high=_MOST_WORDS),
        sessions=tuple(session for session, _ in sessions),
        faults=tuple(_fault(row) for row in table.tables("fault", f"{table.title}, fault")),
        socket=table.whole("socket", 1, low=1, high=_MOST_SOCKETS),
        choices=tuple(_choice(table, text) for text in table.texts("choices")),
    )
    table.done()
    return device


def _choice(table: TomlTable, text: str) -> tuple[str, str]:
    key, equals, option = text.partition("=")
    if not (key and equals and option):
        raise table.error("choices", "'{text}' is not written CHOICE=OPTION.", text=text)
    return key, option


def _check_order(sessions: list[tuple[Session, TomlTable]], repeat_ms: int | None) -> None:
    """Refuse sessions that overlap, also across the repetition."""
    ordered = sorted(sessions, key=lambda pair: pair[0].plug_in_ms)
    for (session, _), (following, row) in pairwise(ordered):
        if following.plug_in_ms < session.unplug_ms:
            raise row.error("plug_in", "the car before it is still plugged in.")
    if repeat_ms is None or not ordered:
        return
    first, (last, row) = ordered[0][0], ordered[-1]
    if last.plug_in_ms >= repeat_ms:
        raise row.error("plug_in", "later than the scenario repeats.")
    if last.unplug_ms - repeat_ms > first.plug_in_ms:
        raise row.error("unplug", "later than the first car of the next round comes.")


def _on_days(table: TomlTable, folder: Path) -> list[Session]:
    """Return a session once for each of its days."""
    days = table.wholes("days") or (0,)
    if min(days) < 0:
        raise table.error("days", "a day is counted from 0.")
    session = _session(table, folder)
    return [
        replace(
            session,
            plug_in_ms=session.plug_in_ms + day * MS_PER_DAY,
            unplug_ms=session.unplug_ms + day * MS_PER_DAY,
        )
        for day in days
    ]


def _session(table: TomlTable, folder: Path) -> Session:
    plug_in_ms = _offset(table, "plug_in")
    unplug_ms = _offset(table, "unplug")
    if unplug_ms <= plug_in_ms:
        raise table.error("unplug", "not after the plug-in.")
    start_ms = _offset(table, "charge_from", plug_in_ms) - plug_in_ms
    if not 0 <= start_ms < unplug_ms - plug_in_ms:
        raise table.error("charge_from", "not between plug-in and unplug.")
    energy = _energy(table)
    if table.has("trace"):
        points = load_trace(folder / table.text("trace"), start_ms)
    else:
        points = constant_then_taper(
            start_ms,
            table.whole("power_w", low=1, high=MAX_POWER_W) * MW_PER_W,
            energy,
            unplug_ms - plug_in_ms,
            table.whole("taper_minutes", 0, low=0, high=600) * MS_PER_MINUTE,
        )
    for row in table.tables("pause", f"{table.title}, pause"):
        points = _paused(row, points, plug_in_ms)
    whole = points[-1][0] <= unplug_ms - plug_in_ms
    phases = table.choice("phases", PHASES, "123")
    tag = table.text("tag") if table.has("tag") else ""
    if tag and not _TAG.fullmatch(tag):
        raise table.error("tag", "tag = '{tag}' is not 4 to 10 bytes like 04A1B2C3.", tag=tag)
    table.done()
    return Session(
        plug_in_ms=plug_in_ms,
        unplug_ms=unplug_ms,
        points=cut(points, unplug_ms - plug_in_ms),
        phases=phases,
        energy_units=energy if whole else None,
        tag=tag,
    )


def _energy(table: TomlTable) -> int | None:
    if not table.has("energy_wh"):
        return None
    energy_wh = table.number("energy_wh")
    if energy_wh <= Decimal(0):
        raise table.error("energy_wh", "energy_wh = {value} is not above 0.", value=energy_wh)
    return int(Fraction(energy_wh) * UNITS_PER_WH)


def _paused(table: TomlTable, points: tuple[Point, ...], plug_in_ms: int) -> tuple[Point, ...]:
    from_ms, to_ms = _offset(table, "from"), _offset(table, "to")
    if to_ms <= from_ms:
        raise table.error("to", "not after the beginning of the pause.")
    table.done()
    return with_pause(points, from_ms - plug_in_ms, to_ms - plug_in_ms)


def _fault(table: TomlTable) -> Fault:
    kind = FaultKind(table.choice("kind", list(FaultKind)))
    from_ms = _offset(table, "from")
    to_ms = _offset(table, "to") if table.has("to") else None
    if to_ms is not None and to_ms <= from_ms:
        raise table.error("to", "not after the beginning of the fault.")
    amount, serial, register = 0, 0, None
    if kind in _AMOUNTS:
        key, least, most = _AMOUNTS[kind]
        amount = table.whole(key, low=least, high=most)
    if kind in _SERIALS:
        serial = table.whole("serial", low=0, high=_MOST_WORDS)
    if kind in _OF_ONE_REGISTER and table.has("register"):
        register = table.text("register")
    table.done()
    return Fault(kind, from_ms, to_ms, amount, serial, register)


def _offset(table: TomlTable, key: str, default: int | None = None) -> int:
    """Return milliseconds after the start from ``HH:MM``, ``2d 07:40`` or ``1d 07:40:30``."""
    if default is not None and not table.has(key):
        return default
    text = table.text(key)
    match = _OFFSET.fullmatch(text)
    if match is None:
        raise table.error(
            key, "{key} = '{value}' is no time such as 07:40 or 2d 07:40.", key=key, value=text
        )
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000
