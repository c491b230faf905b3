"""People who charge: a pseudonym in the open, the person under keys that can be destroyed."""

import dataclasses
from collections.abc import Callable
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Driver, DriverId, Party
from evdesk.storage.connection import Connection, Row
from evdesk.storage.intents import Intents
from evdesk.storage.json_text import canonical
from evdesk.storage.persons import PersonKeyring, Persons

IDENTITY, CONTACT, PAYMENT = "identity", "contact", "payment"
DATA_CLASSES = {
    "name": IDENTITY,
    "street": IDENTITY,
    "postcode": IDENTITY,
    "city": IDENTITY,
    "country": IDENTITY,
    "vat_id": IDENTITY,
    "tax_number": IDENTITY,
    "contact": CONTACT,
    "email": CONTACT,
    "phone": CONTACT,
    "iban": PAYMENT,
}
CONFIRM_KEYS = "confirm_person_keys"
NONCE_BYTES = 12
ALTERED = (
    "The field {field} of driver {driver} does not open with its key: the entry was altered. "
    "Nothing was changed. Restore the newest backup and compare."
)
SELECT = "SELECT id, language, created_at_ms, retired_at_ms FROM driver "
FIELDS = "SELECT person_id, field, data_class, sealed FROM person_field "

INSERT_FIELD = "INSERT INTO person_field (person_id, field, data_class, sealed) VALUES (?, ?, ?, ?)"
ERASED = (
    "The field {field} of driver {driver} was erased for good and cannot be written again. Nothing "
    "was changed. If the person charges here again, add a new driver."
)
CLASS_ERASED = (
    "What evdesk kept of driver {driver} ({data_class}) was erased for good, and nothing of it can "
    "be written again. Nothing was changed. If the person charges here again, add a new driver."
)

SealedField = tuple[str, str, bytes]  # field, data class, nonce with ciphertext


