"""Retention for people: rules and who decides about them, holds, plans, runs and their proof."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from evdesk.domain.audit import Change
from evdesk.domain.errors import NotPermitted, UserError
from evdesk.domain.permissions import Action
from evdesk.domain.retention import (
    CAREFUL_WAIT,
    KINDS,
    Decision,
    Executed,
    Hold,
    HoldKind,
    KeptRule,
    Offered,
    Period,
    Planned,
    Rule,
    RuleState,
)
from evdesk.domain.site import DriverId, Role
from evdesk.ports import Brought, Clock, RuledOn, Store, Unit
from evdesk.services.permitting import given, permit
from evdesk.services.retaining import RetentionWork
from evdesk.services.rule_book import RuleBook
from evdesk.settings import BACKUPS, RETAINING

CHANGED, CONFIRMED, APPROVED = "retention.changed", "retention.confirmed", "retention.approved"
HELD, RELEASED = "hold.added", "hold.released"
RECOVERY = "recovery"  # who opened the site with its recovery code
UNKNOWN_RULE = "There is no rule {rule}. List them with: evdesk retention rules"
FUTURE = "{at} lies in the future, and what is not due yet is never erased. Plan it instead."


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a run did, what it did not do, and what proves that.

    ``audit_head`` is the head of the audit log behind it; ``backups_until`` is when the last backup
    from before it is to be gone, None where no backups are kept on schedule.
    """

    site: str
    run: int
    executed: tuple[Executed, ...]
    holds: tuple[Hold, ...]
    audit_head: str
    backups_until: datetime | None
    persons_until: datetime


