"""Why data of persons may be processed: the ledger of consents, notices, and what stops it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.consents import ConsentEvent, ConsentState, Decision, MajorNotice, Switch
from evdesk.domain.notices import Notice, NoticeId
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import Purpose, PurposeId, PurposeSetting
from evdesk.domain.site import DriverId, Party
from evdesk.domain.vins import Vin


@dataclass(frozen=True, slots=True)
class ConsentEvidence:
    """A scan or signature; ``content`` is None where it is erased or not for the one who looks."""

    id: int
    person: DriverId
    media_type: str
    content: bytes | None


@dataclass(frozen=True, slots=True)
class EndedConsent:
    """A consent that no longer holds: since when, and by what."""

    person: DriverId
    purpose: PurposeId
    state: ConsentState
    since_at: datetime


@dataclass(frozen=True, slots=True)
class KeyErasure:
    """A key that was destroyed on purpose; ``for_good``: none is made for that class again."""

    person: DriverId
    data_class: DataClass
    at: datetime
    rule: str
    for_good: bool


class Consents(Protocol):
    """The ledger (append-only) and its evidence."""

    def add(self, event: ConsentEvent) -> None:
        """Append an event; the caller has checked that it may follow the ones there are."""

    def of(self, person: DriverId, purpose: PurposeId) -> list[ConsentEvent]:
        """Return the events of one person and purpose, by (at, seq)."""

    def find(self, person: DriverId | None = None) -> list[ConsentEvent]:
        """Return the events of one person or all in the order in which they were recorded."""

    def latest(self, purpose: PurposeId | None = None) -> list[ConsentEvent]:
        """Return the event that decides for each person, of one purpose or each."""

    def ended(self, at: datetime) -> list[EndedConsent]:
        """Return the consents that were in force and no longer are, also those just over at ``at``.

        What rests on them is to be deleted; a consent that was given anew is not among them.
        """

    def add_evidence(
        self, person: DriverId, media_type: str, content: bytes, at: datetime
    ) -> tuple[int, bytes]:
        """Keep evidence under the person's own key; return its id and the SHA-256 of its bytes.

        Raises:
            UserError: the person's evidence was erased for good.

        """

    def evidence(self, evidence: int) -> ConsentEvidence | None:
        """Return evidence; None where the row is gone."""

    def reveal_evidence(self, evidence: int) -> bytes | None:
        """Return the bytes of evidence, also to who sees pseudonyms otherwise; None if erased."""


class Notices(Protocol):
    """What people are told (append-only)."""

    def add(self, notice: Notice) -> NoticeId:
        """Append a notice; purpose, language and version together are new."""

    def get(self, notice: NoticeId) -> Notice | None:
        """Return a notice."""

    def of(self, purpose: PurposeId) -> list[Notice]:
        """Return the notices of a purpose, oldest first."""

    def all(self) -> list[Notice]:
        """Return every notice, oldest first."""

    def majors(self, purpose: PurposeId) -> list[MajorNotice]:
        """Return when each material version of a purpose was added first, oldest first."""

    def ready_made(self, purpose: PurposeId) -> dict[str, str]:
        """Return the text that ships with evdesk by language; none where no consent is asked for.

        ``{{names}}`` in it stand for what the site knows.
        """


class Purposes(Protocol):
    """What data is processed for: as it ships, and what owners decided of it (append-only)."""

    def all(self) -> list[Purpose]:
        """Return every purpose as the owner wants it."""

    def get(self, purpose: PurposeId) -> Purpose | None:
        """Return a purpose as the owner wants it."""

    def add(self, setting: PurposeSetting) -> None:
        """Append a decision; it holds from now on."""

    def settings(self, purpose: PurposeId) -> list[PurposeSetting]:
        """Return the decisions about a purpose, oldest first."""


class Restraints(Protocol):
    """What stands against processing (append-only): restrictions and objections (Art. 18, 21)."""

    def restrict(self, person: DriverId, switch: Switch) -> None:
        """Restrict a person's data from an instant on, or lift that."""

    def restrictions(self, person: DriverId) -> list[Switch]:
        """Return what was said about restricting a person's data, oldest first."""

    def restricted(self) -> dict[DriverId, Switch]:
        """Return the persons whose data is restricted now, and by what."""

    def object(self, person: DriverId, purpose: PurposeId, switch: Switch) -> None:
        """Keep that a person objects to a purpose, or no longer does."""

    def objections(self, person: DriverId, purpose: PurposeId) -> list[Switch]:
        """Return what a person said about objecting to a purpose, oldest first."""

    def objecting(self, purpose: PurposeId) -> dict[DriverId, Switch]:
        """Return who objects to a purpose now, and by what."""


class KeyErasures(Protocol):
    """Which keys of persons were destroyed on purpose (append-only)."""

    def add(self, erasure: KeyErasure) -> None:
        """Note a key that is destroyed; write it in the transaction that deletes the rows."""

    def erased(self, data_class: DataClass) -> dict[DriverId, datetime]:
        """Return whose class is erased for good, and since when."""


@dataclass(frozen=True, slots=True)
class Vehicle:
    """Somebody's car; ``vin`` is None where it is erased or not for the one who looks."""

    person: DriverId
    vin: Vin | None
    set_at: datetime


class Vehicles(Protocol):
    """Cars by person: VINs under the person's own key, looked up by a keyed hash."""

    def put(self, person: DriverId, vin: Vin, at: datetime) -> None:
        """Keep a person's car in the place of the one there was.

        Raises:
            UserError: the person's VIN was erased for good.

        """

    def get(self, person: DriverId) -> Vehicle | None:
        """Return a person's car."""

    def by_vin(self, vin: Vin) -> list[DriverId]:
        """Return whose car it is: nobody's, somebody's, or several persons'."""

    def persons(self) -> list[DriverId]:
        """Return who has a car here."""

    def delete(self, person: DriverId) -> int:
        """Delete a person's car; return how many rows it was."""


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One consent as a receipt tells it: its purpose, its notice and all of its events."""

    purpose: Purpose
    notice: Notice | None
    events: tuple[ConsentEvent, ...]
    decision: Decision
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class ConsentReceipt:
    """What a person is given about their consents (ISO/IEC TS 27560, clause 6.4)."""

    receipt_id: str
    site_id: str
    site_name: str
    tz: str
    country: str
    language: str
    issued_at: datetime
    person: DriverId
    subject: Party
    controller: Party | None
    lines: tuple[ReceiptLine, ...]
    specimen: bool
    head: str


class ReceiptWriter(Protocol):
    """Makes what people are given about their consents."""

    def pdf(self, receipt: ConsentReceipt) -> bytes:
        """Return the receipt on paper, in its language."""

    def json(self, receipt: ConsentReceipt) -> bytes:
        """Return the receipt with the field names of ISO/IEC TS 27560."""
