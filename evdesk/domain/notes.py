"""Signed checkpoints of the audit log: C2SP signed-note and tlog-checkpoint, as text."""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

ED25519 = b"\x01"
KEY_ID_BYTES, PUBLIC_BYTES, SIGNATURE_BYTES = 4, 32, 64
PROOF = "c2sp.org/tlog-proof@v1"
DASH = "\u2014"  # begins a signature line


@dataclass(frozen=True, slots=True)
class Head:
    """How many entries a log has, and the Merkle root over them."""

    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.size}:{encoded(self.root)}"


@dataclass(frozen=True, slots=True)
class Verifier:
    """The public half of the key that signs a log, with the log's name."""

    name: str
    public: bytes

    def key_id(self) -> bytes:
        """Return the four bytes that tell this key from others."""
        digest = hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()
        return digest[:KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id().hex()}+{encoded(ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A signed head as it is read: what is signed, by which key, with which signature."""

    origin: str
    head: Head
    body: bytes
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A signed text: whose key it names, and the signature."""

    body: bytes
    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Rollback:
    """A log that is not the one that was anchored: shorter, or another one.

    ``anchored`` is None where the anchor is lost, ``found`` where the log is not whole.
    """

    anchored: Head | None
    found: Head | None


def parse_head(text: str) -> Head:
    """Return the head of ``size:root``, as it is printed on paper.

    Raises:
        ValueError: it is not one.

    """
    size, colon, root = text.strip().partition(":")
    if not colon or not size.isascii() or not size.isdigit() or str(int(size)) != size:
        raise ValueError("a head is written size:root")
    return Head(int(size), _exactly(root, hashlib.sha256().digest_size))


def parse_verifier(text: str) -> Verifier:
    """Return the key of ``name+id+base64``.

    Raises:
        ValueError: it is not one, or its id is another key's.

    """
    name, key_id, key = [*text.strip().split("+", 2), "", ""][:3]  # base64 may hold a plus, too
    raw = _exactly(key, 1 + PUBLIC_BYTES)
    found = Verifier(name, raw[1:])
    if raw[:1] != ED25519 or found.key_id().hex() != key_id:
        raise ValueError("a key is written name+id+base64")
    return found


def body(origin: str, head: Head) -> str:
    """Return what is signed: origin, size and root, a line each."""
    return f"{origin}\n{head.size}\n{encoded(head.root)}\n"


def note(text: str, verifier: Verifier, signature: bytes) -> str:
    """Return a signed note."""
    return f"{text}\n{DASH} {verifier.name} {encoded(verifier.key_id() + signature)}\n"


def parse(text: str) -> Checkpoint:
    """Return what a signed checkpoint says; the signature is not checked here.

    Raises:
        ValueError: it is not one.

    """
    signed = parse_note(text)
    lines = signed.body.decode().removesuffix("\n").split("\n")
    if len(lines) != 3:  # noqa: PLR2004
        raise ValueError("not a checkpoint")
    head = parse_head(f"{lines[1]}:{lines[2]}")
    return Checkpoint(lines[0], head, signed.body, signed.key_id, signed.signature)


def head_in(text: str) -> Head | None:
    """Return the head in a checkpoint, in an anchor file, or in a text such as an invoice has."""
    with suppress(ValueError):
        return parse(text).head
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        data = json.loads(text)
        return parse_head(f"{data['size']}:{data['root']}")
    for word in text.split():
        with suppress(ValueError):
            return parse_head(word)
    return None


def parse_note(text: str) -> Note:
    """Return a text with the one signature under it; that is not checked here.

    Raises:
        ValueError: it is no signed note.

    """
    signed, blank, signatures = text.partition("\n\n")
    mark, _, rest = signatures.rstrip("\n").partition(" ")
    name, _, key = rest.rpartition(" ")
    if not blank or mark != DASH or not name:
        raise ValueError("not a signed note, such as a checkpoint")
    raw = _exactly(key, KEY_ID_BYTES + SIGNATURE_BYTES)
    return Note(f"{signed}\n".encode(), name, raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:])


def proof(index: int, path: Sequence[bytes], checkpoint: str) -> str:
    """Return what proves one entry to be in a signed log: C2SP tlog-proof."""
    lines = [PROOF, f"index {index}", *map(encoded, path), "", checkpoint]
    return "\n".join(lines)


def encoded(value: bytes) -> str:
    """Return base64 as checkpoints write it."""
    return base64.b64encode(value).decode()


def _exactly(text: str, length: int) -> bytes:
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("not base64") from error
    if len(value) != length or encoded(value) != text:
        raise ValueError("cut short or too long")
    return value
