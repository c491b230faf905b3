"""Consents: asked for, recorded with proof, withdrawn in one step, and told to whoever asks."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.consents import IN_FORCE, ConsentEvent, Decision, Why
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.purposes import MOST_DAYS, MOST_MONTHS, Purpose, PurposeId, PurposeSetting
from evdesk.domain.site import DriverId
from evdesk.ports import (
    Clock,
    ConsentEvidence,
    ConsentReceipt,
    ReceiptLine,
    ReceiptWriter,
    Store,
    Unit,
)
from evdesk.services.drivers import existing_driver
from evdesk.services.lawful import Shown, may_process
from evdesk.services.notices import existing_purpose
from evdesk.services.permitting import REVEALED, given, permit
from evdesk.services.recording import ConsentEntry, Moment, Recorded, record

RECEIPT_FORMATS = ("json", "pdf")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to one purpose now; ``event`` is the newest, None where nobody asked."""

    purpose: Purpose
    decision: Decision
    event: ConsentEvent | None

    @property
    def valid_until(self) -> datetime | None:
        """Return when a consent in force ends by itself."""
        return None if self.event is None else self.event.valid_until


@dataclass(frozen=True, slots=True)
class DueConsent:
    """A consent to be renewed: it ends soon, has ended by itself, or its notice has changed."""

    event: ConsentEvent
    why: Why  # IN_FORCE: it ends soon

    @property
    def valid_until(self) -> datetime | None:
        """Return when it ends or ended by itself."""
        return self.event.valid_until


@dataclass(frozen=True, slots=True)
class Glance:
    """How many of ``purposes`` that are asked for each driver agrees to now, and has to renew."""

    purposes: int
    agreed: Mapping[DriverId, int]
    due: Mapping[DriverId, int]


