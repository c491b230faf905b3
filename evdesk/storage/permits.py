"""The door through which rows of append-only tables are deleted: open in one transaction only."""

from collections.abc import Iterator
from contextlib import contextmanager

from evdesk.storage.connection import Connection


@contextmanager
def deleting(connection: Connection, table: str, why: str) -> Iterator[None]:
    """Let this transaction delete rows of a table while the block lasts."""
    connection.run("INSERT INTO deletion_permit VALUES (?, ?)", (table, why))
    yield
    connection.run("DELETE FROM deletion_permit WHERE table_name = ?", (table,))
