"""What disks and drives refuse, as sentences for people, and what they are asked to keep."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evdesk.domain.errors import StorageError
from evdesk.storage import faults

FULL = (
    "The disk of {folder} is full: what was begun there was removed, and what was there before is "
    "as it was. Free some space, or choose another folder."
)
NO_ROOM = (
    "{needed_mb} MB are needed in {folder}, and {free_mb} MB are free. Nothing was begun. "
    "Free some space, or choose another folder."
)
TOO_LARGE = (
    "The file would be larger than {folder} allows: a limit of its file system, such as the 4 GB "
    "of FAT32, or of your account. What was begun there was removed. Choose another folder."
)
LOCKED = (
    "{folder} may not be written to ({detail}); nothing was left there. Check its permissions, or "
    "choose another folder."
)
GONE = (
    "{folder} is not there, or its drive does not answer ({detail}). What was begun is worth "
    "nothing; what was there before is as it was. Connect the drive, or choose another folder."
)
REASONS = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: TOO_LARGE,
    errno.EROFS: LOCKED,
    errno.EACCES: LOCKED,
    errno.EPERM: LOCKED,
}
DISK_TEMPLATES = {faults.FULL: FULL, faults.READ_ONLY: LOCKED, faults.DISK: GONE}


@contextmanager
def disk_of(folder: Path) -> Iterator[None]:
    """Say of a folder what the system refuses in this block.

    Raises:
        StorageError: in the place of every OSError, and of what SQLCipher says of that disk.

    """
    try:
        yield
    except OSError as error:
        template = REASONS.get(error.errno or 0, GONE)
        raise StorageError(template, folder=folder, detail=error.strerror) from error
    except StorageError as error:
        path = error.facts.get("path")
        template = DISK_TEMPLATES.get(error.template, "")
        if not template or not isinstance(path, Path) or folder not in path.parents:
            raise
        detail = error.facts.get("detail", "")
        raise StorageError(template, folder=folder, detail=detail) from error


def sync_folder(folder: Path) -> None:
    """Have names in a folder go to the disk, where it can be asked to do so."""
    if os.name == "posix":
        with suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def are_on_one(one: Path, other: Path) -> bool:
    """Return whether two paths, there or to be made, are on one file system."""
    try:
        devices = [next(p for p in (path, *path.parents) if p.exists()) for path in (one, other)]
        return devices[0].stat().st_dev == devices[1].stat().st_dev
    except (OSError, StopIteration):
        return False
