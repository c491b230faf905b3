"""What a record of processing activities says that follows from no setting (Art. 30 GDPR)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class DetailKind(StrEnum):
    """What an owner adds; the value is the word of the command line."""

    JOINT_CONTROLLER = "joint_controller"
    REPRESENTATIVE = "representative"  # of a controller outside of the Union (Art. 27)
    DPO = "dpo"
    AUTHORITY = "authority"  # where to complain
    RECIPIENTS = "recipients"  # beside those that evdesk knows of
    TRANSFERS = "transfers"  # to third countries, with their safeguards
    MEASURES = "measures"  # of security, beside those that evdesk takes


@dataclass(frozen=True, slots=True)
class Detail:
    """What somebody said of the processing; it holds until the next of its kind."""

    kind: DetailKind
    text: str
    at: datetime
    author: str
