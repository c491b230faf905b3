"""What stays of a day that is thinned out.

The registers at the edges of every quarter hour stay, so that a month can be reconciled years
later; wherever a register fell, or rose by more than a charging point can deliver; and a minute
around everything that happened to a session. All of them whole, with their raw words.
"""

import numpy as np

from evdesk.storage.buckets import QUARTER_MS
from evdesk.storage.columns import Bools, Columns, Ints
from evdesk.storage.connection import Connection
from evdesk.storage.segments import Draft, Span, power_of, seal

DAY_MS = 86_400_000
MS_PER_HOUR = 3_600_000
AROUND_EDGES_MS = 60_000
AFTER_A_STEP = 8  # readings: more than it takes to believe a new level
STEEP_W = 60_000  # no cable of a charging point delivers more
SLACK_WH = 200  # a register may be no finer

EDGES = """
    SELECT plugged_in_at_ms, unplugged_at_ms, start_at_ms, end_at_ms, session_event.at_ms
    FROM session JOIN station ON station.id = session.station_id
    LEFT JOIN session_event ON session_event.session_id = session.id
    WHERE plugged_in_at_ms < ?1 AND coalesce(unplugged_at_ms, ?1) >= ?2
      AND ((energy_meter_id = ?3 AND energy_socket = ?4)
           OR (state_meter_id = ?3 AND state_socket = ?4))
"""


def session_edges(db: Connection, span: Span) -> Ints:
    """Return the instants at which something happened to sessions of this source, in order."""
    rows = db.all(
        EDGES,
        (
            *(span.until_ms + AROUND_EDGES_MS, span.from_ms - AROUND_EDGES_MS),
            *(span.source.meter_id, span.source.socket),
        ),
    )
    return np.array(sorted({at_ms for row in rows for at_ms in row if at_ms is not None}), np.int64)


def thinned_day(span: Span, columns: Columns, edges_ms: Ints) -> Draft:
    """Return what stays of these readings of one source and day."""
    quarters = power_of(columns.at_ms, columns.numbers["power_dw"]).regrouped(QUARTER_MS)
    return seal(span, QUARTER_MS, columns.where(_kept(columns, edges_ms)), quarters)


def _kept(columns: Columns, edges_ms: Ints) -> Bools:
    kept = _near(columns.at_ms, edges_ms)
    kept[[0, -1]] = True
    register = columns.numbers["import_wh"]
    known = np.flatnonzero(register.present)
    if len(known):
        at_ms, wh = columns.at_ms[known], register.values[known]
        quarter = at_ms // QUARTER_MS
        begins = np.diff(quarter, prepend=quarter[0] - 1) != 0
        kept[known[begins | np.append(begins[1:], True)]] = True
        for step in np.flatnonzero(_steps(at_ms, wh)):
            kept[known[step : step + 1 + AFTER_A_STEP]] = True
    return kept


def _near(at_ms: Ints, edges_ms: Ints) -> Bools:
    """Return which instants are at most a minute away from an edge."""
    before = np.searchsorted(edges_ms, at_ms - AROUND_EDGES_MS)
    after = np.searchsorted(edges_ms, at_ms + AROUND_EDGES_MS, side="right")
    near: Bools = before < after
    return near


def _steps(at_ms: Ints, wh: Ints) -> Bools:
    """Return after which registers the next one cannot follow on the same counter."""
    most_wh = STEEP_W / MS_PER_HOUR * np.diff(at_ms) + SLACK_WH
    risen_wh = np.diff(wh)
    steps: Bools = (risen_wh < 0) | (risen_wh > most_wh)
    return steps