class RetentionService:
    """Use cases of retention; ``clock`` is the site's, ``wall`` the real one."""

    def __init__(self, store: Store, clock: Clock, wall: Clock, offered: Offered) -> None:
        self._store, self._clock = store, clock
        self._book = RuleBook(offered)
        self._work = RetentionWork(store, self._book, wall)

    # -- rules ----------------------------------------------------------------------------------

    @permit(Action.READ_PRIVACY)
    def rules(self) -> list[KeptRule]:
        """Return every version of every rule, by rule and version."""
        with self._store.read() as unit:
            return self._book.kept(unit, self._clock.now())

    @permit(Action.CHANGE_RETENTION)
    def change(self, rule_id: str, period: str, reason: str) -> KeptRule:
        """Give a rule another period: a longer one holds at once, a shorter one waits for approval.

        Raises:
            UserError: no such rule, not a period, the same one, no reason, or shorter than the law.

        """
        wished, now = Period.parse(period), self._clock.now()
        with self._store.write() as unit:
            self._book.adopt(unit, now)
            current = self._current(unit, rule_id, now)
            rule = _changed(current, self._book.kept(unit, now), wished, self._today(unit))
            _check_law(self._book.offered, rule)
            shorter = wished.is_shorter_than(current.period)
            actor, said = self._store.actor.ref, given(reason)
            unit.retention.bring(Brought(rule, actor, now, said))
            kind = Decision.PROPOSED if shorter else Decision.CONFIRMED
            unit.retention.decide(RuledOn(rule.id, rule.version, kind, actor, now))
            facts = {"version": rule.version, "period": str(wished), "was": str(current.period)}
            change = Change(CHANGED, "rule", rule.id, {**facts, "decision": kind.value}, said)
            unit.record_change(change)
            return self._kept(unit, rule, now)

    @permit(Action.CHANGE_RETENTION)
    def confirm(self, rule_id: str | None = None) -> list[KeptRule]:
        """Let a rule hold that is offered, or all that are and apply in the site's country.

        Raises:
            UserError: no such rule is offered, or it is another country's.

        """
        now = self._clock.now()
        with self._store.write() as unit:
            self._book.adopt(unit, now)
            kept = self._book.kept(unit, now)
            waiting = [one for one in kept if one.state is RuleState.OFFERED and not one.approver]
            chosen = [one for one in waiting if self._book.applies(unit, one.rule)]
            if rule_id is not None:
                chosen = [one for one in chosen if one.rule.id == rule_id]
            if not chosen:
                raise UserError(
                    "No rule is offered here that could be confirmed ({rule}). Those of other "
                    "countries do not hold for this site. evdesk retention rules",
                    rule=rule_id or "any",
                )
            known = {(one.rule.id, one.rule.version) for one in unit.retention.rules()}
            for one in chosen:
                if (one.rule.id, one.rule.version) not in known:
                    unit.retention.bring(Brought(one.rule, one.author, now, one.reason))
                ruling = RuledOn(
                    one.rule.id, one.rule.version, Decision.CONFIRMED, self._store.actor.ref, now
                )
                unit.retention.decide(ruling)
                facts = {"version": one.rule.version, "period": str(one.rule.period)}
                unit.record_change(Change(CONFIRMED, "rule", one.rule.id, facts))
            return [self._kept(unit, one.rule, now) for one in chosen]

    @permit(Action.CHANGE_RETENTION)
    def approve(self, rule_id: str) -> KeptRule:
        """Let a shorter period hold that somebody else has proposed.

        With one owner only, it takes the recovery code, and 7 days from the proposal on.

        Raises:
            UserError: nothing is proposed for the rule, or it is too early.
            NotPermitted: the same person has proposed it.

        """
        now = self._clock.now()
        with self._store.write() as unit:
            kept = self._book.kept(unit, now)
            proposed = [one for one in kept if one.rule.id == rule_id]
            proposed = [one for one in proposed if one.state is RuleState.PROPOSED]
            if not proposed:
                raise UserError(
                    "No shorter period is proposed for {rule}. evdesk retention rules", rule=rule_id
                )
            one = proposed[-1]
            actor = self._store.actor.ref
            _check_approver(unit, actor, one, now)
            ruling = RuledOn(one.rule.id, one.rule.version, Decision.APPROVED, actor, now)
            unit.retention.decide(ruling)
            facts = {"version": one.rule.version, "period": str(one.rule.period)}
            unit.record_change(Change(APPROVED, "rule", rule_id, facts))
            return self._kept(unit, one.rule, now)

    # -- holds ----------------------------------------------------------------------------------

    @permit(Action.READ_PRIVACY)
    def holds(self) -> list[Hold]:
        """Return every hold, oldest first, also those that are released."""
        with self._store.read() as unit:
            return unit.retention.holds()

    @permit(Action.CHANGE_RETENTION)
    def hold(self, kind: HoldKind, ref: str, reason: str, review_on: date) -> Hold:
        """Let nothing of a person, an invoice or a class be erased until the hold is released.

        Raises:
            UserError: there is no such thing, no reason, or the review lies in the past.

        """
        now = self._clock.now()
        with self._store.write() as unit:
            if review_on <= self._today(unit):
                raise UserError("Say when the hold is to be looked at again: a day to come.")
            about = _existing(unit, kind, ref)
            hold = Hold(0, kind, about, self._store.actor.ref, given(reason), now, review_on)
            hold = replace(hold, id=unit.retention.hold(hold))
            facts = {"kind": kind.value, "object": about, "review_on": review_on.isoformat()}
            unit.record_change(Change(HELD, "hold", str(hold.id), facts, hold.reason))
        return hold

    @permit(Action.CHANGE_RETENTION)
    def release(self, hold_id: int, reason: str) -> Hold:
        """End a hold; what is past its date by now goes with the next run.

        Raises:
            UserError: no such hold, it is released already, or no reason.

        """
        now, actor = self._clock.now(), self._store.actor.ref
        with self._store.write() as unit:
            found = {one.id: one for one in unit.retention.holds()}.get(hold_id)
            if found is None or found.released_at is not None:
                raise UserError("There is no hold {hold} that stands.", hold=hold_id)
            said = given(reason)
            unit.retention.release(hold_id, actor, said, now)
            facts = {"kind": found.kind.value, "object": found.object}
            unit.record_change(Change(RELEASED, "hold", str(hold_id), facts, said))
        return replace(found, released_at=now, released_by=actor)

    # -- plans and runs -------------------------------------------------------------------------

    @permit(Action.READ_PRIVACY)
    def plan(self, as_of: datetime | None = None) -> list[Planned]:
        """Return what would go now, or at an instant to come, by rule; nothing is changed."""
        return self._work.plan(as_of or self._clock.now())

    @permit(Action.READ_PRIVACY)
    def overdue(self) -> list[Planned]:
        """Return what has been due for longer than a run may take: it must be empty."""
        window = timedelta(days=RETAINING.window_days)
        plans = self._work.plan(self._clock.now() - window)
        return [one for one in plans if one.deletable]

    @permit(Action.RUN_RETENTION)
    def run(
        self,
        as_of: datetime | None = None,
        tell: Callable[[float], None] = lambda _share: None,
    ) -> list[Executed]:
        """Erase what is due by now, or was due by an instant before; return what each rule took.

        Raises:
            UserError: the instant lies in the future.
            StorageError: the database is busy or a disk fails; the next run goes on from there.

        """
        now = self._clock.now()
        if as_of is not None and as_of > now:
            raise UserError(FUTURE, at=as_of)
        return self._work.run(as_of or now, tell)

    @permit(Action.READ_PRIVACY)
    def log(self, run: int | None = None) -> list[Executed]:
        """Return what rules took, newest first: of one run, or of all."""
        with self._store.read() as unit:
            return unit.retention.executed(run)

    @permit(Action.READ_PRIVACY)
    def certificate(self, run: int | None = None) -> Certificate:
        """Return what proves a run, or the newest one that erased anything.

        Raises:
            UserError: there is no such run.

        """
        with self._store.read() as unit:
            executed = unit.retention.executed(run)
            executed = [one for one in executed if one.run == executed[0].run]
            if not executed:
                raise UserError("No run has erased anything yet, so there is nothing to certify.")
            finished_at, schedule = executed[0].finished_at, unit.backups.schedule()
            return Certificate(
                site=unit.site.load().name,
                run=executed[0].run,
                executed=tuple(executed),
                holds=tuple(one for one in unit.retention.holds() if one.released_at is None),
                audit_head=str(unit.audit.head()),
                backups_until=finished_at + timedelta(days=schedule.keep_days),
                persons_until=finished_at + timedelta(days=BACKUPS.persons_days),
            )

    # -- parts ----------------------------------------------------------------------------------

    def _current(self, unit: Unit, rule_id: str, now: datetime) -> Rule:
        for one in self._book.kept(unit, now):
            if one.rule.id == rule_id and one.state is RuleState.IN_FORCE:
                return one.rule
        known = any(one.rule.id == rule_id for one in self._book.kept(unit, now))
        if known:
            raise UserError(
                "Rule {rule} does not hold here yet. Confirm it first: evdesk retention confirm",
                rule=rule_id,
            )
        raise UserError(UNKNOWN_RULE, rule=rule_id)

    def _kept(self, unit: Unit, rule: Rule, now: datetime) -> KeptRule:
        found = (one for one in self._book.kept(unit, now) if one.rule == rule)
        return next(found)

    def _today(self, unit: Unit) -> date:
        return self._clock.now().astimezone(ZoneInfo(unit.site.load().tz)).date()


