"""A power curve for a plot: as many points as there are pixels, no peak lost, gaps left open.

Below a minute a point, curves are drawn from readings; above, from whole minutes, which sealed
hours keep beside their columns. Either way rows and sealed hours give the same curve.
"""

from collections.abc import Iterable

import numpy as np

from evdesk.domain.meters import Source
from evdesk.ports import Curve
from evdesk.storage.archived import Archived, Found
from evdesk.storage.buckets import MINUTE_MS, Buckets
from evdesk.storage.columns import Ints
from evdesk.storage.connection import Connection, Values
from evdesk.storage.row_columns import read_integers

MS_PER_S = 1000
DECI = 10
GAP_MS = 60_000  # no shorter than a minute: so every gap shows between the buckets of minutes
GAP_INTERVALS = 3
POINTS_A_BUCKET = 2  # its minimum and its maximum
FEWEST_BUCKETS = 8

Span = tuple[int, int]


def curves_between(
    db: Connection, sources: Iterable[Source], span_ms: Span, points: int
) -> dict[Source, Curve]:
    """Return a curve of from_ms <= at_ms < to_ms for each source; coarse ones of whole minutes."""
    (from_ms, to_ms), wanted = span_ms, list(dict.fromkeys(sources))
    if from_ms >= to_ms:
        return dict.fromkeys(wanted, Curve((), ()))
    width_ms = -((from_ms - to_ms) // max(FEWEST_BUCKETS, points // POINTS_A_BUCKET))
    coarse = width_ms >= MINUTE_MS
    if coarse:
        width_ms = round(width_ms / MINUTE_MS) * MINUTE_MS
        from_ms, to_ms = from_ms // MINUTE_MS * MINUTE_MS, _up(to_ms)
    rows = _power_of_rows(db, wanted, (from_ms, to_ms))
    archived = Archived(db)
    curves = {}
    for source in wanted:
        sealed = archived.power(source, from_ms, to_ms, minutes=coarse)
        curves[source] = _curve(sealed, rows[source], width_ms)
    return curves


def _up(ms: int) -> int:
    return -(-ms // MINUTE_MS) * MINUTE_MS


def _power_of_rows(db: Connection, sources: list[Source], span_ms: Span) -> dict[Source, Buckets]:
    """Return the power of rows; one walk over them serves all sources."""
    rows = "FROM reading WHERE at_ms >= ? AND at_ms < ? AND power_dw IS NOT NULL"
    values: Values = span_ms
    if len(sources) == 1:
        rows += " AND meter_id = ? AND socket = ?"
        values = (*span_ms, sources[0].meter_id, sources[0].socket)
    table = read_integers(db, ("meter_id", "socket", "at_ms", "power_dw"), rows, values)
    meter, socket, at_ms, power_dw = (column.values for column in table.values())
    found = {}
    for source in sources:
        chosen = (meter == source.meter_id) & (socket == source.socket)
        found[source] = Buckets.of_readings(at_ms[chosen], power_dw[chosen])
    return found


def _curve(sealed: Found, rows: Buckets, width_ms: int) -> Curve:
    found = Buckets.joined([*sealed.parts, rows])
    silent_ms = _silences(found.regrouped(MINUTE_MS))
    plotted = found.regrouped(width_ms)
    at_ms = np.concatenate([plotted.min_at_ms, plotted.max_at_ms, silent_ms])
    nothing = np.full(len(silent_ms), np.nan)
    power_w = np.concatenate([plotted.min_dw / DECI, plotted.max_dw / DECI, nothing])
    at_ms, order = np.unique(at_ms, return_index=True)
    known = power_w[order].tolist()
    thinned_ms = sealed.thinned_until_ms
    return Curve(
        at_s=tuple((at_ms / MS_PER_S).tolist()),
        power_w=tuple(None if watts != watts else watts for watts in known),  # noqa: PLR0124 - NaN
        thinned_until_s=None if thinned_ms is None else thinned_ms / MS_PER_S,
    )


def _silences(minutes: Buckets) -> Ints:
    """Return the last millisecond of each silence over 3 of the usual intervals and 60 s."""
    if len(minutes) < 2:  # noqa: PLR2004 - a silence has two ends
        return np.empty(0, np.int64)
    silence_ms = minutes.first_ms[1:] - np.maximum.accumulate(minutes.last_ms)[:-1]
    if (silence_ms <= GAP_MS).all():
        return np.empty(0, np.int64)
    inside = minutes.count > 1
    interval_ms = np.append(silence_ms, 0).astype(np.float64)
    span_ms = (minutes.last_ms - minutes.first_ms)[inside]
    interval_ms[inside] = span_ms / (minutes.count[inside] - 1)
    known = interval_ms if inside[-1] else interval_ms[:-1]  # the last one stands alone
    longest_ms = max(float(GAP_MS), GAP_INTERVALS * float(np.median(known)))
    return minutes.first_ms[1:][silence_ms > longest_ms] - 1
