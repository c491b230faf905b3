"""The rights of people: access, portability, rectification, restriction, objection and erasure.

Each answers the oldest open request of its kind, or enters one and answers it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from evdesk.domain.audit import Change
from evdesk.domain.consents import IN_FORCE, Switch
from evdesk.domain.disclosures import Disclosure
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.purposes import VIN, Basis, PurposeId
from evdesk.domain.requests import Request, RequestEvent, RequestKind, RequestState
from evdesk.domain.site import Driver, DriverId
from evdesk.ports import Clock, Dossier, PackageFile, PackageWriter, ProcessingBook, Store, Unit
from evdesk.services.access import dossier
from evdesk.services.disclosures import disclosures_of, recipients
from evdesk.services.drivers import change_driver, existing_driver
from evdesk.services.lawful import may_process
from evdesk.services.permitting import given, permit
from evdesk.services.requests import Asked, DueRequest, due, identified, step
from evdesk.services.rule_book import RuleBook

ACCESS_MADE, PORTABLE_MADE = "rights.access", "rights.portability"
RESTRICTED, LIFTED = "rights.restricted", "rights.lifted"
OBJECTED, TAKEN_BACK = "rights.objected", "rights.objection_ended"
OBJECTABLE = frozenset({Basis.CONSENT, Basis.LEGITIMATE_INTEREST})

Save = Callable[[Sequence[PackageFile]], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """A right that was carried out: its request, and who outside is to be told (Art. 19)."""

    request: DueRequest
    to_tell: tuple[Disclosure, ...]


@dataclass(frozen=True, slots=True)
class Handed:
    """A package that was made: its request, and the names of its files."""

    request: DueRequest
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RightsSetting:
    """What rights rest on beside the site: the rules of retention, and what ships."""

    rules: RuleBook
    book: ProcessingBook
    writer: PackageWriter


class RightsService:
    """Use cases of rights; ``clock`` is the site's."""

    def __init__(self, store: Store, clock: Clock, setting: RightsSetting) -> None:
        self._store, self._clock, self._setting = store, clock, setting

    # -- packages -------------------------------------------------------------------------------

    @permit(Action.ANSWER_RIGHTS)
    def preview(self, person: DriverId) -> Dossier:
        """Return everything that is held of a person, without making a package of it."""
        with self._store.read() as unit:
            return self._dossier(unit, person)

    @permit(Action.ANSWER_RIGHTS)
    def access(self, person: DriverId, asked: Asked, save: Save) -> Handed:
        """Give a person everything that is held of them (Art. 15).

        ``save`` keeps the files; the request is answered and the log says so once that was done.

        Raises:
            UserError: no such driver, or nobody knows who asks.

        """
        writer = self._setting.writer
        return self._hand_over(person, RequestKind.ACCESS, asked, save, writer.access)

    @permit(Action.ANSWER_RIGHTS)
    def portability(self, person: DriverId, asked: Asked, save: Save) -> Handed:
        """Give a person what they provided or caused, by contract or consent (Art. 20).

        Raises:
            UserError: as ``access``.

        """

        def portable(whole: Dossier) -> Sequence[PackageFile]:
            return self._setting.writer.portable(self._by_consent(whole))

        return self._hand_over(person, RequestKind.PORTABILITY, asked, save, portable)

    def _hand_over(
        self,
        person: DriverId,
        kind: RequestKind,
        asked: Asked,
        save: Save,
        write: Callable[[Dossier], Sequence[PackageFile]],
    ) -> Handed:
        with self._store.write() as unit:
            now = self._clock.now()
            request, wrote = identified(unit, now, self._author, person, kind, asked)
        with self._store.read() as unit:
            whole = self._dossier(unit, person)
        files = write(whole)
        save(files)
        with self._store.write() as unit:
            now = self._clock.now()
            action = ACCESS_MADE if kind is RequestKind.ACCESS else PORTABLE_MADE
            facts = {"request": request.id, "files": len(files)}
            unit.record_change(Change(action, "driver", person, facts))
            done = self._answer(unit, request, now, "" if wrote else asked.note)
        return Handed(done, tuple(one.name for one in files))

    def _dossier(self, unit: Unit, person: DriverId) -> Dossier:
        now = self._clock.now()
        rules = self._setting.rules.in_force(unit, now)
        return dossier(unit, person, rules, self._setting.book, now)

    def _by_consent(self, whole: Dossier) -> Dossier:
        """Leave out what rests on a consent that is not in force."""
        with self._store.read() as unit:
            state = may_process(unit, whole.person, VIN, self._clock.now()).state
        kept = [one for one in whole.holdings if one.id != "vehicle" or state in IN_FORCE]
        return replace(whole, holdings=tuple(kept), files=())

    # -- changes --------------------------------------------------------------------------------

    @permit(Action.ANSWER_RIGHTS)
    def rectify(
        self,
        person: DriverId,
        fields: Mapping[str, str],
        language: str | None,
        asked: Asked,
    ) -> tuple[Driver, Answered]:
        """Correct what is known of a person (Art. 16); issued invoices stay as they are.

        ``fields`` are those of ``Party``. Who was given the data before is to be told.

        Raises:
            UserError: nothing to correct, no such driver or field, or nobody knows who asks.

        """
        with self._store.write() as unit:
            before = existing_driver(unit, person)
            wanted = replace(before.party, **fields)
            if wanted == before.party and language in {None, before.language}:
                raise UserError(
                    "That is what is known of {driver} already. Nothing was changed.", driver=person
                )
            after = change_driver(unit, person, wanted, language)
            return after, self._answered(unit, person, RequestKind.RECTIFICATION, asked)

    @permit(Action.ANSWER_RIGHTS)
    def restrict(self, person: DriverId, reason: str, asked: Asked) -> Answered:
        """Restrict a person's data: kept, and used for nothing until that is lifted (Art. 18).

        Why is kept with the request, sealed under the person's key.

        Raises:
            UserError: no reason, restricted already, no such driver, or nobody knows who asks.

        """
        asked = replace(asked, note=given(reason))
        with self._store.write() as unit:
            existing_driver(unit, person)
            if is_restricted(unit, person):
                raise UserError("The data of {driver} is restricted already.", driver=person)
            done = self._answered(unit, person, RequestKind.RESTRICTION, asked)
            told = f"request {done.request.request.id}"
            switch = Switch(self._clock.now(), on=True, author=self._author, reason=told)
            unit.restraints.restrict(person, switch)
            unit.record_change(Change(RESTRICTED, "driver", person, {"why": told}))
            return done

    @permit(Action.ANSWER_RIGHTS)
    def lift(self, person: DriverId, reason: str) -> None:
        """Lift a restriction; the person is told before (Art. 18(3)). Name nobody in the reason.

        Raises:
            UserError: no reason, no such driver, or nothing is restricted.

        """
        why = given(reason)
        with self._store.write() as unit:
            existing_driver(unit, person)
            if not is_restricted(unit, person):
                raise UserError("The data of {driver} is not restricted.", driver=person)
            switch = Switch(self._clock.now(), on=False, author=self._author, reason=why)
            unit.restraints.restrict(person, switch)
            unit.record_change(Change(LIFTED, "driver", person, {}, why))

    @permit(Action.ANSWER_RIGHTS)
    def object_to(self, person: DriverId, purpose: PurposeId, asked: Asked) -> Answered:
        """Stop using a person's data for a purpose that they object to (Art. 21).

        Raises:
            UserError: no such purpose or driver, one that rests on contract or law, objected
                already, or nobody knows who asks.

        """
        with self._store.write() as unit:
            existing_driver(unit, person)
            self._check_objectable(unit, purpose)
            if objects_to(unit, person, purpose):
                raise UserError("{driver} objects to '{purpose}' already.", driver=person,
                                purpose=purpose)  # fmt: skip
            done = self._answered(unit, person, RequestKind.OBJECTION, asked)
            told = f"request {done.request.request.id}"
            switch = Switch(self._clock.now(), on=True, author=self._author, reason=told)
            unit.restraints.object(person, purpose, switch)
            unit.record_change(Change(OBJECTED, "driver", person, {"purpose": purpose}))
            return done

    @permit(Action.ANSWER_RIGHTS)
    def end_objection(self, person: DriverId, purpose: PurposeId, reason: str) -> None:
        """Keep that a person took an objection back. Name nobody in the reason.

        Raises:
            UserError: no reason, no such purpose or driver, or there is no objection.

        """
        why = given(reason)
        with self._store.write() as unit:
            existing_driver(unit, person)
            if not objects_to(unit, person, purpose):
                raise UserError("{driver} does not object to '{purpose}'.", driver=person,
                                purpose=purpose)  # fmt: skip
            switch = Switch(self._clock.now(), on=False, author=self._author, reason=why)
            unit.restraints.object(person, purpose, switch)
            unit.record_change(Change(TAKEN_BACK, "driver", person, {"purpose": purpose}, why))

    @permit(Action.READ_PRIVACY)
    def restrained(self, person: DriverId) -> tuple[bool, tuple[PurposeId, ...]]:
        """Return whether a person's data is restricted, and which purposes they object to."""
        with self._store.read() as unit:
            existing_driver(unit, person)
            objected = [one.id for one in unit.purposes.all() if objects_to(unit, person, one.id)]
            return is_restricted(unit, person), tuple(objected)

    @permit(Action.READ_PRIVACY)
    def to_tell(self, person: DriverId) -> list[Disclosure]:
        """Return who outside was given data of a person, each with the newest time (Art. 19)."""
        with self._store.read() as unit:
            return recipients(disclosures_of(unit, person))

    @property
    def _author(self) -> str:
        return self._store.actor.ref

    def _check_objectable(self, unit: Unit, purpose: PurposeId) -> None:
        found = unit.purposes.get(purpose)
        if found is None:
            raise UserError(
                "There is no purpose '{purpose}'. List them with: evdesk consent purposes",
                purpose=purpose,
            )
        if found.basis not in OBJECTABLE:
            raise UserError(
                "'{purpose}' rests on {basis}, and nobody can object to that (Art. 21 GDPR). What "
                "can be done: evdesk rights restrict, or evdesk rights erase. Nothing was changed.",
                purpose=purpose,
                basis="the contract" if found.basis is Basis.CONTRACT else "the law",
            )

    def _answered(self, unit: Unit, person: DriverId, kind: RequestKind, asked: Asked) -> Answered:
        now = self._clock.now()
        request, wrote = identified(unit, now, self._author, person, kind, asked)
        done = self._answer(unit, request, now, "" if wrote else asked.note)
        return Answered(done, tuple(recipients(disclosures_of(unit, person))))

    def _answer(self, unit: Unit, request: Request, now: datetime, note: str) -> DueRequest:
        event = RequestEvent(now, RequestState.ANSWERED, self._author, " ".join(note.split()))
        return due(unit, now, step(unit, request, event))


def is_restricted(unit: Unit, person: DriverId) -> bool:
    """Return whether a person's data is restricted now."""
    said = unit.restraints.restrictions(person)
    return bool(said) and said[-1].on


def objects_to(unit: Unit, person: DriverId, purpose: PurposeId) -> bool:
    """Return whether a person objects to a purpose now."""
    said = unit.restraints.objections(person, purpose)
    return bool(said) and said[-1].on
