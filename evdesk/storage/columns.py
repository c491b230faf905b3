"""Readings of one source as columns, and columns as few bytes: nothing is lost on the way.

docs/archive.md describes the bytes, so that they can be decoded without evdesk.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, standalone

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Raws = NDArray[np.object_]  # bytes objects
Chosen = NDArray[Any] | slice

NUMBERS = (
    "import_wh",
    "power_dw",
    "current_l1_ma",
    "current_l2_ma",
    "current_l3_ma",
    "voltage_l1_dv",
    "voltage_l2_dv",
    "voltage_l3_dv",
    "pilot",  # its letter as a code point
)
ENTRY = struct.Struct("<BII")  # kind, bytes of the first part, bytes of the second part
NONE, EVERY, SOME, SHORT_RAW, LONG_RAW = range(5)
WORD_BYTES = 8  # raw words up to here are packed as integers


@dataclass(frozen=True, slots=True)
class Column:
    """Integers, one a reading; where ``present`` is False nothing was read and the value is 0."""

    present: Bools
    values: Ints

    @classmethod
    def of(cls, items: Sequence[int | None]) -> Self:
        """Return the column of these values."""
        try:
            values = np.array(items, np.int64)
        except TypeError:  # None among them
            present = np.array([item is not None for item in items], np.bool_)
            return cls(present, np.array([item or 0 for item in items], np.int64))
        return cls.every(values)

    @classmethod
    def every(cls, values: Ints) -> Self:
        """Return a column in which nothing is missing."""
        return cls(np.ones(len(values), np.bool_), values)

    def where(self, chosen: Chosen) -> Self:
        """Return the chosen rows, by mask or by number."""
        return type(self)(self.present[chosen], self.values[chosen])

    def items(self) -> list[int | None]:
        """Return the values, None where nothing was read."""
        values: list[int | None] = self.values.tolist()
        if self.present.all():
            return values
        return [one if there else None for one, there in zip(values, self.present, strict=True)]

    def content(self) -> bytes:
        """Return presence as bits and the present values as 64-bit integers, little-endian."""
        bits = np.packbits(self.present, bitorder="little").tobytes()
        return bits + self.values[self.present].astype("<i8").tobytes()


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of one source, in order of time."""

    at_ms: Ints
    numbers: dict[str, Column]
    raws: Raws

    def __len__(self) -> int:
        return len(self.at_ms)

    def where(self, chosen: Chosen) -> Self:
        """Return the chosen readings, by mask or by number."""
        numbers = {name: column.where(chosen) for name, column in self.numbers.items()}
        return type(self)(self.at_ms[chosen], numbers, self.raws[chosen])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return the readings of all parts in order of time."""
        at_ms = np.concatenate([part.at_ms for part in parts])
        numbers = {
            name: Column(
                np.concatenate([part.numbers[name].present for part in parts]),
                np.concatenate([part.numbers[name].values for part in parts]),
            )
            for name in NUMBERS
        }
        whole = cls(at_ms, numbers, np.concatenate([part.raws for part in parts]))
        return whole.where(np.argsort(at_ms, kind="stable"))

    def same(self, other: Self) -> bool:
        """Return whether both hold exactly the same readings."""
        return (
            np.array_equal(self.at_ms, other.at_ms)
            and np.array_equal(self.raws, other.raws)
            and all(
                np.array_equal(self.numbers[name].present, other.numbers[name].present)
                and np.array_equal(self.numbers[name].values, other.numbers[name].values)
                for name in NUMBERS
            )
        )


def raws_of(items: Sequence[bytes]) -> Raws:
    """Return raw words as an array of bytes objects."""
    raws = np.empty(len(items), np.object_)
    raws[:] = items
    return raws


def raws_content(raws: Raws) -> bytes:
    """Return the lengths as 32-bit integers, little-endian, and all bytes in a row."""
    lengths = np.fromiter(map(len, raws), "<u4", len(raws))
    return lengths.tobytes() + b"".join(raws)


# -- packing ----------------------------------------------------------------------------------


def pack_integers(values: Ints) -> bytes:
    """Return integers as one pcodec stream."""
    return bytes(standalone.simple_compress(np.ascontiguousarray(values, np.int64), ChunkConfig()))


def unpack_integers(packed: bytes, count: int | None = None) -> Ints:
    """Return the integers of one pcodec stream.

    Raises:
        ValueError: the stream is damaged or does not have ``count`` values.

    """
    try:
        values: Ints | None = standalone.simple_decompress(packed)
    except (RuntimeError, ValueError) as error:
        raise ValueError(str(error)) from error
    if values is None or values.dtype != np.int64 or count not in {None, len(values)}:
        msg = "another number of values"
        raise ValueError(msg)
    return values


def pack(parts: Sequence[Column | Raws]) -> bytes:
    """Return columns as one blob: how many, their entries, their bytes."""
    packed = [_pack_raws(part) if isinstance(part, np.ndarray) else _pack(part) for part in parts]
    entries = [ENTRY.pack(kind, len(first), len(second)) for kind, first, second in packed]
    bodies = [first + second for _, first, second in packed]
    return b"".join([bytes([len(packed)]), *entries, *bodies])


def unpack(blob: bytes, count: int) -> list[Column | Raws]:
    """Return the columns of a blob, each of ``count`` readings.

    Raises:
        ValueError: the blob is damaged.

    """
    try:
        offset = 1 + blob[0] * ENTRY.size
        found: list[Column | Raws] = []
        for kind, first, second in ENTRY.iter_unpack(blob[1:offset]):
            one, two = blob[offset : offset + first], blob[offset + first : offset + first + second]
            found.append(_unpack(kind, one, two, count))
            offset += first + second
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError(str(error)) from error
    if offset != len(blob):
        msg = "bytes that belong to no column"
        raise ValueError(msg)
    return found


def _pack(column: Column) -> tuple[int, bytes, bytes]:
    values = column.values[column.present]
    if not len(values):
        return NONE, b"", b""
    if len(values) == len(column.present):
        return EVERY, b"", pack_integers(values)
    bits = np.packbits(column.present, bitorder="little").tobytes()
    return SOME, zlib.compress(bits, 9), pack_integers(values)


def _pack_raws(raws: Raws) -> tuple[int, bytes, bytes]:
    lengths = np.fromiter(map(len, raws), np.int64, len(raws))
    if lengths.max() > WORD_BYTES:
        return LONG_RAW, pack_integers(lengths), zlib.compress(b"".join(raws), 9)
    padded = b"".join([raw.rjust(WORD_BYTES, b"\0") for raw in raws if raw])
    values = pack_integers(np.frombuffer(padded, ">i8")) if padded else b""
    return SHORT_RAW, pack_integers(lengths), values


def _unpack(kind: int, first: bytes, second: bytes, count: int) -> Column | Raws:
    if kind in {SHORT_RAW, LONG_RAW}:
        lengths = unpack_integers(first, count)
        return _short(lengths, second) if kind == SHORT_RAW else _long(lengths, second)
    present = np.zeros(count, np.bool_) if kind == NONE else np.ones(count, np.bool_)
    if kind == SOME:
        bits = np.frombuffer(zlib.decompress(first), np.uint8)
        present = np.unpackbits(bits, count=count, bitorder="little").astype(np.bool_)
    values = np.zeros(count, np.int64)
    if kind != NONE:
        values[present] = unpack_integers(second, int(present.sum()))
    return Column(present, values)


def _short(lengths: Ints, packed: bytes) -> Raws:
    count = int(np.count_nonzero(lengths))
    padded = unpack_integers(packed, count).astype(">i8").tobytes() if count else b""
    raws, end = [], 0
    for length in lengths.tolist():
        end += WORD_BYTES if length else 0
        raws.append(padded[end - length : end])
    return raws_of(raws)


def _long(lengths: Ints, packed: bytes) -> Raws:
    joined = zlib.decompress(packed)
    ends = np.cumsum(lengths)
    if len(joined) != ends[-1]:
        msg = "another number of bytes"
        raise ValueError(msg)
    return raws_of([joined[end - n : end] for end, n in zip(ends, lengths, strict=True)])
