"""Register words of known values, made from a profile's TOML.

Written apart from evdesk: it reads the file with tomllib and shares no code with the decoder, so
that one checks the other.
"""

import struct
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Place = tuple[int | None, str, int]  # unit (None: the device's own), function, address

NUMBER_WORDS = {"u16": 1, "i16": 1, "bool": 1, "u32": 2, "i32": 2, "f32": 2}
NUMBER_WORDS |= {"u64": 4, "i64": 4, "f64": 4}
WH = {"Wh": 1, "kWh": 1_000, "MWh": 1_000_000}
MARKER = (0x5375, 0x6E53)  # SunS
COMMON_LENGTH = 66
FILLER = 0xA5C3  # what stands between values: read along, and believed by nobody


def profile_data(path: Path) -> dict[str, Any]:
    """Return a profile file as plain data, numbers exactly as they are written."""
    return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def usual_options(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the options by which a profile is listed."""
    choices = data.get("choice", [])
    return {one["key"]: one.get("default", one["options"][0]["id"]) for one in choices}


def options_of(data: Mapping[str, Any], chosen: Mapping[str, str]) -> list[tuple[str, Row]]:
    """Return the chosen options themselves, each with the key of its choice."""
    return [
        (choice["key"], option)
        for choice in data.get("choice", [])
        for option in choice["options"]
        if option["id"] == chosen[choice["key"]]
    ]


def rows_of(data: Mapping[str, Any], chosen: Mapping[str, str]) -> dict[str, Row]:
    """Return by name the registers that are there, and can be read, under these options."""
    rows: dict[str, Row] = {}
    for row in data["register"]:
        wanted = (pair.split("=") for pair in row.get("when", []))
        if row.get("readable", True) and all(chosen[key] == option for key, option in wanted):
            rows[row["name"]] = row
    return rows


def scale_of(row: Row) -> Fraction:
    return Fraction(row.get("scale", 1)) / int(row.get("divisor", 1))


def length_of(row: Row) -> int:
    return NUMBER_WORDS.get(row["type"]) or row["length"]


def number_words(kind: str, raw: float) -> list[int]:
    """Return the words of a number, the most significant first."""
    count = NUMBER_WORDS[kind]
    if kind.startswith("f"):
        return list(struct.unpack(f">{count}H", struct.pack(">f" if count == 2 else ">d", raw)))
    bits = int(raw) % 2 ** (16 * count)
    return [bits // 65536**power % 65536 for power in range(count - 1, -1, -1)]


def text_words(text: str, count: int, order: str) -> list[int]:
    """Return the words of a text, filled up with zeros."""
    if order == "utf-16-be":
        return [ord(letter) for letter in text.ljust(count, "\0")]
    letters = text.encode("ascii").ljust(2 * count, b"\0")
    return [256 * letters[at] + letters[at + 1] for at in range(0, 2 * count, 2)]


def swapped(word: int) -> int:
    return word % 256 * 256 + word // 256


@dataclass
class Memory:
    """What a device holds, by place; under chosen options and for each socket."""

    data: Mapping[str, Any]
    chosen: Mapping[str, str]
    base: int = 40_000
    words: dict[Place, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = rows_of(self.data, self.chosen)
        self.start = self._sunspec() if "sunspec" in self.data else 0

    def _sunspec(self) -> int:
        """Lay marker, common model and meter model; return where the meter model begins."""
        model = self.data["sunspec"]["model_ids"][-2]
        length = max(row["address"] + row["length"] for row in self.rows.values()) + 3
        self._lay(("holding", self.base), [*MARKER, 1, COMMON_LENGTH, *[FILLER] * COMMON_LENGTH])
        start = self.base + 4 + COMMON_LENGTH
        self._lay(("holding", start), [model, length, *[FILLER] * length, 0xFFFF, 0])
        return start

    def _lay(self, at: tuple[str, int], words: list[int], unit: int | None = None) -> None:
        function, address = at
        for offset, word in enumerate(words):
            self.words[unit, function, address + offset] = word

    def _option(self, key: str) -> Any:
        found = [option[key] for _, option in options_of(self.data, self.chosen) if key in option]
        return found[0] if found else None

    def place(self, row: Row, address: int, socket: int) -> tuple[str, int]:
        """Return function and address at which a socket shows it."""
        own = "unit_id" in row or row.get("shared", False)
        stride = 0 if own else self.data["device"].get("socket_stride", 0) * (socket - 1)
        function = row["function"] if "when" in row else self._option("function")
        return function or row["function"], self.start + address + stride

    def put(self, name: str, *raws: float, socket: int = 1, exponent: int = 0) -> None:
        """Write the raw numbers of a value: one, or one for each number it is made of."""
        row = self.rows[name]
        addresses = [row["address"], *row.get("plus", []), *row.get("minus", [])]
        for address, raw in zip(addresses, raws, strict=True):
            words = self._ordered(row, number_words(row["type"], raw))
            self._lay(self.place(row, address, socket), words, row.get("unit_id"))
        if "scale_address" in row:
            at = self.place(row, row["scale_address"], socket)
            self._lay(at, number_words("i16", exponent), row.get("unit_id"))

    def forget(self, name: str) -> None:
        """Have no register there: a read of it is refused."""
        row = self.rows[name]
        function, address = self.place(row, row["address"], 1)
        for offset in range(row["length"]):
            self.words.pop((row.get("unit_id"), function, address + offset), None)

    def put_words(self, name: str, words: list[int], socket: int = 1) -> None:
        """Write words as they are, filled up with zeros."""
        row = self.rows[name]
        filled = words + [0] * (row["length"] - len(words))
        self._lay(self.place(row, row["address"], socket), filled, row.get("unit_id"))

    def put_text(self, name: str, text: str, socket: int = 1) -> None:
        """Write a text."""
        row = self.rows[name]
        words = text_words(text, row["length"], row.get("byte_order", "big"))
        if row.get("byte_order") == "little":
            words = [swapped(word) for word in words]
        self._lay(self.place(row, row["address"], socket), words, row.get("unit_id"))

    def put_pattern(self, name: str, pattern: int, socket: int = 1) -> None:
        """Write the same bits into every number of a value, in the order of its words."""
        row = self.rows[name]
        count = length_of(row)
        words = [pattern // 65536**power % 65536 for power in range(count - 1, -1, -1)]
        for address in (row["address"], *row.get("plus", []), *row.get("minus", [])):
            at = self.place(row, address, socket)
            self._lay(at, self._ordered(row, words), row.get("unit_id"))

    def _ordered(self, row: Row, words: list[int]) -> list[int]:
        order = row.get("word_order") or self._option("word_order")
        order = order or self.data["device"].get("default_word_order", "big")
        if row.get("byte_order") == "little":
            words = [swapped(word) for word in words]
        return words[::-1] if order == "little" else words


def numbers_of(row: Row) -> int:
    """Return of how many numbers a value is made."""
    return 1 + len(row.get("plus", [])) + len(row.get("minus", []))


def exact(row: Row, raws: list[float], exponent: int = 0) -> Fraction:
    """Return the value of raw numbers, in its unit."""
    signs = [1] * (1 + len(row.get("plus", []))) + [-1] * len(row.get("minus", []))
    total = sum((sign * Fraction(raw) for sign, raw in zip(signs, raws, strict=True)), Fraction(0))
    ten = Fraction(10) ** exponent if "scale_address" in row else 1
    return total * scale_of(row) * ten


def raw_limits(row: Row) -> tuple[int, int]:
    """Return the least and the largest raw number a register can hold, masked ones in place."""
    bits = 16 * NUMBER_WORDS[row["type"]]
    if row["type"].startswith("i"):
        return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    if "mask" in row:
        return 0, row["mask"] // lowest_bit(row["mask"])
    return 0, 2**bits - 1


def lowest_bit(mask: int) -> int:
    return mask & -mask


def nearest_raw(row: Row, value: Fraction, exponent: int = 0) -> float:
    """Return the raw number nearest to a value in the unit of a register."""
    ten = Fraction(10) ** exponent if "scale_address" in row else 1
    wanted = value / scale_of(row) / ten
    if row["type"] == "f32":
        (rounded,) = struct.unpack(">f", struct.pack(">f", float(wanted)))
        return float(rounded)
    if row["type"] == "f64":
        return float(wanted)
    low, high = raw_limits(row)
    return round(wanted) if low <= wanted < high else high * 5 // 7


def masked_in(row: Row, raw: float) -> float:
    """Return a register in which the bits outside the mask are all set and must not matter."""
    if "mask" not in row:
        return raw
    bits = 2 ** (16 * NUMBER_WORDS[row["type"]]) - 1
    mask: int = row["mask"]
    outside: int = bits & ~mask
    return int(raw) * lowest_bit(mask) | outside


def patterns_of(row: Row) -> Iterator[int]:
    """Yield the bit patterns by which a register says that it has no value."""
    for text in row.get("not_available", []):
        yield int(text, 16)
    if row["type"] == "f32":
        yield from (0x7FC00000, 0x7F800000, 0xFF800000)
    if row["type"] == "f64":
        yield from (0x7FF8 << 48, 0x7FF0 << 48)
