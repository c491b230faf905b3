"""Readings of one source as columns, and columns as few bytes: nothing is lost on the way.

docs/archive.md describes the bytes, so that they can be decoded without evdesk.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, standalone

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
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
BEST = ChunkConfig()  # it tries what packs best
QUICK = ChunkConfig(mode_spec=ModeSpec.classic(), delta_spec=DeltaSpec.try_consecutive(1))
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
class Raws:
    """Raw words, one a reading: its bytes stand at the right end of its row, zeros before them."""

    lengths: Ints
    padded: NDArray[np.uint8]

    @classmethod
    def of(cls, items: Sequence[bytes]) -> Self:
        """Return the raw words of these bytes objects."""
        return cls.of_content(np.fromiter(map(len, items), np.int64, len(items)), b"".join(items))

    @classmethod
    def of_content(cls, lengths: Ints, content: bytes) -> Self:
        """Return the raw words that stand in a row in ``content``.

        Raises:
            ValueError: the lengths are not those of the content.

        """
        width = int(lengths.max(initial=0))
        if int(lengths.min(initial=0)) < 0 or int(lengths.sum()) != len(content):
            msg = "another number of bytes"
            raise ValueError(msg)
        words = np.frombuffer(content, np.uint8)
        if len(words) == width * len(lengths):
            return cls(lengths, words.reshape(len(lengths), width))
        padded = np.zeros((len(lengths), width), np.uint8)
        padded[_filled(lengths, width)] = words
        return cls(lengths, padded)

    def where(self, chosen: Chosen) -> Self:
        """Return the chosen rows, by mask or by number."""
        return type(self)(self.lengths[chosen], self.padded[chosen])

    def wide(self, width: int) -> NDArray[np.uint8]:
        """Return the rows padded to at least this width."""
        return np.pad(self.padded, ((0, 0), (max(0, width - self.padded.shape[1]), 0)))

    def items(self) -> list[bytes]:
        """Return the raw words."""
        content, ends = self.joined(), np.cumsum(self.lengths).tolist()
        return [content[b:e] for b, e in zip([0, *ends[:-1]], ends, strict=True)] if ends else []

    def joined(self) -> bytes:
        """Return all bytes in a row."""
        width = self.padded.shape[1]
        if bool((self.lengths == width).all()):  # as it is for nearly every meter
            return self.padded.tobytes()
        return self.padded[_filled(self.lengths, width)].tobytes()

    def content(self) -> bytes:
        """Return the lengths as 32-bit integers, little-endian, and all bytes in a row."""
        return self.lengths.astype("<u4").tobytes() + self.joined()


def _filled(lengths: Ints, width: int) -> Bools:
    filled: Bools = np.arange(width) >= width - lengths[:, None]
    return filled


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
        return type(self)(self.at_ms[chosen], numbers, self.raws.where(chosen))

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
        width = max(part.raws.padded.shape[1] for part in parts)
        raws = Raws(
            np.concatenate([part.raws.lengths for part in parts]),
            np.concatenate([part.raws.wide(width) for part in parts]),
        )
        whole = cls(at_ms, numbers, raws)
        in_order = bool((at_ms[1:] >= at_ms[:-1]).all())
        return whole if in_order else whole.where(np.argsort(at_ms, kind="stable"))

    def same(self, other: Self) -> bool:
        """Return whether both hold exactly the same readings."""
        return (
            np.array_equal(self.at_ms, other.at_ms)
            and np.array_equal(self.raws.lengths, other.raws.lengths)
            and self.raws.joined() == other.raws.joined()
            and all(
                np.array_equal(self.numbers[name].present, other.numbers[name].present)
                and np.array_equal(self.numbers[name].values, other.numbers[name].values)
                for name in NUMBERS
            )
        )


# -- packing ----------------------------------------------------------------------------------


def pack_integers(values: Ints, config: ChunkConfig = BEST) -> bytes:
    """Return integers as one pcodec stream."""
    return bytes(standalone.simple_compress(np.ascontiguousarray(values, np.int64), config))


def unpack_integers(packed: bytes, count: int | None = None) -> Ints:
    """Return the integers of one pcodec stream.

    Raises:
        ValueError: the stream is damaged or does not have ``count`` values.

    """
    try:
        values: Ints | None = standalone.simple_decompress(packed)
    except (RuntimeError, ValueError) as error:
        raise ValueError(str(error)) from error
    if values is None or values.dtype != np.int64 or (count is not None and count != len(values)):
        msg = "another number of values"
        raise ValueError(msg)
    return values


def pack(parts: Iterable[Column | Raws]) -> bytes:
    """Return columns as one blob: how many, their entries, their bytes."""
    packed = [_pack_raws(part) if isinstance(part, Raws) else _pack(part) for part in parts]
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
    lengths = pack_integers(raws.lengths)
    if raws.padded.shape[1] > WORD_BYTES:
        return LONG_RAW, lengths, zlib.compress(raws.joined(), 9)
    words = raws.wide(WORD_BYTES)[raws.lengths > 0].view(">i8")[:, 0]
    return SHORT_RAW, lengths, pack_integers(words) if len(words) else b""


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
    filled = lengths > 0
    words = np.zeros(len(lengths), ">i8")
    if filled.any():
        words[filled] = unpack_integers(packed, int(filled.sum()))
    padded = words.view(np.uint8).reshape(-1, WORD_BYTES)
    width = int(lengths.max(initial=0))
    if int(lengths.min(initial=0)) < 0 or width > WORD_BYTES:
        msg = "another number of bytes"
        raise ValueError(msg)
    return Raws(lengths, padded[:, WORD_BYTES - width :])


def _long(lengths: Ints, packed: bytes) -> Raws:
    return Raws.of_content(lengths, zlib.decompress(packed))
