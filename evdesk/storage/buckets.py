"""Power in stretches of time, as arrays: enough for a plot in which no peak and no gap is lost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from evdesk.storage.columns import Ints, pack_integers, unpack_integers

MINUTE_MS = 60_000
QUARTER_MS = 900_000
LATEST = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Buckets:
    """One entry a stretch of time in which power was read; instants in ms, power in 0.1 W.

    A single reading is a bucket, too.
    """

    first_ms: Ints
    last_ms: Ints
    count: Ints
    min_dw: Ints
    min_at_ms: Ints
    max_dw: Ints
    max_at_ms: Ints
    sum_dw: Ints

    def __len__(self) -> int:
        return len(self.first_ms)

    def fields(self) -> Iterator[Ints]:
        """Yield the arrays in their order on disk."""
        yield from (self.first_ms, self.last_ms, self.min_at_ms, self.max_at_ms)
        yield from (self.count, self.min_dw, self.max_dw, self.sum_dw)

    @classmethod
    def of_readings(cls, at_ms: Ints, power_dw: Ints) -> Self:
        """Return one bucket a reading."""
        once = np.ones(len(at_ms), np.int64)
        return cls(at_ms, at_ms, once, power_dw, at_ms, power_dw, at_ms, power_dw)

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Return all buckets in order of their first readings."""
        fields = [np.concatenate(each) for each in zip(*(p.fields() for p in parts), strict=True)]
        if not fields:
            return cls.of_readings(np.empty(0, np.int64), np.empty(0, np.int64))
        order = np.argsort(fields[0], kind="stable")
        return cls._of_fields([field[order] for field in fields])

    @classmethod
    def _of_fields(cls, fields: list[Ints]) -> Self:
        first, last, min_at, max_at, count, lowest, highest, total = fields
        return cls(first, last, count, lowest, min_at, highest, max_at, total)

    def between(self, from_ms: int, to_ms: int) -> Self:
        """Return the buckets that reach into from_ms <= at_ms < to_ms."""
        chosen = (self.last_ms >= from_ms) & (self.first_ms < to_ms)
        return self._of_fields([field[chosen] for field in self.fields()])

    def regrouped(self, width_ms: int) -> Self:
        """Merge buckets that begin in the same stretch of ``width_ms``, counted from 1970.

        They must be in order of their first readings.
        """
        if not len(self):
            return self
        stretch = self.first_ms // width_ms
        starts = np.flatnonzero(np.diff(stretch, prepend=stretch[0] - 1))
        sizes = np.diff(starts, append=len(stretch))
        lowest = np.minimum.reduceat(self.min_dw, starts)
        highest = np.maximum.reduceat(self.max_dw, starts)
        is_low = self.min_dw == np.repeat(lowest, sizes)
        is_high = self.max_dw == np.repeat(highest, sizes)
        return type(self)(
            first_ms=self.first_ms[starts],
            last_ms=np.maximum.reduceat(self.last_ms, starts),
            count=np.add.reduceat(self.count, starts),
            min_dw=lowest,
            min_at_ms=np.minimum.reduceat(np.where(is_low, self.min_at_ms, LATEST), starts),
            max_dw=highest,
            max_at_ms=np.minimum.reduceat(np.where(is_high, self.max_at_ms, LATEST), starts),
            sum_dw=np.add.reduceat(self.sum_dw, starts),
        )

    def content(self, from_ms: int) -> bytes:
        """Return all fields as 64-bit integers, little-endian; instants count from ``from_ms``."""
        return self._relative(from_ms).astype("<i8").tobytes()

    def pack(self, from_ms: int) -> bytes:
        """Return the buckets as few bytes; none as no bytes."""
        return pack_integers(self._relative(from_ms)) if len(self) else b""

    @classmethod
    def unpack(cls, packed: bytes, from_ms: int) -> Self:
        """Return the buckets that ``pack`` wrote.

        Raises:
            ValueError: the bytes are damaged.

        """
        if not packed:
            return cls.joined([])
        fields = unpack_integers(packed).reshape(8, -1).copy()
        fields[:4] += from_ms
        return cls._of_fields(list(fields))

    def _relative(self, from_ms: int) -> Ints:
        fields = list(self.fields())
        return np.concatenate([field - from_ms for field in fields[:4]] + fields[4:])
