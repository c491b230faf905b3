"""Which SQLCipher and SQLite this is, for people who report a problem."""

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3 as sqlcipher
else:
    from sqlcipher3 import dbapi2 as sqlcipher


def versions() -> dict[str, str]:
    """Return the versions of SQLCipher and of the SQLite inside it."""
    with closing(sqlcipher.connect(":memory:")) as connection:
        (cipher,) = connection.execute("PRAGMA cipher_version").fetchone()
    return {"sqlcipher": str(cipher), "sqlite": sqlcipher.sqlite_version}
