"""Private folders for work that is thrown away; what a killed process left is removed later.

A folder holds a lock while its process lives. Only folders of the same user are ever looked into.
"""

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

LOCK = ".lock"
STEP_BYTES, STEP_S = 1 << 23, 0.005
YOUNG_S = 60.0  # one that is younger may not have its lock yet


@contextmanager
def scratch_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder for its owner only (0700), removed with all that is in it.

    ``parent`` None is the system's folder for temporary files.

    Raises:
        OSError: it cannot be made.

    """
    inside = Path(tempfile.gettempdir()) if parent is None else parent
    sweep(prefix, inside)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=inside))
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
        yield folder
    finally:
        lock.release()
        discard(folder)


def discard(folder: Path) -> None:
    """Remove a folder with all that is in it; large files bit by bit.

    A file system that gives hundreds of megabytes free at once lets others wait for it.
    """
    for file in folder.rglob("*"):
        with suppress(OSError):
            for size_bytes in range(file.stat().st_size - STEP_BYTES, 0, -STEP_BYTES):
                os.truncate(file, size_bytes)
                time.sleep(STEP_S)
    shutil.rmtree(folder, ignore_errors=True)


def sweep(prefix: str, parent: Path) -> None:
    """Remove such folders that belong to no living process."""
    with suppress(OSError):
        for folder in parent.glob(f"{prefix}*"):
            if _is_left(folder):
                discard(folder)


def _is_left(folder: Path) -> bool:
    try:
        about = folder.lstat()
    except OSError:
        return False
    mine = os.name != "posix" or about.st_uid == os.getuid()
    if not stat.S_ISDIR(about.st_mode) or not mine or time.time() - about.st_mtime < YOUNG_S:
        return False
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except (filelock.Timeout, OSError):
        return False
    lock.release()
    return True
