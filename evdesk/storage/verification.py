"""Checking the audit log and all that rests on it, in one consistent view of the database.

What is not covered: readings of hours that are not sealed yet, and what the collector knows for the
moment. Who has the key of the data and takes every copy back, anchor.json included, is found out by
heads that left the house.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from evdesk.domain.audit import DATA_ERASED, READINGS_ERASED
from evdesk.domain.errors import StorageError
from evdesk.domain.notes import Head
from evdesk.domain.verdicts import MOST_BAD, Doubt, Findings, Known, Verdict, What
from evdesk.storage.chain import Chain
from evdesk.storage.checked_entries import CheckedEntries, Entries
from evdesk.storage.checked_heads import CheckedHeads, Signed, check_key, checkpoint_sizes
from evdesk.storage.checked_rows import CheckedRows
from evdesk.storage.checked_schema import schema_differences
from evdesk.storage.connection import Connection
from evdesk.storage.faults import is_unreadable
from evdesk.storage.row_commits import KEYS

ENTRY_US, ROW_US, SEGMENT_US = 25, 60, 1_500  # about what checking one costs, for the progress
INDEXES = ("audit_at", "audit_actor", "audit_action", "audit_object")
ERASED_UNDER = (
    "SELECT object_ref, count(*) FROM row_commit JOIN audit USING (seq)"
    " WHERE digest IS NULL AND action = ? GROUP BY object_ref ORDER BY object_ref"
)
ERASED_DAYS = "SELECT count(DISTINCT object_ref) FROM audit WHERE action = ?"
SUMS = "SELECT count(*), coalesce(sum(seq), 0), coalesce(sum(seq * 7919 % 1000003), 0)"
INDEXED = (*KEYS, "segment", "audit_checkpoint")  # small enough to compare with their indexes

Tell = Callable[[float], None]


def verify_log(connection: Connection, known: Known, tell: Tell = lambda _share: None) -> Verdict:
    """Check everything that is in the audit log or committed to by it; call it in a transaction.

    ``tell`` is told the share that is done; whatever it raises ends the check.

    Raises:
        StorageError: busy for too long, or the disk reported an error.

    """
    return _Verification(connection, known, tell).run()


class _Verification:
    """One check, phase by phase; what a phase cannot read is found and ends that phase alone."""

    def __init__(self, db: Connection, known: Known, tell: Tell) -> None:
        self._db, self._known, self._tell = db, known, tell
        self._findings = Findings()
        self._size = self._done_us = 0
        self._whole_us = 1

    def run(self) -> Verdict:
        """Check everything."""
        sizes = [head.size for head in self._known.heads]
        with self._readable("audit_checkpoint"):
            sizes += checkpoint_sizes(self._db)
        with self._readable("audit"):
            self._size = self._within_reason(Chain(self._db).size())
        walk = CheckedEntries(self._db, self._findings, self._size, sizes)
        rows = CheckedRows(self._db, self._findings)
        self._plan()
        with self._readable("audit"):
            walk.run(self._telling(ENTRY_US))
        self._done_us += self._size * ENTRY_US
        with self._readable("row_commit"):
            rows.run(self._telling(ROW_US))
            if rows.fingerprint != walk.commits.fingerprint:
                self._inconsistent("row_commit")
        self._done_us += self._counted("row_commit") * ROW_US
        segments = self._segments()
        self._compare_indexes()
        with self._readable("sqlite_master"):
            for difference in schema_differences(self._db):
                self._inconsistent("sqlite_master", difference)
        self._tell(1.0)
        return self._verdict(walk.found, rows.count, segments)

    def _within_reason(self, size: int) -> int:
        """Return how many numbers to walk through: entries far behind a hole stand nowhere."""
        most = self._counted("audit") + MOST_BAD
        if size <= most:
            return size
        (far,) = self._db.one("SELECT min(seq) FROM audit WHERE seq >= ?", (most,)) or (0,)
        self._findings.add(What.ORDER, far)
        return self._db.number(
            "SELECT coalesce(max(seq), -1) + 1 FROM audit WHERE seq < ?", (most,)
        )

    def _segments(self) -> tuple[int, int]:
        """Return how many segments there are, and how many of them cannot be proven."""
        found = 0, 0
        with self._readable("segment"):
            if self._told_of_segments():
                # imported here, because numpy and the codec take longer than a small log
                from evdesk.storage.checked_segments import CheckedSegments

                segments = CheckedSegments(self._db, self._findings)
                segments.run(self._telling(SEGMENT_US))
                found = segments.count, segments.unproven
        return found

    def _told_of_segments(self) -> bool:
        return bool(
            self._db.one("SELECT 1 FROM segment LIMIT 1")
            or self._db.one("SELECT 1 FROM segment_data LIMIT 1")
            or self._db.one("SELECT 1 FROM audit WHERE object_type IN ('hour', 'day') LIMIT 1")
        )

    # -- the file -------------------------------------------------------------------------------

    def _compare_indexes(self) -> None:
        """Compare what is found through indexes with what is there.

        A page of an older copy of the file would pass as one of its own. The log itself is long,
        so that of its indexes the entries are counted and summed up.
        """
        expected = self._expected()
        for index in INDEXES:
            with self._readable(index):
                sums = self._db.one(f"{SUMS} FROM audit INDEXED BY {index}")
                if sums != expected and not self._findings.broken_within(0, self._size):
                    self._inconsistent(index)
        for table in INDEXED:
            with self._readable(table):
                for (said,) in self._db.all(f"PRAGMA integrity_check({table})"):
                    if said != "ok":
                        self._inconsistent(table, said)

    def _expected(self) -> tuple[int, int, int]:
        size = self._size
        return size, size * (size - 1) // 2, sum(seq * 7919 % 1000003 for seq in range(size))

    def _inconsistent(self, where: str, detail: str = "other rows than the table") -> None:
        self._findings.add(What.FILE_CHANGED, None, where=where, detail=detail)

    @contextmanager
    def _readable(self, where: str) -> Iterator[None]:
        """Take what cannot be read for a finding."""
        try:
            yield
        except StorageError as error:
            if not is_unreadable(error):
                raise
            self._inconsistent(where, str(error.facts.get("detail", "")))

    # -- how far it is --------------------------------------------------------------------------

    def _plan(self) -> None:
        works = ((self._size, ENTRY_US), (self._counted("row_commit"), ROW_US))
        whole_us = sum(count * cost_us for count, cost_us in works)
        self._whole_us = max(1, whole_us + self._counted("segment") * SEGMENT_US)

    def _counted(self, table: str) -> int:
        counted: list[int] = []
        with self._readable(table):
            counted.append(self._db.number(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own
        return sum(counted)

    def _telling(self, cost_us: int) -> Callable[[int], None]:
        def tell(done: int) -> None:
            self._tell(min(1.0, (self._done_us + done * cost_us) / self._whole_us))

        return tell

    # -- the verdict ----------------------------------------------------------------------------

    def _verdict(self, entries: Entries, rows: int, segments: tuple[int, int]) -> Verdict:
        found, doubts = self._findings, []
        key = check_key(entries, self._known.key, found)
        if self._known.key is None:
            doubts.append(Doubt.KEY_MISSING)
        if not self._known.heads:
            doubts.append(Doubt.ANCHOR_MISSING)
        signed = Signed()
        heads = CheckedHeads(self._db, entries, self._known, found)
        with self._readable("audit_checkpoint"):
            signed = signed if key is None else heads.checkpoints(key)
            doubts += heads.anchors(None if key is None else signed.size)
        bad = sum(seq < entries.size for seq in found.bad)
        root = entries.roots.get(entries.size)
        return Verdict(
            head=None if root is None else Head(entries.size, root),
            entries=entries.count,
            verified=max(entries.count - entries.erased - bad, 0),
            erased=entries.erased,
            clock_set_back=entries.clock_set_back,
            rows=rows,
            segments=segments[0],
            unproven_segments=segments[1],
            checkpoints=signed.count,
            unsigned_tail=entries.size - signed.size,
            newest_checkpoint_at=signed.at,
            findings=found.listed(),
            doubts=tuple(dict.fromkeys(doubts)),
            erased_under=self._erased_under(),
            erased_days=self._erased_days(),
        )

    def _erased_under(self) -> tuple[tuple[str, int], ...]:
        told: list[tuple[str, int]] = []
        with self._readable("row_commit"):
            told += [(rule, rows) for rule, rows in self._db.all(ERASED_UNDER, (DATA_ERASED,))]
        return tuple(told)

    def _erased_days(self) -> int:
        told: list[int] = []
        with self._readable("audit"):
            told.append(self._db.number(ERASED_DAYS, (READINGS_ERASED,)))
        return sum(told)
