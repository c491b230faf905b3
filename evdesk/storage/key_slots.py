"""A key slot: an X25519 pair whose private half a password opens, with the data key sealed to it.

Argon2id (RFC 9106) makes a key of the password, AES-256-GCM wraps the private half under it, HPKE
(RFC 9180, X25519, HKDF-SHA256, AES-256-GCM) seals the data key to the public half.
"""

import base64
import binascii
import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from argon2.low_level import ARGON2_VERSION, Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from evdesk import settings
from evdesk.domain.errors import StorageError
from evdesk.domain.instants import rfc3339
from evdesk.domain.secrets import Secret
from evdesk.domain.site import SlotKind
from evdesk.storage.json_text import canonical

KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16
SLOT_ID_BYTES = 8
RANDOM_KINDS = {SlotKind.KEYRING, SlotKind.SERVICE}
SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

RandomBytes = Callable[[int], bytes]

UNREASONABLE = (
    "The key file asks for {memory_kib} KiB of memory, {time_cost} passes and {parallelism} lanes "
    "to try a password, which is outside what evdesk accepts. Somebody may have changed keys.json; "
    "nothing was tried. Restore keys.json from the newest backup."
)


@dataclass(frozen=True, slots=True)
class KdfCost:
    """What trying one password costs (Argon2id)."""

    time_cost: int = settings.KDF.time_cost
    memory_kib: int = settings.KDF.memory_kib
    parallelism: int = settings.KDF.parallelism

    def check(self) -> None:
        """Refuse a cost that would weaken the slot or exhaust the computer; run before any hash.

        Raises:
            StorageError: outside the bounds of ``settings.KDF``.

        """
        limits = settings.KDF
        reasonable = (
            1 <= self.time_cost <= limits.max_time_cost
            and limits.min_memory_kib <= self.memory_kib <= limits.max_memory_kib
            and 1 <= self.parallelism <= limits.max_parallelism
        )
        if not reasonable:
            raise StorageError(
                UNREASONABLE,
                memory_kib=self.memory_kib,
                time_cost=self.time_cost,
                parallelism=self.parallelism,
            )


@dataclass(frozen=True, slots=True)
class Whose:
    """What a slot is for: ``label`` is the account id, or "" where it is nobody's own.

    ``hint`` finds the slot of whoever gives their name, without telling the name: see ``hint_of``.
    """

    kind: SlotKind
    label: str = ""
    hint: int | None = None


