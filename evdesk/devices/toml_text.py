"""TOML files whose every value knows its line, so that an error can name it."""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from evdesk.domain.errors import UserError
from evdesk.settings import shipped

Where = tuple[str | int, ...]
T = TypeVar("T")

_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r"""\"{3}(?:\\.|[^\\])*?"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\])*"|'[^']*'""", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}\n#]+")
_AT_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)")
_AT_END = re.compile(r"\s*\(at end of document\)")


class _Lines:
    """Finds the line of every key and element in a text that is known to be TOML."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._breaks = [place for place, char in enumerate(text) if char == "\n"]
        self._arrays: dict[Where, int] = {}
        self.found: dict[Where, int] = {(): 1}
        here: Where = ()
        while self._skip_blank() < len(text):
            if text[self._at] == "[":
                here = self._header()
            else:
                self._pair(here)

    def _skip_blank(self) -> int:
        self._at = self._after(_BLANK)
        return self._at

    def _after(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        return match.end() if match else self._at + 1

    def _mark(self, where: Where) -> None:
        self.found.setdefault(where, bisect_right(self._breaks, self._at) + 1)

    def _header(self) -> Where:
        start = self._at
        is_array = self._text.startswith("[[", start)
        self._at += 2 if is_array else 1
        keys = self._key()
        where: Where = ()
        for key in keys[:-1]:
            where = (*where, key)
            if where in self._arrays:
                where = (*where, self._arrays[where])
        where = (*where, keys[-1])
        after = self._at + (2 if is_array else 1)
        self._at = start
        self._mark(where)
        if is_array:
            self._arrays[where] = self._arrays.get(where, -1) + 1
            where = (*where, self._arrays[where])
            self._mark(where)
        self._at = after
        return where

    def _key(self) -> tuple[str, ...]:
        keys: list[str] = []
        while True:
            start = self._skip_blank()
            quoted = self._text[start] in "\"'"
            self._at = self._after(_STRING if quoted else _BARE_KEY)
            keys.append(self._text[start : self._at].strip("\"'"))
            if self._text[self._skip_blank()] != ".":
                return tuple(keys)
            self._at += 1

    def _pair(self, base: Where) -> None:
        start = self._at
        where = (*base, *self._key())
        after, self._at = self._at, start
        self._mark(where)
        self._at = after + 1  # the equals sign
        self._value(where)

    def _value(self, where: Where) -> None:
        self._skip_blank()
        self._mark(where)
        char = self._text[self._at]
        if char in "\"'":
            self._at = self._after(_STRING)
        elif char in "[{":
            self._group(where, "]" if char == "[" else "}")
        else:
            self._at = self._after(_PLAIN)

    def _group(self, where: Where, end: str) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip_blank()] != end:
            if self._text[self._at] == ",":
                self._at += 1
            elif end == "]":
                self._value((*where, index))
                index += 1
            else:
                self._pair(where)
        self._at += 1


class TomlFile:
    """A TOML file that was read: its values, and the line of each.

    Raises:
        UserError: the file cannot be read or is no TOML; the sentence names the line.

    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = shown_path(path)
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UserError(
                "{file} cannot be read: {reason}.", file=self.name, reason=error.strerror
            ) from error
        except UnicodeDecodeError as error:
            raise UserError("{file} is not UTF-8 text.", file=self.name) from error
        try:
            data = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            raise self._syntax(str(error), text) from error
        self._text = text
        self.root = TomlTable(self, (), data, "the file")

    def _syntax(self, message: str, text: str) -> UserError:
        found = _AT_LINE.search(message)
        line = int(found[1]) if found else text.count("\n") + 1
        reason = _AT_END.sub("", _AT_LINE.sub("", message))
        return UserError(
            "{file} line {line}: this is not TOML: {reason}.",
            file=self.name,
            line=line,
            reason=reason,
        )

    def line(self, where: Where) -> int:
        """Return the line of a value, or of the nearest thing around it."""
        lines = _Lines(self._text).found  # only asked for where something is wrong
        while where not in lines:
            where = where[:-1]
        return lines[where]

    def error(self, where: Where, template: str, /, **facts: object) -> UserError:
        """Return the error of one place; the sentence begins with file and line."""
        return UserError(
            "{file} line {line}: " + template, file=self.name, line=self.line(where), **facts
        )


