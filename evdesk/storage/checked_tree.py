"""The tree of the audit log, computed anew from its leaves and held against the stored one."""

from collections.abc import Sequence
from hashlib import sha256

from evdesk.domain import merkle
from evdesk.domain.verdicts import Findings, What
from evdesk.storage.connection import Connection

LEVELS = 12
BATCH = 1 << LEVELS  # leaves that are added at a time; only the last time may have fewer


class CheckedTree:
    """A tree that is added to in batches; of what is done it keeps the peaks alone."""

    def __init__(self, db: Connection, findings: Findings) -> None:
        self._db, self._findings = db, findings
        self.size = 0
        self._begin = 0
        self._before: dict[tuple[int, int], bytes] = {}
        self._peaks: dict[tuple[int, int], bytes] = {}
        self._levels: list[list[bytes]] = [[]]

    def add(self, leaves: list[bytes]) -> None:
        """Add a batch of leaves, and compare the inner nodes that it completes."""
        self._begin, self._before = self.size, dict(self._peaks)
        self._levels = [leaves]
        while len(self._levels[-1]) > 1:
            below = self._levels[-1]
            pairs = zip(below[::2], below[1::2])  # noqa: B905 - an odd one waits
            self._levels.append([sha256(b"\x01" + one + two).digest() for one, two in pairs])
        self.size += len(leaves)
        for level, nodes in enumerate(self._levels):
            if level and nodes:
                self._compare(level, self._begin >> level, nodes)
        if len(leaves) == BATCH:
            self._carry()

    def root(self, size: int) -> bytes:
        """Return the root of so many leaves: not fewer than there were before the last batch."""
        return merkle.root(size, self._node)

    def compare_count(self) -> None:
        """Compare how many inner nodes there are: there may be no others."""
        expected = sum(self.size >> level for level in range(1, self.size.bit_length()))
        found = self._db.number("SELECT count(*) FROM audit_node")
        if found > expected:
            self._findings.add(What.NODE_CHANGED, max(self.size - 1, 0), nodes=found - expected)

    def _node(self, level: int, index: int) -> bytes:
        within = index - (self._begin >> level)
        if level < LEVELS and within >= 0:
            return self._levels[level][within]
        found = self._before.get((level, index))
        return self._peaks[level, index] if found is None else found

    def _carry(self) -> None:
        """Put the node over the whole batch among the peaks."""
        level, index, node = LEVELS, self._begin >> LEVELS, self._levels[LEVELS][0]
        while index & 1:
            node = merkle.node_hash(self._peaks.pop((level, index - 1)), node)
            level, index = level + 1, index >> 1
            self._compare(level, index, [node])
        self._peaks[level, index] = node

    def _compare(self, level: int, first: int, nodes: Sequence[bytes]) -> None:
        rows = self._db.all(
            "SELECT idx, hash FROM audit_node WHERE level = ? AND idx >= ? AND idx < ?"
            " ORDER BY idx",
            (level, first, first + len(nodes)),
        )
        computed = list(enumerate(nodes, start=first))
        if rows == computed:
            return
        stored: dict[int, bytes] = dict(rows)
        for index, node in computed:
            begin, last = index << level, ((index + 1) << level) - 1
            if stored.get(index) != node and not self._findings.broken_within(begin, last):
                self._findings.add(What.NODE_CHANGED, last, level=level, number=index)
