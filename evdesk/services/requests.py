"""The register of requests: received, identified, answered within a month, or told why not."""

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.requests import (
    MONTHS,
    IdentityCheck,
    Request,
    RequestEvent,
    RequestId,
    RequestKind,
    RequestState,
    months_after,
)
from evdesk.domain.site import DriverId
from evdesk.ports import Cell, Clock, Store, Table, TableWriter, Unit
from evdesk.services.drivers import existing_driver
from evdesk.services.handing_out import note_export
from evdesk.services.permitting import given, permit

COLUMNS = (
    "id", "driver", "kind", "state", "received_on", "due_on", "days_left", "overdue", "check",
    "ended_at", "author",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DueRequest:
    """A request with where its clock stands; ``days_left`` is None once it has ended."""

    request: Request
    days_left: int | None

    @property
    def overdue(self) -> bool:
        """Return whether an answer is owed and late."""
        return self.days_left is not None and self.days_left < 0

    @property
    def check(self) -> IdentityCheck | None:
        """Return how it is known who asks."""
        return next((one.check for one in self.request.events if one.check is not None), None)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a right is used: what is known of whoever asks, and since when it is asked for.

    ``request`` names the one to answer; without it, it is the oldest open one of its kind, or a new
    one.
    """

    check: IdentityCheck | None = None
    received_on: date | None = None
    note: str = ""
    request: RequestId | None = None


class RequestService:
    """Use cases of requests; notes are for what has to be said, and sealed under the person's key.

    ``clock`` is the site's.
    """

    def __init__(self, store: Store, clock: Clock, writer: TableWriter) -> None:
        self._store, self._clock, self._writer = store, clock, writer

    @permit(Action.ANSWER_RIGHTS)
    def add(
        self,
        person: DriverId,
        kind: RequestKind,
        received_on: date | None = None,
        check: IdentityCheck | None = None,
        note: str = "",
    ) -> DueRequest:
        """Enter a request; its month runs from the day on which it was received, today if not said.

        Raises:
            UserError: an unknown driver, or a day that is yet to come.

        """
        with self._store.write() as unit:
            asked = Asked(check, received_on, note)
            request = open_request(unit, self._clock.now(), self._author, person, kind, asked)
            return due(unit, self._clock.now(), request)

    @permit(Action.ANSWER_RIGHTS)
    def identify(self, request: RequestId, check: IdentityCheck, note: str = "") -> DueRequest:
        """Say how it is known who asks."""
        return self._move(request, RequestState.IDENTIFIED, note, check)

    @permit(Action.ANSWER_RIGHTS)
    def extend(self, request: RequestId, reason: str) -> DueRequest:
        """Take two months more; the person is told why within the first (Art. 12(3))."""
        return self._move(request, RequestState.EXTENDED, given(reason))

    @permit(Action.ANSWER_RIGHTS)
    def refuse(self, request: RequestId, reason: str) -> DueRequest:
        """Refuse it; the person is told why, and where to complain (Art. 12(4))."""
        return self._move(request, RequestState.REFUSED, given(reason))

    @permit(Action.ANSWER_RIGHTS)
    def withdraw(self, request: RequestId, note: str = "") -> DueRequest:
        """Say that the person no longer asks for it."""
        return self._move(request, RequestState.WITHDRAWN, note)

    @permit(Action.ANSWER_RIGHTS)
    def answer(self, request: RequestId, note: str) -> DueRequest:
        """Say that it was answered in another way than by a command of this desk."""
        return self._move(request, RequestState.ANSWERED, given(note))

    @permit(Action.READ_PRIVACY)
    def get(self, request: RequestId) -> DueRequest:
        """Return a request."""
        with self._store.read() as unit:
            return due(unit, self._clock.now(), existing_request(unit, request))

    @permit(Action.READ_PRIVACY)
    def all(self, person: DriverId | None = None, *, open_only: bool = False) -> list[DueRequest]:
        """Return the requests of one person or all: open ones by their last day, then the others.

        Whoever sees pseudonyms sees no notes.
        """
        with self._store.read() as unit:
            now = self._clock.now()
            found = [due(unit, now, one) for one in unit.requests.find(person)]
        waiting = sorted(
            (one for one in found if one.days_left is not None), key=lambda one: one.days_left or 0
        )
        ended = [one for one in reversed(found) if one.days_left is None]
        return waiting if open_only else waiting + ended

    @permit(Action.READ_PRIVACY)
    def export(self, suffix: str) -> tuple[bytes, int]:
        """Return the file of all requests, without notes, and how many there are."""
        found = self.all()
        with self._store.read() as unit:
            tz, head = unit.site.load().tz, unit.audit.head()
        rows = tuple(request_row(one) for one in found)
        data = self._writer.write(Table("Requests", COLUMNS, rows, tz, str(head)), suffix)
        note_export(self._store, "requests", suffix, len(rows))
        return data, len(rows)

    @property
    def _author(self) -> str:
        return self._store.actor.ref

    def _move(
        self,
        request: RequestId,
        state: RequestState,
        note: str,
        check: IdentityCheck | None = None,
    ) -> DueRequest:
        with self._store.write() as unit:
            now = self._clock.now()
            event = RequestEvent(now, state, self._author, " ".join(note.split()), check)
            moved = step(unit, existing_request(unit, request), event)
            return due(unit, now, moved)


def open_request(
    unit: Unit, now: datetime, author: str, person: DriverId, kind: RequestKind, asked: Asked
) -> Request:
    """Enter a request in an open transaction, identified where it is said how."""
    existing_driver(unit, person)
    today = now.astimezone(ZoneInfo(unit.site.load().tz)).date()
    received_on = asked.received_on or today
    if received_on > today:
        raise UserError(
            "{day} is yet to come: a request is entered with the day on which it was received.",
            day=received_on,
        )
    note = " ".join(asked.note.split())
    received = RequestEvent(now, RequestState.RECEIVED, author, note)
    request = unit.requests.add(person, kind, received_on, received)
    facts = {"driver": person, "kind": kind.value, "received_on": received_on.isoformat()}
    unit.record_change(Change("request.received", "request", str(request), facts))
    found = existing_request(unit, request)
    if asked.check is None:
        return found
    return step(unit, found, RequestEvent(now, RequestState.IDENTIFIED, author, "", asked.check))


def identified(
    unit: Unit, now: datetime, author: str, person: DriverId, kind: RequestKind, asked: Asked
) -> tuple[Request, bool]:
    """Return the request that is to be answered, and whether something was written for that.

    Raises:
        UserError: nobody has said how it is known who asks, or the request named is not open.

    """
    request, wrote = _to_answer(unit, person, kind, asked), True
    if request is None:
        request = open_request(unit, now, author, person, kind, asked)
    elif not request.is_identified and asked.check is not None:
        event = RequestEvent(now, RequestState.IDENTIFIED, author, asked.note, asked.check)
        request = step(unit, request, event)
    else:
        wrote = False
    if not request.is_identified:
        raise UserError(
            "Say how you know that it is {driver} who asks: in person, by a document, through the "
            "address on file, by a card, or signed in (--check). Nothing was changed.",
            driver=person,
        )
    return request, wrote


def _to_answer(unit: Unit, person: DriverId, kind: RequestKind, asked: Asked) -> Request | None:
    waiting = [one for one in unit.requests.find(person) if one.is_open and one.kind is kind]
    if asked.request is None:
        return waiting[0] if waiting else None
    found = [one for one in waiting if one.id == asked.request]
    if not found:
        raise UserError(
            "Request {request} is no open request of {driver} for {kind}. Nothing was changed. "
            "See: evdesk rights requests",
            request=asked.request,
            driver=person,
            kind=kind.value,
        )
    return found[0]


def step(unit: Unit, request: Request, event: RequestEvent) -> Request:
    """Append a step to a request, if it may follow.

    Raises:
        UserError: it may not.

    """
    tz = unit.site.load().tz
    if not request.may_move(event.state, event.at, tz):
        refuse_step(request, event.state)
    unit.requests.log(request.id, event)
    facts: dict[str, object] = {"driver": request.person, "kind": request.kind.value}
    if event.check is not None:
        facts["check"] = event.check.value
    action = f"request.{event.state.value}"
    unit.record_change(Change(action, "request", str(request.id), facts))
    return existing_request(unit, request.id)


def refuse_step(request: Request, state: RequestState) -> None:
    """Say why a request cannot take a step."""
    facts = {"request": request.id, "state": request.state.value, "wanted": state.value}
    if not request.is_open:
        raise UserError("Request {request} has ended: it was {state}.", **facts)
    if state is RequestState.ANSWERED:
        raise UserError(
            "Request {request} cannot be answered before it is known who asks. Say how: evdesk "
            "rights request identify {request} --check known",
            **facts,
        )
    if state is RequestState.EXTENDED:
        raise UserError(
            "Request {request} cannot be extended: once only, and until {day} at the latest "
            "(Art. 12(3) GDPR).",
            **facts,
            day=months_after(request.received_on, MONTHS),
        )
    raise UserError("Request {request} is {state} and cannot become {wanted}.", **facts)


def existing_request(unit: Unit, request: RequestId) -> Request:
    """Return the request of that id."""
    found = unit.requests.get(request)
    if found is None:
        raise UserError(
            "There is no request {request}. List them with: evdesk rights requests",
            request=request,
        )
    return found


def request_row(one: DueRequest) -> tuple[Cell, ...]:
    """Return a request's cells in the order of ``COLUMNS``; what was said of it is left out."""
    request, last = one.request, one.request.events[-1]
    return (
        str(request.id),
        request.person,
        request.kind.value,
        request.state.value,
        request.received_on.isoformat(),
        request.due_on.isoformat(),
        one.days_left,
        "yes" if one.overdue else "no",
        None if one.check is None else one.check.value,
        None if request.is_open else last.at,
        last.author,
    )


def due(unit: Unit, now: datetime, request: Request) -> DueRequest:
    """Return a request with where its clock stands."""
    left = request.days_left(now, unit.site.load().tz) if request.is_open else None
    return DueRequest(request, left)