class TomlTable:
    """One table of a file; it remembers what was taken, so that unknown keys are found.

    Every method raises UserError with file and line when the value is not what it must be.
    """

    def __init__(self, file: TomlFile, where: Where, data: dict[str, Any], title: str) -> None:
        self.file = file
        self.where = where
        self.title = title
        self._data = data
        self._taken: set[str] = set()

    def has(self, key: str) -> bool:
        """Say whether the key is there."""
        return key in self._data

    def error(self, key: str, template: str, /, **facts: object) -> UserError:
        """Return the error of one key of this table."""
        return self.file.error(
            (*self.where, key), "{title}: " + template, title=self.title, **facts
        )

    def value(self, key: str) -> Any:
        """Return a value that must be there, as it is."""
        self._taken.add(key)
        if key not in self._data:
            raise self.error(key, "'{key}' is missing.", key=key)
        return self._data[key]

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default it must be there."""
        return self._of(key, str, "a text", default)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        return self._of(key, bool, "true or false", default)

    def whole(self, key: str, default: int | None = None, *, low: int, high: int) -> int:
        """Return a whole number within low and high."""
        number = self._of(key, int, "a whole number", default)
        if not low <= number <= high:
            raise self.error(
                key,
                "{key} = {value} is not within {low} and {high}.",
                key=key,
                value=number,
                low=low,
                high=high,
            )
        return number

    def number(self, key: str, default: int | None = None) -> Decimal:
        """Return a number exactly as it is written."""
        if default is not None and not self.has(key):
            return Decimal(default)
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self._wrong(key, "a number", value)
        number = Decimal(value)
        if not number.is_finite():
            raise self._wrong(key, "a finite number", value)
        return number

    def choice(self, key: str, choices: Iterable[str], default: str | None = None) -> str:
        """Return a text that is one of the choices."""
        text = self.text(key, default)
        known = tuple(choices)
        if text not in known:
            raise self.error(
                key,
                "{key} '{value}' is not one of {choices}.",
                key=key,
                value=text,
                choices=", ".join(known),
            )
        return text

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty where the key is absent."""
        return self._list(key, str, "a list of texts")

    def wholes(self, key: str) -> tuple[int, ...]:
        """Return a list of whole numbers; empty where the key is absent."""
        return self._list(key, int, "a list of whole numbers")

    def table(self, key: str) -> "TomlTable | None":
        """Return a table, or None where it is absent."""
        if not self.has(key):
            return None
        data: dict[str, Any] = self._of(key, dict, "a table", None)
        return TomlTable(self.file, (*self.where, key), data, f"[{key}]")

    def tables(self, key: str, title: str) -> "list[TomlTable]":
        """Return a list of tables; ``title`` is what an error calls one of them."""
        rows = self._list(key, dict, "a list of tables")
        return [
            TomlTable(self.file, (*self.where, key, index), row, f"{title} {index + 1}")
            for index, row in enumerate(rows)
        ]

    def instant(self, key: str) -> datetime:
        """Return an instant: a TOML date-time with an offset."""
        value = self.value(key)
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise self._wrong(key, "a date and time with an offset", value)
        return value

    def done(self) -> None:
        """Refuse what nobody has taken out of this table."""
        for key in self._data:
            if key not in self._taken:
                raise self.error(key, "unknown key '{key}'.", key=key)

    def _wrong(self, key: str, wanted: str, value: object) -> UserError:
        return self.error(
            key, "{key} must be {wanted}, not {value!r}.", key=key, wanted=wanted, value=value
        )

    def _of(self, key: str, kind: type[T], wanted: str, default: T | None) -> T:
        if default is not None and key not in self._data:
            return default
        value = self.value(key)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(key, wanted, value)
        return value

    def _list(self, key: str, kind: type[T], wanted: str) -> tuple[T, ...]:
        values = self._of(key, list, wanted, [])
        for value in values:
            if not isinstance(value, kind) or isinstance(value, bool):
                raise self._wrong(key, wanted, value)
        return tuple(values)


def shown_path(path: Path) -> str:
    """Return how people know a file: from the shipped folder on, else as it was given."""
    for folder in ("resources", "sample_data"):
        root = shipped(folder)
        if path.is_relative_to(root):
            return (Path(folder) / path.relative_to(root)).as_posix()
    return str(path)