# A key of 256 random bits needs no stretching; the least that the bounds allow.
RANDOM_COST = KdfCost(1, settings.KDF.min_memory_kib, 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot as it stands in keys.json; see ``Whose``."""

    id: str
    kind: SlotKind
    label: str
    created_at: str
    cost: KdfCost
    salt: bytes
    public: bytes
    nonce: bytes
    wrapped: bytes
    sealed: bytes
    hint: int | None = None

    def header(self) -> dict[str, object]:
        """Return everything but the ciphertexts, as JSON values."""
        hint = {} if self.hint is None else {"hint": self.hint}
        return hint | {
            "id": self.id,
            "kind": self.kind.value,
            "label": self.label,
            "created_at": self.created_at,
            "kdf": {
                "name": "argon2id",
                "version": ARGON2_VERSION,
                "t": self.cost.time_cost,
                "m_kib": self.cost.memory_kib,
                "p": self.cost.parallelism,
                "salt": _text(self.salt),
            },
            "public": _text(self.public),
            "wrap": "aes-256-gcm",
            "nonce": _text(self.nonce),
            "seal": "hpke-x25519-hkdf-sha256-aes-256-gcm",
        }

    def dump(self) -> dict[str, object]:
        """Return the slot as JSON values."""
        return {**self.header(), "wrapped": _text(self.wrapped), "sealed": _text(self.sealed)}


def load_slot(data: Mapping[str, object]) -> Slot:
    """Return the slot that ``dump`` wrote.

    Raises:
        KeyError, TypeError, ValueError: it was not ``dump`` that wrote this.

    """
    kdf = data["kdf"]
    if not isinstance(kdf, dict):
        raise TypeError("kdf is not an object")
    slot = Slot(
        id=str(data["id"]),
        kind=SlotKind(str(data["kind"])),
        label=str(data["label"]),
        created_at=str(data["created_at"]),
        cost=KdfCost(_int(kdf["t"]), _int(kdf["m_kib"]), _int(kdf["p"])),
        salt=_bytes(kdf["salt"]),
        public=_bytes(data["public"]),
        nonce=_bytes(data["nonce"]),
        wrapped=_bytes(data["wrapped"]),
        sealed=_bytes(data["sealed"]),
        hint=_int(data["hint"]) if "hint" in data else None,
    )
    lengths = (len(slot.salt), len(slot.nonce), len(slot.public), len(slot.wrapped))
    if lengths != (SALT_BYTES, NONCE_BYTES, KEY_BYTES, KEY_BYTES + TAG_BYTES):
        raise ValueError("a slot with a value cut short or too long")
    if slot.dump() != data:
        raise ValueError("a slot in a form that this evdesk does not know")
    return slot


def make_slot(
    about: Mapping[str, object],
    whose: Whose,
    secret: Secret,
    data_key: Secret,
    *,
    created_at: datetime,
    random_bytes: RandomBytes,
    cost: KdfCost | None = None,
) -> Slot:
    """Return a new slot; ``about`` is what of the key file it is bound to."""
    private = X25519PrivateKey.from_private_bytes(random_bytes(KEY_BYTES))
    slot = Slot(
        id=random_bytes(SLOT_ID_BYTES).hex(),
        kind=whose.kind,
        label=whose.label,
        created_at=rfc3339(created_at),
        cost=RANDOM_COST if whose.kind in RANDOM_KINDS else cost or KdfCost(),
        salt=random_bytes(SALT_BYTES),
        public=private.public_key().public_bytes_raw(),
        nonce=random_bytes(NONCE_BYTES),
        wrapped=b"",
        sealed=b"",
        hint=whose.hint,
    )
    bound = _bound(about, slot)
    wrapping = AESGCM(_stretched(secret, slot))
    public = X25519PublicKey.from_public_bytes(slot.public)
    return replace(
        slot,
        wrapped=wrapping.encrypt(slot.nonce, private.private_bytes_raw(), bound),
        sealed=SUITE.encrypt(data_key.reveal(), public, bound),
    )


@dataclass(frozen=True, slots=True)
class OpenSlot:
    """A slot whose secret was right."""

    slot: Slot
    data_key: Secret
    _private: X25519PrivateKey

    def unseal(self, about: Mapping[str, object], purpose: str, sealed: bytes) -> Secret | None:
        """Return what was sealed to this slot for a purpose, or None where it was not."""
        try:
            return Secret(SUITE.decrypt(sealed, self._private, _bound(about, self.slot, purpose)))
        except InvalidTag:
            return None


def seal_to(about: Mapping[str, object], slot: Slot, purpose: str, value: Secret) -> bytes:
    """Return a value that whoever opens the slot can read; nobody's password is needed."""
    public = X25519PublicKey.from_public_bytes(slot.public)
    return SUITE.encrypt(value.reveal(), public, _bound(about, slot, purpose))


def resealed(about: Mapping[str, object], slot: Slot, data_key: Secret) -> Slot:
    """Return a slot that opens another data key with the same secret; it need not be known."""
    public = X25519PublicKey.from_public_bytes(slot.public)
    return replace(slot, sealed=SUITE.encrypt(data_key.reveal(), public, _bound(about, slot)))


def hint_of(site_id: str, name: str) -> int:
    """Return 0 to 255 for the name of an account.

    Eight bits spare trying everybody's slot, and are too few to tell whose name it is.
    """
    plain = unicodedata.normalize("NFKC", name.strip())
    return hashlib.sha256(f"evdesk account\n{site_id}\n{plain}".encode()).digest()[0]


def open_slot(about: Mapping[str, object], slot: Slot, secret: Secret) -> OpenSlot | None:
    """Return the opened slot, or None where the secret does not open it.

    Raises:
        StorageError: the slot asks for an unreasonable cost; nothing was tried.

    """
    slot.cost.check()
    bound = _bound(about, slot)
    try:
        private = AESGCM(_stretched(secret, slot)).decrypt(slot.nonce, slot.wrapped, bound)
        key = X25519PrivateKey.from_private_bytes(private)
        return OpenSlot(slot, Secret(SUITE.decrypt(slot.sealed, key, bound)), key)
    except InvalidTag:
        return None


def _stretched(secret: Secret, slot: Slot) -> bytes:
    return hash_secret_raw(
        _normalised(secret.reveal()),
        slot.salt,
        time_cost=slot.cost.time_cost,
        memory_cost=slot.cost.memory_kib,
        parallelism=slot.cost.parallelism,
        hash_len=KEY_BYTES,
        type=Type.ID,
    )


def _normalised(password: bytes) -> bytes:
    try:
        return unicodedata.normalize("NFKC", password.decode()).encode()
    except UnicodeDecodeError:
        return password  # a recovery value, or a file in another encoding: taken as it is


def _bound(about: Mapping[str, object], slot: Slot, purpose: str | None = None) -> bytes:
    """Return what a ciphertext belongs to; the data key itself bears no purpose."""
    said = {} if purpose is None else {"purpose": purpose}
    return canonical({**about, **said, "slot": slot.header()}).encode()


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _int(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not an integer")
    return value
