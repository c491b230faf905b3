"""Knowing that nobody else has a database open.

A connection in WAL mode holds SQLite's shared lock on the file for as long as it is open (SQLite
file locking: 510 bytes from 0x40000002 on). Whoever gets that range for himself is alone. Elsewhere
than on POSIX systems an open file cannot be renamed, which says the same.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evdesk.domain.errors import StorageError

SHARED_FIRST, SHARED_SIZE = 0x40000002, 510
IN_USE = (
    "{folder} is open in another evdesk window or program. Nothing was changed. Close it there, "
    "then try again."
)


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Keep everybody out of a database; this process must have no connection to it either.

    Raises:
        StorageError: somebody has it open.

    """
    if sys.platform == "win32" or not database.exists():
        yield
        return
    import fcntl

    with database.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, SHARED_SIZE, SHARED_FIRST)
        except OSError as error:
            raise StorageError(IN_USE, folder=database.parent) from error
        yield  # closing the file gives the lock back
