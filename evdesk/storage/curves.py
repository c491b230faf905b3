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

# Power and offset in the bucket are packed into one integer, so that one pass over the primary key
# finds the minimum and the maximum together with the instants at which they were read.
BUCKETS = """
    SELECT min(at_ms), max(at_ms), count(*),
           min(power_dw * :width + (at_ms - :from_ms) % :width),
           max(power_dw * :width + (at_ms - :from_ms) % :width)
    FROM reading
    WHERE meter_id = :meter AND socket = :socket AND at_ms >= :from_ms AND at_ms < :to_ms
      AND power_dw IS NOT NULL
    GROUP BY (at_ms - :from_ms) / :width
    ORDER BY 1
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
    buckets = _buckets(connection, source, span_ms, max(1, points // POINTS_A_BUCKET))
    longest_ms = max(GAP_MS, GAP_INTERVALS * _usual_interval_ms(buckets))
    found: list[tuple[int, int | None]] = [point for bucket in buckets for point in bucket.points]
    found += [(after_ms - 1, None) for _, after_ms in _gaps_between(buckets, longest_ms)]
    found += _gaps_inside(connection, source, buckets, longest_ms)
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
    rows = connection.all(
        BUCKETS,
        {
            "width": width_ms,
            "from_ms": from_ms,
            "to_ms": to_ms,
            "meter": source.meter_id,
            "socket": source.socket,
        },
    )
    buckets = []
    for first_ms, last_ms, n, *packed in rows:
        start_ms = first_ms - (first_ms - from_ms) % width_ms
        points = {(start_ms + one % width_ms, one // width_ms) for one in packed}
        buckets.append(_Bucket(first_ms, last_ms, n, tuple(sorted(points))))
    return buckets


def _usual_interval_ms(buckets: list[_Bucket]) -> float:
    inside = [(b.last_ms - b.first_ms) / (b.count - 1) for b in buckets if b.count > 1]
    between = [after.first_ms - before.last_ms for before, after in pairwise(buckets)]
    return median(inside or between or [0])


def _gaps_between(buckets: list[_Bucket], longest_ms: float) -> list[tuple[int, int]]:
    return [
        (before.last_ms, after.first_ms)
        for before, after in pairwise(buckets)
        if after.first_ms - before.last_ms > longest_ms
    ]


def _gaps_inside(
    connection: Connection, source: Source, buckets: list[_Bucket], longest_ms: float
) -> list[tuple[int, None]]:
    gaps: list[tuple[int, None]] = []
    usual_ms = _usual_interval_ms(buckets)
    for bucket in buckets:
        missing_ms = bucket.last_ms - bucket.first_ms - (bucket.count - 1) * usual_ms
        if missing_ms + usual_ms <= longest_ms:
            continue  # even one silence would be too short
        silences = connection.all(
            SILENCES, (source.meter_id, source.socket, bucket.first_ms, bucket.last_ms, longest_ms)
        )
        gaps += [(after_ms - 1, None) for _, after_ms in silences]
    return gaps
