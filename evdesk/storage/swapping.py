"""Putting a restored site in the place of another, by renaming; finished after a crash.

A plan beside the two folders says what goes where. It is written before the first rename and goes
after the last, so that whoever opens the site next can go on from any point.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import filelock

from evdesk.domain.errors import StorageError
from evdesk.storage.disks import sync_folder
from evdesk.storage.keys import write_atomically

OWN_BACKUPS = "backups"
NOT_MOVED = (
    "{folder} could not be moved aside ({detail}): a program has it open, or it is a drive of its "
    "own. Nothing was changed. Close evdesk everywhere, or restore into a new folder."
)
NOT_PLACED = (
    "The restored site could not be put into {folder} ({detail}). Nothing was changed. Check the "
    "permissions, or restore into another folder."
)
BUSY = "A backup is being restored into {folder} at the moment. Try again when that is done."


@dataclass(frozen=True, slots=True)
class Swap:
    """Which folder gets what was built, and where what is there now goes; None: nothing is."""

    folder: Path
    built: Path
    aside: Path | None


def prefix_of(folder: Path) -> str:
    """Return how the folders begin in which a site is built, beside the one it is for."""
    return f".evdesk-restore-{folder.name}-"


@contextmanager
def restoring(folder: Path, patience_s: float = 5.0) -> Iterator[None]:
    """Let one process at a time restore into a folder.

    Raises:
        StorageError: another one does, or the folder beside it cannot be written to.

    """
    path = _beside(folder, "lock")
    lock = filelock.FileLock(path, timeout=patience_s, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise StorageError(BUSY, folder=folder) from error
    except OSError as error:
        raise StorageError(NOT_PLACED, folder=folder, detail=error.strerror) from error
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()  # nothing is left beside the site; elsewhere than on POSIX it is in use
        lock.release()


def swap(wanted: Swap) -> None:
    """Put a built site in place; call it while ``restoring``.

    Raises:
        StorageError: it cannot be done; everything is where it was.

    """
    plan = _plan_of(wanted.folder)
    names = {
        "built": wanted.built.name,
        "aside": None if wanted.aside is None else wanted.aside.name,
    }
    try:
        write_atomically(plan, json.dumps(names).encode())
        _rename(wanted)
    except OSError as error:
        _take_back(wanted)
        with suppress(OSError):
            plan.unlink()
        raise StorageError(NOT_PLACED, folder=wanted.folder, detail=error.strerror) from error
    except StorageError:
        plan.unlink()
        raise
    plan.unlink()


def finish(folder: Path) -> None:
    """Finish a restore that was killed while it put the site in place.

    Before the first rename it has not happened, and what was built goes.

    Raises:
        StorageError: a restore is going on, or a rename is refused.

    """
    folder = folder.absolute()
    if not _exists(_plan_of(folder)):
        return
    with restoring(folder):
        wanted = _read(folder)
        if wanted is None:
            return
        if not wanted.built.exists():
            _plan_of(folder).unlink()
        elif not _is_there(folder):
            swap(wanted)
        elif wanted.aside is None or not wanted.aside.exists():
            shutil.rmtree(wanted.built, ignore_errors=True)
            _plan_of(folder).unlink()


def sweep(folder: Path) -> None:
    """Remove what a killed restore had begun to build, unless one is going on."""
    folder = folder.absolute()
    with suppress(OSError, StorageError):
        if any(folder.parent.glob(f"{prefix_of(folder)}*")) and not _exists(_plan_of(folder)):
            with restoring(folder, 0):
                for left in folder.parent.glob(f"{prefix_of(folder)}*"):
                    shutil.rmtree(left, ignore_errors=True)


def _rename(wanted: Swap) -> None:
    folder, built, aside = wanted.folder, wanted.built, wanted.aside
    if aside is None:
        with suppress(FileNotFoundError):
            folder.rmdir()
    else:
        if _is_there(folder):
            try:
                folder.rename(aside)
            except OSError as error:
                raise StorageError(NOT_MOVED, folder=folder, detail=error.strerror) from error
        if (aside / OWN_BACKUPS).is_dir():
            (aside / OWN_BACKUPS).rename(built / OWN_BACKUPS)
    built.rename(folder)
    sync_folder(folder.parent)


def _take_back(wanted: Swap) -> None:
    """Undo what a rename that was refused left half-way."""
    folder, built, aside = wanted.folder, wanted.built, wanted.aside
    if aside is None or not aside.exists() or _is_there(folder):
        return
    if (built / OWN_BACKUPS).is_dir():
        (built / OWN_BACKUPS).rename(aside / OWN_BACKUPS)
    aside.rename(folder)


def _read(folder: Path) -> Swap | None:
    try:
        names = json.loads(_plan_of(folder).read_bytes())
    except FileNotFoundError:
        return None
    aside = names["aside"]
    parent = folder.parent
    return Swap(folder, parent / names["built"], None if aside is None else parent / aside)


def _plan_of(folder: Path) -> Path:
    return _beside(folder, "json")


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f".evdesk-restore-{folder.name}.{suffix}")


def _is_there(folder: Path) -> bool:
    """Return whether there is something in a folder; an empty one is as good as none."""
    return _exists(folder) and any(folder.iterdir())


def _exists(path: Path) -> bool:
    return os.path.exists(path)  # noqa: PTH110 - False, too, where nothing may be read
