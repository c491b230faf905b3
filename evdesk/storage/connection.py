"""A keyed connection whose every statement ends in a row or in an evdesk error."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from evdesk.domain.errors import EvdeskError
from evdesk.storage.faults import Place, storage_fault

if TYPE_CHECKING:
    import sqlite3 as sqlcipher
else:
    from sqlcipher3 import dbapi2 as sqlcipher

Row = tuple[Any, ...]
Value = int | float | str | bytes | None
Values = Sequence[Value] | Mapping[str, Value]

SETTINGS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",  # INSERT OR REPLACE fires the guards against DELETE
    "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",
    "PRAGMA secure_delete = ON",
    "PRAGMA journal_size_limit = 67108864",  # a log that grew under a long read shrinks again
)


CODES = {
    "database or disk is full": sqlcipher.SQLITE_FULL,
    "disk I/O error": sqlcipher.SQLITE_IOERR,
    "attempt to write a readonly database": sqlcipher.SQLITE_READONLY,
    "database is locked": sqlcipher.SQLITE_BUSY,
    "database disk image is malformed": sqlcipher.SQLITE_CORRUPT,
}


class Connection:
    """One keyed connection; used by one thread at a time.

    ``maintenance`` allows ATTACH, which VACUUM needs; every other connection refuses it, because
    ``ATTACH … KEY ''`` would write plain text. ``alone`` is for a file that nobody else opens: it
    is written without locks, which some network drives lack.

    Raises:
        WrongKey: the key does not open the file.
        StorageError: the file is missing, truncated, damaged or not encrypted.

    """

    def __init__(
        self,
        place: Place,
        *,
        create: bool = False,
        maintenance: bool = False,
        alone: bool = False,
    ) -> None:
        self.place = place
        self.unfinished = 0  # calls of ``each`` that were not read to their end
        self._raw = self._open("rwc" if create else "rw", "&nolock=1" if alone else "")
        try:
            self._prepare(maintenance=maintenance)
        except sqlcipher.Error as error:
            self._raw.close()
            raise storage_fault(error, place) from error

    def _open(self, mode: str, more: str) -> "sqlcipher.Connection":
        _bind_quickly()
        try:
            return sqlcipher.connect(
                f"{self.place.path.absolute().as_uri()}?mode={mode}{more}",
                uri=True,
                isolation_level=None,
                timeout=self.place.busy_timeout_ms / 1000,
                check_same_thread=False,  # handed between threads, never used by two at once
            )
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error

    def _prepare(self, *, maintenance: bool) -> None:
        execute = self._raw.execute
        execute("PRAGMA cipher_log_level = NONE")  # otherwise a wrong key writes to stderr
        execute(f"PRAGMA key = \"x'{self.place.key.reveal().hex()}'\"")
        execute("SELECT count(*) FROM sqlite_master").fetchone()  # the key alone never fails
        for setting in SETTINGS:
            execute(setting)
        if not maintenance:
            self._raw.set_authorizer(_refuse_attach)

    def limit_inserts_to(self, tables: frozenset[str]) -> None:
        """Refuse from now on to write anything but new rows of these tables."""
        self._raw.set_authorizer(partial(_refuse_but_inserts, tables))

    def run(self, sql: str, values: Values = ()) -> int:
        """Carry out a statement; return how many rows it changed."""
        try:
            return self._raw.execute(sql, values).rowcount
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error

    def insert(self, sql: str, values: Values) -> int:
        """Insert one row; return its number."""
        try:
            return self._raw.execute(sql, values).lastrowid or 0
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error

    def many(self, sql: str, rows: Iterable[Values]) -> None:
        """Carry out a statement once a row."""
        try:
            self._raw.executemany(sql, rows)
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error

    def one(self, sql: str, values: Values = ()) -> Row | None:
        """Return the first row, or None."""
        try:
            row: Row | None = self._raw.execute(sql, values).fetchone()
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error
        return row

    def record(self, sql: str, values: Values = ()) -> tuple[list[str], Row] | None:
        """Return the names of the columns with the first row, or None."""
        try:
            cursor = self._raw.execute(sql, values)
            row: Row | None = cursor.fetchone()
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error
        return None if row is None else ([name for name, *_ in cursor.description], row)

    def records(self, sql: str, values: Values = ()) -> tuple[list[str], list[Row]]:
        """Return the names of the columns with every row."""
        try:
            cursor = self._raw.execute(sql, values)
            rows = cursor.fetchall()
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error
        return [name for name, *_ in cursor.description], rows

    def number(self, sql: str, values: Values = ()) -> int:
        """Return the only value of the only row, an integer."""
        row = self.one(sql, values)
        return int(row[0]) if row else 0

    def all(self, sql: str, values: Values = ()) -> list[Row]:
        """Return every row."""
        try:
            return self._raw.execute(sql, values).fetchall()
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error

    def each(self, sql: str, values: Values = ()) -> Iterator[Row]:
        """Yield rows one by one, so that a year of readings needs no memory."""
        self.unfinished += 1
        try:
            yield from self._raw.execute(sql, values)
        except sqlcipher.Error as error:
            raise storage_fault(error, self.place) from error
        self.unfinished -= 1

    def changes(self) -> int:
        """Return how many rows this connection has changed since it was opened."""
        return self._raw.total_changes

    def roll_back(self) -> None:
        """Undo the open transaction, if the failed statement has not done so itself."""
        if self._raw.in_transaction:
            self.run("ROLLBACK")

    def copy_to(
        self,
        other: "Connection",
        pages: int = -1,
        copied: Callable[[float], None] = lambda _share: None,
    ) -> None:
        """Copy the whole database into an empty one with the same key, so many pages at a time.

        ``copied`` is told the share after each step; what it raises ends the copy. Within a
        transaction that has read something, the copy is of that moment, whatever others write.
        """

        def step(_status: int, left: int, whole: int) -> None:
            copied(1 - left / whole if whole else 1.0)

        try:
            self._raw.backup(other._raw, pages=pages, progress=step)  # noqa: SLF001 - of the class
        except sqlcipher.Error as error:
            if not hasattr(error, "sqlite_errorcode"):  # the driver leaves it out here
                error.sqlite_errorcode = CODES.get(str(error), sqlcipher.SQLITE_ERROR)
            raise storage_fault(error, other.place) from error

    @contextmanager
    def attended(self, tick: Callable[[], None], every: int = 20_000) -> Iterator[None]:
        """Call ``tick`` now and then while long statements run; what it raises ends them."""
        kept = _Kept()

        def step() -> int:
            with kept:
                tick()
            return kept.error is not None

        self._raw.set_progress_handler(step, every)
        try:
            yield
        except EvdeskError:
            if kept.error is not None:
                raise kept.error from None
            raise
        finally:
            self._raw.set_progress_handler(None, 0)

    def close(self) -> None:
        """Give the file back; an open transaction is undone."""
        self._raw.close()


class _Kept:
    """Keeps what was raised inside of it until it can be raised again: the driver would lose it."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        self.error = self.error or error
        return True


