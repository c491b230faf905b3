"""The Merkle tree of RFC 6962, section 2.1: one hash that stands for a list of entries.

A tree grows by its leaves. ``grown`` tells which inner nodes a new leaf completes; whoever keeps
those can answer everything else by looking a few of them up.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

Lookup = Callable[[int, int], bytes]  # level and index of a complete subtree; level 0 are leaves


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def grown(index: int, leaf: bytes, lookup: Lookup) -> list[tuple[int, int, bytes]]:
    """Return the complete subtrees that leaf number ``index`` makes, as level, index, hash."""
    found, level, node = [(0, index, leaf)], 0, leaf
    while index & 1:
        node = node_hash(lookup(level, index - 1), node)
        level, index = level + 1, index >> 1
        found.append((level, index, node))
    return found


def peaks(size: int) -> list[tuple[int, int]]:
    """Return the complete subtrees that a tree of so many leaves is made of, largest first."""
    found, begin = [], 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            found.append((level, begin >> level))
            begin += 1 << level
    return found


def root(size: int, lookup: Lookup) -> bytes:
    """Return the root of the first ``size`` leaves."""
    return folded([lookup(level, index) for level, index in peaks(size)])


def folded(hashes: Sequence[bytes]) -> bytes:
    """Return the root over complete subtrees, largest first."""
    if not hashes:
        return EMPTY_ROOT
    node = hashes[-1]
    for left in reversed(hashes[:-1]):
        node = node_hash(left, node)
    return node


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root of a list of leaf hashes, in one pass and little memory."""
    growing = Growing()
    for leaf in leaves:
        growing.add(leaf)
    return growing.root()


class Growing:
    """A tree that is only ever added to; it keeps no more than its peaks."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        sha256, kept = hashlib.sha256, self._peaks
        index, node = self.size, leaf
        while index & 1:
            node = sha256(b"\x01" + kept.pop() + node).digest()
            index >>= 1
        kept.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Return the root of what was added until now."""
        return folded(self._peaks)


def inclusion(index: int, size: int, lookup: Lookup) -> list[bytes]:
    """Return the audit path of a leaf in a tree of that size (RFC 6962, 2.1.1).

    Raises:
        ValueError: there is no such leaf.

    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    return _path(index, 0, size, lookup)


def _path(index: int, begin: int, end: int, lookup: Lookup) -> list[bytes]:
    """Return the path of a leaf within the leaves from ``begin`` until ``end``."""
    if end - begin == 1:
        return []
    middle = begin + _split(end - begin)
    if index < middle:
        return [*_path(index, begin, middle, lookup), _range_root(middle, end, lookup)]
    return [*_path(index, middle, end, lookup), _range_root(begin, middle, lookup)]


def includes(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Return whether a path proves a leaf to be number ``index`` of a tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = leaf, size - 1
    for other in path:
        if last == 0:
            return False
        if index & 1 or index == last:
            node = node_hash(other, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, other)
        index, last = index >> 1, last >> 1
    return last == 0 and node == root


def _split(count: int) -> int:
    """Return the largest power of two below a count."""
    return 1 << (count - 1).bit_length() - 1


def _range_root(begin: int, end: int, lookup: Lookup) -> bytes:
    """Return the root over leaves ``begin`` to ``end``, where ``begin`` is such a split."""
    hashes = []
    for level, index in peaks(end - begin):
        hashes.append(lookup(level, (begin >> level) + index))
    return folded(hashes)
