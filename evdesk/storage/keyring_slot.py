"""The keyring of the operating system, where somebody wants the site to open without a password.

Only keyrings that encrypt are used, by name: what is not known to do so is refused, however good it
may be. Any program that runs as the same user can ask the keyring as well.
"""

import binascii
from contextlib import suppress
from typing import TYPE_CHECKING

from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.secrets import Secret

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

SERVICE = "evdesk"
CHAIN = "keyring.backends.chainer"
TRUSTED = frozenset(
    f"keyring.backends.{name}" for name in ("SecretService", "libsecret", "kwallet", "macOS")
) | {"keyring.backends.Windows"}
NONE = (
    "This computer has no keyring that evdesk can use (such as GNOME Keyring, KWallet, the macOS "
    "keychain or Windows Credential Locker), so a password is needed each time. Nothing was "
    "changed."
)
PLAIN = (
    "The keyring of this computer is {name}, which may keep secrets in plain text or hand them to "
    "others; evdesk does not use it. Nothing was changed."
)
NO_ANSWER = "The keyring of this computer does not answer ({detail})."


class OsKeyring:
    """Implements ``ports.SecretPlace``; without a backend it takes the one of this system."""

    def __init__(
        self, backend: "KeyringBackend | None" = None, trusted: frozenset[str] = TRUSTED
    ) -> None:
        self._backend, self._trusted = backend, trusted

    def refusal(self) -> UserError | None:
        """Return why nothing can be kept here, or None."""
        name = self._untrusted()
        if name is None:
            return None
        missing = name.startswith(("keyring.backends.fail", "keyring.backends.null"))
        return UserError(NONE) if missing else UserError(PLAIN, name=name)

    def keep(self, slot: str, secret: Secret) -> None:
        """Keep a key.

        Raises:
            UserError: the keyring is none that encrypts.
            StorageError: it is locked, or fails.

        """
        refusal = self.refusal()
        if refusal is not None:
            raise refusal
        from keyring.errors import KeyringError

        try:
            self._system().set_password(SERVICE, slot, secret.reveal().hex())
        except (KeyringError, OSError) as error:
            raise StorageError(NO_ANSWER, detail=type(error).__name__) from error

    def find(self, slot: str) -> Secret | None:
        """Return the key of a slot, or None where it is not here.

        Raises:
            StorageError: the keyring is locked or fails.

        """
        if self._untrusted() is not None:
            return None
        from keyring.errors import KeyringError

        try:
            found = self._system().get_password(SERVICE, slot)
            return None if found is None else Secret(bytes.fromhex(found))
        except (KeyringError, OSError) as error:
            raise StorageError(NO_ANSWER, detail=type(error).__name__) from error
        except (ValueError, binascii.Error):
            return None  # not what was kept here

    def forget(self, slot: str) -> None:
        """Remove a key; one that is not there, or a keyring that does not answer, is no error."""
        if self._untrusted() is not None:
            return
        from keyring.errors import KeyringError

        with suppress(KeyringError, OSError):
            self._system().delete_password(SERVICE, slot)

    def _untrusted(self) -> str | None:
        """Return which part of the keyring is not known to encrypt, or None."""
        backend = self._system()
        chained = type(backend).__module__ == CHAIN
        parts = list(getattr(backend, "backends", ())) if chained else [backend]
        names = [f"{type(each).__module__}.{type(each).__name__}" for each in parts or [backend]]
        strange = [name for name in names if name.rpartition(".")[0] not in self._trusted]
        return strange[0] if strange else None

    def _system(self) -> "KeyringBackend":
        if self._backend is None:
            import keyring  # takes a third of a second

            self._backend = keyring.get_keyring()
        return self._backend
