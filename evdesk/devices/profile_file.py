"""Profiles from TOML files, checked line by line; the keys are in resources/meters/README.md."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from evdesk.devices.profile_rules import identify_rows, with_parts
from evdesk.devices.profiles import (
    ENERGY,
    LAST_ADDRESS,
    LENGTHS,
    MODBUS_LIMIT,
    SIZED,
    STATE,
    TYPES,
    UNITS,
    WH_PER_UNIT,
    EnumValue,
    Function,
    Pace,
    Profile,
    Register,
    StateSplit,
    SunSpec,
)
from evdesk.devices.toml_text import TomlFile, TomlTable, shown_path
from evdesk.domain.errors import UserError
from evdesk.domain.readings import PilotState
from evdesk.ports import ProfileInfo

SCHEMA_VERSION = 1


def load_profiles(folder: Path) -> dict[str, Profile]:
    """Return every profile of a folder by id.

    Raises:
        UserError: a file is wrong; the sentence names file and line.

    """
    found: dict[str, Profile] = {}
    for path in sorted(folder.glob("*.toml")):
        profile = load_profile(path)
        if profile.info.id in found:
            raise UserError(
                "{file}: the id '{id}' is already taken by another profile in that folder.",
                file=shown_path(path),
                id=profile.info.id,
            )
        found[profile.info.id] = profile
    return found


def load_profile(path: Path) -> Profile:
    """Return the profile of one file.

    Raises:
        UserError: the file is wrong; the sentence names the line.

    """
    file = TomlFile(path)
    root = file.root
    root.whole("schema_version", low=SCHEMA_VERSION, high=SCHEMA_VERSION)
    device = root.table("device")
    if device is None:
        raise root.error("device", "[device] is missing.")
    little_words = device.choice("default_word_order", ("big", "little"), "big") == "little"
    pace = _pace(device)
    registers = _registers(root, little_words=little_words, pace=pace)
    info = _info(device, registers)
    port = device.whole("default_tcp_port", 502, low=1, high=LAST_ADDRESS)
    device.done()
    profile = Profile(
        info=info,
        phases=info.phases,
        default_port=port,
        pace=pace,
        registers=registers,
        rotation=_rotation(root, registers),
        splits=_splits(root, registers),
        sunspec=_sunspec(root),
        identify=identify_rows(root, registers),
    )
    root.done()
    return profile


def _pace(device: TomlTable) -> Pace:
    baud = device.whole("default_baud", 9_600, low=300, high=1_000_000)
    device.choice("default_parity", ("N", "E", "O"), "N")
    device.whole("default_stop_bits", 1, low=1, high=2)
    native = device.texts("transports")
    return Pace(
        max_registers=device.whole(
            "max_registers_per_read", MODBUS_LIMIT, low=1, high=MODBUS_LIMIT
        ),
        alignment=device.whole("read_alignment", 1, low=1, high=4),
        bridge_gap=device.whole("bridge_gap", 0, low=0, high=MODBUS_LIMIT),
        one_value=device.flag("one_value_per_read", default=False),
        gap_ms=device.whole("min_request_gap_ms", 0, low=0, high=10_000),
        gap_from_request=device.choice("gap_from", ("answer", "request"), "answer") == "request",
        baud=baud if native and native[0] == "rtu" else None,
        one_client=device.flag("one_client", default=False),
    )


def _info(device: TomlTable, registers: Mapping[str, Register]) -> ProfileInfo:
    device.texts("sources")
    transports = device.texts("transports")
    for transport in transports:
        if transport not in {"rtu", "tcp", "rtu_over_tcp"}:
            raise device.error(
                "transports",
                "transport '{value}' is not one of rtu, tcp, rtu_over_tcp.",
                value=transport,
            )
    kind = device.choice("kind", ("meter", "charger"))
    return ProfileInfo(
        id=device.text("id"),
        manufacturer=device.text("manufacturer"),
        model=device.text("model"),
        kind=kind,
        transports=transports,
        confidence=device.choice("confidence", ("high", "medium", "low")),
        has_state=STATE in registers,
        has_energy=ENERGY in registers,
        sockets=device.whole("sockets", 1, low=1, high=1),
        default_unit=device.whole("default_unit_id", 1, low=0, high=255),
        resolution_wh=_resolution_wh(registers.get(ENERGY)),
        notes=device.texts("notes"),
        models_covered=device.texts("models_covered"),
        needs_meter=kind == "charger" and ENERGY not in registers,
        has_session_energy="session_energy" in registers,
        has_serial="serial_number" in registers,
        has_tag="rfid_tag" in registers,
        phases=device.whole("phases", 3, low=1, high=3),
    )


def _resolution_wh(energy: Register | None) -> int:
    """Return how coarse the register counts, in whole Wh; floats are taken for exact to 1 Wh."""
    if energy is None or energy.is_float:
        return 1
    return max(1, int(energy.scale * WH_PER_UNIT[energy.unit]))


def _registers(root: TomlTable, *, little_words: bool, pace: Pace) -> dict[str, Register]:
    found: dict[str, Register] = {}
    owners: dict[tuple[Function, int], str] = {}
    for table in root.tables("register", "register"):
        name = table.text("name")
        table.title = f"register '{name}'"
        register = with_parts(table, _register(table, name, little_words=little_words))
        table.done()
        if name in found:
            raise table.error("name", "another register has this name.")
        if register.length > pace.max_registers:
            raise table.error(
                "length",
                "longer than max_registers_per_read = {limit}.",
                limit=pace.max_registers,
            )
        for address in register.own_addresses:
            owner = owners.setdefault((register.function, address), name)
            if owner != name:
                raise table.error(
                    "address",
                    "address {address} already belongs to '{owner}'.",
                    address=address,
                    owner=owner,
                )
        found[name] = register
    return found


def _register(table: TomlTable, name: str, *, little_words: bool) -> Register:
    kind = table.choice("type", TYPES)
    function = Function[table.choice("function", [f.name.lower() for f in Function]).upper()]
    if function.is_bits and kind != "bool":
        raise table.error("type", "a {function} is a bool.", function=function.name.lower())
    length = _length(table, kind)
    words = table.choice("word_order", ("big", "little"), "little" if little_words else "big")
    if table.has("word_order") and length == 1:
        raise table.error("word_order", "a value of one register has no word order.")
    unit = table.choice("unit", UNITS, "")
    if name == ENERGY and unit not in WH_PER_UNIT:
        raise table.error("unit", "energy is in Wh, kWh or MWh, not in '{unit}'.", unit=unit)
    table.text("note", "")
    table.flag("writable", default=False)
    return Register(
        name=name,
        address=table.whole("address", low=0, high=LAST_ADDRESS + 1 - length),
        function=function,
        type=kind,
        length=length,
        little_words=length > 1 and words == "little" and kind not in SIZED,
        little_bytes=table.choice("byte_order", ("big", "little"), "big") == "little",
        scale=_scale(table, kind),
        unit=unit,
        mask=table.whole("mask", low=1, high=2**64 - 1) if table.has("mask") else None,
        not_available=_patterns(table, length),
        enum=_enum(table),
        readable=table.flag("readable", default=True),
    )


def _length(table: TomlTable, kind: str) -> int:
    if kind in SIZED:
        return table.whole("length", low=1, high=MODBUS_LIMIT)
    wanted = LENGTHS[kind]
    length = table.whole("length", wanted, low=1, high=MODBUS_LIMIT)
    if length != wanted:
        raise table.error(
            "length",
            "{type} takes {wanted} registers, not {length}.",
            type=kind,
            wanted=wanted,
            length=length,
        )
    return length


def _scale(table: TomlTable, kind: str) -> Fraction:
    scale = table.number("scale", 1)
    divisor = table.whole("divisor", 1, low=1, high=10**9)
    if scale <= 0:
        raise table.error("scale", "scale = {value} is not above 0.", value=scale)
    if kind in SIZED and table.has("scale"):
        raise table.error("scale", "a {type} has no scale.", type=kind)
    return Fraction(scale) / divisor


def _patterns(table: TomlTable, length: int) -> frozenset[int]:
    found: set[int] = set()
    for text in table.texts("not_available"):
        try:
            raw = int(text, 16)
        except ValueError:
            raw = -1
        if not 0 <= raw < 1 << (16 * length):
            raise table.error(
                "not_available",
                "'{value}' is not a hexadecimal pattern of {length} registers.",
                value=text,
                length=length,
            )
        found.add(raw)
    return frozenset(found)


def _enum(table: TomlTable) -> tuple[EnumValue, ...]:
    values: list[EnumValue] = []
    for row in table.tables("enum", f"{table.title}, enum"):
        raw = row.whole("raw", low=0, high=2**64 - 1)
        if any(value.raw == raw for value in values):
            raise row.error("raw", "raw = {raw} is listed twice.", raw=raw)
        letter = row.choice("iec61851", list(PilotState)) if row.has("iec61851") else None
        values.append(
            EnumValue(
                raw=raw,
                letter=None if letter is None else PilotState(letter),
                charging=row.flag("charging", default=False),
                label=row.text("label", ""),
            )
        )
        row.done()
    return tuple(values)


def _rotation(root: TomlTable, registers: Mapping[str, Register]) -> tuple[str, ...]:
    polling = root.table("polling")
    if polling is None:
        return ()
    names = polling.texts("rotation")
    for name in names:
        _known(polling, "rotation", name, registers)
    polling.done()
    return names


def _splits(root: TomlTable, registers: Mapping[str, Register]) -> tuple[StateSplit, ...]:
    splits: list[StateSplit] = []
    for table in root.tables("state_split", "state_split"):
        name = table.text("register")
        _known(table, "register", name, registers)
        splits.append(
            StateSplit(
                raw=table.whole("raw", low=0, high=2**32 - 1),
                register=name,
                mask=table.whole("mask", low=1, high=2**32 - 1),
                clear=PilotState(table.choice("clear", list(PilotState))),
                set=PilotState(table.choice("set", list(PilotState))),
            )
        )
        table.done()
        if name != splits[0].register:
            raise table.error("register", "all splits go by one register.")
    return tuple(splits)


def _known(table: TomlTable, key: str, name: str, registers: Mapping[str, Register]) -> None:
    if name not in registers:
        raise table.error(key, "there is no register '{name}'.", name=name)


def _sunspec(root: TomlTable) -> SunSpec | None:
    table = root.table("sunspec")
    if table is None:
        return None
    found = SunSpec(table.wholes("base_addresses"), table.wholes("model_ids"))
    table.done()
    return found
