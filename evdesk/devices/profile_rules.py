"""What a profile says of its registers beside where they are, checked line by line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from evdesk.devices.profiles import (
    LAST_ADDRESS,
    SIZED,
    Choice,
    Function,
    Identify,
    Option,
    Register,
    registers_of,
    usual_options,
)
from evdesk.devices.toml_text import TomlTable

_KEY = re.compile(r"[A-Za-z0-9_.-]+")


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
        known_register(table, "register", registers)
        row = _rule(table)
        if row.answers is not None:
            raise table.error("answers", "an answer alone does not tell a device from others.")
        _check_rule(table, row, registers)
        table.done()
        rows.append(row)
    return tuple(rows)


def choice_rows(root: TomlTable, every: Sequence[Register]) -> tuple[Choice, ...]:
    """Return what differs between devices of a profile."""
    found: list[Choice] = []
    for table in root.tables("choice", "choice"):
        key = table.text("key")
        table.title = f"choice '{key}'"
        if any(choice.key == key for choice in found) or not _KEY.fullmatch(key):
            raise table.error("key", "'{key}' is taken, or no plain word.", key=key)
        about = table.text("about")
        rows = table.tables("options", f"{table.title}, option")
        options = tuple(_option(row) for row in rows)
        ids = [option.id for option in options]
        if len(set(ids)) != len(ids) or len(ids) < 2:  # noqa: PLR2004 - nothing to choose from
            raise table.error("options", "there are at least two options, each with its own id.")
        default = table.choice("default", ids) if table.has("default") else None
        found.append(Choice(key, about, options, default))
        table.done()
        if default is None and not found[-1].has_rules:
            raise table.error("key", "without a default, a rule of an option must decide.")
    for table, choice in zip(root.tables("choice", "choice"), found, strict=True):
        _check_options(table, choice, every, usual_options(found))
    return tuple(found)


def _option(row: TomlTable) -> Option:
    rule = _rule(row) if row.has("register") else None
    name = row.text("id")
    if not _KEY.fullmatch(name):
        raise row.error("id", "'{id}' is no plain word.", id=name)
    little = None
    if row.has("word_order"):
        little = row.choice("word_order", ("big", "little")) == "little"
    function = None
    if row.has("function"):
        function = Function[row.choice("function", ("holding", "input")).upper()]
    option = Option(name, row.text("label", ""), rule, little, function)
    row.done()
    return option


def _check_options(
    table: TomlTable, choice: Choice, every: Sequence[Register], usual: Mapping[str, str]
) -> None:
    rows = table.tables("options", f"choice '{choice.key}', option")
    for row, option in zip(rows, choice.options, strict=True):
        if option.rule is not None:
            chosen = {**usual, choice.key: option.id}
            registers = registers_of(every, (choice,), chosen)
            known_register(row, "register", registers)
            _check_rule(row, option.rule, registers)


def check_when(register: Register, table: TomlTable, choices: Sequence[Choice]) -> None:
    """Refuse a register under a choice or option that there is not."""
    known = {choice.key: {option.id for option in choice.options} for choice in choices}
    for key, option in register.when:
        if option not in known.get(key, ()):
            raise table.error(
                "when", "there is no choice '{key}={option}'.", key=key, option=option
            )


def _rule(table: TomlTable) -> Identify:
    return Identify(
        register=table.text("register"),
        equals=_equals(table),
        contains=table.text("contains") if table.has("contains") else None,
        low=_bound(table, "low"),
        high=_bound(table, "high"),
        matches=_pattern(table),
        answers=table.flag("answers", default=True) if table.has("answers") else None,
    )


def _check_rule(table: TomlTable, rule: Identify, registers: Mapping[str, Register]) -> None:
    if rule == Identify(rule.register):
        raise table.error(
            "register", "say what it must show: equals, contains, matches, low or high."
        )
    if not registers[rule.register].readable:
        raise table.error("register", "'{name}' cannot be read.", name=rule.register)


def _pattern(table: TomlTable) -> str | None:
    if not table.has("matches"):
        return None
    pattern = table.text("matches")
    try:
        re.compile(pattern)
    except re.error as error:
        raise table.error("matches", "no regular expression: {reason}.", reason=error) from error
    return pattern


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
    per_phase = table.flag("per_phase", default=False)
    if per_phase and (len(plus), len(minus)) != (2, 0):
        raise table.error("per_phase", "the numbers of three phases are one and two under plus.")
    if not (plus or minus) and scale_at is None:
        return register
    if register.type in SIZED or register.enum or register.mask is not None:
        raise table.error("type", "only plain numbers have plus, minus or scale_address.")
    ends = [at + register.length for at in (*plus, *minus)]
    length = max(register.length, *ends, 0 if scale_at is None else scale_at + 1)
    return replace(
        register, length=length, plus=plus, minus=minus, scale_at=scale_at, per_phase=per_phase
    )


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