class ConsentService:
    """Use cases of consents."""

    def __init__(self, store: Store, clock: Clock, receipts: ReceiptWriter) -> None:
        self._store, self._clock, self._receipts = store, clock, receipts

    # -- purposes -------------------------------------------------------------------------------

    @permit(Action.LOOK)
    def purposes(self) -> list[Purpose]:
        """Return every purpose, as the owner wants it."""
        with self._store.read() as unit:
            return unit.purposes.all()

    @permit(Action.CHANGE_NOTICES)
    def set_purpose(
        self,
        purpose: PurposeId,
        *,
        enabled: bool | None = None,
        validity_months: int | None = None,
        deletion_days: int | None = None,
    ) -> Purpose:
        """Switch a purpose on or off, or change its periods; None leaves a value as it is.

        Consents that were given keep the end they were given with.

        Raises:
            UserError: no such purpose, one that needs no consent, or a period that cannot be.

        """
        with self._store.write() as unit:
            before = existing_purpose(unit, purpose)
            if not before.needs_consent:
                raise UserError("'{purpose}' rests on {legal}: it cannot be set.",
                                purpose=purpose, legal=before.legal)  # fmt: skip
            setting = PurposeSetting(
                purpose,
                before.enabled if enabled is None else enabled,
                before.validity_months if validity_months is None else validity_months,
                before.deletion_days if deletion_days is None else deletion_days,
                self._clock.now(),
                self._store.actor.ref,
            )
            _check_setting(setting)
            unit.purposes.add(setting)
            facts = {
                "enabled": setting.enabled,
                "validity_months": setting.validity_months,
                "deletion_days": setting.deletion_days,
            }
            unit.record_change(Change("purpose.set", "purpose", purpose, facts))
            return existing_purpose(unit, purpose)

    # -- recording ------------------------------------------------------------------------------

    @permit(Action.RECORD_CONSENTS)
    def record(self, entry: ConsentEntry) -> Recorded:
        """Append one event to the ledger, exactly this one.

        Raises:
            UserError: it cannot follow what is there; nobody knows what was agreed to (no notice);
                its evidence is too large, or was erased for good.

        """
        with self._store.write() as unit:
            return record(unit, entry, self._moment())

    @permit(Action.RECORD_CONSENTS)
    def answer(self, entry: ConsentEntry) -> Recorded:
        """Record an answer with all that leads to it: the asking, or that it is a renewal.

        Raises:
            UserError: as ``record``.

        """
        with self._store.write() as unit:
            return record(unit, entry, self._moment(), asks=True)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._store.actor.ref)

    # -- looking --------------------------------------------------------------------------------

    @permit(Action.READ_PRIVACY)
    def standing(self, driver: DriverId) -> list[Standing]:
        """Return how a driver stands to each purpose that needs a consent.

        Raises:
            UserError: no such driver.

        """
        now = self._clock.now()
        with self._store.read() as unit:
            existing_driver(unit, driver)
            return [
                Standing(purpose, may_process(unit, driver, purpose.id, now), _newest(events))
                for purpose in unit.purposes.all()
                if purpose.needs_consent
                for events in [unit.consents.of(driver, purpose.id)]
            ]

    @permit(Action.READ_PRIVACY)
    def log(self, driver: DriverId | None = None) -> list[ConsentEvent]:
        """Return the events of one driver or all, in the order in which they were recorded."""
        with self._store.read() as unit:
            if driver is not None:
                existing_driver(unit, driver)
            return unit.consents.find(driver)

    @permit(Action.LOOK)
    def check(self, driver: DriverId, purpose: PurposeId, at: datetime | None = None) -> Decision:
        """Return whether data may be processed now, or could be at an instant of the past.

        Raises:
            UserError: no such purpose or driver.

        """
        with self._store.read() as unit:
            existing_purpose(unit, purpose)
            existing_driver(unit, driver)
            live = at is None
            return may_process(unit, driver, purpose, at or self._clock.now(), live=live)

    @permit(Action.READ_PRIVACY)
    def due(self) -> list[DueConsent]:
        """Return the consents that are to be renewed; the one that ends first comes first."""
        now = self._clock.now()
        with self._store.read() as unit:
            found = _due(unit, unit.consents.latest(), Shown(unit, now), now)
        return sorted(found, key=lambda one: one.valid_until or now)

    @permit(Action.READ_PRIVACY)
    def glance(self) -> Glance:
        """Return in figures how every driver stands, with a few queries for all of them."""
        now = self._clock.now()
        with self._store.read() as unit:
            shown, events = Shown(unit, now), unit.consents.latest()
            agreed = Counter(
                event.person for event in events if shown.may(event.person, event.purpose)
            )
            due = Counter(one.event.person for one in _due(unit, events, shown, now))
            asked = [one for one in unit.purposes.all() if one.needs_consent and one.enabled]
        return Glance(len(asked), agreed, due)

    @permit(Action.SEE_PERSONS)
    def evidence(self, evidence: int) -> ConsentEvidence:
        """Return a scan or signature.

        Raises:
            UserError: there is none, or it is erased.

        """
        with self._store.read() as unit:
            return _existing_evidence(unit, evidence)

    @permit(Action.REVEAL_PERSONS)
    def reveal_evidence(self, evidence: int, reason: str) -> bytes:
        """Return a scan or signature to who sees pseudonyms otherwise; the log says why.

        Raises:
            UserError: no reason, there is none, or it is erased.

        """
        with self._store.write() as unit:
            content = unit.consents.reveal_evidence(evidence)
            if content is None:
                raise UserError("There is no evidence {evidence}.", evidence=evidence)
            change = Change(REVEALED, "consent_evidence", str(evidence), {}, given(reason))
            unit.record_change(change)
        return content

    # -- receipts -------------------------------------------------------------------------------

    @permit(Action.RECORD_CONSENTS)
    def receipt(self, driver: DriverId, form: str = "pdf") -> bytes:
        """Return what a driver is given about their consents, as ``pdf`` or ``json``; it is logged.

        Raises:
            UserError: another form, no such driver, or nobody has asked them for anything.

        """
        if form not in RECEIPT_FORMATS:
            raise UserError("A receipt is pdf or json, not {form}.", form=form)
        with self._store.write() as unit:
            told = self._told(unit, driver)
            facts = {"receipt": told.receipt_id, "format": form}
            unit.record_change(Change("consent.receipt", "driver", driver, facts))
        return self._receipts.pdf(told) if form == "pdf" else self._receipts.json(told)

    def _told(self, unit: Unit, driver: DriverId) -> ConsentReceipt:
        person, site, now = existing_driver(unit, driver), unit.site.load(), self._clock.now()
        lines = [
            self._line(unit, driver, purpose, now)
            for purpose in unit.purposes.all()
            if purpose.needs_consent and unit.consents.of(driver, purpose.id)
        ]
        if not lines:
            raise UserError(
                "Driver {driver} was asked for nothing yet, so there is nothing to confirm.",
                driver=driver,
            )
        return ConsentReceipt(
            receipt_id=str(uuid.uuid4()),
            site_id=site.id,
            site_name=site.name,
            tz=site.tz,
            country=site.country,
            language=person.language,
            issued_at=now,
            person=driver,
            subject=person.party,
            controller=unit.site.issuer(),
            lines=tuple(lines),
            specimen=site.demo,
            head=str(unit.audit.head()),
        )

    def _line(self, unit: Unit, driver: DriverId, purpose: Purpose, now: datetime) -> ReceiptLine:
        events = unit.consents.of(driver, purpose.id)
        decision = may_process(unit, driver, purpose.id, now)
        shown = [event.notice for event in events if event.notice is not None]
        return ReceiptLine(
            purpose=purpose,
            notice=unit.notices.get(shown[-1]) if shown else None,
            events=tuple(events),
            decision=decision,
            valid_until=events[-1].valid_until,
        )


def _due(
    unit: Unit, events: Iterable[ConsentEvent], shown: Shown, now: datetime
) -> list[DueConsent]:
    found, purposes = [], {one.id: one for one in unit.purposes.all()}
    for event in events:
        purpose = purposes.get(event.purpose)
        if event.state not in IN_FORCE or purpose is None or not purpose.enabled:
            continue
        why = shown.decision(event.person, event.purpose).why
        ends = event.valid_until is not None and (
            event.valid_until <= now + timedelta(days=purpose.reminder_days)
        )
        if why in {Why.EXPIRED, Why.NOTICE_CHANGED} or (why is Why.IN_FORCE and ends):
            found.append(DueConsent(event, why))
    return found


def _newest(events: list[ConsentEvent]) -> ConsentEvent | None:
    return events[-1] if events else None


def _existing_evidence(unit: Unit, evidence: int) -> ConsentEvidence:
    found = unit.consents.evidence(evidence)
    if found is None or found.content is None:
        raise UserError(
            "Evidence {evidence} is not here: it was never kept, or it is erased.",
            evidence=evidence,
        )
    return found


def _check_setting(setting: PurposeSetting) -> None:
    if not 1 <= setting.validity_months <= MOST_MONTHS:
        raise UserError("A consent holds for 1 to {most} months.", most=MOST_MONTHS)
    if not 0 <= setting.deletion_days <= MOST_DAYS:
        raise UserError("Data goes within 0 to {most} days.", most=MOST_DAYS)
