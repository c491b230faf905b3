"""The numbered schema files, and bringing a database up to the newest of them."""

from datetime import datetime
from pathlib import Path

from evdesk.domain.errors import StorageError
from evdesk.storage.connection import Connection, complete
from evdesk.storage.faults import NEWER, REPLACED, TRUNCATED, Place

SITE_SCHEMA = Path(__file__).parent / "schema"
PERSONS_SCHEMA = SITE_SCHEMA / "persons"


def steps(schema: Path) -> dict[int, Path]:
    """Return the schema files by number; a file never changes once it has been released."""
    return {int(file.name[:4]): file for file in sorted(schema.glob("[0-9][0-9][0-9][0-9]_*.sql"))}


def newest(schema: Path) -> int:
    """Return the number of the newest schema file."""
    return max(steps(schema))


def create(place: Place, schema: Path, *, wal: bool) -> None:
    """Write a new database with every step in one transaction; the file must not exist yet."""
    place.path.touch(mode=0o600, exist_ok=False)
    connection = Connection(place)
    try:
        if wal:
            connection.run("PRAGMA journal_mode = WAL")
        _climb(connection, schema)
    finally:
        connection.close()


def migrate(place: Place, schema: Path, now: datetime) -> Path | None:
    """Bring a database up to the newest schema, all steps or none; return the copy made before.

    The copy lies beside the database, is encrypted with the same key, and evdesk never removes it.

    Raises:
        StorageError: the schema is newer than this program, or the file is empty.

    """
    connection = Connection(place)
    try:
        found = connection.number("PRAGMA user_version")
        if found == 0:
            raise StorageError(TRUNCATED, path=place.path)
        check_known(place, found, newest(schema))
        if found == newest(schema):
            return None
        copy = _copy_aside(connection, found, now)
        _climb(connection, schema)
        return copy
    finally:
        connection.close()


def check_known(place: Place, found: int, known: int) -> None:
    """Refuse a schema that this program does not know.

    Raises:
        StorageError: a newer program has opened this site, or its keys are being renewed.

    """
    if found < 0:
        raise StorageError(REPLACED)
    if found > known:
        raise StorageError(NEWER, path=place.path, found=found, known=known)


def _copy_aside(connection: Connection, found: int, now: datetime) -> Path:
    path = connection.place.path
    copy = path.with_name(f"{path.stem}.schema-{found}.{now:%Y%m%dT%H%M%SZ}.db")
    copy.touch(mode=0o600, exist_ok=True)
    place = connection.place
    other = Connection(Place(copy, place.key, place.busy_timeout_ms))
    try:
        connection.copy_to(other)
    finally:
        other.close()
    return copy


def _climb(connection: Connection, schema: Path) -> None:
    connection.run("BEGIN IMMEDIATE")
    try:
        found = connection.number("PRAGMA user_version")  # another process may have been faster
        for number, file in steps(schema).items():
            if number > found:
                for statement in statements(file.read_text(encoding="utf-8")):
                    connection.run(statement)
        connection.run(f"PRAGMA user_version = {max(found, newest(schema))}")
        connection.run("COMMIT")
    finally:
        connection.roll_back()


def statements(text: str) -> list[str]:
    """Return the statements of a schema file: executescript would commit before the first."""
    found, pending = [], ""
    for line in text.splitlines(keepends=True):
        pending += line
        if complete(pending):
            found.append(pending.strip())
            pending = ""
    if pending.strip():
        msg = f"a statement without an end: {pending[:60]!r}"
        raise ValueError(msg)
    return found
