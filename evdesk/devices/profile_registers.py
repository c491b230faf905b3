"""The registers of a profile file, checked line by line."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from evdesk.devices.profile_rules import with_parts
from evdesk.devices.profiles import (
    ENERGY,
    LAST_ADDRESS,
    LENGTHS,
    MODBUS_LIMIT,
    SIZED,
    TYPES,
    UNITS,
    WH_PER_UNIT,
    EnumValue,
    Function,
    Pace,
    Register,
)
from evdesk.devices.toml_text import TomlTable
from evdesk.domain.readings import PilotState

Listed = tuple[Register, TomlTable]


def listed_registers(root: TomlTable, *, little_words: bool, pace: Pace) -> tuple[Listed, ...]:
    """Return every register of a file with its table, in which later errors have their line."""
    found: list[Listed] = []
    for table in root.tables("register", "register"):
        name = table.text("name")
        table.title = f"register '{name}'"
        register = with_parts(table, _register(table, name, little_words=little_words))
        table.done()
        if register.length > pace.max_registers:
            raise table.error(
                "length",
                "longer than max_registers_per_read = {limit}.",
                limit=pace.max_registers,
            )
        found.append((register, table))
    return tuple(found)


def check_apart(listed: Iterable[Listed]) -> None:
    """Refuse two registers of one name, or on one address."""
    names: set[str] = set()
    owners: dict[tuple[int | None, Function, int], str] = {}
    for register, table in listed:
        if register.name in names:
            raise table.error("name", "another register has this name.")
        names.add(register.name)
        for address in register.own_addresses:
            key = (register.unit_id, register.function, address)
            owner = owners.setdefault(key, register.name)
            if owner != register.name:
                raise table.error(
                    "address",
                    "address {address} already belongs to '{owner}'.",
                    address=address,
                    owner=owner,
                )


def check_pointers(listed: Sequence[Listed]) -> None:
    """Refuse states that go by a register that is not there or says no pilot state."""
    known = {register.name: register for register, _ in listed}
    for register, table in listed:
        names = {value.by for value in register.enum if value.by is not None}
        if len(names) > 1:
            raise table.error("enum", "all states that go by another register go by one.")
        for name in names:
            if name not in known:
                raise table.error("enum", "there is no register '{name}'.", name=name)
            if not any(value.letter for value in known[name].enum):
                raise table.error("enum", "'{name}' has no enum with iec61851.", name=name)


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
    order = _byte_order(table, kind)
    return Register(
        name=name,
        address=table.whole("address", low=0, high=LAST_ADDRESS + 1 - length),
        function=function,
        type=kind,
        length=length,
        little_words=length > 1 and words == "little" and kind not in SIZED,
        little_bytes=order == "little",
        scale=_scale(table, kind),
        unit=unit,
        mask=table.whole("mask", low=1, high=2**64 - 1) if table.has("mask") else None,
        not_available=_patterns(table, length),
        enum=_enum(table, kind),
        readable=table.flag("readable", default=True),
        is_utf16=order == "utf-16-be",
        shared=table.flag("shared", default=False),
        unit_id=table.whole("unit_id", low=0, high=255) if table.has("unit_id") else None,
        when=_when(table),
        own_order=table.has("word_order"),
        example=_example(table, kind),
    )


def _example(table: TomlTable, kind: str) -> float | str | None:
    if not table.has("example"):
        return None
    return table.text("example") if kind in SIZED else float(table.number("example"))


def _byte_order(table: TomlTable, kind: str) -> str:
    order = table.choice("byte_order", ("big", "little", "utf-16-be"), "big")
    if order == "utf-16-be" and kind != "string":
        raise table.error("byte_order", "only a string has the byte order utf-16-be.")
    return order


def _when(table: TomlTable) -> tuple[tuple[str, str], ...]:
    pairs: list[tuple[str, str]] = []
    for text in table.texts("when"):
        key, equals, option = text.partition("=")
        if not (key and equals and option):
            raise table.error("when", "'{text}' is not written CHOICE=OPTION.", text=text)
        pairs.append((key, option))
    return tuple(pairs)


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


def _enum(table: TomlTable, kind: str) -> tuple[EnumValue, ...]:
    values: list[EnumValue] = []
    for row in table.tables("enum", f"{table.title}, enum"):
        raw = row.text("raw") if kind == "string" else row.whole("raw", low=0, high=2**64 - 1)
        if any(value.raw == raw for value in values):
            raise row.error("raw", "raw = {raw} is listed twice.", raw=raw)
        letter = row.choice("iec61851", list(PilotState)) if row.has("iec61851") else None
        by = row.text("by") if row.has("by") else None
        if letter is not None and by is not None:
            raise row.error("by", "either iec61851 or by says what it stands for.")
        values.append(
            EnumValue(
                raw=raw,
                letter=None if letter is None else PilotState(letter),
                charging=row.flag("charging", default=False),
                label=row.text("label", ""),
                by=by,
            )
        )
        row.done()
    return tuple(values)
