"""The key of a collector that starts with the PC: a file for its owner alone, outside the site.

A service manager may hand it over instead (a systemd credential, which a TPM can seal).
"""

import os
import stat
from pathlib import Path

from platformdirs import user_config_path

from evdesk.domain.errors import StorageError
from evdesk.domain.secrets import Secret
from evdesk.storage.key_file import write_atomically

CREDENTIALS = "CREDENTIALS_DIRECTORY"  # systemd.exec(5): LoadCredential=
CREDENTIAL = "evdesk.key"
NOT_KEPT = (
    "The service key could not be written to {path} ({detail}); nothing was changed. "
    "Check the permissions and the free space there, then try again."
)
NOT_READ = "The service key {path} cannot be read ({detail}). Check its permissions."
OPEN_TO_OTHERS = (
    "The service key {path} can be read by other users of this PC, so it is not used. "
    "Turn the service slot off and on again, to make another one."
)


class ServiceKeyFile:
    """Implements ``ports.SecretPlace``."""

    def __init__(self, folder: Path | None = None, credentials: Path | None = None) -> None:
        self.folder = folder or user_config_path("evdesk", appauthor=False) / "service"
        given = os.environ.get(CREDENTIALS)
        self._credentials = credentials or (Path(given) if given else None)

    def path(self, slot: str) -> Path:
        """Return where the key of a slot is kept."""
        return self.folder / f"{slot}.key"

    def refusal(self) -> None:
        """Return why nothing can be kept here: a file always can."""
        return

    def keep(self, slot: str, secret: Secret) -> None:
        """Keep a key.

        Raises:
            StorageError: the file could not be written.

        """
        path = self.path(slot)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, f"{secret.reveal().hex()}\n".encode())
        except OSError as error:
            raise StorageError(NOT_KEPT, path=path, detail=error.strerror) from error

    def find(self, slot: str) -> Secret | None:
        """Return the key of a slot: as it was handed over, or from its file.

        Raises:
            StorageError: it cannot be read, or others can read it, too.

        """
        if self._credentials is not None and (self._credentials / CREDENTIAL).exists():
            return _read(self._credentials / CREDENTIAL)
        path = self.path(slot)
        if not path.exists():
            return None
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StorageError(OPEN_TO_OTHERS, path=path)
        return _read(path)

    def forget(self, slot: str) -> None:
        """Remove a key; one that is not there is no error."""
        try:
            self.path(slot).unlink(missing_ok=True)
        except OSError:
            return  # it opens nothing any more


def _read(path: Path) -> Secret:
    try:
        return Secret(bytes.fromhex(path.read_text(encoding="ascii").strip()))
    except OSError as error:
        raise StorageError(NOT_READ, path=path, detail=error.strerror) from error
    except ValueError as error:
        raise StorageError(NOT_READ, path=path, detail="it is no key") from error
