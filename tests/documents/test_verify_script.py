"""verify.py against what it does not know: the libraries that evdesk uses, and the standards."""

import ast
import sys

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from evdesk.domain import merkle, notes
from evdesk.domain.notes import Head, Verifier
from evdesk.domain.secrets import Secret
from evdesk.storage.signing import sign
from tests.documents.verifier import PATH, verifier

# RFC 8032, section 7.1: public key, message, signature of tests 1 to 3, and of SHA(abc)
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ),
)  # fmt: skip


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_are_good_and_no_others(public, message, signature) -> None:
    is_signed = verifier().is_signed
    key, text, signed = (bytes.fromhex(one) for one in (public, message, signature))
    assert is_signed(key, text, signed)
    assert not is_signed(key, text + b"\0", signed)
    for place in (0, 31, 32, 63):
        wrong = bytearray(signed)
        wrong[place] ^= 1
        assert not is_signed(key, text, bytes(wrong))
    assert not is_signed(key[:-1], text, signed)
    assert not is_signed(b"\xff" * 32, text, signed)


def test_a_signature_is_not_good_in_a_second_form() -> None:
    """s and s + L are the same to the curve, and the standard allows one of them."""
    key, text, signed = (bytes.fromhex(one) for one in VECTORS[1])
    s = int.from_bytes(signed[32:], "little") + verifier().L
    assert not verifier().is_signed(key, text, signed[:32] + s.to_bytes(32, "little"))


@settings(max_examples=25, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200))
def test_whatever_the_library_signs_is_good(seed: bytes, message: bytes) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public = key.public_key().public_bytes_raw()
    assert verifier().is_signed(public, message, key.sign(message))
    assert not verifier().is_signed(public, message + b"x", key.sign(message))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=12,
    )
)
def test_canonical_json_is_that_of_the_standard(value) -> None:
    try:
        expected = rfc8785.dumps(value)
    except rfc8785.CanonicalizationError:  # a lone surrogate
        return
    assert verifier().canonical(value).encode() == expected


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_roots_are_those_of_the_domain(leaves: list[bytes]) -> None:
    tree = verifier().Tree()
    for leaf in leaves:
        tree.add(leaf)
    assert (tree.size, tree.root()) == (len(leaves), merkle.root_of(leaves))


def test_checkpoints_and_keys_are_read_as_they_are_written() -> None:
    key = Secret(bytes(range(32)))
    public = Ed25519PrivateKey.from_private_bytes(key.reveal()).public_key().public_bytes_raw()
    name = "evdesk.example/site-1"
    known = verifier().parse_key(str(Verifier(name, public)))
    assert (known.name, known.public) == (name, public)
    root = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
    head = Head(8, root)
    ((body, line),) = verifier().parse_checkpoints(sign(name, head, key))
    assert body.decode() == notes.body(name, head)
    assert verifier().signed_head(body, line, known) == (8, head.root)
    other = verifier().parse_key(str(Verifier("evdesk.example/site-2", public)))
    assert verifier().signed_head(body, line, other) is None
    assert verifier().signed_head(body.replace(b"8", b"9"), line, known) is None


@pytest.mark.parametrize(
    "text", ["", "8", "8:", "08:" + "A" * 43 + "=", "-1:AA==", "8:AA==", "x:y"]
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        verifier().parse_head(text)


def test_it_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse(PATH.read_text(encoding="utf-8"))
    named = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    named |= {str(n.module) for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert {name.split(".")[0] for name in named} <= sys.stdlib_module_names
