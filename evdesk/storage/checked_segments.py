"""Sealed readings held against what the audit log says of their hours and days.

The entry of an hour has a digest over all segments that the hour became. Segments of readings that
came later have entries of their own, one each. From the day on which some of a day are thinned out,
the entry of the thinning holds a digest over all that the day is then. An entry that tells of the
erasure of a day takes away what entries before it say of the day.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from evdesk.domain.audit import READINGS_ERASED
from evdesk.domain.instants import parse_instant, to_ms
from evdesk.domain.verdicts import Findings, What
from evdesk.storage.checked_entries import facts_in
from evdesk.storage.connection import Connection, Row
from evdesk.storage.segments import COLUMNS, DAY_MS, Segment, segment_of

HOUR_MS = 3_600_000
EPOCH_DAY = "1970-01-01"
SEALED, THINNED = "readings.sealed", "readings.thinned"
OF_DAY = (
    f"SELECT data_id, {COLUMNS} FROM segment"  # noqa: S608 - constants
    " WHERE bucket_ms IN (60000, 900000) AND from_ms >= ? AND from_ms < ?"
    " ORDER BY meter_id, socket, from_ms, part"
)
SAID = (
    "SELECT audit.seq, action, object_ref, CAST(body AS BLOB) FROM audit"
    " LEFT JOIN audit_payload USING (seq) WHERE object_type IN ('hour', 'day')"
    " AND object_ref >= ? AND object_ref < ? ORDER BY audit.seq"
)

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class SegmentState:
    """A segment, and whether its blobs hold what it says."""

    segment: Segment
    whole: bool

    @property
    def hour_ms(self) -> int:
        """Return the instant at which its hour begins."""
        return self.segment.span.from_ms // HOUR_MS * HOUR_MS


@dataclass(frozen=True, slots=True)
class _Said:
    """What an entry says of segments; ``count`` None: its facts are gone, or say too little."""

    seq: int
    hour_ms: int
    late: bool
    thinned: bool
    count: int | None
    digest: str

    def about(self, thinned: bool) -> int | None:  # noqa: FBT001 - of the day, all in all
        """Return the hour it is about; None is the whole of a day that was thinned out."""
        return None if thinned else self.hour_ms


def days(db: Connection) -> list[int]:
    """Return the UTC days, counted from 1970, that have segments or entries about them."""
    found = {day for (day,) in db.all(f"SELECT DISTINCT from_ms / {DAY_MS} FROM segment")}  # noqa: S608
    texts = db.all(
        "SELECT DISTINCT substr(object_ref, 1, 10) FROM audit WHERE object_type IN ('hour', 'day')"
    )
    return sorted(found | {day for (text,) in texts if (day := _day_of(text)) is not None})


def strays(db: Connection) -> list[int]:
    """Return the entries that tell of segments of no day since 1970."""
    texts = db.all(
        "SELECT DISTINCT substr(object_ref, 1, 10) FROM audit WHERE object_type IN ('hour', 'day')"
    )
    odd = [text for (text,) in texts if (_day_of(text) or -1) < 0 and text != EPOCH_DAY]
    sql = (
        "SELECT seq FROM audit WHERE object_type IN ('hour', 'day')"
        " AND substr(object_ref, 1, 10) = ? AND action IN (?, ?)"
    )
    return [seq for text in odd for (seq,) in db.all(sql, (text, SEALED, THINNED))]


def segment_states(db: Connection, day: int) -> Iterator[SegmentState]:
    """Yield the segments of a day in order, each decompressed and proven."""
    for data_id, *row in db.all(OF_DAY, (day * DAY_MS, (day + 1) * DAY_MS)):
        segment = segment_of(tuple(row))
        blobs = db.one("SELECT curve, register, rest FROM segment_data WHERE id = ?", (data_id,))
        yield SegmentState(segment, blobs is not None and _holds(segment, blobs))


def sealed_to_ms(db: Connection) -> int:
    """Return the cut: readings before it are in segments."""
    return db.number("SELECT sealed_to_ms FROM archive")


class CheckedSegments:
    """Every segment, held against its columns and against the log."""

    def __init__(self, db: Connection, findings: Findings) -> None:
        self._db, self._findings = db, findings
        self._cut_ms = sealed_to_ms(db)
        self.count = 0
        self.unproven = 0

    def run(self, tell: Tell) -> None:
        """Check every segment; ``tell`` is told how many are done."""
        sealed: _Said | None = None
        for day in days(self._db):
            said = list(self._said(day))
            present = []
            for state in segment_states(self._db, day):
                present.append(state)
                tell(self.count + len(present))
            self.count += len(present)
            self._check(present, said)
            hours = [one for one in said if not one.thinned and not one.late and one.count]
            sealed = max(hours, key=lambda one: one.hour_ms, default=sealed)
        if sealed is not None and sealed.hour_ms + HOUR_MS > self._cut_ms:
            self._findings.add(What.SEGMENT_CHANGED, sealed.seq, sealed_to_ms=self._cut_ms)
        for seq in strays(self._db):
            if seq not in self._findings.bad:
                self._findings.add(What.SEGMENT_CHANGED, seq)
        stray = self._db.number(
            "SELECT count(*) FROM segment_data WHERE id NOT IN (SELECT data_id FROM segment)"
        )
        if stray:
            self._findings.add(What.SEGMENT_CHANGED, None, stray=stray)

    def _check(self, present: list[SegmentState], said: list[_Said]) -> None:
        """Give each segment of a day to the entry that covers it, and compare what is left."""
        thinned = any(one.thinned for one in said)
        bases = _bases(said)
        later = [one for one in said if one.late and one.seq > _seq(bases.get(one.about(thinned)))]
        single = {one.digest: one for one in later}
        vague = {one.about(thinned) for one in later if one.count is None}
        rest: dict[int | None, list[SegmentState]] = {key: [] for key in bases}
        for state in present:
            own = single.pop(_over([state]), None)
            if own is None:
                rest.setdefault(None if thinned else state.hour_ms, []).append(state)
            else:
                self._whole([state], own.seq)
        for one in single.values():
            if one.count is not None:
                self._changed(one.seq, one.hour_ms)
        for key, states in rest.items():
            self._compare(key, states, bases.get(key), vague=key in vague)

    def _compare(
        self, hour_ms: int | None, states: list[SegmentState], base: _Said | None, *, vague: bool
    ) -> None:
        self._whole(states, None if base is None else base.seq)
        if vague or (base is not None and base.count is None):
            self.unproven += len(states)
        elif base is None:
            if hour_ms is None or hour_ms + HOUR_MS <= self._cut_ms:
                self._changed(None, hour_ms)
            # else it is still being moved: its entry is to come
        elif (base.count, base.digest) != (len(states), _over(states)):
            self._changed(base.seq, base.hour_ms)

    def _whole(self, states: list[SegmentState], seq: int | None) -> None:
        for state in states:
            if not state.whole:
                span = state.segment.span
                self._findings.add(
                    What.SEGMENT_CHANGED,
                    seq,
                    meter=span.source.meter_id,
                    socket=span.source.socket,
                    from_ms=span.from_ms,
                )

    def _changed(self, seq: int | None, hour_ms: int | None) -> None:
        self._findings.add(What.SEGMENT_CHANGED, seq, from_ms=hour_ms)

    def _said(self, day: int) -> Iterator[_Said]:
        """Yield what entries say of a day and its hours, oldest entry first."""
        first, behind = (_date(one) for one in (day, day + 1))
        rows = self._db.all(SAID, (first, behind))
        erased = max((row[0] for row in rows if row[1] == READINGS_ERASED), default=-1)
        for seq, action, ref, body in rows:
            if seq < erased:
                continue
            if action not in {SEALED, THINNED} or seq in self._findings.bad:
                continue
            yield _said(seq, action, ref, facts_in(body) or {})


def _holds(segment: Segment, blobs: Row) -> bool:
    try:
        segment.columns((blobs[0], blobs[1], blobs[2]))
    except ValueError:
        return False
    return True


def _said(seq: int, action: str, ref: str, facts: dict[str, object]) -> _Said:
    thinned = action == THINNED
    names = ("day_segments", "day_digest") if thinned else ("segments", "digest")
    count, digest = (facts.get(name) for name in names)
    try:
        hour_ms = to_ms(parse_instant(ref, "UTC"))
    except ValueError:
        hour_ms = 0
    return _Said(
        seq=seq,
        hour_ms=hour_ms,
        late=facts.get("late") is True,
        thinned=thinned,
        count=count if isinstance(count, int) else None,
        digest=str(digest),
    )


def _bases(said: list[_Said]) -> dict[int | None, _Said]:
    """Return the entries that cover all there was by then, by hour, or one for the whole day."""
    thinned = [one for one in said if one.thinned]
    if thinned:
        return {None: thinned[-1]}
    return {one.hour_ms: one for one in said if not one.late}


def _over(states: Sequence[SegmentState]) -> str:
    digests = b"".join(state.segment.digest for state in states)
    return hashlib.sha256(digests).hexdigest()


def _seq(said: _Said | None) -> int:
    return -1 if said is None else said.seq


def _day_of(text: str) -> int | None:
    try:
        return to_ms(datetime.fromisoformat(text).replace(tzinfo=UTC)) // DAY_MS
    except ValueError:
        return None


def _date(day: int) -> str:
    try:
        return f"{datetime.fromtimestamp(day * DAY_MS / 1000, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        return ""
