"""A sealed segment: readings of one source and one stretch of time, compressed and proven.

docs/archive.md describes the bytes and the checksum, so that both can be checked without evdesk.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from evdesk.domain.errors import StorageError
from evdesk.domain.instants import from_ms as instant
from evdesk.domain.instants import rfc3339
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId
from evdesk.storage.buckets import MINUTE_MS, Buckets
from evdesk.storage.columns import NUMBERS, Column, Columns, Ints, pack, unpack
from evdesk.storage.connection import Row, Value

DAMAGED = (
    "The sealed readings of meter {meter}, socket {socket}, from {from_at} are damaged: they are "
    "not what was sealed. All other hours are intact; nothing was changed. Keep a copy of the site "
    "folder as it is, then restore the newest backup from before the damage."
)
COLUMNS = (
    "meter_id, socket, from_ms, part, until_ms, bucket_ms, readings, first_ms, last_ms,"
    " curve_digest, rest_digest, digest, buckets"
)
INSERT = (
    f"INSERT INTO segment ({COLUMNS}, power_readings, power_min_dw, power_max_dw,"  # noqa: S608
    " power_sum_dw, bytes, data_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
REST = tuple(name for name in NUMBERS if name != "power_dw")


@dataclass(frozen=True, slots=True)
class Span:
    """Whose readings a segment holds, and from when to when."""

    source: Source
    from_ms: int
    until_ms: int
    part: int


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands beside the columns of a segment; ``buckets`` are packed."""

    span: Span
    bucket_ms: int
    readings: int
    first_ms: int
    last_ms: int
    curve_digest: bytes
    rest_digest: bytes
    digest: bytes
    buckets: bytes

    @property
    def thinned(self) -> bool:
        """Whether only what stands for a quarter hour is left."""
        return self.bucket_ms != MINUTE_MS

    def proven_buckets(self) -> bytes:
        """Return the packed buckets for plots, proven.

        Raises:
            ValueError: something of the segment is not what was sealed.

        """
        parts = self.curve_digest, self.rest_digest, _sha256(self.buckets)
        if _digest(self.span, self.bucket_ms, self.readings, parts) != self.digest:
            msg = "another digest"
            raise ValueError(msg)
        return self.buckets

    def curve(self, blob: bytes) -> tuple[Ints, Column]:
        """Return the instants in ms and the power in 0.1 W, proven.

        Raises:
            ValueError: they are damaged.

        """
        at_ms, power = unpack(blob, self.readings)
        if not isinstance(at_ms, Column) or not isinstance(power, Column):
            msg = "a column of another kind"
            raise ValueError(msg)  # noqa: TRY004 - of the file, not of the program
        if _sha256(_curve_content(at_ms.values, power)) != self.curve_digest:
            msg = "other instants or power"
            raise ValueError(msg)
        return at_ms.values, power

    def columns(self, curve: bytes, rest: bytes) -> Columns:
        """Return all columns, proven.

        Raises:
            ValueError: they are damaged.

        """
        self.proven_buckets()
        at_ms, power = self.curve(curve)
        *numbers, raws = unpack(rest, self.readings)
        known = {n: c for n, c in zip(REST, numbers, strict=True) if isinstance(c, Column)}
        if isinstance(raws, Column) or len(known) != len(REST):
            msg = "a column of another kind"
            raise ValueError(msg)
        found = Columns(at_ms, known | {"power_dw": power}, raws)
        if _sha256(_rest_content(found)) != self.rest_digest:
            msg = "other values"
            raise ValueError(msg)
        return found


@dataclass(frozen=True, slots=True)
class Draft:
    """A segment with its columns, to be written; ``power`` is that of all that was sealed in it."""

    segment: Segment
    power: tuple[Value, ...]
    curve: bytes
    rest: bytes

    def values(self, data_id: int) -> tuple[Value, ...]:
        """Return a row for ``INSERT``."""
        one, span = self.segment, self.segment.span
        size_bytes = len(self.curve) + len(self.rest) + len(one.buckets)
        return (
            *(span.source.meter_id, span.source.socket, span.from_ms, span.part, span.until_ms),
            *(one.bucket_ms, one.readings, one.first_ms, one.last_ms),
            *(one.curve_digest, one.rest_digest, one.digest, one.buckets),
            *(*self.power, size_bytes, data_id),
        )


