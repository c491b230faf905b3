"""One encrypted file: a connection per unit of work, an idle one that watches for commits."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from evdesk.domain.errors import EvdeskError, StorageError
from evdesk.domain.secrets import Secret
from evdesk.storage import faults
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place
from evdesk.storage.migrations import newest
from evdesk.storage.pages import PAGE_BYTES

CHECKPOINT_MS = 200  # so long, whoever writes may have to wait for a checkpoint to begin


class Access(StrEnum):
    """What a transaction is for; the value is the statement that sets the connection up."""

    READ = "PRAGMA query_only = ON"
    PEOPLE = "PRAGMA synchronous = FULL"
    JOURNAL = "PRAGMA synchronous = NORMAL"


_Purpose = tuple[Access, frozenset[str] | None]


class Database:
    """Opens keyed connections to one file; may be used from several threads.

    A connection that ended its transaction well is kept for the next one of its kind: most of the
    time of opening one goes into reading the schema, 2 ms with its 170 triggers.
    """

    def __init__(self, place: Place, schema: Path) -> None:
        self.place = place
        self.schema_version = newest(schema)
        self._lock = threading.Lock()
        self._idle: Connection | None = None
        self._kept: dict[_Purpose, Connection] = {}
        self._closed = False
        self._out_of_use = False

    @contextmanager
    def out_of_use(self) -> Iterator[None]:
        """Close what is kept and refuse every use while the block lasts: the file is replaced."""
        with self._lock:
            self._out_of_use = True
            self._close_kept()
        try:
            yield
        finally:
            with self._lock:
                self._out_of_use = False

    def use_key(self, key: Secret) -> None:
        """Open the file with another key from now on."""
        self.place = replace(self.place, key=key)

    @contextmanager
    def transaction(
        self, access: Access, inserts: frozenset[str] | None = None
    ) -> Iterator[Connection]:
        """Open a transaction that is committed when the block ends and undone when it raises.

        With ``inserts``, nothing but new rows of these tables can be written.

        Raises:
            StorageError: busy for too long, no space, damaged, or of another schema.

        """
        purpose = (access, inserts)
        connection = self._take(purpose)
        whole = False
        try:
            connection.run("BEGIN" if access is Access.READ else "BEGIN IMMEDIATE")
            self._check_schema(connection)
            yield connection
            ended = _end(connection, access)
            whole = ended and connection.unfinished == 0  # rows half read keep an old state alive
        finally:
            if not whole or not self._give_back(purpose, connection):
                connection.close()  # undoes what is not committed

    def data_version(self) -> int:
        """Return a number that moves when another connection has committed."""
        with self._lock:
            if self._idle is None:
                self._refuse_replaced()
                self._idle = Connection(self.place)
            return self._idle.number("PRAGMA data_version")

    def sync_log(self) -> None:
        """Make what was committed with synchronous NORMAL durable: the write-ahead log is flushed.

        One that is gone by now has been written into the file, and that is flushed then.

        Raises:
            StorageError: it cannot be flushed.

        """
        try:
            with self._wal().open("r+b") as log:
                os.fsync(log.fileno())
        except FileNotFoundError:
            return
        except OSError as error:
            raise StorageError(faults.READ_ONLY, path=self._wal()) from error

    def empty_log(self) -> str:
        """Empty the write-ahead log into the file; return busy, pages left and pages written.

        Raises:
            StorageError: the disk fails.

        """
        self._refuse_replaced()
        connection = Connection(replace(self.place, busy_timeout_ms=CHECKPOINT_MS))
        try:
            row = connection.one("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        return ",".join(map(str, row or ()))

    def size_bytes(self) -> int:
        """Return the size of the file with its write-ahead log.

        The log is looked at first: another process may write it into the file and remove it in
        between, and the sum must never be less than what is there.
        """
        return _size_bytes(self._wal()) + _size_bytes(self.place.path)

    def check_whole(self) -> None:
        """Compare the size of the file with what its header says.

        Raises:
            StorageError: the end of the file is missing.

        """
        connection = Connection(self.place)
        try:
            pages = connection.number("PRAGMA page_count")
        finally:
            connection.close()
        if self.size_bytes() < pages * PAGE_BYTES:
            raise StorageError(faults.TRUNCATED, path=self.place.path)

    def close(self) -> None:
        """Close the connections that are kept; units of work still open close theirs."""
        with self._lock:
            self._closed = True
            self._close_kept()

    def _close_kept(self) -> None:
        for connection in (*self._kept.values(), self._idle):
            if connection is not None:
                connection.close()
        self._kept.clear()
        self._idle = None

    def _refuse_replaced(self) -> None:
        if self._out_of_use:
            raise StorageError(faults.REPLACED)

    def _wal(self) -> Path:
        return self.place.path.with_name(self.place.path.name + "-wal")

    def _connect(self, purpose: _Purpose) -> Connection:
        self._refuse_replaced()
        access, inserts = purpose
        connection = Connection(self.place)
        try:
            connection.run(access.value)
            if inserts is not None:
                connection.limit_inserts_to(inserts)
        except StorageError:
            connection.close()
            raise
        return connection

    def _take(self, purpose: _Purpose) -> Connection:
        with self._lock:
            connection = self._kept.pop(purpose, None)
        return connection or self._connect(purpose)

    def _give_back(self, purpose: _Purpose, connection: Connection) -> bool:
        with self._lock:
            if self._closed or self._out_of_use or purpose in self._kept:
                return False
            self._kept[purpose] = connection
            return True

    def _check_schema(self, connection: Connection) -> None:
        found = connection.number("PRAGMA user_version")
        if found != self.schema_version:
            template = faults.NEWER if found > self.schema_version else faults.OLDER
            raise StorageError(
                template if found >= 0 else faults.REPLACED,
                path=self.place.path,
                found=found,
                known=self.schema_version,
            )


def _end(connection: Connection, access: Access) -> bool:
    """Commit; return False where a connection that only read is of no more use."""
    if access is not Access.READ:
        connection.run("COMMIT")
        return True
    try:
        connection.run("COMMIT")
    except EvdeskError:
        return False
    return True


def _size_bytes(path: Path) -> int:
    """Return a file's size; one that is gone, if only just now, has none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
