"""What stays of a day that is thinned out.

The registers at the edges of every quarter hour stay, so that a month can be reconciled years
later, and those on both sides of every silence; wherever a register fell, or rose by more than a
charging point can deliver; and a minute around everything that happened to a session or to its
meter. All of them whole, with their raw words.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from evdesk.domain.instants import parse_instant, to_ms
from evdesk.storage.buckets import QUARTER_MS
from evdesk.storage.columns import Bools, Columns, Ints
from evdesk.storage.connection import Connection
from evdesk.storage.segments import Draft, Span, power_of, seal

DAY_MS = 86_400_000
MS_PER_HOUR = 3_600_000
AROUND_EDGES_MS = 60_000
AFTER_A_STEP = 8  # readings: more than it takes to believe a new level
STEEP_W = 60_000  # no cable of a charging point delivers more
COARSEST_WH = 100
FEW = 24  # too few to tell what is usual
LEAST_SILENCE_MS = 60_000
INTERVALS = 1.5  # one read is missing: whoever asks later may expect a shorter interval

EDGES = """
    SELECT plugged_in_at_ms, unplugged_at_ms, start_at_ms, end_at_ms, session_event.at_ms,
           session_event.detail ->> 'register_at'
    FROM session JOIN station ON station.id = session.station_id
    LEFT JOIN session_event ON session_event.session_id = session.id
    WHERE plugged_in_at_ms < ?1 AND coalesce(unplugged_at_ms, ?1) >= ?2
      AND ((energy_meter_id = ?3 AND energy_socket = ?4)
           OR (state_meter_id = ?3 AND state_socket = ?4))
    UNION ALL
    SELECT at_ms, NULL, NULL, NULL, NULL, NULL FROM meter_replacement
    WHERE at_ms < ?1 AND at_ms >= ?2 AND meter_id = ?3 AND socket = ?4
"""


def edges_of(db: Connection, span: Span) -> Ints:
    """Return when something happened to sessions of this source or to its meter, in order."""
    rows = db.all(
        EDGES,
        (
            *(span.until_ms + AROUND_EDGES_MS, span.from_ms - AROUND_EDGES_MS),
            *(span.source.meter_id, span.source.socket),
        ),
    )
    edges_ms = {at_ms for row in rows for at_ms in row[:-1] if at_ms is not None}
    read_ms = {to_ms(parse_instant(row[-1], "UTC")) for row in rows if row[-1] is not None}
    return np.array(sorted(edges_ms | read_ms), np.int64)


def thinned_day(span: Span, columns: Columns, edges_ms: Ints) -> tuple[Draft, ...]:
    """Return what stays of these readings of one source and day, in order.

    A silence within a quarter hour in which the register moved ends one draft and begins the next.
    """
    known = np.flatnonzero(columns.numbers["import_wh"].present)
    at_ms, wh = columns.at_ms[known], columns.numbers["import_wh"].values[known]
    silent, same_quarter = _silent(at_ms), np.diff(at_ms // QUARTER_MS) == 0
    kept = _near(columns.at_ms, edges_ms)
    kept[[0, -1]] = True
    kept[known[_registers(at_ms, wh, silent | ~same_quarter, edges_ms)]] = True
    cuts = known[1:][silent & same_quarter & _moved(wh)]
    parts = pairwise([0, *cuts.tolist(), len(columns)])
    spans = pairwise([span.from_ms, *columns.at_ms[cuts].tolist(), span.until_ms])
    return tuple(
        _draft(
            replace(span, from_ms=from_ms, until_ms=until_ms, part=1 if begin else span.part),
            columns.where(slice(begin, end)),
            kept[begin:end],
        )
        for (begin, end), (from_ms, until_ms) in zip(parts, spans, strict=True)
    )


def _draft(span: Span, columns: Columns, kept: Bools) -> Draft:
    quarters = power_of(columns.at_ms, columns.numbers["power_dw"]).regrouped(QUARTER_MS)
    return seal(span, QUARTER_MS, columns.where(kept), quarters)


def _registers(at_ms: Ints, wh: Ints, ends: Bools, edges_ms: Ints) -> Bools:
    """Return which registers stay; ``ends`` are those whose next one is no neighbour."""
    kept = np.zeros(len(at_ms), np.bool_)
    if len(at_ms):
        kept[1:] = ends
        kept[:-1] |= ends
        kept[-1] = True
        before = np.searchsorted(at_ms, edges_ms, side="right") - 1
        before = before[edges_ms <= at_ms[-1]]
        begun = [0]  # who knows whether the day begins after a step
        for here in np.unique([*begun, *np.flatnonzero(_steps(at_ms, wh)), *before[before >= 0]]):
            kept[here : here + 2 + AFTER_A_STEP] = True
    return kept


def _near(at_ms: Ints, edges_ms: Ints) -> Bools:
    """Return which instants are at most a minute away from an edge."""
    before = np.searchsorted(edges_ms, at_ms - AROUND_EDGES_MS)
    after = np.searchsorted(edges_ms, at_ms + AROUND_EDGES_MS, side="right")
    near: Bools = before < after
    return near


def _silent(at_ms: Ints) -> Bools:
    """Return after which registers there is a silence, more than the usual ones considered."""
    apart_ms = np.diff(at_ms)
    usual_ms = float(np.median(apart_ms)) if len(apart_ms) > FEW else 0.0
    silent: Bools = apart_ms > max(LEAST_SILENCE_MS, INTERVALS * usual_ms)
    return silent


def _moved(wh: Ints) -> Bools:
    """Return after which registers the next one is another, or both are below an earlier one."""
    moved: Bools = (np.diff(wh) != 0) | (wh[:-1] < np.maximum.accumulate(wh)[:-1])
    return moved


def _steps(at_ms: Ints, wh: Ints) -> Bools:
    """Return after which registers the next one cannot follow on the same counter."""
    risen_wh = np.diff(wh)
    most_wh = STEEP_W / MS_PER_HOUR * np.diff(at_ms) + 2 * _resolution_wh(risen_wh)
    steps: Bools = (risen_wh < 0) | (risen_wh > most_wh)
    return steps


def _resolution_wh(risen_wh: Ints) -> int:
    """Return how fine the register is, as its rises tell; 1 Wh where they are too few to tell."""
    rises_wh = risen_wh[risen_wh > 0]
    return min(int(np.gcd.reduce(rises_wh)), COARSEST_WH) if len(rises_wh) > FEW else 1
