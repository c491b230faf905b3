"""Reading what has been sealed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import merge

from evdesk.domain.errors import Damaged
from evdesk.domain.instants import from_ms as instant
from evdesk.domain.meters import Source
from evdesk.domain.readings import Reading
from evdesk.ports import TellDamage
from evdesk.storage.buckets import MINUTE_MS, Buckets, Packed
from evdesk.storage.columns import Column, Columns, Ints
from evdesk.storage.connection import Connection, Row
from evdesk.storage.reading_rows import reading_of
from evdesk.storage.segments import (
    COLUMNS,
    DAY_MS,
    Segment,
    damaged,
    power_of,
    proven_buckets,
    segment_of,
    within,
)

HOUR_MS = 3_600_000  # none that is not thinned does
NAMES = (
    *("current_l1_ma", "current_l2_ma", "current_l3_ma"),
    *("voltage_l1_dv", "voltage_l2_dv", "voltage_l3_dv"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """Power of one source; ``thinned_until_ms`` is where its newest thinned segment ends."""

    parts: tuple[Buckets, ...]
    thinned_until_ms: int | None


class Archived:
    """Sealed readings as far as they count: what lies behind the cut is still in rows.

    Whatever is read is proven first: damage is a StorageError that says which hour of which meter.
    """

    def __init__(self, db: Connection) -> None:
        self._db = db
        self.cut_ms = db.number("SELECT sealed_to_ms FROM archive")

    def segments(self, source: Source, from_ms: int, to_ms: int) -> list[Segment]:
        """Return segments with a reading in from_ms <= at_ms < to_ms that counts, oldest first."""
        return [segment_of(row) for row in self._rows(source, from_ms, to_ms)]

    def _rows(self, source: Source, from_ms: int, to_ms: int) -> list[Row]:
        end_ms = min(to_ms, self.cut_ms)
        return self._db.all(
            f"SELECT {COLUMNS} FROM segment"  # noqa: S608 - constants
            " WHERE meter_id = ? AND socket = ? AND from_ms > ? AND from_ms < ?"
            " AND last_ms >= ? AND first_ms < ? ORDER BY from_ms, part",
            (source.meter_id, source.socket, from_ms - DAY_MS, end_ms, from_ms, end_ms),
        )

    def columns(self, segment: Segment) -> Columns:
        """Return all columns of a segment."""
        curve, register, rest = self._blobs(segment, "curve, register, rest")
        try:
            return segment.columns((curve, register, rest))
        except ValueError as error:
            raise damaged(segment.span, self._name(segment)) from error

    def registers(self, segment: Segment) -> tuple[Ints, Column]:
        """Return the instants of a segment in ms and its register in Wh."""
        curve, register = self._blobs(segment, "curve, register")
        try:
            return segment.curve(curve)[0], segment.register(register)
        except ValueError as error:
            raise damaged(segment.span, self._name(segment)) from error

    def instants(self, segment: Segment) -> Ints:
        """Return the instants of a segment's readings, in ms."""
        return self._curve(segment)[0]

    def power(self, source: Source, from_ms: int, to_ms: int, *, minutes: bool) -> Found:
        """Return power in from_ms <= at_ms < to_ms: of whole minutes, or of each reading.

        Thinned segments have quarter hours only; those that reach into the span are whole.
        """
        parts: list[Buckets] = []
        packed: list[Packed] = []
        thinned_until_ms = None
        for row in self._rows(source, from_ms, to_ms):
            _, _, begin_ms, until_ms, _, bucket_ms, *_ = row
            thinned = bucket_ms != MINUTE_MS
            if thinned:
                thinned_until_ms = max(until_ms, thinned_until_ms or until_ms)
            if thinned or (minutes and until_ms <= self.cut_ms):
                blob = self._buckets(row)
                most = until_ms // bucket_ms - begin_ms // bucket_ms + 1
                packed.append(Packed(begin_ms, thinned, most, blob))
            else:
                at_ms, power = self._curve(segment_of(row))
                chosen = within(at_ms, from_ms, min(to_ms, self.cut_ms))
                parts.append(power_of(at_ms[chosen], power.where(chosen)))
        if packed:
            parts.append(Buckets.unpack(packed).between(from_ms, to_ms))
        return Found(tuple(parts), thinned_until_ms)

    def between(
        self, source: Source, from_ms: int, to_ms: int, damage: TellDamage | None = None
    ) -> Iterator[Reading]:
        """Yield readings in from_ms <= at_ms < to_ms, oldest first, a segment at a time.

        With ``damage``, a damaged segment is told of and left out.
        """
        overlapping: list[Segment] = []
        until_ms = 0
        for segment in self.segments(source, from_ms, to_ms):
            if overlapping and segment.span.from_ms >= until_ms:
                yield from self._merged(overlapping, from_ms, to_ms, damage)
                overlapping = []
            overlapping.append(segment)
            until_ms = max(until_ms, segment.span.until_ms)
        yield from self._merged(overlapping, from_ms, to_ms, damage)

    def newest(self, source: Source, at_ms: int) -> Reading | None:
        """Return the reading of that instant; where it was thinned out, the newest that is left."""
        found = list(self.between(source, at_ms, at_ms + 1))
        if not found:
            last = self._db.one(
                "SELECT max(last_ms) FROM segment WHERE meter_id = ? AND socket = ?"
                " AND last_ms < ?",
                (source.meter_id, source.socket, self.cut_ms),
            )
            if last is not None and last[0] is not None:
                found = list(self.between(source, last[0], last[0] + 1))
        return found[-1] if found else None

    def holds(self, source: Source, at_ms: int) -> bool:
        """Return whether there is a sealed reading of that instant."""
        segments = self.segments(source, at_ms, at_ms + 1)
        return any(at_ms in self.instants(segment) for segment in segments)

    def behind_the_cut(self) -> int:
        """Return how many readings of segments do not count, because they are still in rows."""
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM segment"  # noqa: S608 - constants
            " WHERE bucket_ms = 60000 AND from_ms > ? AND last_ms >= ?",
            (self.cut_ms - HOUR_MS, self.cut_ms),
        )
        segments = map(segment_of, rows)
        return sum(int((self.instants(segment) >= self.cut_ms).sum()) for segment in segments)

    # -- columns --------------------------------------------------------------------------------

    def _merged(
        self, segments: Sequence[Segment], from_ms: int, to_ms: int, damage: TellDamage | None
    ) -> Iterator[Reading]:
        streams: list[Iterator[Reading]] = []
        for segment in segments:
            try:
                streams.append(self._readings(segment, from_ms, to_ms))
            except Damaged as error:
                if damage is None:
                    raise
                damage(instant(segment.span.from_ms), error)
        if len(streams) == 1:
            return streams[0]
        return merge(*streams, key=lambda reading: reading.at)

    def _readings(self, segment: Segment, from_ms: int, to_ms: int) -> Iterator[Reading]:
        columns = self.columns(segment)
        chosen = within(columns.at_ms, from_ms, min(to_ms, self.cut_ms))
        return map(reading_of, rows_of(segment.span.source, columns, chosen))

    def _buckets(self, row: Row) -> bytes:
        try:
            return proven_buckets(row)
        except ValueError as error:
            segment = segment_of(row)
            raise damaged(segment.span, self._name(segment)) from error

    def _curve(self, segment: Segment) -> tuple[Ints, Column]:
        (curve,) = self._blobs(segment, "curve")
        try:
            return segment.curve(curve)
        except ValueError as error:
            raise damaged(segment.span, self._name(segment)) from error

    def _blobs(self, segment: Segment, names: str) -> tuple[bytes, ...]:
        span = segment.span
        row = self._db.one(
            f"SELECT {names} FROM segment_data WHERE id = (SELECT data_id FROM segment"  # noqa: S608
            " WHERE meter_id = ? AND socket = ? AND from_ms = ? AND part = ?)",
            (span.source.meter_id, span.source.socket, span.from_ms, span.part),
        )
        if row is None:
            raise damaged(span, self._name(segment))
        return row

    def _name(self, segment: Segment) -> str:
        meter = segment.span.source.meter_id
        row = self._db.one("SELECT name FROM meter WHERE id = ?", (meter,))
        return str(row[0]) if row else str(meter)


def rows_of(source: Source, columns: Columns, chosen: slice) -> Iterator[tuple[object, ...]]:
    """Yield readings as rows of table reading."""
    numbers = {name: column.where(chosen).items() for name, column in columns.numbers.items()}
    letters = [None if code is None else chr(code) for code in numbers["pilot"]]
    at_ms: list[int] = columns.at_ms[chosen].tolist()
    raws = columns.raws.where(chosen).items()
    return zip(
        *([source.meter_id] * len(at_ms), [source.socket] * len(at_ms), at_ms),
        *(numbers["import_wh"], raws, numbers["power_dw"]),
        *(numbers[name] for name in NAMES),
        letters,
        strict=True,
    )
