"""The audit log as a tree: entries appended, heads and proofs looked up."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evdesk.domain import merkle
from evdesk.domain.errors import LogBroken, StorageError
from evdesk.domain.notes import Head
from evdesk.storage.connection import Connection
from evdesk.storage.faults import is_unreadable
from evdesk.storage.json_text import hashed_text

VERSION = 1
NO_ENTRY = "0" * 64  # what entry 0 names as the leaf before it
BROKEN = (
    "Entry {seq} of the audit log is missing or damaged, so that nothing can be added to it; "
    "nothing was changed. Run evdesk audit verify, and restore the newest backup."
)


@dataclass(frozen=True, slots=True)
class Last:
    """The newest entry: its number, its leaf in hex, and its instant as it is written."""

    seq: int
    leaf: str
    at: str


def following(last: Last | None) -> int:
    """Return the number of the entry that follows."""
    return 0 if last is None else last.seq + 1


class Chain:
    """Implements ``ports.AuditTree`` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def last(self) -> Last | None:
        """Return the newest entry.

        Raises:
            LogBroken: it is none that could be followed.

        """
        try:
            row = self._db.one(
                "SELECT seq, lower(hex(leaf)), at FROM audit ORDER BY seq DESC LIMIT 1"
            )
        except StorageError as error:
            if is_unreadable(error):
                raise LogBroken(BROKEN, seq=self.size() - 1) from error
            raise
        return None if row is None else Last(*row)

    def append(
        self, fields: Mapping[str, str], body: bytes, salt: bytes, last: Last | None
    ) -> Last:
        """Write an entry that follows ``last``, and beside it what it says in detail.

        A clock that was set back is said in the entry, so that it is not taken for tampering.
        """
        seq, at = following(last), fields["at"]
        entry = {
            **fields,
            "v": VERSION,
            "seq": seq,
            "prev": NO_ENTRY if last is None else last.leaf,
            "payload": hmac.digest(salt, body, "sha256").hex(),
        }
        if last is not None and at < last.at:
            entry["clock"] = "set back"
        text = hashed_text(entry)
        leaf = merkle.leaf_hash(text)
        insert = "INSERT INTO audit (seq, entry, leaf) VALUES (?, ?, ?)"
        self._db.run(insert, (seq, text.decode(), leaf))
        self._db.run("INSERT INTO audit_payload VALUES (?, ?, ?)", (seq, salt, body.decode()))
        for level, index, node in merkle.grown(seq, leaf, self.node)[1:]:
            self._db.run("INSERT INTO audit_node VALUES (?, ?, ?)", (level, index, node))
        return Last(seq, leaf.hex(), at)

    def node(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree; one that is lost is made of what is below it.

        Raises:
            LogBroken: an entry is missing.

        """
        if level == 0:
            row = self._db.one("SELECT leaf FROM audit WHERE seq = ?", (index,))
        else:
            sql = "SELECT hash FROM audit_node WHERE level = ? AND idx = ?"
            row = self._db.one(sql, (level, index))
        if row is not None:
            return bytes(row[0])
        if level == 0:
            raise LogBroken(BROKEN, seq=index)
        left, right = (self.node(level - 1, 2 * index + side) for side in (0, 1))
        return merkle.node_hash(left, right)

    def size(self) -> int:
        """Return how many entries there are."""
        return self._db.number("SELECT coalesce(max(seq), -1) + 1 FROM audit")

    def head(self, size: int | None = None) -> Head:
        """Return the head of the first ``size`` entries, or of all."""
        size = self.size() if size is None else size
        known = self._nodes(merkle.peaks(size))
        return Head(size, merkle.root(size, lambda *at: known.get(at) or self.node(*at)))

    def _nodes(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """Return those inner nodes that are there, all in one look."""
        inner = [at for at in wanted if at[0]]
        if not inner:
            return {}
        places = ", ".join(["(?, ?)"] * len(inner))
        sql = (
            f"WITH wanted (at_level, at_idx) AS (VALUES {places})"  # noqa: S608 - question marks
            " SELECT level, idx, hash FROM wanted CROSS JOIN audit_node"
            " ON level = at_level AND idx = at_idx"
        )
        rows = self._db.all(sql, [number for at in inner for number in at])
        return {(level, index): node for level, index, node in rows}

    def inclusion(self, seq: int, size: int) -> list[bytes]:
        """Return the path that proves entry ``seq`` to be in the tree of that size."""
        return merkle.inclusion(seq, size, self.node)