class StoredDrivers:
    """Implements ``ports.Drivers``; ``added`` are the persons whose keys wait for the commit.

    ``hides`` leaves everybody a pseudonym until they are revealed one by one.
    """

    def __init__(
        self,
        connection: Connection,
        persons: Persons,
        intents: Intents,
        random_bytes: Callable[[int], bytes],
        *,
        hides: bool = False,
    ) -> None:
        self._db = connection
        self._hides = hides
        self._persons = persons
        self._intents = intents
        self._random_bytes = random_bytes
        self.added: list[str] = []

    def add(self, driver: Driver) -> None:
        """Add a driver with a key of their own per data class."""
        self._db.run(
            "INSERT INTO driver (id, language, created_at_ms, retired_at_ms) VALUES (?, ?, ?, ?)",
            (
                driver.id,
                driver.language,
                to_ms(driver.created_at),
                None if driver.retired_at is None else to_ms(driver.retired_at),
            ),
        )
        self._intents.begin(CONFIRM_KEYS, {"person": driver.id}, driver.created_at)
        self.added.append(driver.id)
        keyring = self._persons.create(driver.id, frozenset(DATA_CLASSES.values()))
        self._db.many(
            INSERT_FIELD,
            [
                (driver.id, field, data_class, self._seal(keyring, driver.id, field, text))
                for field, data_class in DATA_CLASSES.items()
                if (text := getattr(driver.party, field))
            ],
        )

    def change(self, driver: Driver) -> None:
        """Keep other personal fields and another language; the ones before are gone.

        Raises:
            UserError: a field was erased with its key.

        """
        keyring = self._persons.keyring(driver.id)
        self._db.run("UPDATE driver SET language = ? WHERE id = ?", (driver.language, driver.id))
        for field, data_class in DATA_CLASSES.items():
            text = getattr(driver.party, field)
            if data_class not in keyring:
                if text and text != driver.id:  # the pseudonym stands for a name that is erased
                    raise UserError(ERASED, field=field, driver=driver.id)
                continue
            self._db.run(
                "DELETE FROM person_field WHERE person_id = ? AND field = ?", (driver.id, field)
            )
            if text:
                self._db.run(
                    INSERT_FIELD,
                    (driver.id, field, data_class, self._seal(keyring, driver.id, field, text)),
                )

    def key_for(self, driver: str, data_class: str, at: datetime) -> Secret:
        """Return a driver's key of a class, made when it is first needed; pending as in ``add``.

        Raises:
            UserError: that class was erased for good.

        """
        found = self._persons.keyring(driver).get(data_class)
        if found is not None:
            return found
        sql = "SELECT 1 FROM key_erasure WHERE person_id = ? AND data_class = ? AND for_good"
        if data_class in DATA_CLASSES.values() or self._db.one(sql, (driver, data_class)):
            raise UserError(CLASS_ERASED, driver=driver, data_class=data_class)
        self._intents.begin(CONFIRM_KEYS, {"person": driver}, at)
        self.added.append(driver)
        return self._persons.create(driver, frozenset({data_class}))[data_class]

    def shown_key(self, driver: str, data_class: str, *, reveal: bool = False) -> Secret | None:
        """Return a driver's key of a class; None where it is destroyed or the actor may not see."""
        hidden = self._hides and not reveal
        return None if hidden else self._persons.keyring(driver).get(data_class)

    def get(self, driver: DriverId) -> Driver | None:
        """Return a driver with personal fields decrypted.

        Where a key is destroyed the fields of its class are empty, and the name is the pseudonym.
        """
        return self._get(driver, {} if self._hides else self._persons.keyring(driver))

    def reveal(self, driver: DriverId) -> Driver | None:
        """Return a driver with personal fields, also to who sees pseudonyms otherwise."""
        return self._get(driver, self._persons.keyring(driver))

    def all(self, *, retired: bool = False) -> list[Driver]:
        """Return drivers in the order they were added."""
        where = "" if retired else "WHERE retired_at_ms IS NULL "
        rows = self._db.all(SELECT + where + "ORDER BY seq")
        if not rows:
            return []
        fields: dict[str, list[SealedField]] = {}
        for person, field, data_class, sealed in self._db.all(FIELDS):
            fields.setdefault(person, []).append((field, data_class, sealed))
        keyrings = {} if self._hides else self._persons.keyrings()
        return [_driver(row, fields.get(row[0], []), keyrings.get(row[0], {})) for row in rows]

    def retire(self, driver: DriverId, at: datetime) -> None:
        """Mark a driver as no longer charging here."""
        self._db.run("UPDATE driver SET retired_at_ms = ? WHERE id = ?", (to_ms(at), driver))

    def _get(self, driver: DriverId, keyring: PersonKeyring) -> Driver | None:
        row = self._db.one(SELECT + "WHERE id = ?", (driver,))
        if row is None:
            return None
        fields = [tuple(f[1:]) for f in self._db.all(FIELDS + "WHERE person_id = ?", (driver,))]
        return _driver(row, fields, keyring)

    def _seal(self, keyring: PersonKeyring, person: str, field: str, text: str) -> bytes:
        data_class = DATA_CLASSES[field]
        nonce = self._random_bytes(NONCE_BYTES)
        about = _about(person, data_class, field)
        return nonce + _cipher(keyring[data_class]).encrypt(nonce, text.encode(), about)


def _driver(row: Row, fields: list[SealedField], keyring: PersonKeyring) -> Driver:
    driver, language, created_at_ms, retired_at_ms = row
    texts = {
        field: _unseal(keyring[data_class], driver, (field, data_class, sealed))
        for field, data_class, sealed in fields
        if data_class in keyring
    }
    return Driver(
        id=DriverId(driver),
        party=dataclasses.replace(Party(name=driver), **texts),
        language=language,
        created_at=from_ms(created_at_ms),
        retired_at=None if retired_at_ms is None else from_ms(retired_at_ms),
    )


def _unseal(key: Secret, driver: str, sealed_field: SealedField) -> str:
    field, data_class, sealed = sealed_field
    about = _about(driver, data_class, field)
    try:
        text = _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about)
    except InvalidTag as error:
        raise StorageError(ALTERED, field=field, driver=driver) from error
    return text.decode()


def _cipher(key: Secret) -> AESGCM:
    return AESGCM(key.reveal())


def _about(person: str, data_class: str, field: str) -> bytes:
    return canonical([person, data_class, field]).encode()
