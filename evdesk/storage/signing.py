"""The key that signs heads of the audit log: Ed25519, sealed to the slots of those who may sign."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from evdesk.domain import notes
from evdesk.domain.notes import Checkpoint, Head, Note, Verifier
from evdesk.domain.secrets import Secret
from evdesk.storage.key_slots import KEY_BYTES, OpenSlot, RandomBytes, Slot, seal_to

PURPOSE = "audit signing"


@dataclass(frozen=True, slots=True)
class Signing:
    """The public half, and the private one sealed to slots, by slot id."""

    public: bytes
    sealed: Mapping[str, bytes]

    def dump(self) -> dict[str, object]:
        """Return it as JSON values."""
        sealed = {slot: _text(value) for slot, value in sorted(self.sealed.items())}
        return {"public": _text(self.public), "sealed": sealed}

    def kept_for(self, slots: Iterable[Slot]) -> "Signing":
        """Return it without what was sealed to slots that are gone."""
        ids = {slot.id for slot in slots}
        kept = {slot: value for slot, value in self.sealed.items() if slot in ids}
        return replace(self, sealed=kept)

    def shared_with(self, about: Mapping[str, object], slot: Slot, key: Secret) -> "Signing":
        """Return it with the private half sealed to one more slot."""
        return replace(self, sealed={**self.sealed, slot.id: seal_to(about, slot, PURPOSE, key)})

    def opened(self, about: Mapping[str, object], slot: OpenSlot) -> Secret | None:
        """Return the private half, or None where the slot has no part in it."""
        sealed = self.sealed.get(slot.slot.id)
        return None if sealed is None else slot.unseal(about, PURPOSE, sealed)


def load_signing(data: object) -> Signing | None:
    """Return what ``dump`` wrote, or None where there is nothing.

    Raises:
        KeyError, TypeError, ValueError: it was not ``dump`` that wrote this.

    """
    if data is None:
        return None
    if not isinstance(data, dict) or not isinstance(data["sealed"], dict):
        raise TypeError("not an object")
    sealed = {str(slot): _bytes(value) for slot, value in data["sealed"].items()}
    found = Signing(_bytes(data["public"]), sealed)
    if len(found.public) != KEY_BYTES or found.dump() != data:
        raise ValueError("a signing key in a form that this evdesk does not know")
    return found


def new_signing(random_bytes: RandomBytes) -> tuple[Signing, Secret]:
    """Return a new pair, sealed to nobody yet."""
    seed = random_bytes(KEY_BYTES)
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    return Signing(public, {}), Secret(seed)


def sign(origin: str, head: Head, key: Secret) -> str:
    """Return a signed checkpoint."""
    return sign_text(notes.body(origin, head), origin, key)


def sign_text(text: str, name: str, key: Secret) -> str:
    """Return a signed note of any text; it says itself what it is, and is no checkpoint."""
    private = Ed25519PrivateKey.from_private_bytes(key.reveal())
    verifier = Verifier(name, private.public_key().public_bytes_raw())
    return notes.note(text, verifier, private.sign(text.encode()))


def is_signed(checkpoint: Checkpoint, verifier: Verifier) -> bool:
    """Return whether a checkpoint is signed with that key, for that log."""
    if checkpoint.key_id != verifier.key_id() or checkpoint.origin != verifier.name:
        return False
    return _fits(verifier, checkpoint.signature, checkpoint.body)


def is_text_signed(note: Note, text: str, verifier: Verifier) -> bool:
    """Return whether a note is this text, signed with that key."""
    if (note.name, note.key_id) != (verifier.name, verifier.key_id()):
        return False
    return note.body == text.encode() and _fits(verifier, note.signature, note.body)


def is_half_of(key: Secret, verifier: Verifier) -> bool:
    """Return whether a private key is the one whose public half that is."""
    private = Ed25519PrivateKey.from_private_bytes(key.reveal())
    return private.public_key().public_bytes_raw() == verifier.public


def _fits(verifier: Verifier, signature: bytes, body: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(verifier.public).verify(signature, body)
    except InvalidSignature:
        return False
    return True


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: object) -> bytes:
    return base64.b64decode(str(value), validate=True)  # binascii.Error is a ValueError
