"""The register of breaches: each one is documented, and the authority told within 72 hours."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.audit import Change
from evdesk.domain.breaches import Breach, BreachAccount, BreachFacts, BreachId
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.ports import Cell, Clock, Store, Table, TableWriter, Unit
from evdesk.services.handing_out import note_export
from evdesk.services.permitting import permit

HOUR = timedelta(hours=1)
COLUMNS = (
    "id", "happened_at", "aware_at", "tell_by_at", "authority_told_at", "late", "subjects_told_at",
    "told_at", "author", "nature", "categories", "subjects", "records", "consequences", "measures",
    "contact", "risk",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DueBreach:
    """A breach with where its clock stands, and everything that was known of it, oldest first.

    ``hours_left`` is None where nobody has to be told any more.
    """

    breach: Breach
    accounts: tuple[BreachAccount, ...]
    hours_left: int | None
    late: bool

    @property
    def is_exception(self) -> bool:
        """Return whether the authority should have been told by now and was not."""
        return self.late and self.hours_left is not None


class BreachService:
    """Use cases of breaches; ``clock`` is the site's."""

    def __init__(self, store: Store, clock: Clock, writer: TableWriter) -> None:
        self._store, self._clock, self._writer = store, clock, writer

    @permit(Action.ANSWER_RIGHTS)
    def add(
        self,
        facts: BreachFacts,
        aware_at: datetime | None = None,
        happened_at: datetime | None = None,
    ) -> DueBreach:
        """Enter a breach that somebody became aware of, now unless it is said when.

        Raises:
            UserError: it is not said what happened, or times that cannot be.

        """
        now = self._clock.now()
        aware_at = aware_at or now
        if aware_at > now or (happened_at is not None and happened_at > aware_at):
            raise UserError(
                "A breach happens first, is noticed then, and entered last. Nothing was changed."
            )
        with self._store.write() as unit:
            account = self._account(facts, aware_at, now)
            breach = unit.breaches.add(happened_at, aware_at, account)
            return self._kept(unit, breach, "breach.added", facts)

    @permit(Action.ANSWER_RIGHTS)
    def update(self, breach: BreachId, facts: BreachFacts) -> DueBreach:
        """Enter what is known by now, in the place of what was; that stays beside it.

        Raises:
            UserError: unknown, nothing new, or times that cannot be.

        """
        with self._store.write() as unit:
            before = _existing(unit, breach)
            account = self._account(facts, before.aware_at, self._clock.now())
            if account.facts == before.facts:
                raise UserError("That is what is known of breach {breach} already.", breach=breach)
            unit.breaches.tell(breach, account)
            return self._kept(unit, breach, "breach.updated", facts)

    @permit(Action.READ_PRIVACY)
    def get(self, breach: BreachId) -> DueBreach:
        """Return a breach."""
        with self._store.read() as unit:
            return self._due(unit, _existing(unit, breach))

    @permit(Action.READ_PRIVACY)
    def all(self) -> list[DueBreach]:
        """Return every breach, newest first."""
        with self._store.read() as unit:
            return [self._due(unit, one) for one in reversed(unit.breaches.all())]

    @permit(Action.READ_PRIVACY)
    def export(self, suffix: str) -> tuple[bytes, int]:
        """Return the file of all breaches with every account of them (Art. 33(5)), oldest first."""
        found = self.all()[::-1]
        with self._store.read() as unit:
            tz, head = unit.site.load().tz, unit.audit.head()
        rows = tuple(_row(one, account) for one in found for account in one.accounts)
        data = self._writer.write(Table("Breaches", COLUMNS, rows, tz, str(head)), suffix)
        note_export(self._store, "breaches", suffix, len(rows))
        return data, len(rows)

    def _account(self, facts: BreachFacts, aware_at: datetime, now: datetime) -> BreachAccount:
        if not facts.nature.strip():
            raise UserError("Say what happened (--nature). Nothing was changed.")
        told = [at for at in (facts.authority_told_at, facts.subjects_told_at) if at is not None]
        if any(at < aware_at or at > now for at in told):
            raise UserError(
                "Nobody is told before somebody is aware of it, or later than now. Nothing was "
                "changed."
            )
        return BreachAccount(now, self._store.actor.ref, facts)

    def _kept(self, unit: Unit, breach: BreachId, action: str, facts: BreachFacts) -> DueBreach:
        told = {
            "authority_told": facts.authority_told_at is not None,
            "subjects_told": facts.subjects_told_at is not None,
        }
        unit.record_change(Change(action, "breach", str(breach), told))
        return self._due(unit, _existing(unit, breach))

    def _due(self, unit: Unit, breach: Breach) -> DueBreach:
        now = self._clock.now()
        left = (breach.tell_by - now) // HOUR if breach.is_owed() else None
        accounts = tuple(unit.breaches.accounts(breach.id))
        return DueBreach(breach, accounts, left, breach.is_late(now))


def _existing(unit: Unit, breach: BreachId) -> Breach:
    found = unit.breaches.get(breach)
    if found is None:
        raise UserError(
            "There is no breach {breach}. List them with: evdesk breach list", breach=breach
        )
    return found


def _row(one: DueBreach, account: BreachAccount) -> tuple[Cell, ...]:
    breach, facts = one.breach, account.facts
    return (
        str(breach.id),
        breach.happened_at,
        breach.aware_at,
        breach.tell_by,
        facts.authority_told_at,
        "yes" if one.late else "no",
        facts.subjects_told_at,
        account.at,
        account.author,
        facts.nature,
        facts.categories,
        facts.subjects,
        facts.records,
        facts.consequences,
        facts.measures,
        facts.contact,
        facts.risk,
    )
