"""Keys of the site under which things are hashed, so that nobody finds them by trying all."""

from collections.abc import Callable

from evdesk.storage.connection import Connection

KEY_BYTES = 32


def site_key(connection: Connection, purpose: str, random_bytes: Callable[[int], bytes]) -> bytes:
    """Return the key for one purpose; the first to ask makes it."""
    row = connection.one("SELECT key FROM site_key WHERE purpose = ?", (purpose,))
    if row is not None:
        return bytes(row[0])
    key = random_bytes(KEY_BYTES)
    connection.insert("INSERT INTO site_key (purpose, key) VALUES (?, ?)", (purpose, key))
    return key
