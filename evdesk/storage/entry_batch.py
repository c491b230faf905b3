"""A batch of audit entries, each held against itself and against the one behind it.

Whole lists are compared first; only a batch that does not pass is looked through.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from evdesk.domain import merkle
from evdesk.domain.verdicts import Findings, What
from evdesk.storage.chain import NO_ENTRY
from evdesk.storage.connection import Connection
from evdesk.storage.entry_text import Fields, fields_of

ENTRIES = "SELECT seq, CAST(entry AS BLOB), leaf FROM audit WHERE seq >= ? AND seq < ? ORDER BY seq"
NOTHING = bytes(merkle.HASH_BYTES)


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries that are what they were, by number, and a leaf for each number of the batch."""

    seqs: Sequence[int]
    fields: Sequence[Fields]
    leaves: list[bytes]
    count: int


def read_batch(db: Connection, begin: int, end: int, findings: Findings) -> Batch:
    """Return the entries in begin <= seq < end; those that are not what they were are found.

    The entry behind them is looked at, too: it names the hash of the last one.
    """
    rows = db.all(ENTRIES, (begin, end + 1))
    leaves = [sha256(b"\x00" + text).digest() for _, text, _ in rows]
    fields = [fields_of(text) for _, text, _ in rows]
    count = end - begin
    seqs = [seq for seq, _, _ in rows]
    if (
        seqs[:count] == list(range(begin, end))
        and seqs == [None if one is None else int(one.seq) for one in fields]
        and [leaf for _, _, leaf in rows] == leaves
        and [one.prev for one in fields[1:] if one is not None] == _hex(leaves[:-1])
        and (begin > 0 or _begins(fields[0]))
    ):
        sound = [one for one in fields[:count] if one is not None]
        return Batch(seqs[:count], sound, leaves[:count], count)
    return _Damaged(db, begin, end, findings).batch(rows, leaves, fields)


def _hex(leaves: list[bytes]) -> list[bytes]:
    return [leaf.hex().encode() for leaf in leaves]


def _begins(fields: Fields | None) -> bool:
    return fields is not None and fields.prev == NO_ENTRY.encode()


class _Damaged:
    """Looks through a batch in which something is not what it was."""

    def __init__(self, db: Connection, begin: int, end: int, findings: Findings) -> None:
        self._db, self._begin, self._end, self._findings = db, begin, end, findings
        self._sound: dict[int, Fields] = {}
        self._leaves: dict[int, bytes] = {}

    def batch(
        self,
        rows: list[tuple[int, bytes, object]],
        leaves: list[bytes],
        fields: list[Fields | None],
    ) -> Batch:
        """Return what is left of the batch."""
        there = {row[0] for row in rows}
        for (seq, _, stored), leaf, found in zip(rows, leaves, fields, strict=True):
            self._take(seq, stored, leaf, found)
        for seq in range(self._begin, self._end):
            if seq not in there:
                self._findings.add(What.ENTRY_MISSING, seq)
        if 0 in self._sound and not _begins(self._sound[0]):
            self._broken(0)
        for seq in range(self._begin, self._end):
            self._link(seq)
        kept = sorted(seq for seq in self._sound if seq < self._end)
        return Batch(
            kept,
            [self._sound[seq] for seq in kept],
            [self._leaves.get(seq, NOTHING) for seq in range(self._begin, self._end)],
            len(there - {self._end}),
        )

    def _take(self, seq: int, stored: object, leaf: bytes, fields: Fields | None) -> None:
        """Hold an entry against its number and its stored hash."""
        other = fields is not None and int(fields.seq) != seq
        if fields is not None and not other and stored == leaf:
            self._sound[seq], self._leaves[seq] = fields, leaf
            return
        if isinstance(stored, bytes) and len(stored) == len(leaf):
            self._leaves[seq] = stored
        if seq < self._end:
            self._findings.add(What.ORDER if other else What.ENTRY_CHANGED, seq)

    def _link(self, seq: int) -> None:
        """Hold an entry against what the one behind it says."""
        behind = self._sound.get(seq + 1)
        said = None if behind is None else _hash_of(behind.prev)
        if said is None or self._leaves.get(seq) == said:
            return
        if seq not in self._sound:
            self._leaves[seq] = said
        elif self._is_first(seq, said):
            self._broken(seq)
            self._leaves[seq] = said
        else:
            self._broken(seq + 1)

    def _is_first(self, seq: int, said: bytes) -> bool:
        """Return whether, of two entries that do not fit, the first one is the changed one.

        The stored node over one of them remembers.
        """
        row = self._db.one("SELECT hash FROM audit_node WHERE level = 1 AND idx = ?", (seq >> 1,))
        if row is None:
            return True
        if seq & 1:
            before = self._leaves.get(seq - 1, NOTHING)
            return bool(row[0] != merkle.node_hash(before, self._leaves[seq]))
        return bool(row[0] == merkle.node_hash(said, self._leaves[seq + 1]))

    def _broken(self, seq: int) -> None:
        self._sound.pop(seq, None)
        self._findings.add(What.ENTRY_CHANGED, seq)


def _hash_of(text: bytes) -> bytes | None:
    try:
        value = bytes.fromhex(text.decode())
    except ValueError:
        return None
    return value if len(value) == merkle.HASH_BYTES else None
