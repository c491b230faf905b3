"""What is sealed under a person's key of one data class; a key is made when it is first needed."""

from collections.abc import Callable
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evdesk.domain.errors import StorageError
from evdesk.domain.personal_data import DataClass
from evdesk.storage.drivers import StoredDrivers
from evdesk.storage.json_text import canonical

NONCE_BYTES = 12
ALTERED = (
    "What is kept of {person} ({data_class}) does not open with its key: the entry was altered. "
    "Nothing was changed. Restore the newest backup and compare."
)


class PersonSeals:
    """Seals and opens, within one transaction."""

    def __init__(self, drivers: StoredDrivers, random_bytes: Callable[[int], bytes]) -> None:
        self._drivers, self._random_bytes = drivers, random_bytes

    def seal(
        self, person: str, data_class: DataClass, about: str, content: bytes, at: datetime
    ) -> bytes:
        """Return nonce, content and tag.

        Raises:
            UserError: that class of that person was erased for good.

        """
        key = self._drivers.key_for(person, data_class.value, at)
        nonce = self._random_bytes(NONCE_BYTES)
        sealed = AESGCM(key.reveal()).encrypt(nonce, content, _about(person, data_class, about))
        return nonce + sealed

    def open(
        self, person: str, data_class: DataClass, about: str, sealed: bytes, *, reveal: bool = False
    ) -> bytes | None:
        """Return what was sealed; None where the key is destroyed, or the actor may not see it.

        ``reveal`` opens it also to who sees pseudonyms otherwise.
        """
        key = self._drivers.shown_key(person, data_class.value, reveal=reveal)
        if key is None:
            return None
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return AESGCM(key.reveal()).decrypt(nonce, rest, _about(person, data_class, about))
        except InvalidTag as error:
            raise StorageError(ALTERED, person=person, data_class=data_class.value) from error


def _about(person: str, data_class: DataClass, about: str) -> bytes:
    return canonical([person, data_class.value, about]).encode()
