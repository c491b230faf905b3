"""What sessions rest on beside registers: cards and replaced meters."""

from datetime import datetime
from typing import Protocol

from evdesk.domain.cards import Card, CardEnd
from evdesk.domain.meters import Source
from evdesk.domain.sessions import Replacement, Tag
from evdesk.domain.site import DriverId


class Cards(Protocol):
    """RFID cards; their numbers are kept as keyed hashes only."""

    def tag(self, number: str) -> Tag:
        """Return the keyed hash of a card's number, and what people see of it."""

    def add(
        self, tag: Tag, driver: DriverId, from_at: datetime, to_at: datetime | None = None
    ) -> int:
        """Say whose a card is; the caller has checked that it is nobody else's then."""

    def end(self, card: int, at: datetime, cause: CardEnd) -> None:
        """Say that a card is no longer its driver's."""

    def all(self) -> list[Card]:
        """Return every card there is or was, oldest first."""

    def driver_of(self, tag: Tag, at: datetime) -> DriverId | None:
        """Return whose a card was at an instant."""


class Replacements(Protocol):
    """Meters put in others' places (append-only)."""

    def add(self, told: Replacement) -> int:
        """Append a replacement; its id is given by the database."""

    def of(self, source: Source) -> list[Replacement]:
        """Return the replacements of a source, oldest first."""
