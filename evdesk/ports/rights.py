"""What the rights desk needs: requests, disclosures, breaches, and packages for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from evdesk.domain.breaches import Breach, BreachAccount, BreachId
from evdesk.domain.disclosures import Disclosure, DisclosureId
from evdesk.domain.personal_data import DataClass
from evdesk.domain.processing import Detail, DetailKind
from evdesk.domain.requests import Request, RequestEvent, RequestId, RequestKind
from evdesk.domain.site import DriverId, Party
from evdesk.ports.documents import Cell


class Requests(Protocol):
    """Requests of data subjects and their steps (append-only); notes are sealed."""

    def add(
        self, person: DriverId, kind: RequestKind, received_on: date, event: RequestEvent
    ) -> RequestId:
        """Append a request with its first step.

        Raises:
            UserError: a note that cannot be sealed, because the person's class is erased for good.

        """

    def log(self, request: RequestId, event: RequestEvent) -> None:
        """Append a step; the caller has checked that it may follow."""

    def get(self, request: RequestId) -> Request | None:
        """Return a request; notes are "" where they are erased or not for the one who looks."""

    def find(self, person: DriverId | None = None) -> list[Request]:
        """Return the requests of one person or all, oldest first."""

    def count_open(self, person: DriverId) -> int:
        """Return how many requests of a person wait for an answer."""


class Disclosures(Protocol):
    """Who was given what of whom (append-only); recipient and reason are sealed."""

    def add(self, disclosure: Disclosure) -> DisclosureId:
        """Append a disclosure; its id is given here."""

    def find(self, person: DriverId | None = None) -> list[Disclosure]:
        """Return the disclosures of one person or all, oldest first."""


class Breaches(Protocol):
    """Breaches and what was known of them when (append-only)."""

    def add(
        self, happened_at: datetime | None, aware_at: datetime, account: BreachAccount
    ) -> BreachId:
        """Append a breach with what is known of it."""

    def tell(self, breach: BreachId, account: BreachAccount) -> None:
        """Append what is known by now, in the place of what was."""

    def get(self, breach: BreachId) -> Breach | None:
        """Return a breach with what is known by now."""

    def all(self) -> list[Breach]:
        """Return every breach, oldest first."""

    def accounts(self, breach: BreachId) -> list[BreachAccount]:
        """Return what was known of a breach, oldest first."""


class Details(Protocol):
    """What owners say of the processing (append-only)."""

    def add(self, detail: Detail) -> None:
        """Append what holds from now on; an empty text takes away what was said."""

    def newest(self) -> dict[DetailKind, Detail]:
        """Return what holds of each kind that says something."""


@dataclass(frozen=True, slots=True)
class Holding:
    """One kind of what is held of a person: its rows, and what has to be told beside them.

    ``id`` names its files; ``columns`` are names with units. ``until`` is the day on which it goes,
    where that is known, ``kept`` the rule: its period behind its trigger. ``provided``: the person
    gave or caused it, so that it can be taken elsewhere (Art. 20).
    """

    id: str
    data_class: DataClass | None
    purpose: str
    basis: str
    source: str
    recipients: tuple[str, ...]
    kept: str
    until: datetime | None
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    provided: bool


@dataclass(frozen=True, slots=True)
class PackageFile:
    """A file that goes with a package as it is, such as an invoice; ``name`` has no folder."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything held of a person at an instant, in the person's language.

    ``details`` say where to complain and whom to ask.
    """

    person: DriverId
    subject: Party
    language: str
    controller: Party | None
    site_name: str
    tz: str
    made_at: datetime
    details: tuple[tuple[DetailKind, str], ...]
    holdings: tuple[Holding, ...]
    files: tuple[PackageFile, ...]
    specimen: bool
    head: str


class PackageWriter(Protocol):
    """Writes what people are given about themselves."""

    def access(self, dossier: Dossier) -> Sequence[PackageFile]:
        """Return the files of an access package: PDF for people, JSON and CSV for machines."""

    def portable(self, dossier: Dossier) -> Sequence[PackageFile]:
        """Return the files of what can be taken elsewhere: JSON and CSV."""


@dataclass(frozen=True, slots=True)
class Processing:
    """What ships with evdesk about one purpose: whose data, from where, for whom; by language."""

    purpose: str
    subjects: str
    source: str
    recipients: tuple[str, ...]


class ProcessingBook(Protocol):
    """What ships with evdesk about processing: recipients, sources and measures of security."""

    def of(self, purpose: str, language: str) -> Processing:
        """Return what is said of a purpose."""

    def measures(self, language: str) -> tuple[str, ...]:
        """Return the technical and organisational measures that the program takes (Art. 32)."""

    def word(self, name: str, language: str) -> str:
        """Return a word of the record or package, such as the name of a class of data."""


@dataclass(frozen=True, slots=True)
class ProcessingRecord:
    """A record of processing: a row a purpose, with the columns (a) to (g) of Art. 30(1)."""

    site_name: str
    language: str
    tz: str
    made_at: datetime
    rows: tuple[tuple[str, ...], ...]
    specimen: bool
    head: str


class RecordWriter(Protocol):
    """Sets a record of processing activities on paper."""

    def pdf(self, record: ProcessingRecord) -> bytes:
        """Return the document, in the record's language."""