def seal(span: Span, bucket_ms: int, columns: Columns, buckets: Buckets) -> Draft:
    """Return readings as a segment; it has been read back and compared.

    ``buckets`` may tell of more readings than ``columns`` holds: then it is a thinned one.
    """
    power = columns.numbers["power_dw"]
    curve = pack([Column.every(columns.at_ms), power])
    rest = pack([*(columns.numbers[name] for name in REST), columns.raws])
    packed = buckets.pack(span.from_ms, sums=bucket_ms != MINUTE_MS)
    parts = (
        _sha256(_curve_content(columns.at_ms, power)),
        _sha256(_rest_content(columns)),
        _sha256(packed),
    )
    draft = Draft(
        segment=Segment(
            span=span,
            bucket_ms=bucket_ms,
            readings=len(columns),
            first_ms=int(columns.at_ms[0]),
            last_ms=int(columns.at_ms[-1]),
            curve_digest=parts[0],
            rest_digest=parts[1],
            digest=_digest(span, bucket_ms, len(columns), parts),
            buckets=packed,
        ),
        power=_power(buckets),
        curve=curve,
        rest=rest,
    )
    if not draft.segment.columns(curve, rest).same(columns):
        msg = f"what was sealed does not come back: {span}"
        raise RuntimeError(msg)
    return draft


def segment_of(row: Row) -> Segment:
    """Return the segment of a row in the order of ``COLUMNS``."""
    meter_id, socket, from_ms, part, until_ms, *rest = row
    return Segment(Span(Source(MeterId(meter_id), socket), from_ms, until_ms, part), *rest)


def damaged(span: Span, meter: str) -> StorageError:
    """Return the error that says which hour of which meter is damaged."""
    return StorageError(
        DAMAGED, meter=meter, socket=span.source.socket, from_at=rfc3339(instant(span.from_ms))
    )


def _power(buckets: Buckets) -> tuple[Value, ...]:
    """Return the number of readings with power, and its minimum, maximum and sum."""
    if not len(buckets) or buckets.sum_dw is None:
        return 0, None, None, None
    lowest, highest = int(buckets.min_dw.min()), int(buckets.max_dw.max())
    return int(buckets.count.sum()), lowest, highest, int(buckets.sum_dw.sum())


# -- what is proven ---------------------------------------------------------------------------


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _digest(span: Span, bucket_ms: int, readings: int, parts: tuple[bytes, bytes, bytes]) -> bytes:
    """Return the digest over who, when, how many, and the digests of the three parts."""
    head = (
        "evdesk segment 1\n"
        f"meter {span.source.meter_id}\nsocket {span.source.socket}\n"
        f"from {span.from_ms}\nuntil {span.until_ms}\npart {span.part}\n"
        f"bucket {bucket_ms}\nreadings {readings}\n"
    )
    return _sha256(head.encode("ascii") + b"".join(parts))


def _curve_content(at_ms: Ints, power: Column) -> bytes:
    return b"at_ms\0" + at_ms.astype("<i8").tobytes() + b"power_dw\0" + power.content()


def _rest_content(columns: Columns) -> bytes:
    named = [name.encode("ascii") + b"\0" + columns.numbers[name].content() for name in REST]
    return b"".join(named) + b"import_raw\0" + columns.raws.content()


def minutes(columns: Columns) -> Buckets:
    """Return the buckets of a segment that holds every reading."""
    return power_of(columns.at_ms, columns.numbers["power_dw"]).regrouped(MINUTE_MS)


def power_of(at_ms: Ints, power: Column) -> Buckets:
    """Return one bucket for each reading that has power."""
    return Buckets.of_readings(at_ms[power.present], power.values[power.present])


def within(at_ms: Ints, from_ms: int, to_ms: int) -> slice:
    """Return where in sorted instants from_ms <= at_ms < to_ms lies."""
    return slice(int(np.searchsorted(at_ms, from_ms)), int(np.searchsorted(at_ms, to_ms)))
