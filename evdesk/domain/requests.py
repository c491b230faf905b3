"""Requests of data subjects (Art. 12 to 22 GDPR): what was asked, until when, what came of it."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NewType
from zoneinfo import ZoneInfo

from evdesk.domain.site import DriverId

RequestId = NewType("RequestId", int)

MONTHS, EXTENDED_MONTHS = 1, 3  # Art. 12(3): one month, two more where it is told within the first


class RequestKind(StrEnum):
    """Which right is used; the value is the word of the command line."""

    ACCESS = "access"  # Art. 15
    RECTIFICATION = "rectification"  # Art. 16
    ERASURE = "erasure"  # Art. 17
    RESTRICTION = "restriction"  # Art. 18
    PORTABILITY = "portability"  # Art. 20
    OBJECTION = "objection"  # Art. 21


class RequestState(StrEnum):
    """Where a request stands."""

    RECEIVED = "received"
    IDENTIFIED = "identified"  # it is known that the person is who they say
    EXTENDED = "extended"  # the person was told why it takes up to three months
    ANSWERED = "answered"
    REFUSED = "refused"  # with a reason, and the way to complain (Art. 12(4))
    WITHDRAWN = "withdrawn"  # by the person


ENDED = frozenset({RequestState.ANSWERED, RequestState.REFUSED, RequestState.WITHDRAWN})
MOVES: dict[RequestState | None, frozenset[RequestState]] = {
    None: frozenset({RequestState.RECEIVED}),
    RequestState.RECEIVED: frozenset(
        {
            RequestState.IDENTIFIED,
            RequestState.EXTENDED,
            RequestState.REFUSED,
            RequestState.WITHDRAWN,
        }
    ),
    RequestState.IDENTIFIED: frozenset(
        {
            RequestState.EXTENDED,
            RequestState.ANSWERED,
            RequestState.REFUSED,
            RequestState.WITHDRAWN,
        }
    ),
    RequestState.EXTENDED: frozenset(
        {
            RequestState.IDENTIFIED,
            RequestState.ANSWERED,
            RequestState.REFUSED,
            RequestState.WITHDRAWN,
        }
    ),
    RequestState.ANSWERED: frozenset(),
    RequestState.REFUSED: frozenset(),
    RequestState.WITHDRAWN: frozenset(),
}


class IdentityCheck(StrEnum):
    """How it is known who asks; no more is asked for than is needed (Art. 12(6))."""

    KNOWN = "known"  # in person, by somebody who knows them
    DOCUMENT = "document"  # shown, not copied
    CONTACT = "contact"  # through the address or number that is on file
    CARD = "card"  # with their charging card in hand
    PORTAL = "portal"  # signed in


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """One step of a request; ``author`` is the account, ``note`` why or what was answered."""

    at: datetime
    state: RequestState
    author: str
    note: str = ""
    check: IdentityCheck | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A request with its steps, oldest first; the first one says when it was received."""

    id: RequestId
    person: DriverId
    kind: RequestKind
    received_on: date
    events: tuple[RequestEvent, ...]

    @property
    def state(self) -> RequestState:
        """Return where it stands."""
        return self.events[-1].state

    @property
    def is_open(self) -> bool:
        """Return whether an answer is owed."""
        return self.state not in ENDED

    @property
    def is_identified(self) -> bool:
        """Return whether it is known who asks."""
        return any(event.check is not None for event in self.events)

    @property
    def due_on(self) -> date:
        """Return the last day for an answer.

        The month ends on the day of the same number, or on the last one of a shorter month
        (Regulation 1182/71, Art. 3). That a weekend would move it on is left as a reserve.
        """
        extended = any(event.state is RequestState.EXTENDED for event in self.events)
        return months_after(self.received_on, EXTENDED_MONTHS if extended else MONTHS)

    def days_left(self, now: datetime, tz: str) -> int:
        """Return how many days there are until it is due; negative: it is late."""
        return (self.due_on - now.astimezone(ZoneInfo(tz)).date()).days

    def may_move(self, state: RequestState, now: datetime, tz: str) -> bool:
        """Return whether the next step may be this one; it is extended within the first month."""
        if state is RequestState.EXTENDED:
            first_month = months_after(self.received_on, MONTHS)
            if now.astimezone(ZoneInfo(tz)).date() > first_month or self._was(state):
                return False
        if state is RequestState.ANSWERED and not self.is_identified:
            return False
        return state in MOVES[self.state]

    def _was(self, state: RequestState) -> bool:
        return any(event.state is state for event in self.events)


def months_after(day: date, months: int) -> date:
    """Return the day of the same number so many months later, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(day.day, last))


def overdue(requests: Sequence[Request], now: datetime, tz: str) -> list[Request]:
    """Return the requests whose answer is late, the latest first."""
    late = [one for one in requests if one.is_open and one.days_left(now, tz) < 0]
    return sorted(late, key=lambda one: one.due_on)
