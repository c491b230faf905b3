"""Erasing what is held of a person on their request: class by class, with why the rest stays."""

from dataclasses import dataclass
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.disclosures import Disclosure
from evdesk.domain.instants import midnight
from evdesk.domain.permissions import Action
from evdesk.domain.personal_data import DataClass
from evdesk.domain.requests import RequestEvent, RequestKind, RequestState
from evdesk.domain.retention import ClassEnd, Ended, HoldKind
from evdesk.domain.sessions import SessionState
from evdesk.domain.site import DriverId
from evdesk.ports import Clock, SessionFilter, Store, Unit
from evdesk.services.disclosures import disclosures_of, recipients
from evdesk.services.drivers import existing_driver, retire_driver
from evdesk.services.erasing import CONTRACT, HELD, Under, erase_class
from evdesk.services.permitting import permit
from evdesk.services.requests import Asked, DueRequest, due, identified, step
from evdesk.services.rule_book import RuleBook

ERASED = "rights.erased"
EMPTIED = "0,0,0"
# Letters are found by the address, which goes with the contact: first what needs the others.
ORDER = (
    DataClass.MAIL,
    DataClass.SESSION_LINK,
    DataClass.CARD,
    DataClass.VIN,
    DataClass.PAYMENT,
    DataClass.CONTACT,
    DataClass.IDENTITY,
    DataClass.CONSENT_EVIDENCE,
    DataClass.CONSENT,
    DataClass.REQUEST,
    DataClass.INVOICE,
)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something stays: a code, how many or which, and until when where that is known.

    Codes: open_session, review_session, unbilled_session, draft, legal_hold.
    """

    code: str
    count: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ErasedClass:
    """What becomes of a class, and what keeps it."""

    end: ClassEnd
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was done, or would be: class by class, with who outside is to be told (Art. 19).

    ``request`` is None for a plan. ``emptied``: nothing of it is left in the write-ahead log.
    """

    classes: tuple[ErasedClass, ...]
    to_tell: tuple[Disclosure, ...]
    request: DueRequest | None = None
    emptied: bool = False

    @property
    def waits(self) -> bool:
        """Return whether something stays only until sessions are billed: erase again then."""
        return any(one.end.legal_ground == CONTRACT for one in self.classes)


class ErasureService:
    """Use cases of erasing on request; ``clock`` is the site's."""

    def __init__(self, store: Store, clock: Clock, rules: RuleBook) -> None:
        self._store, self._clock, self._rules = store, clock, rules

    @permit(Action.ANSWER_RIGHTS)
    def plan(self, person: DriverId) -> Erasure:
        """Return what would become of each class of a person's data; nothing is changed.

        Raises:
            UserError: no such driver.

        """
        with self._store.read() as unit:
            existing_driver(unit, person)
        return self._carry_out(person, self._clock.now(), dry=True)

    @permit(Action.ANSWER_RIGHTS)
    def erase(self, person: DriverId, asked: Asked) -> Erasure:
        """Erase what may go, and say why the rest stays and until when (Art. 17).

        The person charges here no longer; the request is answered at the end.

        Raises:
            UserError: no such driver, or nobody knows who asks.
            StorageError: the database is busy or a disk fails; what was begun is finished later.

        """
        now, author = self._clock.now(), self._store.actor.ref
        with self._store.write() as unit:
            driver = existing_driver(unit, person)
            request, wrote = identified(unit, now, author, person, RequestKind.ERASURE, asked)
            if driver.retired_at is None:
                retire_driver(unit, person, now)
        found = self._carry_out(person, now, dry=False)
        with self._store.write() as unit:
            facts = {one.end.data_class.value: one.end.action.value for one in found.classes}
            unit.record_change(Change(ERASED, "driver", person, facts))
            note = "" if wrote else " ".join(asked.note.split())
            event = RequestEvent(now, RequestState.ANSWERED, author, note)
            done = due(unit, now, step(unit, request, event))
        emptied = self._store.empty_log() == EMPTIED
        return Erasure(found.classes, found.to_tell, done, emptied)

    def _carry_out(self, person: DriverId, now: datetime, *, dry: bool) -> Erasure:
        with self._store.read() as unit:
            rules = tuple(self._rules.in_force(unit, now))
            under = Under("art-17", now, unit.site.load().tz, rules)
            unbilled, holds = _unbilled(unit, person), _holds(unit, person)
            told = tuple(recipients(disclosures_of(unit, person)))
        classes = []
        for data_class in ORDER:
            end = erase_class(self._store, person, data_class, under, dry=dry)
            reasons: tuple[Reason, ...] = ()
            if end.action is Ended.RETAINED and end.legal_ground == CONTRACT:
                reasons = unbilled
            elif end.action is Ended.RETAINED and end.legal_ground == HELD:
                reasons = holds.get(data_class, ())
            classes.append(ErasedClass(end, reasons))
        return Erasure(tuple(classes), told)


def _unbilled(unit: Unit, person: DriverId) -> tuple[Reason, ...]:
    """Return what is still to be billed, by what it waits for."""
    found = unit.sessions.find(SessionFilter(driver=person, unbilled=True))
    states = [one.state for one in found]
    counts = {
        "open_session": states.count(SessionState.OPEN),
        "review_session": states.count(SessionState.REVIEW),
        "unbilled_session": states.count(SessionState.CLOSED),
        "draft": sum(one.driver == person and one.issued_at is None for one in unit.invoices.all()),
    }
    return tuple(Reason(code, count) for code, count in counts.items() if count)


def _holds(unit: Unit, person: DriverId) -> dict[DataClass, tuple[Reason, ...]]:
    """Return the holds that keep each class; a hold is looked at anew on its day of review."""
    tz = unit.site.load().tz
    found: dict[DataClass, tuple[Reason, ...]] = {}
    for hold in unit.retention.holds():
        if hold.released_at is not None:
            continue
        by_person = hold.kind is HoldKind.PERSON and hold.object == person
        by_class = hold.object if hold.kind is HoldKind.CLASS else None
        reason = Reason("legal_hold", hold.id, midnight(hold.review_on, tz))
        for data_class in ORDER:
            if by_person or by_class == data_class.value:
                found[data_class] = (*found.get(data_class, ()), reason)
    return found
