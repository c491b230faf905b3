"""Who outside was given what of a person (Art. 15(1)(c), 19 GDPR)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from evdesk.domain.personal_data import DataClass
from evdesk.domain.site import DriverId

DisclosureId = NewType("DisclosureId", int)


class RecipientKind(StrEnum):
    """What a recipient is; the value is the word of the command line."""

    SUBJECT = "subject"  # the person, through somebody who carries it, such as a mail server
    PROCESSOR = "processor"  # works for the site, by contract (Art. 28)
    TAX_ADVISER = "tax_adviser"
    AUTHORITY = "authority"
    COURT = "court"
    EMPLOYER = "employer"  # or whoever runs the fleet
    AUDITOR = "auditor"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One recipient who was given data of one person.

    ``recipient`` and ``reason`` are None where they are erased, or not for the one who looks.
    """

    id: DisclosureId
    person: DriverId
    at: datetime
    recorded_at: datetime
    kind: RecipientKind
    classes: tuple[DataClass, ...]
    author: str
    recipient: str | None
    reason: str | None