READS = {
    sqlcipher.SQLITE_READ,
    sqlcipher.SQLITE_SELECT,
    sqlcipher.SQLITE_FUNCTION,
    sqlcipher.SQLITE_RECURSIVE,
    sqlcipher.SQLITE_TRANSACTION,
}
PRAGMAS = {"user_version", "query_only", "synchronous", "data_version", "page_count"}


def _refuse_but_inserts(tables: frozenset[str], action: int, *about: str | None) -> int:
    allowed = (
        action in READS
        or (action == sqlcipher.SQLITE_INSERT and about[0] in tables)
        or (action == sqlcipher.SQLITE_PRAGMA and about[0] in PRAGMAS)
    )
    return sqlcipher.SQLITE_OK if allowed else sqlcipher.SQLITE_DENY


def _refuse_attach(action: int, *_about: str | None) -> int:
    return sqlcipher.SQLITE_DENY if action == sqlcipher.SQLITE_ATTACH else sqlcipher.SQLITE_OK


def _bind_quickly() -> None:
    """Spare the driver its vain search for how to bind bytes and None: 2 µs a value.

    The driver keeps adapters in the process; saying it again changes nothing.
    """
    sqlcipher.register_adapter(bytes, bytearray)
    sqlcipher.register_adapter(type(None), dict[None, None]().get)


def complete(statement: str) -> bool:
    """Return whether SQL text is one whole statement (a trigger ends at its END)."""
    return sqlcipher.complete_statement(statement)
