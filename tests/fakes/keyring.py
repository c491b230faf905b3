"""A keyring of the operating system: in memory, and one that is locked."""

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from evdesk.storage.keyring_slot import OsKeyring


class MemoryKeyring(KeyringBackend):
    """Keeps what it is given."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._answer()
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._answer()
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._answer()
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError

    def _answer(self) -> None:
        if self.locked:
            raise KeyringLocked


def os_keyring(backend: MemoryKeyring) -> OsKeyring:
    """Return it as one that is known to encrypt."""
    return OsKeyring(backend, frozenset({MemoryKeyring.__module__}))
