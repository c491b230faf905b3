"""What a profile says of its registers beside where they are, checked line by line."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from evdesk.devices.profiles import LAST_ADDRESS, SIZED, Identify, Register
from evdesk.devices.toml_text import TomlTable


def known_register(table: TomlTable, key: str, registers: Mapping[str, Register]) -> Register:
    """Return the register a key names; UserError with its line where there is none."""
    name = table.text(key)
    if name not in registers:
        raise table.error(key, "there is no register '{name}'.", name=name)
    return registers[name]


def identify_rows(root: TomlTable, registers: Mapping[str, Register]) -> tuple[Identify, ...]:
    """Return what a device of this profile must show to be recognised."""
    rows: list[Identify] = []
    for table in root.tables("identify", "identify"):
        register = known_register(table, "register", registers)
        row = Identify(
            register=register.name,
            equals=_equals(table),
            contains=table.text("contains") if table.has("contains") else None,
            low=_bound(table, "low"),
            high=_bound(table, "high"),
        )
        if row == Identify(register.name):
            raise table.error("register", "say what it must show: equals, contains, low or high.")
        if not register.readable:
            raise table.error("register", "'{name}' cannot be read.", name=register.name)
        table.done()
        rows.append(row)
    return tuple(rows)


def _equals(table: TomlTable) -> tuple[int | str, ...]:
    values = table.value("equals") if table.has("equals") else []
    if not isinstance(values, list) or not all(
        isinstance(value, int | str) and not isinstance(value, bool) for value in values
    ):
        raise table.error("equals", "equals must be a list of whole numbers or texts.")
    return tuple(values)


def _bound(table: TomlTable, key: str) -> Fraction | None:
    return Fraction(table.number(key)) if table.has(key) else None


def with_parts(table: TomlTable, register: Register) -> Register:
    """Return a register with its further numbers and its power of ten, where the table has any."""
    plus, minus = _behind(table, register, "plus"), _behind(table, register, "minus")
    scale_at = _scale_at(table, register)
    if not (plus or minus) and scale_at is None:
        return register
    if register.type in SIZED or register.enum or register.mask is not None:
        raise table.error("type", "only plain numbers have plus, minus or scale_address.")
    ends = [at + register.length for at in (*plus, *minus)]
    length = max(register.length, *ends, 0 if scale_at is None else scale_at + 1)
    return replace(register, length=length, plus=plus, minus=minus, scale_at=scale_at)


def _behind(table: TomlTable, register: Register, key: str) -> tuple[int, ...]:
    """Return how far behind a register the numbers of a key begin."""
    addresses = table.wholes(key)
    for address in addresses:
        if not register.end <= address <= LAST_ADDRESS + 1 - register.length:
            raise table.error(key, "{address} does not lie behind the register.", address=address)
    return tuple(address - register.address for address in addresses)


def _scale_at(table: TomlTable, register: Register) -> int | None:
    if not table.has("scale_address"):
        return None
    return table.whole("scale_address", low=register.end, high=LAST_ADDRESS) - register.address
