"""A sealed segment: readings of one source and one stretch of time, compressed and proven.

docs/archive.md describes the bytes and the checksum, so that both can be checked without evdesk.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from evdesk.domain.errors import Damaged
from evdesk.domain.instants import from_ms as instant
from evdesk.domain.instants import rfc3339
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId
from evdesk.storage.buckets import MINUTE_MS, Buckets
from evdesk.storage.columns import NUMBERS, Column, Columns, Ints, Raws, pack, unpack
from evdesk.storage.connection import Row, Value

DAMAGED = (
    "The sealed readings of meter {meter}, socket {socket}, from {from_at} to {to_at} are damaged: "
    "they are not what was sealed. Other hours can still be read; nothing was changed. Keep a copy "
    "of the site folder as it is, then restore the newest backup from before the damage."
)
DAY_MS = 86_400_000  # no segment spans more
COLUMNS = (
    "meter_id, socket, from_ms, until_ms, part, bucket_ms, readings, first_ms, last_ms,"
    " curve_digest, register_digest, rest_digest, digest, buckets"
)
FIRST_DIGEST, DIGEST, BUCKETS = 9, 12, 13  # where they stand in COLUMNS
HEAD = (
    b"evdesk segment 1\nmeter %d\nsocket %d\nfrom %d\nuntil %d\npart %d\nbucket %d\n"
    b"readings %d\nfirst %d\nlast %d\n"
)
INSERT = (
    f"INSERT INTO segment ({COLUMNS}, power_readings, power_min_dw, power_max_dw,"  # noqa: S608
    " power_sum_dw, bytes, data_id)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
# What is read together stands together and is proven together.
CURVE = ("at_ms", "power_dw")
REGISTER = ("import_wh", "import_raw")
REST = tuple(name for name in NUMBERS if name not in {*CURVE, *REGISTER})
GROUPS = (CURVE, REGISTER, REST)

Part = Column | Raws
Blobs = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True)
class Span:
    """Whose readings a segment holds, and from when to when."""

    source: Source
    from_ms: int
    until_ms: int
    part: int


@dataclass(frozen=True, slots=True)
class Segment:
    """What stands beside the columns of a segment: ``digests`` of their groups, packed buckets."""

    span: Span
    bucket_ms: int
    readings: int
    first_ms: int
    last_ms: int
    digests: Blobs
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
        return proven_buckets(self.row())

    def computed_digest(self) -> bytes:
        """Return the digest over who, when and how many, and the digests of all parts."""
        return _digest(self.row())

    def row(self) -> Row:
        """Return the values of ``COLUMNS``, as ``segment_of`` takes them."""
        span = self.span
        return (
            *(span.source.meter_id, span.source.socket, span.from_ms, span.until_ms, span.part),
            *(self.bucket_ms, self.readings, self.first_ms, self.last_ms),
            *(*self.digests, self.digest, self.buckets),
        )

    def curve(self, blob: bytes) -> tuple[Ints, Column]:
        """Return the instants in ms and the power in 0.1 W, proven.

        Raises:
            ValueError: they are damaged.

        """
        self.proven_buckets()
        found = self._group(CURVE, blob)
        return _column(found["at_ms"]).values, _column(found["power_dw"])

    def register(self, blob: bytes) -> Column:
        """Return the register in Wh, proven with its raw words.

        Raises:
            ValueError: they are damaged.

        """
        self.proven_buckets()
        return _column(self._group(REGISTER, blob)["import_wh"])

    def columns(self, blobs: Blobs) -> Columns:
        """Return all columns, proven.

        Raises:
            ValueError: they are damaged.

        """
        self.proven_buckets()
        found: dict[str, Part] = {}
        for group, blob in zip(GROUPS, blobs, strict=True):
            found |= self._group(group, blob)
        raws = found["import_raw"]
        if not isinstance(raws, Raws):
            msg = "a column of another kind"
            raise ValueError(msg)  # noqa: TRY004 - of the file, not of the program
        numbers = {name: _column(found[name]) for name in NUMBERS}
        return Columns(_column(found["at_ms"]).values, numbers, raws)

    def _group(self, names: tuple[str, ...], blob: bytes) -> dict[str, Part]:
        found = dict(zip(names, unpack(blob, self.readings), strict=True))
        if _sha256(_content(found)) != self.digests[GROUPS.index(names)]:
            msg = "other values"
            raise ValueError(msg)
        return found


@dataclass(frozen=True, slots=True)
class Draft:
    """A segment with its columns, to be written; ``power`` is that of all that was sealed in it."""

    segment: Segment
    power: tuple[Value, ...]
    blobs: Blobs

    def values(self, data_id: int) -> tuple[Value, ...]:
        """Return a row for ``INSERT``."""
        size_bytes = sum(map(len, self.blobs)) + len(self.segment.buckets)
        return *self.segment.row(), *self.power, size_bytes, data_id


def seal(span: Span, bucket_ms: int, columns: Columns, buckets: Buckets) -> Draft:
    """Return readings as a segment; it has been read back and compared.

    ``buckets`` may tell of more readings than ``columns`` holds: then it is a thinned one.
    """
    known: dict[str, Part] = {"at_ms": Column.every(columns.at_ms), "import_raw": columns.raws}
    known |= columns.numbers
    curve, register, rest = ({name: known[name] for name in names} for names in GROUPS)
    blobs = pack(curve.values()), pack(register.values()), pack(rest.values())
    segment = Segment(
        span=span,
        bucket_ms=bucket_ms,
        readings=len(columns),
        first_ms=int(columns.at_ms[0]),
        last_ms=int(columns.at_ms[-1]),
        digests=(_sha256(_content(curve)), _sha256(_content(register)), _sha256(_content(rest))),
        digest=b"",
        buckets=buckets.pack(span.from_ms, sums=bucket_ms != MINUTE_MS),
    )
    segment = replace(segment, digest=segment.computed_digest())
    if not segment.columns(blobs).same(columns):
        msg = f"what was sealed does not come back: {span}"
        raise RuntimeError(msg)
    return Draft(segment, _power(buckets), blobs)


def segment_of(row: Row) -> Segment:
    """Return the segment of a row in the order of ``COLUMNS``."""
    meter_id, socket, from_ms, until_ms, part, bucket_ms, readings, first_ms, last_ms = row[:9]
    span = Span(Source(MeterId(meter_id), socket), from_ms, until_ms, part)
    curve, register, rest, digest, buckets = row[9:]
    digests = curve, register, rest
    return Segment(span, bucket_ms, readings, first_ms, last_ms, digests, digest, buckets)


def proven_buckets(row: Row) -> bytes:
    """Return the packed buckets of a row in the order of ``COLUMNS``, proven.

    Raises:
        ValueError: something of the segment is not what was sealed.

    """
    if _digest(row) != row[DIGEST]:
        msg = "another digest"
        raise ValueError(msg)
    buckets: bytes = row[BUCKETS]
    return buckets


def _digest(row: Row) -> bytes:
    head, digests = HEAD % row[:FIRST_DIGEST], row[FIRST_DIGEST:DIGEST]
    return _sha256(b"".join([head, *digests, _sha256(row[BUCKETS])]))


def damaged(span: Span, meter: str) -> Damaged:
    """Return the error that says which hour of which meter is damaged."""
    until_ms = min(max(span.from_ms, span.until_ms), span.from_ms + DAY_MS)  # it may be the damage
    from_at, to_at = rfc3339(instant(span.from_ms)), rfc3339(instant(until_ms))
    return Damaged(DAMAGED, meter=meter, socket=span.source.socket, from_at=from_at, to_at=to_at)


def _power(buckets: Buckets) -> tuple[Value, ...]:
    """Return the number of readings with power, and its minimum, maximum and sum."""
    if not len(buckets) or buckets.sum_dw is None:
        return 0, None, None, None
    lowest, highest = int(buckets.min_dw.min()), int(buckets.max_dw.max())
    return int(buckets.count.sum()), lowest, highest, int(buckets.sum_dw.sum())


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _content(group: Mapping[str, Part]) -> bytes:
    return b"".join(name.encode("ascii") + b"\0" + part.content() for name, part in group.items())


def _column(part: Part) -> Column:
    if not isinstance(part, Column):
        msg = "a column of another kind"
        raise ValueError(msg)  # noqa: TRY004 - of the file, not of the program
    return part


def minutes(columns: Columns) -> Buckets:
    """Return the buckets of a segment that holds every reading."""
    return power_of(columns.at_ms, columns.numbers["power_dw"]).regrouped(MINUTE_MS)


def power_of(at_ms: Ints, power: Column) -> Buckets:
    """Return one bucket for each reading that has power."""
    return Buckets.of_readings(at_ms[power.present], power.values[power.present])


def within(at_ms: Ints, from_ms: int, to_ms: int) -> slice:
    """Return where in sorted instants from_ms <= at_ms < to_ms lies."""
    return slice(int(np.searchsorted(at_ms, from_ms)), int(np.searchsorted(at_ms, to_ms)))
