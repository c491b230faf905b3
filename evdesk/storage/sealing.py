"""Sealing hours into segments, through the door that is left for it, and thinning old ones out."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from evdesk import ports
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId
from evdesk.ports import Sealed, Thinned
from evdesk.storage.archived import Archived
from evdesk.storage.buckets import MINUTE_MS
from evdesk.storage.columns import Columns, Ints
from evdesk.storage.connection import Connection
from evdesk.storage.hour_rows import HOUR_MS, NEXT_ROWS, HourRows
from evdesk.storage.row_columns import read_rows
from evdesk.storage.segments import COLUMNS, INSERT, Draft, Segment, Span, minutes, seal, segment_of
from evdesk.storage.thinning import DAY_MS, edges_of, thinned_day

OF_SOURCE = "WHERE meter_id = ? AND socket = ? AND from_ms = ?"


@dataclass(frozen=True, slots=True)
class Written:
    """Implements ``ports.Drafts``: segments with their columns, and the segments they replace."""

    drafts: tuple[Draft, ...]
    instants_ms: tuple[Ints, ...] = ()
    replaced: tuple[Segment, ...] = ()


class StoredSealing:
    """Implements ``ports.Sealing``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # -- sealing --------------------------------------------------------------------------------

    def due(self, before: datetime) -> HourRows | None:
        """Return the oldest hour that has rows and ends by ``before``, yet to be gathered."""
        row = self._db.one("SELECT min(at_ms) FROM reading")
        if row is None or row[0] is None:
            return None
        cut_ms = self._cut_ms()
        hour_ms = row[0] // HOUR_MS * HOUR_MS
        until_ms = hour_ms + HOUR_MS
        if until_ms > to_ms(before):
            return None
        if row[0] < cut_ms:
            return HourRows(hour_ms, hour_ms, min(until_ms, cut_ms), late=True)
        return HourRows(hour_ms, max(hour_ms, cut_ms), until_ms, late=False)

    def gather(self, hour: ports.HourOfRows, limit: int) -> None:
        """Read on, at most about ``limit`` rows."""
        rows = _own(hour)
        rows.take(*read_rows(self._db, NEXT_ROWS, (*rows.key, rows.upper_ms, limit)))

    def compress(self, hour: ports.HourOfRows, limit: int) -> Written:
        """Return segments of about ``limit`` gathered rows that no segment holds yet."""
        rows = _own(hour)
        drafts, instants_ms, count = [], [], 0
        while rows.waiting and rows.columns is not None and count < limit:
            source, chosen = rows.waiting.pop()
            columns = self._not_yet(rows, source, rows.columns.where(chosen))
            count += len(columns)
            if len(columns):
                part = self._next_part(source, rows.hour_ms)
                span = Span(source, rows.hour_ms, rows.until_ms, part)
                drafts.append(seal(span, MINUTE_MS, columns, minutes(columns)))
                instants_ms.append(columns.at_ms)
        return Written(tuple(drafts), tuple(instants_ms))

    def write(self, drafts: ports.Drafts) -> None:
        """Write segments of an hour that do not count until it is moved."""
        for draft in _written(drafts).drafts:
            data = self._db.insert(
                "INSERT INTO segment_data (curve, register, rest) VALUES (?, ?, ?)", draft.blobs
            )
            self._db.run(INSERT, draft.values(data))

    def write_late(self, drafts: ports.Drafts) -> Sealed | None:
        """Write segments of a late hour in the place of its rows; None where there were none."""
        written = _written(drafts)
        if not written.drafts:
            return None
        self.write(drafts)
        sealed = zip(written.drafts, written.instants_ms, strict=True)
        keys = [
            (at_ms, draft.segment.span.source.meter_id, draft.segment.span.source.socket)
            for draft, instants_ms in sealed
            for at_ms in instants_ms.tolist()
        ]
        with self._permit("reading"):
            self._db.many(
                "DELETE FROM reading WHERE at_ms = ? AND meter_id = ? AND socket = ?", keys
            )
        return _sealed(draft.segment for draft in written.drafts)

    def move(self, hour: ports.HourOfRows, limit: int) -> bool | None:
        """Let segments count and give up their rows, at most about ``limit`` of them."""
        rows = _own(hour)
        instants_ms = np.empty(0, np.int64) if rows.columns is None else rows.columns.at_ms
        done = rows.moved + limit >= len(instants_ms)
        cut_ms = rows.upper_ms if done else int(instants_ms[rows.moved + limit]) + 1
        reached = int(np.searchsorted(instants_ms, cut_ms))
        span = (max(rows.lower_ms, self._cut_ms()), cut_ms)
        where = "FROM reading WHERE at_ms >= ? AND at_ms < ?"
        if self._db.number(f"SELECT count(*) {where}", span) != reached - rows.moved:
            return None
        with self._permit("reading"):
            self._db.run(f"DELETE {where}", span)
        self._db.run("UPDATE archive SET sealed_to_ms = ?", (cut_ms,))
        rows.moved = reached
        return done

    def of_hour(self, hour: ports.HourOfRows) -> Sealed:
        """Return what the hour has become."""
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM segment"  # noqa: S608 - constants
            " WHERE bucket_ms = ? AND from_ms = ? ORDER BY meter_id, socket, part",
            (MINUTE_MS, _own(hour).hour_ms),
        )
        return _sealed(map(segment_of, rows))

    def of_day(self, day: datetime) -> Sealed:
        """Return what a whole day is: hours, and what stands for those that were thinned out."""
        day_ms = to_ms(day)
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM segment"  # noqa: S608 - constants
            " WHERE bucket_ms IN (60000, 900000) AND from_ms >= ? AND from_ms < ?"
            " ORDER BY meter_id, socket, from_ms, part",
            (day_ms, day_ms + DAY_MS),
        )
        return _sealed(map(segment_of, rows))

    # -- thinning -------------------------------------------------------------------------------

    def thinnable(
        self, after: datetime | None, before: datetime
    ) -> tuple[datetime, list[Source]] | None:
        """Return the oldest UTC day that has hours to thin, and whose; None where there is none."""
        oldest = self._db.one("SELECT min(at_ms) FROM reading")  # its hour is still to be sealed
        oldest_ms = to_ms(before) if oldest is None or oldest[0] is None else oldest[0]
        end_ms = min(to_ms(before), oldest_ms) // DAY_MS * DAY_MS
        begin_ms = -(2**62) if after is None else to_ms(after) + DAY_MS
        row = self._db.one(
            "SELECT min(from_ms) FROM segment WHERE bucket_ms = ? AND from_ms >= ? AND from_ms < ?",
            (MINUTE_MS, begin_ms, end_ms),
        )
        if row is None or row[0] is None:
            return None
        day_ms = row[0] // DAY_MS * DAY_MS
        sources = self._db.all(
            "SELECT DISTINCT meter_id, socket FROM segment"
            " WHERE bucket_ms = ? AND from_ms >= ? AND from_ms < ? ORDER BY meter_id, socket",
            (MINUTE_MS, day_ms, day_ms + DAY_MS),
        )
        return from_ms(day_ms), [Source(MeterId(meter), socket) for meter, socket in sources]

    def thin(self, source: Source, day: datetime) -> Written:
        """Return a day with what stands for its quarter hours, and what proves its sessions."""
        day_ms = to_ms(day)
        rows = self._db.all(
            f"SELECT {COLUMNS} FROM segment"  # noqa: S608 - constants
            " WHERE meter_id = ? AND socket = ? AND from_ms >= ? AND from_ms < ? AND bucket_ms = ?"
            " ORDER BY from_ms, part",
            (source.meter_id, source.socket, day_ms, day_ms + DAY_MS, MINUTE_MS),
        )
        segments = [segment_of(row) for row in rows]
        archived = Archived(self._db)
        whole = Columns.joined([archived.columns(segment) for segment in segments])
        span = Span(source, day_ms, day_ms + DAY_MS, self._next_part(source, day_ms))
        drafts = thinned_day(span, whole, edges_of(self._db, span))
        return Written(drafts, replaced=tuple(segments))

    def replace(self, drafts: Sequence[ports.Drafts]) -> Thinned:
        """Write thinned days in the place of their hours."""
        written = [_written(each) for each in drafts]
        gone = [segment.span for each in written for segment in each.replaced]
        keys = [
            (span.source.meter_id, span.source.socket, span.from_ms, span.part) for span in gone
        ]
        where = f"FROM segment {OF_SOURCE} AND part = ?"
        data = [self._db.one(f"SELECT data_id {where}", key) for key in keys]
        with self._permit("segment"), self._permit("segment_data"):
            self._db.many(f"DELETE {where}", keys)
            self._db.many("DELETE FROM segment_data WHERE id = ?", [one for one in data if one])
        for each in drafts:
            self.write(each)
        return Thinned(
            before=_sealed(segment for each in written for segment in each.replaced),
            after=_sealed(draft.segment for each in written for draft in each.drafts),
        )

    # -- parts ----------------------------------------------------------------------------------

    def _not_yet(self, rows: HourRows, source: Source, columns: Columns) -> Columns:
        """Return the readings that no segment holds: a run before this one may have been killed."""
        held = self._db.all(
            f"SELECT {COLUMNS} FROM segment {OF_SOURCE} AND bucket_ms = ?",  # noqa: S608 - constants
            (source.meter_id, source.socket, rows.hour_ms, MINUTE_MS),
        )
        archived = Archived(self._db)
        for segment in map(segment_of, held):
            known = np.isin(columns.at_ms, archived.instants(segment), assume_unique=True)
            columns = columns.where(~known)
        return columns

    def _next_part(self, source: Source, begin_ms: int) -> int:
        return 1 + self._db.number(
            f"SELECT coalesce(max(part), 0) FROM segment {OF_SOURCE}",  # noqa: S608 - a constant
            (source.meter_id, source.socket, begin_ms),
        )

    def _cut_ms(self) -> int:
        return self._db.number("SELECT sealed_to_ms FROM archive")

    @contextmanager
    def _permit(self, table: str) -> Iterator[None]:
        """Open the door of one table for what this transaction deletes."""
        self._db.run("INSERT INTO deletion_permit VALUES (?, 'archive')", (table,))
        yield
        self._db.run("DELETE FROM deletion_permit WHERE table_name = ?", (table,))


def _sealed(segments: Iterable[Segment]) -> Sealed:
    known = list(segments)
    return Sealed(
        segments=len(known),
        readings=sum(segment.readings for segment in known),
        digest=hashlib.sha256(b"".join(segment.digest for segment in known)).hexdigest(),
    )


def _own(hour: ports.HourOfRows) -> HourRows:
    if not isinstance(hour, HourRows):
        msg = f"not an hour of this archive: {hour!r}"
        raise TypeError(msg)
    return hour


def _written(drafts: ports.Drafts) -> Written:
    if not isinstance(drafts, Written):
        msg = f"not drafts of this archive: {drafts!r}"
        raise TypeError(msg)
    return drafts
