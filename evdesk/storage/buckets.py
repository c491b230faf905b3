"""Power in stretches of time, as arrays: enough for a plot in which no peak and no gap is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from evdesk.storage.columns import QUICK, Ints, pack_integers, unpack_integers

MINUTE_MS = 60_000
QUARTER_MS = 900_000
LATEST = np.iinfo(np.int64).max
TIMES, FIELDS = 4, 7
NOTHING = np.empty(0, np.int64)


class Packed(NamedTuple):
    """Bytes of ``Buckets.pack``: with or without sums, and how many buckets they have at most."""

    from_ms: int
    sums: bool
    most: int
    blob: bytes


@dataclass(frozen=True, slots=True)
class Buckets:
    """One entry a stretch of time in which power was read; instants in ms, power in 0.1 W.

    A single reading is a bucket, too. Sums are kept where nothing else tells the mean any more.
    """

    first_ms: Ints
    last_ms: Ints
    count: Ints
    min_dw: Ints
    min_at_ms: Ints
    max_dw: Ints
    max_at_ms: Ints
    sum_dw: Ints | None

    def __len__(self) -> int:
        return len(self.first_ms)

    def fields(self) -> list[Ints]:
        """Return the arrays in their order on disk, the sums last where there are any."""
        times = [self.first_ms, self.last_ms, self.min_at_ms, self.max_at_ms]
        sums = [] if self.sum_dw is None else [self.sum_dw]
        return [*times, self.count, self.min_dw, self.max_dw, *sums]

    @classmethod
    def of_readings(cls, at_ms: Ints, power_dw: Ints) -> Self:
        """Return one bucket a reading."""
        once = np.ones(len(at_ms), np.int64)
        return cls(at_ms, at_ms, once, power_dw, at_ms, power_dw, at_ms, power_dw)

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Return all buckets in order of their first readings, without sums."""
        fields = [part.fields()[:FIELDS] for part in parts if len(part)] or [[NOTHING] * FIELDS]
        whole = [
            each[0] if len(each) == 1 else np.concatenate(each)
            for each in zip(*fields, strict=True)
        ]
        if (whole[0][1:] < whole[0][:-1]).any():
            order = np.argsort(whole[0], kind="stable")
            whole = [field[order] for field in whole]
        return cls._of_fields(whole)

    @classmethod
    def _of_fields(cls, fields: Sequence[Ints]) -> Self:
        first, last, min_at, max_at, count, lowest, highest, *sums = fields
        return cls(first, last, count, lowest, min_at, highest, max_at, sums[0] if sums else None)

    def between(self, from_ms: int, to_ms: int) -> Self:
        """Return the buckets that reach into from_ms <= at_ms < to_ms."""
        chosen = (self.last_ms >= from_ms) & (self.first_ms < to_ms)
        if chosen.all():
            return self
        return self._of_fields([field[chosen] for field in self.fields()])

    def regrouped(self, width_ms: int) -> Self:
        """Merge buckets that begin in the same stretch of ``width_ms``, counted from 1970.

        They must be in order of their first readings.
        """
        if not len(self):
            return self
        stretch = self.first_ms // width_ms
        starts = np.flatnonzero(np.diff(stretch, prepend=stretch[0] - 1))
        if len(starts) == len(stretch):
            return self
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
            sum_dw=None if self.sum_dw is None else np.add.reduceat(self.sum_dw, starts),
        )

    def pack(self, from_ms: int, *, sums: bool) -> bytes:
        """Return the buckets as few bytes, instants counted from ``from_ms``; none as no bytes."""
        fields = self.fields()
        kept = [*(field - from_ms for field in fields[:TIMES]), *fields[TIMES:FIELDS]]
        whole = np.concatenate(kept + fields[FIELDS:] * sums)
        return pack_integers(whole, QUICK) if len(self) else b""

    @classmethod
    def unpack(cls, packed: Sequence[Packed]) -> Self:
        """Return what ``pack`` wrote, joined without sums.

        Raises:
            ValueError: the bytes are damaged.

        """
        whole = np.empty((FIELDS, sum(one.most for one in packed)), np.int64)
        begins_ms, sizes, end = [0], [0], 0
        for one in packed:
            if one.blob:
                table = unpack_integers(one.blob).reshape(FIELDS + one.sums, -1)
                begin, end = end, end + table.shape[1]
                whole[:, begin:end] = table[:FIELDS]  # at once: so much memory is slow to come by
                begins_ms.append(one.from_ms)
                sizes.append(end - begin)
        whole = whole[:, :end]
        whole[:TIMES] += np.repeat(begins_ms, sizes)
        return cls._of_fields(list(whole))
