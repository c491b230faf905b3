"""What is wrong with a file that the key does not open: another key, or damage.

Source: SQLCipher 4 file format. Pages of 4,096 bytes end in 16 bytes IV and 64 bytes HMAC-SHA512
over ciphertext, IV and the page number; the first 16 bytes of the file are the salt.
"""

import hashlib
import hmac
from enum import Enum
from pathlib import Path

from evdesk.domain.secrets import Secret

PAGE_BYTES = 4096
SALT_BYTES = 16
HMAC_BYTES = 64
HMAC_SALT_MASK = 0x3A
HMAC_KDF_ROUNDS = 2
PLAIN_HEADER = b"SQLite format 3\0"
PAGES_TRIED = 64


class Verdict(Enum):
    """What the pages of a file say."""

    WRONG_KEY = "wrong_key"
    DAMAGED = "damaged"
    TRUNCATED = "truncated"
    PLAIN = "plain"


def diagnose(path: Path, key: Secret) -> Verdict:
    """Return why a database does not open; one page that the key proves shows the key is right.

    Raises:
        OSError: the file cannot be read.

    """
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(PAGE_BYTES)
        if first.startswith(PLAIN_HEADER):
            return Verdict.PLAIN
        if size_bytes % PAGE_BYTES or size_bytes == 0:
            return Verdict.TRUNCATED
        hmac_key = _hmac_key(key, first[:SALT_BYTES])
        pages = range(2, min(size_bytes // PAGE_BYTES, PAGES_TRIED) + 1)
        proven = any(_proves(hmac_key, number, file.read(PAGE_BYTES)) for number in pages)
    return Verdict.DAMAGED if proven else Verdict.WRONG_KEY


def _hmac_key(key: Secret, salt: bytes) -> bytes:
    masked = bytes(byte ^ HMAC_SALT_MASK for byte in salt)
    return hashlib.pbkdf2_hmac("sha512", key.reveal(), masked, HMAC_KDF_ROUNDS, dklen=32)


def _proves(hmac_key: bytes, number: int, page: bytes) -> bool:
    start = SALT_BYTES if number == 1 else 0
    message = page[start:-HMAC_BYTES] + number.to_bytes(4, "little")
    return hmac.compare_digest(hmac.new(hmac_key, message, "sha512").digest(), page[-HMAC_BYTES:])
