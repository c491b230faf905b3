"""persons.db: one random key a person and data class; without the key the fields are noise."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from evdesk.domain.secrets import Secret
from evdesk.storage.connection import Connection
from evdesk.storage.faults import Place

LABEL = b"evdesk persons"
KEY_BYTES = 32
SELECT = "SELECT person_id, data_class, key FROM person_key "

PersonKeyring = dict[str, Secret]  # by data class


def persons_place(path: Path, data_key: Secret, busy_timeout_ms: int) -> Place:
    """Return where the keys of persons are, under a key of their own (HKDF-SHA256)."""
    derivation = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=LABEL)
    return Place(path, Secret(derivation.derive(data_key.reveal())), busy_timeout_ms)


class Persons:
    """The keys of persons.

    The file has a rollback journal and not a write-ahead log: what is destroyed is gone from it
    with the commit. Write only while holding the write lock of site.db: it keeps the two in step.
    """

    def __init__(self, place: Place, random_bytes: Callable[[int], bytes]) -> None:
        self._place = place
        self._random_bytes = random_bytes

    def use_key(self, data_key: Secret) -> None:
        """Open the file under another data key from now on."""
        self._place = persons_place(self._place.path, data_key, self._place.busy_timeout_ms)

    def create(self, person: str, data_classes: frozenset[str]) -> PersonKeyring:
        """Make and keep the keys of a new person, pending until ``confirm``."""
        keyring = {name: Secret(self._random_bytes(KEY_BYTES)) for name in sorted(data_classes)}
        with self._write() as connection:
            connection.many(
                "INSERT INTO person_key (person_id, data_class, key, confirmed)"
                " VALUES (?, ?, ?, 0)",
                [(person, name, key.reveal()) for name, key in keyring.items()],
            )
        return keyring

    def keyring(self, person: str) -> PersonKeyring:
        """Return the keys that a person still has."""
        return self._keyrings(SELECT + "WHERE person_id = ?", (person,)).get(person, {})

    def keyrings(self) -> dict[str, PersonKeyring]:
        """Return everybody's keys, by person."""
        return self._keyrings(SELECT, ())

    def pending(self) -> list[str]:
        """Return the persons whose keys are not confirmed."""
        with self._open() as connection:
            rows = connection.all("SELECT DISTINCT person_id FROM person_key WHERE confirmed = 0")
        return [person for (person,) in rows]

    def confirm(self, persons: list[str]) -> None:
        """Keep pending keys for good: site.db has committed what they encrypt."""
        with self._write() as connection:
            connection.many(
                "UPDATE person_key SET confirmed = 1 WHERE person_id = ? AND confirmed = 0",
                [(person,) for person in persons],
            )

    def drop_pending(self, persons: list[str]) -> None:
        """Forget pending keys: site.db has not committed what they encrypt."""
        with self._write() as connection:
            connection.many(
                "DELETE FROM person_key WHERE person_id = ? AND confirmed = 0",
                [(person,) for person in persons],
            )

    def destroy(self, person: str, data_class: str) -> None:
        """Destroy one key: that class of that person is empty from now on, in every copy."""
        with self._write() as connection:
            connection.run(
                "DELETE FROM person_key WHERE person_id = ? AND data_class = ?",
                (person, data_class),
            )

    def _keyrings(self, sql: str, values: tuple[str, ...]) -> dict[str, PersonKeyring]:
        found: dict[str, PersonKeyring] = {}
        with self._open() as connection:
            rows = connection.all(sql, values)
        for person, data_class, key in rows:
            found.setdefault(person, {})[data_class] = Secret(key)
        return found

    @contextmanager
    def _open(self) -> Iterator[Connection]:
        connection = Connection(self._place)
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._open() as connection:
            connection.run("PRAGMA synchronous = FULL")
            connection.run("BEGIN IMMEDIATE")
            yield connection  # an error closes the connection, which undoes the transaction
            connection.run("COMMIT")
