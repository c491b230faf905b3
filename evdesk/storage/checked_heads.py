"""Signed heads, and heads that are known from outside, held against the log."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from evdesk.domain import notes
from evdesk.domain.errors import LogBroken
from evdesk.domain.instants import from_ms
from evdesk.domain.notes import Checkpoint, Head, Verifier
from evdesk.domain.verdicts import Doubt, Findings, Known, What
from evdesk.storage.audit_log import instant
from evdesk.storage.chain import Chain
from evdesk.storage.checked_entries import Entries
from evdesk.storage.connection import Connection, Row
from evdesk.storage.signing import is_signed

CHECKPOINTS = "SELECT size, at_ms, note FROM audit_checkpoint ORDER BY size, id"


@dataclass(frozen=True, slots=True)
class Signed:
    """What good checkpoints say: how many there are, and the newest one's size and time."""

    count: int = 0
    size: int = 0
    at: datetime | None = None


def checkpoint_sizes(db: Connection) -> list[int]:
    """Return the sizes that have checkpoints."""
    return [size for (size,) in db.each("SELECT DISTINCT size FROM audit_checkpoint ORDER BY size")]


def check_key(entries: Entries, known: Verifier | None, findings: Findings) -> Verifier | None:
    """Return the key that signs this log: the one it began with is the one that is known."""
    try:
        begun = None if entries.key is None else notes.parse_verifier(entries.key)
    except ValueError:
        begun = None
    if begun is not None and known is not None and begun != known:
        findings.add(What.KEY_CHANGED, 0, key=str(known), began_with=str(begun))
    return begun or known


class CheckedHeads:
    """Heads, each held against the log as it was found."""

    def __init__(self, db: Connection, entries: Entries, known: Known, findings: Findings) -> None:
        self._db, self._entries, self._findings = db, entries, findings
        self._heads, self._found = known.heads, known.found
        self._good: list[int] = []

    def checkpoints(self, key: Verifier) -> Signed:
        """Check every signed head; only those that are good count."""
        good = Signed()
        for size, group in groupby(self._db.each(CHECKPOINTS), lambda row: row[0]):
            rows = list(group)
            signed = [_parsed(row, size, key) for row in rows]
            roots = {one.head.root for one in signed if one is not None}
            for _ in range(signed.count(None)):
                self._findings.add(What.CHECKPOINT_FORGED, self._last_of(size), size=size)
            at_ms = max(row[1] for row in rows)
            if len(roots) > 1:
                about = self._last_of(size)
                self._findings.add(What.CHECKPOINT_FORK, about, size=size, roots=len(roots))
            elif roots and self._check(Head(size, roots.pop()), at_ms):
                count = good.count + len(signed) - signed.count(None)
                good = Signed(count, size, _instant(at_ms))
        return good

    def anchors(self, signed_size: int | None) -> Iterable[Doubt]:
        """Check heads from outside; yield why one of them says nothing.

        What takes entries back has to be signed, by a checkpoint behind it; ``signed_size`` is that
        of the newest one that is good, or None where no key is known.
        """
        for head in self._heads:
            if _is_lost(self._db, self._entries, head, signed_size):
                yield Doubt.RESTORED
            else:
                self._check(head)

    def _check(self, head: Head, signed_at_ms: int | None = None) -> bool:
        """Return whether a head is one of this log."""
        entries = self._entries
        root = entries.roots.get(head.size)
        if root == head.root:
            self._good.append(head.size)
            return True
        unread = root is None and head.size <= entries.size
        if not unread and not self._findings.broken_within(0, head.size - 1):
            first = self._first_bad(head, signed_at_ms)
            self._findings.add(What.ROLLED_BACK, first, head=str(head), entries=entries.size)
        return False

    def _first_bad(self, head: Head, signed_at_ms: int | None) -> int:
        """Return the first entry that is not what it was when a head was taken, as far as known.

        What is proven by other heads is not it; what is younger than the signature is.
        """
        proven = max((size for size in self._good if size < head.size), default=0)
        at = None if signed_at_ms is None else _instant(signed_at_ms)
        if at is not None:
            younger = self._db.one(
                "SELECT min(seq) FROM audit WHERE seq >= ? AND seq < ? AND at > ?",
                (proven, head.size, instant(at)),
            )
            if younger and younger[0] is not None:
                return int(younger[0])
        if head.size <= self._entries.size:
            return proven
        return min(self._entries.size, self._entries.size if self._found is None else self._found)

    def _last_of(self, size: int) -> int:
        """Return the newest entry that a checkpoint is about."""
        return max(min(size, self._entries.size) - 1, 0)


def _is_lost(db: Connection, entries: Entries, head: Head, signed_size: int | None) -> bool:
    """Return whether a head is of entries that a restore took back, as a signed entry says."""
    if entries.roots.get(head.size) == head.root:
        return False
    for seq, anchored, found in entries.restores:
        try:
            last, first = notes.parse_head(anchored), notes.parse_head(found)
        except ValueError:
            continue
        signed = signed_size is None or seq < signed_size
        if signed and first.size < head.size <= last.size and first.size <= seq:
            return _had(db, first)
    return False


def _had(db: Connection, head: Head) -> bool:
    try:
        return Chain(db).head(head.size) == head
    except LogBroken:  # which is found elsewhere
        return False


def _parsed(row: Row, size: int, key: Verifier) -> Checkpoint | None:
    try:
        found = notes.parse(row[2])
    except (ValueError, AttributeError):
        return None
    return found if found.head.size == size and is_signed(found, key) else None


def _instant(at_ms: int) -> datetime | None:
    try:
        return from_ms(at_ms)
    except OverflowError:
        return None
