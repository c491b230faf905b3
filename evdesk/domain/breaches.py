"""Personal data breaches (Art. 33 and 34 GDPR): each one is documented, told or not."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType

BreachId = NewType("BreachId", int)

TO_TELL = timedelta(hours=72)  # Art. 33(1): after having become aware of it


@dataclass(frozen=True, slots=True)
class BreachFacts:
    """What is known of a breach at an instant: the content of Art. 33(3), and who was told.

    ``subjects`` and ``records`` are approximate numbers; None is unknown yet. ``risk`` says why
    the authority need not be told, where it need not.
    """

    nature: str
    categories: str
    subjects: int | None
    records: int | None
    consequences: str
    measures: str
    contact: str
    risk: str = ""
    authority_told_at: datetime | None = None
    subjects_told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach with what is known by now; earlier ones are kept beside."""

    id: BreachId
    happened_at: datetime | None
    aware_at: datetime
    recorded_at: datetime
    author: str
    facts: BreachFacts

    @property
    def tell_by(self) -> datetime:
        """Return until when the authority is told, unless a risk is unlikely."""
        return self.aware_at + TO_TELL

    def is_owed(self) -> bool:
        """Return whether it is open whether the authority is told."""
        return self.facts.authority_told_at is None and not self.facts.risk

    def is_late(self, now: datetime) -> bool:
        """Return whether the authority was told too late, or is not told in time."""
        told_at = self.facts.authority_told_at
        if told_at is not None:
            return told_at > self.tell_by
        return self.is_owed() and now > self.tell_by


@dataclass(frozen=True, slots=True)
class BreachAccount:
    """What was known of a breach at an instant; each stays beside the later ones."""

    at: datetime
    author: str
    facts: BreachFacts
