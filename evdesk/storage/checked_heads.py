"""Signed heads, and heads that are known from outside, held against the log."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from evdesk.domain import notes
from evdesk.domain.errors import LogBroken
from evdesk.domain.instants import from_ms
from evdesk.domain.notes import Checkpoint, Head, Verifier
from evdesk.domain.verdicts import Doubt, Findings, What
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


def check_checkpoints(
    db: Connection, entries: Entries, key: Verifier | None, findings: Findings
) -> Signed:
    """Check every signed head; only those that are good count."""
    good = Signed()
    if key is None:
        return good
    for size, group in groupby(db.each(CHECKPOINTS), lambda row: row[0]):
        parsed = [(row, _parsed(row, size, key)) for row in group]
        forged = sum(one is None for _, one in parsed)
        for _ in range(forged):
            findings.add(What.CHECKPOINT_FORGED, _about(size, entries), size=size)
        roots = {one.head.root for _, one in parsed if one is not None}
        if len(roots) > 1:
            findings.add(What.CHECKPOINT_FORK, _about(size, entries), size=size, roots=len(roots))
        elif roots and check_head(Head(size, roots.pop()), entries, good.size, findings):
            at_ms = max(row[1] for row, one in parsed if one is not None)
            good = Signed(good.count + len(parsed) - forged, size, from_ms(at_ms))
    return good


def check_head(head: Head, entries: Entries, good_size: int, findings: Findings) -> bool:
    """Return whether a head is one of this log; ``good_size`` is the largest that is proven."""
    if head.size > entries.size:
        findings.add(What.ROLLED_BACK, entries.size, head=str(head), entries=entries.size)
        return False
    root = entries.roots.get(head.size)
    if root == head.root:
        return True
    if root is not None and not findings.broken_within(0, head.size - 1):
        findings.add(What.ROLLED_BACK, min(good_size, entries.size), head=str(head))
    return False


def check_anchors(
    db: Connection,
    entries: Entries,
    anchors: Sequence[Head],
    good_size: int,
    findings: Findings,
) -> Iterable[Doubt]:
    """Check heads from outside; yield why one of them says nothing."""
    for head in anchors:
        if _is_lost(db, entries, head):
            yield Doubt.RESTORED
        else:
            check_head(head, entries, good_size, findings)


def _is_lost(db: Connection, entries: Entries, head: Head) -> bool:
    """Return whether a head is of entries that a restore took back, as an entry says."""
    if entries.roots.get(head.size) == head.root:
        return False
    for seq, anchored, found in entries.restores:
        try:
            last, first = notes.parse_head(anchored), notes.parse_head(found)
        except ValueError:
            continue
        if first.size < head.size <= last.size and first.size <= seq:
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


def _about(size: int, entries: Entries) -> int:
    """Return the newest entry that a checkpoint is about."""
    return max(min(size, entries.size) - 1, 0)
