"""Requests of data subjects and their steps; what was said of them is sealed."""

from datetime import date

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.personal_data import DataClass
from evdesk.domain.requests import (
    ENDED,
    IdentityCheck,
    Request,
    RequestEvent,
    RequestId,
    RequestKind,
    RequestState,
)
from evdesk.domain.site import DriverId
from evdesk.storage.connection import Connection, Row
from evdesk.storage.person_seals import PersonSeals

NOTE = "request note"
SELECT = "SELECT id, person_id, kind, received_on FROM request "
EVENTS = "SELECT at_ms, state, author, id_check, note FROM request_event WHERE request_id = ?"


class StoredRequests:
    """Implements ``ports.Requests``."""

    def __init__(self, connection: Connection, seals: PersonSeals) -> None:
        self._db, self._seals = connection, seals

    def add(
        self, person: DriverId, kind: RequestKind, received_on: date, event: RequestEvent
    ) -> RequestId:
        """Append a request with its first step."""
        request = self._db.insert(
            "INSERT INTO request (person_id, kind, received_on, recorded_at_ms)"
            " VALUES (?, ?, ?, ?)",
            (person, kind.value, received_on.isoformat(), to_ms(event.at)),
        )
        self._append(RequestId(request), person, event)
        return RequestId(request)

    def log(self, request: RequestId, event: RequestEvent) -> None:
        """Append a step; the caller has checked that it may follow."""
        row = self._db.one("SELECT person_id FROM request WHERE id = ?", (request,))
        self._append(request, row[0] if row else "", event)

    def get(self, request: RequestId) -> Request | None:
        """Return a request."""
        row = self._db.one(SELECT + "WHERE id = ?", (request,))
        return None if row is None else self._request(row)

    def find(self, person: DriverId | None = None) -> list[Request]:
        """Return the requests of one person or all, oldest first."""
        where = "WHERE ?1 IS NULL OR person_id = ?1 ORDER BY received_on, id"
        return [self._request(row) for row in self._db.all(SELECT + where, (person,))]

    def count_open(self, person: DriverId) -> int:
        """Return how many requests of a person wait for an answer."""
        return sum(one.state not in ENDED for one in self.find(person))

    def _append(self, request: RequestId, person: str, event: RequestEvent) -> None:
        note = None
        if event.note:
            content = event.note.encode()
            note = self._seals.seal(person, DataClass.REQUEST, NOTE, content, event.at)
        self._db.insert(
            "INSERT INTO request_event (request_id, at_ms, state, author, id_check, note)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(request, to_ms(event.at), event.state.value, event.author),
                *(None if event.check is None else event.check.value, note),
            ),
        )

    def _request(self, row: Row) -> Request:
        request, person, kind, received_on = row
        events = self._db.all(EVENTS + " ORDER BY id", (request,))
        return Request(
            id=RequestId(request),
            person=DriverId(person),
            kind=RequestKind(kind),
            received_on=date.fromisoformat(received_on),
            events=tuple(self._event(person, one) for one in events),
        )

    def _event(self, person: str, row: Row) -> RequestEvent:
        at_ms, state, author, check, note = row
        plain = None if note is None else self._seals.open(person, DataClass.REQUEST, NOTE, note)
        return RequestEvent(
            at=from_ms(at_ms),
            state=RequestState(state),
            author=author,
            note="" if plain is None else plain.decode(),
            check=None if check is None else IdentityCheck(check),
        )
