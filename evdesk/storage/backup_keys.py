"""Which data key opens a backup: that of the site today, or one of then, given a password of it."""

from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from evdesk.domain.errors import EvdeskError, StorageError, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.ports.backups import MADE_UNDER_ANOTHER
from evdesk.settings import JOURNAL
from evdesk.storage import backup_file, keys
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from evdesk.storage.scratch import scratch_folder

SCRATCH = "evdesk-verify-"
OTHER_SITE = "{file} is a backup of another site ({site}). Nothing was done."


class KeyOfBackup:
    """Finds the data key of one unpacked backup; ``own_password`` says that ``then`` was needed."""

    def __init__(self, file: Path, site_id: str, data_key: Secret, then: Secret | None) -> None:
        self._file, self._site_id = file, site_id
        self._data_key, self._then = data_key, then
        self.own_password = False

    def __call__(self, unpacked: Path) -> Secret:
        """Return the key.

        Raises:
            UserError: it is another site's backup.
            WrongKey: it was made under another key, and ``then`` does not open it.

        """
        site = keys.site_id(unpacked)
        if site != self._site_id:
            raise UserError(OTHER_SITE, file=self._file, site=site)
        if fits(unpacked, self._data_key):
            return self._data_key
        self.own_password = True
        if self._then is None:
            raise WrongKey(MADE_UNDER_ANOTHER, file=self._file, made_at=self._made_at())
        try:
            return keys.unlock(unpacked, None, self._then).data_key
        except WrongKey as error:
            raise WrongKey(MADE_UNDER_ANOTHER, file=self._file, made_at=self._made_at()) from error

    def _made_at(self) -> datetime:
        with backup_file.reading(self._file) as found:
            return found.told().created_at


def opens(file: Path, password: Secret) -> bool:
    """Return whether a password is one of a backup; what is no backup is opened by nothing."""
    with suppress(EvdeskError, OSError), scratch_folder(SCRATCH) as folder:
        with backup_file.reading(file) as found:
            found.unpack(backup_file.KEYS, folder / backup_file.KEYS, lambda _share: None)
        keys.unlock(folder, None, password)
        return True
    return False


def fits(folder: Path, data_key: Secret) -> bool:
    """Return whether a data key opens the database of an unpacked backup, whole or not."""
    place = Place(folder / backup_file.SITE, data_key, JOURNAL.busy_timeout_ms)
    try:
        with closing(Connection(place)) as connection:
            connection.number("PRAGMA user_version")
    except WrongKey:
        return False
    except StorageError:
        return True  # what is wrong with it is found when it is checked
    return True
