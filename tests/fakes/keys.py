"""A key file whose password costs little to try: real in all else."""

from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evdesk.domain.secrets import Secret
from evdesk.domain.site import SlotKind
from evdesk.settings import KDF
from evdesk.storage import key_file, key_slots, keys

CHEAP = key_slots.KdfCost(time_cost=1, memory_kib=KDF.min_memory_kib, parallelism=1)


def make_cheap(folder: Path, password: Secret) -> Secret:
    """Let the password's slot cost the least that is allowed; return the data key."""
    unlocked = keys.unlock(folder, None, password)
    data_key, signing_key = unlocked.data_key, unlocked.signing_key
    file, _ = key_file.read_keys(folder)
    private = X25519PrivateKey.generate()
    for slot in file.slots:
        if slot.kind is SlotKind.PASSWORD:
            public = private.public_key()
            cheap = replace(slot, cost=CHEAP, public=public.public_bytes_raw())
            bound = key_slots._bound(file.about(), cheap)
            wrap = AESGCM(key_slots._stretched(password, cheap))
            cheap = replace(
                cheap,
                wrapped=wrap.encrypt(cheap.nonce, private.private_bytes_raw(), bound),
                sealed=key_slots.SUITE.encrypt(data_key.reveal(), public, bound),
            )
            file = file.with_slot(cheap)
            if file.signing is not None and signing_key is not None:
                signing = file.signing.shared_with(file.about(), cheap, signing_key)
                file = replace(file, signing=signing)
    key_file.write_keys(folder, file)
    return data_key
