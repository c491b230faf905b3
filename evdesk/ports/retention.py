"""What retention needs of the database: rules and holds, what is past its date, and erasing it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from evdesk.domain.erasures import Erasure
from evdesk.domain.personal_data import DataClass
from evdesk.domain.retention import (
    Decision,
    Executed,
    Held,
    Hold,
    Rule,
)
from evdesk.domain.site import DriverId

Key = int | str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a kind is looked for: what had its trigger before ``cutoff_at``.

    ``now`` tells which consents are over, ``tz`` in which month a session began, ``under`` is the
    rule with its version, as it is written into the log. ``restricted`` are persons whose data is
    stored and nothing else (Art. 18), ``consenting`` those who agree to be told apart in their
    history.
    """

    data_class: str
    cutoff_at: datetime
    now: datetime
    tz: str
    under: str
    held: Held = field(default_factory=Held)
    restricted: frozenset[str] = frozenset()
    consenting: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Counted:
    """How much is past its date, and why how much of it stays."""

    selected: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RuledOn:
    """What somebody decided about a version of a rule."""

    rule: str
    version: int
    kind: Decision
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Brought:
    """A version of a rule, who brought it, when and why."""

    rule: Rule
    author: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is not over; ``as_of`` is the instant that it takes for now."""

    id: int
    as_of: datetime
    started_at: datetime
    actor: str


class RetentionRows(Protocol):
    """Rules, holds and runs; all of it is only ever added to."""

    def rules(self) -> list[Brought]:
        """Return every version that the site keeps, oldest first."""

    def decisions(self) -> list[RuledOn]:
        """Return what was decided about versions, oldest first."""

    def bring(self, one: Brought) -> None:
        """Keep a version; its number must be new."""

    def decide(self, one: RuledOn) -> None:
        """Keep a decision about a version."""

    def hold(self, one: Hold) -> int:
        """Keep a hold; its id is given here, and returned."""

    def release(self, hold: int, author: str, reason: str, at: datetime) -> None:
        """End a hold."""

    def holds(self) -> list[Hold]:
        """Return every hold, oldest first."""

    def invoice_id(self, ref: str) -> str | None:
        """Return the id of an issued invoice, by id or number."""

    def open_run(self) -> Run | None:
        """Return the run that is not over."""

    def begin_run(self, as_of: datetime, at: datetime, actor: str) -> int:
        """Begin a run."""

    def step(self, run: int, rule: str, deleted: int) -> None:
        """Keep what a transaction of a run took."""

    def deleted(self, run: int, rule: str) -> int:
        """Return how much a run has taken under a rule so far."""

    def logged(self, run: int) -> frozenset[str]:
        """Return the rules that a run is through with."""

    def log(self, one: Executed) -> None:
        """Keep what a rule took in a run."""

    def end_run(self, run: int, at: datetime) -> None:
        """Say that a run is over."""

    def last_run_at(self) -> datetime | None:
        """Return when the newest run that is over began."""

    def executed(self, run: int | None = None, limit: int = -1) -> list[Executed]:
        """Return what rules took, newest first: of one run, or of all."""


class Erasing(Protocol):
    """What is past its date, and taking it out of the database in small transactions."""

    def count(self, wanted: Wanted) -> Counted:
        """Return how much is past its date, and how much of it stays."""

    def find(self, wanted: Wanted, after: Key | None, limit: int) -> list[Key]:
        """Return keys of what is to go, in order, behind one of them."""

    def erase(self, wanted: Wanted, keys: Sequence[Key]) -> list[Key]:
        """Take out of these what is still to go; return that."""

    def is_due(self, wanted: Wanted, key: Key) -> bool:
        """Return whether one of a kind is to go."""

    def first_size(self, data_class: str) -> int:
        """Return how many keys of a kind a first small transaction may take."""

    def is_by_person(self, data_class: str) -> bool:
        """Return whether the keys of a kind are persons, whose keys are destroyed with it."""

    def knows(self, data_class: str) -> bool:
        """Return whether there is anything of a kind that could be erased."""

    def of_person(self, person: DriverId, data_class: DataClass) -> int:
        """Return how many rows of a class there are of a person."""

    def destroy(self, person: DriverId, data_class: DataClass, under: str, at: datetime) -> None:
        """Destroy the key of a class and say so in the erasure ledger, both once only."""

    def tell(self, person: DriverId, data_class: DataClass, under: str, at: datetime) -> None:
        """Say in the erasure ledger that a class of a person is gone."""

    def erase_person(self, person: DriverId, data_class: DataClass) -> int:
        """Take all rows of a class of a person out of the database; return how many."""

    def drop_mail_to(self, recipient: str) -> int:
        """Drop the letters to an address that are not on their way; return how many."""

    def retained_until(self, person: DriverId) -> datetime | None:
        """Return when the newest invoice of a person was issued or corrected."""

    def unbilled(self, person: DriverId) -> int:
        """Return how many sessions of a person nobody was billed for, drafts included."""

    def note_cutoff(self, wanted: Wanted, at: datetime) -> None:
        """Say in the erasure ledger that a kind goes up to a cutoff."""

    def ledger_hash(self) -> str:
        """Return the hash of the newest line of the erasure ledger; empty where it has none."""

    def replay(self, erasures: Iterable[Erasure], now: datetime, tz: str) -> int:
        """Erase again what of these is there; return how many rows or groups of rows were."""
