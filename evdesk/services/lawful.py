"""Whether data of a person may be processed: the one question that every use case asks.

``may_process`` asks it of one person, ``Shown`` of everybody in a list with one query a purpose.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from evdesk.domain.audit import Change, Outcome
from evdesk.domain.consents import Case, Decision, Why, decide
from evdesk.domain.errors import NoGround
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import BILLING, HISTORY, LOCATION, PurposeId
from evdesk.domain.sessions import Session
from evdesk.domain.site import DriverId
from evdesk.ports import SessionFilter, Store, Unit

NOT_LAWFUL = "processing.refused"
NEXT = {
    Why.NO_CONSENT: "Ask them, and record the answer: evdesk consent record --help",
    Why.EXPIRED: "Ask them to renew it: evdesk consent record --event renewed",
    Why.NOTICE_CHANGED: "Ask them to renew it: evdesk consent record --event renewed",
    Why.SWITCHED_OFF: "An owner can switch it on: evdesk consent purpose --help",
    Why.RESTRICTED: "It is kept, and not used until the restriction is lifted.",
    Why.OBJECTED: "It is not used for this while the objection stands.",
    Why.ERASED: "It does not come back.",
}


def may_process(
    unit: Unit, subject: DriverId, purpose: PurposeId, at: datetime, *, live: bool = True
) -> Decision:
    """Return whether data of a person may be processed for a purpose; what is unknown may not.

    ``live`` asks for now, and ``at`` is what the clock says; otherwise for a moment of the past.
    """
    return decide(case_of(unit, subject, purpose), at, live=live)


def case_of(unit: Unit, subject: DriverId, purpose: PurposeId) -> Case:
    """Return all that a decision about one person rests on."""
    return Case(
        purpose=unit.purposes.get(purpose),
        is_known=unit.drivers.get(subject) is not None,
        events=unit.consents.of(subject, purpose),
        restrictions=unit.restraints.restrictions(subject),
        objections=unit.restraints.objections(subject, purpose),
        settings=unit.purposes.settings(purpose),
        majors=unit.notices.majors(purpose),
        erased_at=unit.key_erasures.erased(DataClass.IDENTITY).get(subject),
    )


def linked(unit: Unit, driver: DriverId | None, at: datetime) -> DriverId | None:
    """Return whose a session is to be, or None where nothing allows that any more.

    A restriction does not stop it: what is restricted is stored, and not used (Art. 18(2)).
    """
    if driver is None:
        return None
    decision = may_process(unit, driver, BILLING, at)
    return driver if decision.allowed or decision.why is Why.RESTRICTED else None


def demand_ground(store: Store, subject: DriverId, purpose: PurposeId, at: datetime) -> None:
    """Refuse to go on where data of a person may not be processed; the attempt is in the log.

    Raises:
        NoGround: there is no consent in force, or something stands against it.

    """
    with store.read() as unit:
        decision = may_process(unit, subject, purpose, at)
    if decision.allowed:
        return
    facts = {"purpose": purpose, "why": decision.why.value}
    with store.write() as unit:
        change = Change(NOT_LAWFUL, "driver", subject, facts, outcome=Outcome.DENIED)
        unit.record_change(change)
    refuse(subject, purpose, decision)


def refuse(subject: DriverId, purpose: PurposeId, decision: Decision) -> None:
    """Say that data may not be processed, unless it may.

    Raises:
        NoGround: it may not.

    """
    if decision.allowed:
        return
    raise NoGround(
        "Data of {driver} may not be used for '{purpose}': {why}. Nothing was changed. {next}",
        driver=subject,
        purpose=purpose,
        why=decision.why.value,
        next=NEXT.get(decision.why, ""),
    )


class Shown:
    """What may be shown of people now, in one view of the site; each purpose is looked up once."""

    def __init__(self, unit: Unit, at: datetime) -> None:
        self._unit, self._at = unit, at
        self._cases: dict[PurposeId, dict[DriverId, Case]] = {}
        self._else: dict[PurposeId, Case] = {}

    def may(self, person: DriverId, purpose: PurposeId) -> bool:
        """Return whether data of a driver of this site may be shown for a purpose."""
        return self.decision(person, purpose).allowed

    def decision(self, person: DriverId, purpose: PurposeId) -> Decision:
        """Return what ``may_process`` would, for a driver of this site."""
        if purpose not in self._cases:
            self._look_up(purpose)
        case = self._cases[purpose].get(person, self._else[purpose])
        return decide(case, self._at)

    def session(self, session: Session, *, in_operation: bool = False) -> Session:
        """Return a session with what may be shown of its driver.

        One that is still to be billed shows whose it is; a billed one with the consent to
        ``history`` only, and where it was besides with the one to ``location``. In the operation of
        stations it is the driver that is left out then, not the station.
        """
        person = session.driver
        if person is None:
            return session
        if session.invoice is None:
            return session if self.may(person, BILLING) else _of_nobody(session)
        if not self.may(person, HISTORY):
            return _of_nobody(session)
        if self.may(person, LOCATION):
            return session
        return _of_nobody(session) if in_operation else replace(session, station="")

    def sessions(self, found: Iterable[Session], wanted: SessionFilter) -> list[Session]:
        """Return a list of sessions with what may be shown of their drivers.

        A list of one driver is that person's history: what may not be shown is not in it.
        """
        at_station = wanted.station is not None
        shown = [self.session(one, in_operation=at_station) for one in found]
        if wanted.driver is None:
            return shown
        return [one for one in shown if one.driver is not None]

    def _look_up(self, purpose: PurposeId) -> None:
        unit = self._unit
        self._else[purpose] = anybody = Case(
            purpose=unit.purposes.get(purpose),
            is_known=True,
            settings=unit.purposes.settings(purpose),
            majors=unit.notices.majors(purpose),
        )
        cases = {
            event.person: replace(anybody, events=(event,))
            for event in unit.consents.latest(purpose)
        }
        for person, switch in unit.restraints.restricted().items():
            cases[person] = replace(cases.get(person, anybody), restrictions=(switch,))
        for person, switch in unit.restraints.objecting(purpose).items():
            cases[person] = replace(cases.get(person, anybody), objections=(switch,))
        for person, at in unit.key_erasures.erased(DataClass.IDENTITY).items():
            cases[person] = replace(cases.get(person, anybody), erased_at=at)
        self._cases[purpose] = cases


def _of_nobody(session: Session) -> Session:
    """Return the session without its driver, and without the card that would tell."""
    return replace(session, driver=None, figures=replace(session.figures, tag=None))
