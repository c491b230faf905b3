"""Profiles from TOML files, checked line by line; the keys are in resources/meters/README.md."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from evdesk.devices.profile_registers import (
    Listed,
    check_apart,
    check_pointers,
    listed_registers,
)
from evdesk.devices.profile_rules import check_when, choice_rows, identify_rows
from evdesk.devices.profiles import (
    ENERGY,
    LAST_ADDRESS,
    MODBUS_LIMIT,
    POWER,
    STATE,
    WH_PER_UNIT,
    Choice,
    Pace,
    Profile,
    Register,
    SunSpec,
    registers_of,
    usual_options,
)
from evdesk.devices.toml_text import TomlFile, TomlTable, shown_path
from evdesk.domain.errors import UserError
from evdesk.ports import ProfileChoice, ProfileInfo, ProfileOption

SCHEMA_VERSION = 1
TRANSPORTS = ("rtu", "tcp", "rtu_over_tcp", "ascii")
MOST_SOCKETS = 48


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


def load_named(folder: Path, names: Collection[str]) -> dict[str, Profile]:
    """Return those profiles of a folder that have these ids; unknown ids are left out.

    A file that bears the name of its id is read alone; for others, all files are.

    Raises:
        UserError: a file is wrong; the sentence names file and line.

    """
    found: dict[str, Profile] = {}
    for name in names:
        path = folder / f"{name}.toml"
        if path.parent == folder and path.is_file():
            profile = load_profile(path)
            found[profile.info.id] = profile
    missing = set(names) - found.keys()
    every = load_profiles(folder) if missing else {}
    return found | {name: every[name] for name in missing & every.keys()}


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
    listed = listed_registers(root, little_words=little_words, pace=pace)
    every = tuple(register for register, _ in listed)
    choices = choice_rows(root, every)
    _check_variants(listed, choices)
    usual = usual_options(choices)
    registers = registers_of(every, choices, usual)
    info = _info(device, every, choices)
    port = device.whole("default_tcp_port", 502, low=1, high=LAST_ADDRESS)
    stride = _stride(device, info.sockets)
    freezes = device.flag("currents_freeze", default=False)
    derives_power = device.flag("derive_power", default=False)
    device.done()
    profile = Profile(
        info=info,
        phases=info.phases,
        default_port=port,
        pace=pace,
        every=every,
        registers=registers,
        rotation=_rotation(root, registers),
        sunspec=_sunspec(root),
        identify=identify_rows(root, registers),
        choices=choices,
        chosen=usual,
        stride=stride,
        freezes=freezes,
        derives_power=derives_power,
    )
    root.done()
    return profile


def _check_variants(listed: Sequence[Listed], choices: Sequence[Choice]) -> None:
    """Check what is there together under the usual options, and under each other option."""
    for register, table in listed:
        check_when(register, table, choices)
    usual = usual_options(choices)
    others = [{**usual, c.key: option.id} for c in choices for option in c.options]
    for chosen in others or [usual]:
        there = [
            (register, table)
            for register, table in listed
            if all(chosen[key] == option for key, option in register.when)
        ]
        check_apart(there)
        check_pointers(there)


def _stride(device: TomlTable, sockets: int) -> int:
    """Return how many addresses one socket lies behind the other."""
    if sockets > 1:
        return device.whole("socket_stride", low=1, high=LAST_ADDRESS // sockets)
    if device.has("socket_stride"):
        raise device.error("socket_stride", "a device with one socket has none.")
    return 0


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
        baud=baud if native and native[0] in {"rtu", "ascii"} else None,
        one_client=device.flag("one_client", default=False),
        asks_twice=device.flag("asks_twice", default=False),
    )


def _info(device: TomlTable, every: Sequence[Register], choices: Sequence[Choice]) -> ProfileInfo:
    usual = usual_options(choices)
    registers = registers_of(every, choices, usual)
    device.texts("sources")
    transports = device.texts("transports")
    for transport in transports:
        if transport not in TRANSPORTS:
            raise device.error(
                "transports",
                "transport '{value}' is not one of {known}.",
                value=transport,
                known=", ".join(TRANSPORTS),
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
        sockets=device.whole("sockets", 1, low=1, high=MOST_SOCKETS),
        default_unit=device.whole("default_unit_id", 1, low=0, high=255),
        resolution_wh=_resolution_wh(registers.get(ENERGY)),
        range_wh=_range_wh(registers.get(ENERGY)),
        power_step_w=_power_step_w(registers.get(POWER)),
        one_client=device.flag("one_client", default=False),
        counts_vah=device.flag("counts_vah", default=False),
        notes=device.texts("notes"),
        models_covered=device.texts("models_covered"),
        needs_meter=kind == "charger" and ENERGY not in registers,
        has_session_energy="session_energy" in registers,
        has_serial="serial_number" in registers,
        has_tag="rfid_tag" in registers,
        phases=device.whole("phases", 3, low=1, high=3),
        choices=tuple(_shown(choice, every, choices) for choice in choices),
    )


def _shown(choice: Choice, every: Sequence[Register], choices: Sequence[Choice]) -> ProfileChoice:
    """Return a choice as people see it."""
    usual = usual_options(choices)
    found = {
        option.id: registers_of(every, choices, {**usual, choice.key: option.id}).get(ENERGY)
        for option in choice.options
    }
    return ProfileChoice(
        key=choice.key,
        about=choice.about,
        default=choice.default,
        by_device=choice.has_rules,
        options=tuple(
            ProfileOption(option.id, option.label, found[option.id] is not None)
            for option in choice.options
        ),
        on_energy=any(register != found[choice.usual] for register in found.values()),
    )


def _range_wh(energy: Register | None) -> int | None:
    """Return where an unsigned integer register begins again at 0, in whole Wh.

    A sum begins again in parts, and a power of ten is not known before the device says it.
    """
    if energy is None or energy.is_compound or energy.type not in {"u16", "u32", "u64"}:
        return None
    return int((1 << 16 * energy.length) * energy.scale * WH_PER_UNIT[energy.unit])


def _resolution_wh(energy: Register | None) -> int:
    """Return how coarse the register counts, in whole Wh; floats are taken for exact to 1 Wh."""
    if energy is None or energy.is_float:
        return 1
    return max(1, int(energy.scale * WH_PER_UNIT[energy.unit]))


def _power_step_w(power: Register | None) -> float:
    """Return how coarsely power is told, in W; floats and what is not known are taken for exact."""
    if power is None or power.is_float or power.is_compound:
        return 1.0
    return max(1.0, float(power.scale))


def _rotation(root: TomlTable, registers: Mapping[str, Register]) -> tuple[str, ...]:
    polling = root.table("polling")
    if polling is None:
        return ()
    names = polling.texts("rotation")
    for name in names:
        _known(polling, "rotation", name, registers)
    polling.done()
    return names


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
