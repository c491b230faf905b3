"""The tables of a profile that say something of its registers, checked line by line."""

from collections.abc import Mapping
from fractions import Fraction

from evdesk.devices.profiles import Identify, Register
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
