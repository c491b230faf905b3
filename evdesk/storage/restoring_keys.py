"""Whose passwords hold for a restored site: those of the site that is there, if it has its keys."""

from dataclasses import dataclass, replace
from pathlib import Path

from evdesk.domain.errors import StorageError, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.ports.backups import OLDER_KEY
from evdesk.storage import keys
from evdesk.storage.backup_keys import fits
from evdesk.storage.key_file import DAMAGED, MISSING, read_keys, write_keys
from evdesk.storage.key_slots import resealed
from evdesk.storage.keys import Unlocked

NOT_OF_THIS_SITE = (
    "The password does not open the site that is in {folder} now. A backup takes its place only "
    "with the password of somebody who is an owner there today, or with its recovery code. Nothing "
    "was changed. To see what is in the backup, restore it into a new folder."
)


@dataclass(frozen=True, slots=True)
class RestoreKeys:
    """What a restored site is opened with; ``present`` is None where the site there has no keys.

    ``unlocked`` opens the database of the backup, and is whose password was given.
    """

    unlocked: Unlocked
    present: Unlocked | None

    @property
    def data_keys(self) -> list[Secret]:
        """Return what may open the site that is there."""
        one = [] if self.present is None else [self.present.data_key]
        return [*one, self.unlocked.data_key]


def present_keys(folder: Path, password: Secret) -> Unlocked | None:
    """Open the site that is there; None where both copies of its key file are lost.

    Raises:
        WrongKey: the password is nobody's there.
        StorageError: the key file cannot be read, or a newer program wrote it.

    """
    try:
        return keys.unlock(folder, None, password)
    except WrongKey as error:
        raise WrongKey(NOT_OF_THIS_SITE, folder=folder) from error
    except StorageError as error:
        if error.template not in {DAMAGED, MISSING}:
            raise
        return None


def restore_keys(
    built: Path, file: Path, password: Secret, then: Secret | None, present: Unlocked | None
) -> RestoreKeys:
    """Open the unpacked backup; ``then`` is a password of when it was made.

    Raises:
        WrongKey: nothing opens it.
        UserError: the data key is another one since, and no password of that time was given.

    """
    if present is None:
        return RestoreKeys(keys.unlock(built, None, then or password), None)
    if fits(built, present.data_key):
        return RestoreKeys(present, present)
    try:
        older = keys.unlock(built, None, then or password)
    except WrongKey as error:
        if then is not None:
            raise
        raise UserError(OLDER_KEY, file=file) from error
    return RestoreKeys(replace(present, data_key=older.data_key), present)


def put_keys(folder: Path, place: Path, found: RestoreKeys) -> bool:
    """Write the key file of a restored site twice; return whether its passwords are those of today.

    They are wherever the site that is replaced has its keys: whoever has been removed since stays
    out, and new passwords stay. Each slot is made to open the database of the backup.
    """
    if found.present is None:
        file, _ = read_keys(folder)
        write_keys(folder, file)
        return False
    file, _ = read_keys(place)
    key = found.unlocked.data_key
    if key.reveal() != found.present.data_key.reveal():
        slots = tuple(resealed(file.about(), slot, key) for slot in file.slots)
        file = replace(file, slots=slots, former=None)
    write_keys(folder, file)
    return True
