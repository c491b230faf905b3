"""The tree of RFC 6962 with its own test vectors, and its proofs against a plain definition."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain import merkle

INPUTS = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def plain_root(leaves: list[bytes]) -> bytes:
    """The definition, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = plain_root(leaves[:split]), plain_root(leaves[split:])
    return sha256(b"\x01" + left + right).digest()


class Kept:
    """The nodes that a growing tree told of."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        for index, leaf in enumerate(leaves):
            for level, at, node in merkle.grown(index, leaf, self.at):
                assert (level, at) not in self.nodes
                self.nodes[level, at] = node

    def at(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


@pytest.mark.parametrize(("size", "root"), ROOTS.items())
def test_the_vectors_of_the_standard(size: int, root: str) -> None:
    leaves = [merkle.leaf_hash(one) for one in INPUTS[:size]]
    assert merkle.root_of(leaves).hex() == root
    assert merkle.root(size, Kept(leaves).at).hex() == root


LEAVES = st.lists(st.binary(max_size=3).map(merkle.leaf_hash), max_size=70)


@given(LEAVES)
def test_kept_nodes_know_the_root_of_every_size_there_was(leaves: list[bytes]) -> None:
    kept = Kept(leaves)
    for size in range(len(leaves) + 1):
        assert merkle.root(size, kept.at) == plain_root(leaves[:size])
    assert merkle.root_of(leaves) == plain_root(leaves)
    assert len(kept.nodes) < 2 * len(leaves) + 1


@given(LEAVES.filter(bool), st.data())
def test_a_path_proves_its_leaf_and_no_other(leaves: list[bytes], data: st.DataObject) -> None:
    kept = Kept(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    root, path = plain_root(leaves[:size]), merkle.inclusion(index, size, kept.at)
    assert merkle.includes(root, size, index, leaves[index], path)
    assert not merkle.includes(root, size, index, merkle.leaf_hash(b"other"), path)
    assert not merkle.includes(root, size, index, leaves[index], [*path, root])
    assert not merkle.includes(merkle.leaf_hash(b"root"), size, index, leaves[index], path)
    if path:
        assert not merkle.includes(root, size, index, leaves[index], path[:-1])


def test_there_is_no_path_for_a_leaf_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="leaf 3 is not in a tree of 3"):
        merkle.inclusion(3, 3, Kept([]).at)
    assert not merkle.includes(merkle.EMPTY_ROOT, 0, 0, merkle.EMPTY_ROOT, [])
