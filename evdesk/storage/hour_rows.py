"""The rows of one hour in memory, on their way into segments."""

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from evdesk.domain.instants import from_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId
from evdesk.storage.columns import Columns, Ints

HOUR_MS = 3_600_000
NEXT_ROWS = (
    "FROM (SELECT * FROM reading WHERE (at_ms, meter_id, socket) > (?, ?, ?) AND at_ms < ?"
    " ORDER BY at_ms, meter_id, socket LIMIT ?)"
)
BEYOND_ANY_ID = 2**62


@dataclass(slots=True)
class HourRows:
    """Implements ``ports.HourOfRows``: rows in lower_ms <= at_ms < upper_ms.

    ``columns`` are all rows once they are gathered, in order of time; the first ``moved`` of them
    have been given up. ``waiting`` are the sources not yet compressed, each with its rows.
    """

    hour_ms: int
    lower_ms: int
    upper_ms: int
    late: bool
    key: tuple[int, int, int] = field(init=False)
    slabs: list[tuple[Ints, Columns]] = field(default_factory=list)
    columns: Columns | None = None
    moved: int = 0
    waiting: list[tuple[Source, Ints]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key = (self.lower_ms - 1, BEYOND_ANY_ID, BEYOND_ANY_ID)

    @property
    def hour(self) -> datetime:
        """The instant at which the hour begins."""
        return from_ms(self.hour_ms)

    @property
    def until_ms(self) -> int:
        """The instant at which the hour ends."""
        return self.hour_ms + HOUR_MS

    def whole(self) -> bool:
        """Return whether all rows are gathered."""
        return self.columns is not None

    def sealed(self) -> bool:
        """Return whether all gathered rows were compressed."""
        return not self.waiting

    def take(self, ids: Ints, columns: Columns) -> None:
        """Take in the next rows, meter and socket apart; none are the last ones."""
        if len(columns):
            self.slabs.append((ids, columns))
            meter, socket = ids[:, -1].tolist()
            self.key = (int(columns.at_ms[-1]), meter, socket)
            return
        ids, self.columns = self._joined(ids, columns)
        self.slabs = []
        meters, sockets = ids
        order = np.lexsort((sockets, meters))  # stable: the rows of one source stay in order
        meters, sockets = meters[order], sockets[order]
        starts = np.flatnonzero(np.diff(meters, prepend=-1) | np.diff(sockets, prepend=-1))
        for begin, end in zip(starts, [*starts[1:], len(order)], strict=True):
            source = Source(MeterId(int(meters[begin])), int(sockets[begin]))
            self.waiting.append((source, order[begin:end]))

    def _joined(self, no_ids: Ints, no_rows: Columns) -> tuple[Ints, Columns]:
        if not self.slabs:
            return no_ids, no_rows
        ids = np.concatenate([ids for ids, _ in self.slabs], axis=1)
        return ids, Columns.joined([columns for _, columns in self.slabs])
