"""Mail to send: who sends it, what it is, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from evdesk.domain.secrets import Secret

MailId = NewType("MailId", int)


class Security(StrEnum):
    """How the way to the mail server is protected; plain is for this computer only."""

    TLS = "tls"
    STARTTLS = "starttls"
    PLAIN = "plain"


class MailState(StrEnum):
    """Unclear: the server may have taken it; it is not sent again by itself. Failed: it has not."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    UNCLEAR = "unclear"
    FAILED = "failed"


class Outcome(StrEnum):
    """How an attempt ended: taken, refused for good, to be tried again, or not known."""

    TAKEN = "taken"
    REFUSED = "refused"
    LATER = "later"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class MailServer:
    """The server that sends for the site; ``recipient`` is who is told of faults.

    ``ca_pem`` holds certificates to trust beside those of the system.
    """

    host: str
    port: int
    security: Security
    sender: str
    recipient: str
    username: str | None = None
    password: Secret | None = None
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a mail; ``media_type`` such as ``application/pdf``."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What is sent; ``message_id`` is the same in every attempt, without angle brackets."""

    kind: str
    message_id: str
    recipient: str
    subject: str
    body: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """A letter in the outbox; ``told`` is what the server said last, or why it was not reached."""

    id: MailId
    letter: Letter
    created_at: datetime
    state: MailState
    attempts: int
    next_at: datetime
    told: str | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What came of one attempt, with the words of the server or of the network."""

    outcome: Outcome
    told: str
