"""Consents and notices of a depot: the real rules over lists in memory."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

from evdesk.domain.consents import (
    Case,
    ConsentEvent,
    ConsentState,
    MajorNotice,
    Method,
    decide,
    may_follow,
    steps_to,
    valid_until,
)
from evdesk.domain.errors import UserError
from evdesk.domain.notices import Notice, NoticeId, NoticeVersion, current
from evdesk.domain.purposes import EMAIL, HISTORY, SHARING, VIN, Purpose, PurposeId
from evdesk.domain.site import DriverId
from evdesk.services.consents import ConsentService, Glance, Standing
from evdesk.services.notices import NoticeService
from evdesk.services.recording import ConsentEntry, Recorded
from evdesk.storage.purpose_file import privacy_folder, read_notices, read_purposes
from tests.fakes.depot import Depot


class StubNotices(NoticeService):
    """``known`` are the notices there are; drafts are the ready-made texts."""

    def __init__(self, depot: Depot) -> None:
        self.depot = depot
        self.known: list[Notice] = []

    def current(self, purpose: PurposeId, language: str | None = None) -> Notice | None:
        mine = [one for one in self.known if one.purpose == purpose]
        return current(mine, [language or "en", "en"])

    def draft(self, purpose: PurposeId, language: str) -> str:
        return read_notices(privacy_folder(), purpose)[language]

    def adopt(self, purpose: PurposeId, language: str = "de", major: int = 1) -> Notice:
        content = self.draft(purpose, language).encode()
        made = Notice(
            NoticeId(len(self.known) + 1), purpose, NoticeVersion(major, 0), language, content,
            b"", self.depot.now - timedelta(days=400 - 100 * major), "A-1", ready_made=True,
        )  # fmt: skip
        self.known.append(made)
        return made


class StubConsents(ConsentService):
    """``entries`` are what the window asked to have recorded."""

    def __init__(self, depot: Depot, notices: StubNotices) -> None:
        self.depot, self.shown = depot, notices
        known = read_purposes(privacy_folder())
        self.optional = [one for one in known.values() if one.needs_consent]
        self.events: list[ConsentEvent] = []
        self.entries: list[ConsentEntry] = []
        self.receipts: list[tuple[str, str]] = []

    def plant(self) -> None:
        """Let the first driver have agreed, refused, and something to renew."""
        driver = self.depot.drivers[0].id
        for purpose in (HISTORY, EMAIL, VIN, SHARING):
            self.shown.adopt(purpose)
        for purpose, state in (
            (HISTORY, ConsentState.GIVEN), (EMAIL, ConsentState.REFUSED),
            (VIN, ConsentState.GIVEN), (SHARING, ConsentState.DEFERRED),
        ):  # fmt: skip
            self.answer(ConsentEntry(driver, purpose, state, Method.PAPER))
        self.events = [
            replace(e, at=e.at - timedelta(days=200), recorded_at=e.at - timedelta(days=200))
            for e in self.events
        ]
        self.shown.adopt(VIN, major=2)
        self.entries.clear()

    def standing(self, driver: DriverId) -> list[Standing]:
        return [self._standing(driver, purpose) for purpose in self.optional]

    def glance(self) -> Glance:
        agreed: Counter[DriverId] = Counter()
        due: Counter[DriverId] = Counter()
        for driver in self.depot.drivers:
            for one in self.standing(driver.id):
                agreed[driver.id] += one.decision.allowed
                due[driver.id] += one.decision.why.name in {"NOTICE_CHANGED", "EXPIRED"}
        return Glance(len(self.optional), agreed, due)

    def answer(self, entry: ConsentEntry) -> Recorded:
        events, purpose = self._of(entry.person, entry.purpose), self._purpose(entry.purpose)
        now = events[-1].state if events else ConsentState.UNKNOWN
        notice = self.shown.current(entry.purpose, "de")
        adopted: tuple[Notice, ...] = ()
        if notice is None:
            notice = self.shown.adopt(entry.purpose)
            adopted = (notice,)
        made: list[ConsentEvent] = []
        for step in steps_to(now, entry.state):
            if not may_follow([*events, *made], step, self.depot.now):
                raise UserError("'{word}' cannot follow here.", word=step.value)
            made.append(self._event(entry, step, purpose, notice, len(made)))
        self.events += made
        self.entries.append(entry)
        return Recorded(tuple(made), adopted)

    def receipt(self, driver: DriverId, form: str = "pdf") -> bytes:
        self.receipts.append((driver, form))
        return b"%PDF a receipt"

    def _purpose(self, purpose: PurposeId) -> Purpose:
        return next(one for one in self.optional if one.id == purpose)

    def _of(self, driver: DriverId, purpose: PurposeId) -> list[ConsentEvent]:
        return [e for e in self.events if (e.person, e.purpose) == (driver, purpose)]

    def _standing(self, driver: DriverId, purpose: Purpose) -> Standing:
        events = self._of(driver, purpose.id)
        majors = [MajorNotice(one.created_at, one.version.major) for one in self.shown.known
                  if one.purpose == purpose.id]  # fmt: skip
        case = Case(purpose, is_known=True, events=events, majors=majors)
        return Standing(purpose, decide(case, self.depot.now), events[-1] if events else None)

    def _event(
        self, entry: ConsentEntry, state: ConsentState, purpose: Purpose, notice: Notice, more: int
    ) -> ConsentEvent:
        now = self.depot.now
        agrees = state in {ConsentState.GIVEN, ConsentState.RENEWED}
        return ConsentEvent(
            person=entry.person,
            purpose=purpose.id,
            seq=len(self.events) + more + 1,
            at=now,
            recorded_at=now,
            state=state,
            method=entry.method,
            notice=notice.id,
            notice_version=notice.version,
            notice_language=notice.language,
            valid_until=valid_until(now, purpose.validity_months) if agrees else None,
            entity_id=entry.person,
            entity_role=entry.entity_role,
            witness="A-1",
        )
