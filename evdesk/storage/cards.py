"""RFID cards as keyed hashes: the number itself is never written."""

import hmac
from collections.abc import Callable
from datetime import datetime

from evdesk.domain.cards import Card, CardEnd, same_number, shown_part
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.sessions import Tag
from evdesk.domain.site import DriverId
from evdesk.storage.connection import Connection
from evdesk.storage.site_key import site_key

PURPOSE = "rfid"


class StoredCards:
    """Implements ``ports.Cards``; ``hides`` leaves cards pseudonyms."""

    def __init__(
        self,
        connection: Connection,
        random_bytes: Callable[[int], bytes],
        *,
        hides: bool = False,
    ) -> None:
        self._db, self._hides = connection, hides
        self._random_bytes = random_bytes

    def tag(self, number: str) -> Tag:
        """Return HMAC-SHA256 of a card's number under the site's key, and its last characters."""
        plain = same_number(number)
        return Tag(hmac.digest(self._key(), plain.encode(), "sha256"), shown_part(plain))

    def add(
        self, tag: Tag, driver: DriverId, from_at: datetime, to_at: datetime | None = None
    ) -> int:
        """Say whose a card is; the caller has checked that it is nobody else's then."""
        return self._db.insert(
            "INSERT INTO card (digest, shown, driver_id, from_at_ms, to_at_ms)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                tag.digest,
                tag.shown,
                driver,
                to_ms(from_at),
                None if to_at is None else to_ms(to_at),
            ),
        )

    def end(self, card: int, at: datetime, cause: CardEnd) -> None:
        """Say that a card is no longer its driver's."""
        self._db.run(
            "INSERT INTO card_end (card_id, at_ms, cause) VALUES (?, ?, ?)",
            (card, to_ms(at), cause.value),
        )

    def all(self) -> list[Card]:
        """Return every card there is or was, oldest first."""
        rows = self._db.all(
            "SELECT id, digest, shown, driver_id, from_at_ms, to_at_ms, at_ms, cause FROM card"
            " LEFT JOIN card_end ON card_id = id ORDER BY id"
        )
        return [
            Card(
                id=card,
                tag=Tag(digest, shown).hidden() if self._hides else Tag(digest, shown),
                driver=DriverId(driver),
                from_at=from_ms(from_at_ms),
                to_at=None if to_at_ms is None else from_ms(to_at_ms),
                ended_at=None if at_ms is None else from_ms(at_ms),
                end=None if cause is None else CardEnd(cause),
            )
            for card, digest, shown, driver, from_at_ms, to_at_ms, at_ms, cause in rows
        ]

    def driver_of(self, tag: Tag, at: datetime) -> DriverId | None:
        """Return whose a card was at an instant."""
        row = self._db.one(
            "SELECT driver_id FROM card LEFT JOIN card_end ON card_id = id"
            " WHERE digest = ?1 AND from_at_ms <= ?2 AND ?2 < coalesce(to_at_ms, ?2 + 1)"
            " AND ?2 < coalesce(at_ms, ?2 + 1) ORDER BY from_at_ms DESC LIMIT 1",
            (tag.digest, to_ms(at)),
        )
        return None if row is None else DriverId(row[0])

    def _key(self) -> bytes:
        return site_key(self._db, PURPOSE, self._random_bytes)
