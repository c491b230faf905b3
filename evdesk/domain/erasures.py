"""What was erased: known by keyed references only, kept apart from what backups hold."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Erasure:
    """One data class of one person that is gone for good.

    ``subject`` is a keyed hash of the person's pseudonym, ``rule`` what it was erased under.
    """

    at: datetime
    subject: str
    data_class: str
    rule: str
