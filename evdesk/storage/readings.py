"""The journal of readings: rows of the current hours and sealed segments, the same to whoever asks.

What needs numpy is imported where there is something sealed: many commands never see it.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from heapq import merge
from itertools import chain
from typing import TYPE_CHECKING

from evdesk.domain.errors import StorageError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Curve, TellDamage
from evdesk.storage.connection import Connection
from evdesk.storage.faults import APPEND_ONLY
from evdesk.storage.reading_rows import COLUMNS, INSERT, reading_of, reading_values

if TYPE_CHECKING:
    from evdesk.storage.archived import Archived

SELECT = f"SELECT {COLUMNS} FROM reading WHERE meter_id = ? AND socket = ? "  # noqa: S608
STAGED = """
    SELECT 1 FROM archive, segment
    WHERE bucket_ms = 60000 AND from_ms > sealed_to_ms - 3600000 AND last_ms >= sealed_to_ms
"""


class StoredReadings:
    """Implements ``ports.Readings``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, readings: Sequence[Reading]) -> None:
        """Append readings (collector only); meter, socket and instant twice is an error."""
        if not readings:
            return
        self._check_late(readings)
        self._db.many(INSERT, map(reading_values, readings))

    def latest(self, sources: Iterable[Source]) -> dict[Source, Reading]:
        """Return the newest reading of each source that has one."""
        found = {}
        for source in sources:
            newest = self._newest(source)
            if newest is not None:
                found[source] = newest
        return found

    def between(
        self, source: Source, from_at: datetime, to_at: datetime, damage: TellDamage | None = None
    ) -> Iterator[Reading]:
        """Return readings with from_at <= at < to_at, oldest first; those damaged are told of."""
        span = to_ms(from_at), to_ms(to_at)
        cut_ms = self._cut_ms()
        if span[0] >= cut_ms:
            return self._rows(source, *span)
        sealed = self._archived().between(source, *span, damage)
        late = self._rows(source, span[0], min(span[1], cut_ms))
        return chain(
            merge(sealed, late, key=lambda reading: reading.at), self._rows(source, cut_ms, span[1])
        )

    def curve(self, source: Source, from_at: datetime, to_at: datetime, points: int) -> Curve:
        """Return power for a plot with at most about ``points`` points: see ``curves``."""
        return self.curves([source], from_at, to_at, points)[source]

    def curves(
        self, sources: Iterable[Source], from_at: datetime, to_at: datetime, points: int
    ) -> dict[Source, Curve]:
        """Return the curves of several sources, for little more than that of one."""
        from evdesk.storage.curves import curves_between

        return curves_between(self._db, sources, (to_ms(from_at), to_ms(to_at)), points)

    def sources(self) -> list[Source]:
        """Return every source that was ever read."""
        rows = self._db.all("SELECT meter_id, socket FROM newest_reading ORDER BY meter_id, socket")
        return [Source(MeterId(meter_id), socket) for meter_id, socket in rows]

    def thinned(
        self, source: Source, from_at: datetime, to_at: datetime
    ) -> list[tuple[datetime, datetime]]:
        """Return the stretches that reach into from_at <= at < to_at and were thinned out."""
        rows = self._db.all(
            "SELECT DISTINCT from_ms, until_ms FROM segment WHERE meter_id = ? AND socket = ?"
            " AND bucket_ms = 900000 AND until_ms > ? AND from_ms < ? ORDER BY from_ms",
            (source.meter_id, source.socket, to_ms(from_at), to_ms(to_at)),
        )
        return [(from_ms(begin_ms), from_ms(until_ms)) for begin_ms, until_ms in rows]

    def count(self) -> int:
        """Return how many readings are kept."""
        return self._db.number("SELECT count(*) FROM reading") + self.sealed()

    def sealed(self) -> int:
        """Return how many of them are sealed."""
        whole = self._db.number("SELECT readings FROM archive")
        return whole - self._archived().behind_the_cut() if self._db.one(STAGED) else whole

    # -- rows and segments ----------------------------------------------------------------------

    def _rows(self, source: Source, begin_ms: int, end_ms: int) -> Iterator[Reading]:
        rows = self._db.each(
            SELECT + "AND at_ms >= ? AND at_ms < ? ORDER BY at_ms",
            (source.meter_id, source.socket, begin_ms, end_ms),
        )
        return map(reading_of, rows)

    def _newest(self, source: Source) -> Reading | None:
        row = self._db.one(
            "SELECT at_ms FROM newest_reading WHERE meter_id = ? AND socket = ?",
            (source.meter_id, source.socket),
        )
        if row is None:
            return None
        (at_ms,) = row
        found = next(self._rows(source, at_ms, at_ms + 1), None)
        return found or self._archived().newest(source, at_ms)

    def _check_late(self, readings: Sequence[Reading]) -> None:
        """Refuse what is sealed already: the guard of the rows no longer knows of it."""
        cut_at = from_ms(self._cut_ms())
        late = [reading for reading in readings if reading.at < cut_at]
        if not late:
            return
        archived = self._archived()
        for reading in late:
            if archived.holds(Source(reading.meter_id, reading.socket), to_ms(reading.at)):
                raise StorageError(APPEND_ONLY, table="reading")

    def _cut_ms(self) -> int:
        return self._db.number("SELECT sealed_to_ms FROM archive")

    def _archived(self) -> "Archived":
        from evdesk.storage.archived import Archived

        return Archived(self._db)
