"""RFID cards: whose they are, and from when to when."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evdesk.domain.sessions import Tag
from evdesk.domain.site import DriverId

SHOWN = 4  # characters of a card's number that people see
_SEPARATORS = re.compile(r"[\s:.\-]+")


class CardEnd(StrEnum):
    """Why a card is no longer somebody's."""

    LOST = "lost"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a driver; without ``to_at`` it holds until it is ended."""

    id: int
    tag: Tag
    driver: DriverId
    from_at: datetime
    to_at: datetime | None = None
    ended_at: datetime | None = None
    end: CardEnd | None = None

    def holds_at(self, at: datetime) -> bool:
        """Return whether the card is the driver's at an instant."""
        ends = [end for end in (self.to_at, self.ended_at) if end is not None]
        return self.from_at <= at and all(at < end for end in ends)

    def overlaps(self, from_at: datetime, to_at: datetime | None) -> bool:
        """Return whether it is the driver's at any time of a span."""
        ends = [end for end in (self.to_at, self.ended_at) if end is not None]
        begins_later = to_at is not None and self.from_at >= to_at
        return not begins_later and all(from_at < end for end in ends)


def same_number(text: str) -> str:
    """Return a card's number in the one form it is compared in: no separators, capitals."""
    return _SEPARATORS.sub("", text).upper()


def shown_part(number: str) -> str:
    """Return the last characters of a number, as people see them."""
    return f"…{number[-SHOWN:]}" if len(number) > SHOWN else "…"
