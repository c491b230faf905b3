"""How long what is kept: rules of deletion (DIN 66398), exact due dates, and holds.

A rule is a period behind a trigger. The day on which the trigger lies does not count (section 187
of the German civil code), so that nothing goes before its period is over to the day: an invoice of
5 March 2026 that is kept for 8 years from the end of its year may go from 1 January 2035 on.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from evdesk.domain.errors import UserError
from evdesk.domain.instants import midnight
from evdesk.domain.personal_data import DataClass

DAY = timedelta(days=1)
MONTHS = 12
PERIOD = re.compile(r"([0-9]{1,5})(d|m|y)")
GENERAL = "*"  # the jurisdiction of rules that hold wherever no other does
CAREFUL_WAIT = timedelta(days=7)  # with one owner only, before a period is shortened
# What is kept beside personal data and has a rule of its own, too.
SESSION, READINGS, AUDIT, FAULT, DRAFT = "session", "readings", "audit", "fault", "draft"
KINDS = (*DataClass, SESSION, READINGS, AUDIT, FAULT, DRAFT)


class Trigger(StrEnum):
    """From when on a period runs: the abstract triggers of DIN 66398, and the law's year end."""

    CREATION = "creation"
    PROCESS_END = "process_end"
    RELATION_END = "relation_end"
    YEAR_END = "year_end"  # of the calendar year in which it was made, or ended


@dataclass(frozen=True, slots=True)
class Period:
    """So many days, months or years of the calendar."""

    count: int
    unit: str  # d, m or y

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Return the period of ``30d``, ``18m`` or ``8y``.

        Raises:
            UserError: it is none.

        """
        found = PERIOD.fullmatch(text.strip())
        if found is None:
            raise UserError(
                "'{text}' is no period. Write it like 30d, 18m or 8y (days, months, years).",
                text=text,
            )
        return cls(int(found[1]), found[2])

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    def after(self, day: date) -> date:
        """Return the last day of the period; the 31st is the last of a shorter month.

        A period that leads beyond the calendar ends with it.
        """
        try:
            if self.unit == "d":
                return day + timedelta(days=self.count)
            months = self.count * (MONTHS if self.unit == "y" else 1)
            return _months_later(day, months)
        except (OverflowError, ValueError):
            return date.max - 2 * DAY

    def is_shorter_than(self, other: "Period") -> bool:
        """Return whether it ends earlier than another one from any day of four years on."""
        days = (date(2024, 1, 1) + timedelta(days=number) for number in range(4 * 365 + 1))
        return any(self.after(day) < other.after(day) for day in days)


def _months_later(day: date, months: int) -> date:
    first = day.replace(day=1)
    years, month = divmod(first.month - 1 + months, MONTHS)
    first = first.replace(year=first.year + years, month=month + 1)
    next_month = (first + timedelta(days=31)).replace(day=1)
    return min(first.replace(day=1) + timedelta(days=day.day - 1), next_month - DAY)


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of one rule; ``statutory`` ones are never made shorter than the law."""

    id: str
    version: int
    data_class: str
    trigger: Trigger
    period: Period
    legal_basis: str
    jurisdiction: str
    justification: str
    valid_from: date
    statutory: bool = False

    def due_at(self, at: datetime, tz: str) -> datetime:
        """Return from when on what has its trigger at an instant may go, and has to."""
        return midnight(_due_day(self.trigger, self.period, at.astimezone(ZoneInfo(tz)).date()), tz)

    def cutoff(self, now: datetime, tz: str) -> datetime:
        """Return the instant before which triggers have to lie for what is due by now."""
        today = now.astimezone(ZoneInfo(tz)).date()
        day = _first_guess(self.period, today)
        while day > date.min + DAY and _due_day(self.trigger, self.period, day) > today:
            day -= DAY
        while _due_day(self.trigger, self.period, day + DAY) <= today:
            day += DAY
        return midnight(day + DAY, tz)


def _due_day(trigger: Trigger, period: Period, day: date) -> date:
    if trigger is Trigger.YEAR_END:
        day = date(day.year, 12, 31)
    return period.after(day) + DAY


def _first_guess(period: Period, today: date) -> date:
    days = period.count * {"d": 1, "m": 31, "y": 366}[period.unit]
    return date.min + 2 * DAY if days + 800 > today.toordinal() else today - timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Offered:
    """The rules that ship with the program, and the countries in which they hold by themselves."""

    rules: tuple[Rule, ...]
    default_in: frozenset[str]


class RuleState(StrEnum):
    """Where a version of a rule stands."""

    IN_FORCE = "in force"
    OFFERED = "offered"  # of the site's country, or none of it: off until an owner confirms it
    PROPOSED = "proposed"  # shorter than the one in force: waits for a second person
    REPLACED = "replaced"


class Decision(StrEnum):
    """What was decided about a version of a rule."""

    CONFIRMED = "confirmed"  # by an owner, or by evdesk where it is on by default
    PROPOSED = "proposed"
    APPROVED = "approved"  # by a second person


ON = frozenset({Decision.CONFIRMED, Decision.APPROVED})


@dataclass(frozen=True, slots=True)
class KeptRule:
    """A version of a rule as the site keeps it: who brought it, who decided, and where it stands.

    ``author`` is an account, or ``evdesk`` for what ships with the program; ``approver`` is None
    while nobody has approved it.
    """

    rule: Rule
    state: RuleState
    author: str
    at: datetime | None
    reason: str
    approver: str | None
    approved_at: datetime | None


class HoldKind(StrEnum):
    """What a hold is on."""

    PERSON = "person"
    INVOICE = "invoice"
    CLASS = "class"


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of a person, an invoice or a class goes, whatever is due."""

    id: int
    kind: HoldKind
    object: str
    author: str
    reason: str
    since_at: datetime
    review_on: date
    released_at: datetime | None = None
    released_by: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What is held at the moment."""

    persons: frozenset[str] = frozenset()
    invoices: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()


def held(holds: Iterable[Hold]) -> Held:
    """Return what is held by those that are not released."""
    standing = [one for one in holds if one.released_at is None]

    def of(kind: HoldKind) -> frozenset[str]:
        return frozenset(one.object for one in standing if one.kind is kind)

    return Held(of(HoldKind.PERSON), of(HoldKind.INVOICE), of(HoldKind.CLASS))


@dataclass(frozen=True, slots=True)
class Planned:
    """What a rule would take now: ``selected`` is past its date, ``retained`` of it stays.

    ``reasons`` tell why, with counts: legal_hold, unbilled_session, draft, consent, in_use.
    """

    rule: Rule
    cutoff_at: datetime
    selected: int
    retained: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def deletable(self) -> int:
        """Return how much is to go."""
        return self.selected - self.retained


@dataclass(frozen=True, slots=True)
class Executed:
    """What a rule took in one run; ``verified`` is what a query found left over: none."""

    run: int
    started_at: datetime
    finished_at: datetime
    actor: str
    planned: Planned
    deleted: int
    left: int
    method: str
    checkpoint: str
    ledger: str
    error: str

    @property
    def verified(self) -> bool:
        """Return whether nothing was left over, in the database or its write-ahead log."""
        return self.left == 0 and self.checkpoint == "0,0,0" and not self.error


class Ended(StrEnum):
    """What was done with a class of a person's data."""

    ERASED = "erased"
    ANONYMISED = "anonymised"
    RETAINED = "retained"


@dataclass(frozen=True, slots=True)
class ClassEnd:
    """What became of one class; ``until`` is when what is retained goes, if that is known."""

    data_class: DataClass
    action: Ended
    legal_ground: str
    until: datetime | None
    count: int = 0
