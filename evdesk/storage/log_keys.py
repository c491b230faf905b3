"""The key that signs heads of a site's audit log, and the anchor beside the database."""

from collections.abc import Callable
from pathlib import Path

from evdesk.domain.errors import NotPermitted, StorageError
from evdesk.domain.notes import Head, Verifier
from evdesk.domain.secrets import Secret
from evdesk.storage import keys
from evdesk.storage.anchor import Anchor
from evdesk.storage.signing import is_half_of, sign

NO_PART = (
    "This account has no part in the key that signs the audit log: it reads and checks. Nothing "
    "was signed; an owner or staff can do it."
)


class SiteLogKeys:
    """Implements ``ports.LogKeys``; ``signing_key`` gives None where the slot may not sign."""

    def __init__(self, folder: Path, signing_key: Callable[[], Secret | None]) -> None:
        self._folder, self._anchor = folder, Anchor(folder)
        self._signing_key = signing_key

    @property
    def can_sign(self) -> bool:
        """Return whether there is a key to sign with."""
        return self._signing_key() is not None

    def verifier(self) -> Verifier | None:
        """Return the public key, or None where keys.json cannot be read."""
        try:
            return keys.verifier(self._folder)
        except StorageError:
            return None

    def anchored(self) -> Head | None:
        """Return the head of anchor.json, or None where there is none that can be read."""
        return self._anchor.read()

    def sign(self, head: Head) -> str:
        """Return a signed checkpoint.

        Raises:
            NotPermitted: the slot that opened the site has no part in the key, or in another one.
            StorageError: keys.json cannot be read.

        """
        verifier, key = keys.verifier(self._folder), self._signing_key()
        if key is None or not is_half_of(key, verifier):
            raise NotPermitted(NO_PART)
        return sign(verifier.name, head, key)
