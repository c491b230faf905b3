"""A power curve for a plot: as many points as there are pixels, no peak lost, gaps left open."""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from evdesk.domain.meters import Source
from evdesk.ports import Curve
from evdesk.storage.connection import Connection

MS_PER_S = 1000
DECI = 10
GAP_MS = 60_000
GAP_INTERVALS = 3
POINTS_A_BUCKET = 2  # its minimum and its maximum
FEWEST_BUCKETS = 8

# One query a bucket walks the primary key once; GROUP BY would sort all rows first and takes three
# times as long. Power and the offset in the bucket are packed into one integer, so that minimum and
# maximum come with the instants at which they were read.
BUCKET = """
    SELECT min(at_ms), max(at_ms), count(*),
           min(power_dw * ?1 + at_ms - ?2), max(power_dw * ?1 + at_ms - ?2)
    FROM reading
    WHERE meter_id = ?4 AND socket = ?5 AND at_ms >= ?2 AND at_ms < ?3 AND power_dw IS NOT NULL
"""
SILENCES = """
    SELECT before_ms, at_ms FROM (
        SELECT at_ms, lag(at_ms) OVER (ORDER BY at_ms) AS before_ms FROM reading
        WHERE meter_id = ? AND socket = ? AND at_ms >= ? AND at_ms <= ? AND power_dw IS NOT NULL)
    WHERE at_ms - before_ms > ?
"""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What was read in one stretch of time; ``points`` are (at_ms, power_dw) in order of time."""

    first_ms: int
    last_ms: int
    count: int
    points: tuple[tuple[int, int], ...]


def curve_between(
    connection: Connection, source: Source, span_ms: tuple[int, int], points: int
) -> Curve:
    """Return the curve of from_ms <= at_ms < to_ms; a gap is one point whose power is None."""
    count = max(FEWEST_BUCKETS, points // POINTS_A_BUCKET)
    buckets = _buckets(connection, source, span_ms, count)
    intervals_ms = _intervals_ms(buckets)
    longest_ms = max(GAP_MS, GAP_INTERVALS * median(intervals_ms))
    found: list[tuple[int, int | None]] = [point for bucket in buckets for point in bucket.points]
    found += [(after_ms - 1, None) for _, after_ms in _gaps_between(buckets, longest_ms)]
    for bucket in buckets:
        missing_ms = bucket.last_ms - bucket.first_ms - (bucket.count - 1) * min(intervals_ms)
        if missing_ms + min(intervals_ms) > longest_ms:  # otherwise no silence in it is too long
            found += _gaps_inside(connection, source, bucket, longest_ms)
    found.sort(key=lambda point: point[0])
    return Curve(
        at_s=tuple(at_ms / MS_PER_S for at_ms, _ in found),
        power_w=tuple(None if dw is None else dw / DECI for _, dw in found),
    )


def _buckets(
    connection: Connection, source: Source, span_ms: tuple[int, int], count: int
) -> list[_Bucket]:
    from_ms, to_ms = span_ms
    width_ms = max(1, -((from_ms - to_ms) // count))
    buckets = []
    for start_ms in range(from_ms, to_ms, width_ms):
        end_ms = min(start_ms + width_ms, to_ms)
        row = connection.one(BUCKET, (width_ms, start_ms, end_ms, source.meter_id, source.socket))
        if row is not None and row[2]:
            first_ms, last_ms, n, *packed = row
            points = {(start_ms + one % width_ms, one // width_ms) for one in packed}
            buckets.append(_Bucket(first_ms, last_ms, n, tuple(sorted(points))))
    return buckets


def _intervals_ms(buckets: list[_Bucket]) -> list[float]:
    """Return the mean interval in each bucket; between buckets where most have one reading."""
    inside = [(b.last_ms - b.first_ms) / (b.count - 1) for b in buckets if b.count > 1]
    if inside and 2 * len(inside) >= len(buckets):
        return inside
    between = [float(after.first_ms - before.last_ms) for before, after in pairwise(buckets)]
    return between or [0.0]


def _gaps_between(buckets: list[_Bucket], longest_ms: float) -> list[tuple[int, int]]:
    return [
        (before.last_ms, after.first_ms)
        for before, after in pairwise(buckets)
        if after.first_ms - before.last_ms > longest_ms
    ]


def _gaps_inside(
    connection: Connection, source: Source, bucket: _Bucket, longest_ms: float
) -> list[tuple[int, None]]:
    silences = connection.all(
        SILENCES, (source.meter_id, source.socket, bucket.first_ms, bucket.last_ms, longest_ms)
    )
    return [(after_ms - 1, None) for _, after_ms in silences]