def _changed(current: Rule, kept: list[KeptRule], period: Period, today: date) -> Rule:
    if period == current.period:
        raise UserError("Rule {rule} has that period already.", rule=current.id)
    newest = max(one.rule.version for one in kept if one.rule.id == current.id)
    return replace(current, version=newest + 1, period=period, valid_from=today)


def _existing(unit: Unit, kind: HoldKind, ref: str) -> str:
    """Return what a hold is on, as it is kept.

    Raises:
        UserError: there is no such thing.

    """
    if kind is HoldKind.PERSON and unit.drivers.get(DriverId(ref)) is not None:
        return ref
    if kind is HoldKind.INVOICE and (found := unit.retention.invoice_id(ref)) is not None:
        return found
    if kind is HoldKind.CLASS and ref in KINDS:
        return ref
    raise UserError(
        "There is no {kind} {ref} to hold. Nothing was changed.", kind=kind.value, ref=ref
    )


def _check_law(offered: Offered, rule: Rule) -> None:
    """Refuse a period that is shorter than what the law asks for."""
    for one in offered.rules:
        if one.id == rule.id and one.statutory and rule.period.is_shorter_than(one.period):
            raise UserError(
                "{rule} is what the law asks for ({basis}): not less than {period}. Nothing "
                "was changed.",
                rule=rule.id,
                basis=one.legal_basis,
                period=one.period,
            )


def _check_approver(unit: Unit, actor: str, one: KeptRule, now: datetime) -> None:
    owners = [each.id for each in unit.accounts.all() if each.role is Role.OWNER]
    since = one.at or now
    if actor == RECOVERY:
        if len(owners) > 1:
            raise NotPermitted(
                "This site has several owners: another one than who proposed it approves it, "
                "with an account of their own. Nothing was changed."
            )
        if now < since + CAREFUL_WAIT:
            raise UserError(
                "A shorter period waits 7 days where there is one owner only: approve it from "
                "{at:%Y-%m-%d %H:%M} UTC on. Nothing was changed.",
                at=since + CAREFUL_WAIT,
            )
    elif actor == one.author:
        raise NotPermitted(
            "Who proposes a shorter period does not approve it: another owner does, or, with "
            "one owner only, whoever opens the site with the recovery code, 7 days later."
        )
