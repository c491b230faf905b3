"""What retention consists of: planned, carried out in short transactions, proven and logged.

A run that was cut off goes on where it was: each transaction leaves what it took, and what is gone
is not found again. The holds that stand are read anew in every transaction.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from evdesk.domain.audit import DATA_ERASED, PAYLOAD_ERASED, READINGS_ERASED, Change, numbers_text
from evdesk.domain.errors import EvdeskError
from evdesk.domain.instants import EPOCH, rfc3339
from evdesk.domain.personal_data import DataClass
from evdesk.domain.purposes import HISTORY
from evdesk.domain.retention import (
    AUDIT,
    READINGS,
    SESSION,
    Executed,
    Planned,
    Rule,
    held,
)
from evdesk.domain.site import DriverId
from evdesk.ports import Clock, Run, Store, Unit, Wanted
from evdesk.services.erasing import Under, erase_keyed, finish_begun
from evdesk.services.lawful import may_process
from evdesk.services.rule_book import RuleBook
from evdesk.settings import RETAINING

BEGUN, DONE = "retention.begun", "retention.done"
EMPTIED = "0,0,0"
LINK = frozenset({DataClass.SESSION_LINK})
ROWS = "rows deleted with secure_delete, write-ahead log emptied"
KEYS = f"key of the person and class destroyed, {ROWS}"
SUMMED = f"added up by charging point and month, {ROWS}"
UNLINKED = "person and card taken out of billed sessions with secure_delete, log emptied"
METHODS = {SESSION: SUMMED, DataClass.SESSION_LINK: UNLINKED}

Rest = Callable[[float], None]
Tell = Callable[[float], None]
Stopwatch = Callable[[], float]


@dataclass(slots=True)
class _Size:
    """How many keys one transaction takes, so that it lasts about as long as it may."""

    keys: int

    def took(self, seconds: float) -> None:
        """Take more or fewer the next time."""
        factor = min(max(RETAINING.step_s / max(seconds, 1e-6), 0.2), 1.5)
        self.keys = min(max(int(self.keys * factor), 1), RETAINING.most)


class RetentionWork:
    """Plans and carries out what is due; ``rest`` is given the seconds of each transaction.

    ``wall`` says when things really happen; a run takes its ``as_of`` for now.
    """

    def __init__(
        self,
        store: Store,
        book: RuleBook,
        wall: Clock,
        rest: Rest = time.sleep,
        stopwatch: Stopwatch = time.monotonic,
        empty_tries: int = RETAINING.empty_tries,
    ) -> None:
        self._store, self._book, self._wall = store, book, wall
        self._rest, self._stopwatch, self._empty_tries = rest, stopwatch, empty_tries

    def plan(self, as_of: datetime) -> list[Planned]:
        """Return what each rule in force would take at an instant; nothing is changed."""
        with self._store.read() as unit:
            return [_planned(unit, rule, as_of) for rule in _known(unit, self._book, as_of)]

    def is_open(self) -> bool:
        """Return whether a run was cut off."""
        with self._store.read() as unit:
            return unit.retention.open_run() is not None

    def run(self, as_of: datetime, tell: Tell = lambda _share: None) -> list[Executed]:
        """Erase what is due, and prove that it is gone; a run that was cut off is finished first.

        Raises:
            StorageError: the database is busy or a disk fails; the next run goes on from there.

        """
        finish_begun(self._store)
        with self._store.read() as unit:
            cut_off = unit.retention.open_run()
        done = [] if cut_off is None else self._carry_out(cut_off, tell)
        if cut_off is None or cut_off.as_of < as_of:
            done = self._carry_out(self._begin(as_of), tell) + done
        return done

    def _begin(self, as_of: datetime) -> Run:
        at, actor = self._wall.now(), self._store.actor.ref
        with self._store.write() as unit:
            self._book.adopt(unit, as_of)
            run = unit.retention.begin_run(as_of, at, actor)
            unit.record_change(Change(BEGUN, "run", str(run), {"as_of": rfc3339(as_of)}))
        return Run(run, as_of, at, actor)

    def _carry_out(self, run: Run, tell: Tell) -> list[Executed]:
        with self._store.read() as unit:
            rules = _known(unit, self._book, run.as_of)
        planned: list[Planned] = []
        for number, rule in enumerate(rules):
            with self._store.read() as unit:
                plan = _planned(unit, rule, run.as_of)
                before = unit.retention.deleted(run.id, rule.id)
            if plan.deletable:
                self._erase(run, plan)
            if plan.selected or before:
                planned.append(_with(plan, before))
            tell((number + 1) / len(rules))
        return self._finish(run, planned)

    # -- erasing --------------------------------------------------------------------------------

    def _erase(self, run: Run, plan: Planned) -> None:
        rule = plan.rule
        with self._store.read() as unit:
            by_person = unit.erasing.is_by_person(rule.data_class)
            size = _Size(unit.erasing.first_size(rule.data_class))
        if not by_person:
            with self._store.write() as unit:  # its lock orders the lines of the ledger
                unit.erasing.note_cutoff(_wanted(unit, rule, run.as_of), run.as_of)
        after, to_do = None, plan.deletable  # what comes to be due meanwhile waits for the next run
        while to_do > 0:
            with self._store.read() as unit:
                wanted = _wanted(unit, rule, run.as_of)
                page = unit.erasing.find(wanted, after, min(RETAINING.page, to_do))
            if not page:
                return
            after, to_do = page[-1], to_do - len(page)
            while page:
                keys, page = page[: size.keys], page[size.keys :]
                self._timed(size, partial(self._erase_chunk, run, rule, keys, by_person=by_person))

    def _timed(self, size: _Size, work: Callable[[], None]) -> None:
        began = self._stopwatch()
        work()
        seconds = self._stopwatch() - began
        size.took(seconds)
        self._rest(seconds * RETAINING.rest)

    def _erase_chunk(self, run: Run, rule: Rule, keys: list[int | str], *, by_person: bool) -> None:
        if by_person:
            self._erase_persons(run, rule, [DriverId(str(key)) for key in keys])
            return
        with self._store.write() as unit:
            self._erase_keys(unit, run, rule, keys)

    def _erase_keys(self, unit: Unit, run: Run, rule: Rule, keys: list[int | str]) -> None:
        gone = unit.erasing.erase(_wanted(unit, rule, run.as_of), keys)
        if not gone:
            return
        facts = {"class": rule.data_class, "rule": named(rule), "run": run.id}
        if rule.data_class == AUDIT:
            text = numbers_text(int(key) for key in gone)
            unit.record_change(Change(PAYLOAD_ERASED, "payload", text, facts))
        elif rule.data_class == READINGS:
            for key in gone:
                day = rfc3339(EPOCH + timedelta(days=int(key)))
                unit.record_change(Change(READINGS_ERASED, "day", day, facts))
        else:
            counted = {**facts, "count": len(gone)}
            unit.record_change(Change(DATA_ERASED, "rule", named(rule), counted))
        unit.retention.step(run.id, rule.id, len(gone))

    def _erase_persons(self, run: Run, rule: Rule, persons: list[DriverId]) -> None:
        with self._store.read() as unit:
            tz = unit.site.load().tz
            wanted = _wanted(unit, rule, run.as_of)
            due = [one for one in persons if unit.erasing.is_due(wanted, one)]
        under = Under(named(rule), run.as_of, tz, run=run.id)
        for person in due:
            erase_keyed(self._store, person, DataClass(rule.data_class), under)

    # -- proving --------------------------------------------------------------------------------

    def _finish(self, run: Run, planned: list[Planned]) -> list[Executed]:
        checkpoint, error = EMPTIED, ""
        try:
            checkpoint = self._empty_log()
        except EvdeskError as failure:
            checkpoint, error = "", str(failure)
        at = self._wall.now()
        done = []
        with self._store.read() as unit:
            for plan in planned:
                now = _planned(unit, plan.rule, run.as_of)
                deleted = unit.retention.deleted(run.id, plan.rule.id)
                done.append(
                    Executed(
                        run=run.id,
                        started_at=run.started_at,
                        finished_at=at,
                        actor=run.actor,
                        planned=plan,
                        deleted=deleted,
                        left=now.deletable,
                        method=_method(unit, plan.rule.data_class),
                        checkpoint=checkpoint,
                        ledger=unit.erasing.ledger_hash(),
                        error=error,
                    )
                )
        counts = Counter({one.planned.rule.id: one.deleted for one in done})
        with self._store.write() as unit:
            standing = unit.retention.open_run()
            if standing is None or standing.id != run.id:  # another process has been as fast
                return unit.retention.executed(run.id)
            for one in done:
                unit.retention.log(one)
            unit.retention.end_run(run.id, at)
            facts = {"as_of": rfc3339(run.as_of), "deleted": dict(counts), "log": checkpoint}
            unit.record_change(Change(DONE, "run", str(run.id), facts))
        return done

    def _empty_log(self) -> str:
        """Empty the write-ahead log, again and again while somebody reads."""
        told = self._store.empty_log()
        for _ in range(self._empty_tries):
            if told == EMPTIED:
                break
            self._rest(RETAINING.empty_pause_s)
            told = self._store.empty_log()
        return told


def named(rule: Rule) -> str:
    """Return a rule with its version, as the log names it."""
    return f"{rule.id}@{rule.version}"


def _known(unit: Unit, book: RuleBook, now: datetime) -> list[Rule]:
    rules = book.in_force(unit, now)
    return [rule for rule in rules if unit.erasing.knows(rule.data_class)]


def _wanted(unit: Unit, rule: Rule, as_of: datetime) -> Wanted:
    tz = unit.site.load().tz
    return Wanted(
        data_class=rule.data_class,
        cutoff_at=rule.cutoff(as_of, tz),
        now=as_of,
        tz=tz,
        under=named(rule),
        held=held(unit.retention.holds()),
        restricted=frozenset(unit.restraints.restricted()),
        consenting=_consenting(unit, as_of) if rule.data_class in LINK else frozenset(),
    )


def _consenting(unit: Unit, at: datetime) -> frozenset[str]:
    """Return who agrees to be told apart beyond billing."""
    said = {one.person for one in unit.consents.latest(HISTORY)}
    return frozenset(one for one in said if may_process(unit, one, HISTORY, at).allowed)


def _planned(unit: Unit, rule: Rule, as_of: datetime) -> Planned:
    wanted = _wanted(unit, rule, as_of)
    counted = unit.erasing.count(wanted)
    reasons = tuple(Counter(counted.reasons).most_common())
    retained = sum(counted.reasons.values())
    return Planned(rule, wanted.cutoff_at, counted.selected, retained, reasons)


def _with(plan: Planned, before: int) -> Planned:
    """Return a plan with what the run had taken before it was cut off."""
    if not before:
        return plan
    return replace(plan, selected=plan.selected + before)


def _method(unit: Unit, data_class: str) -> str:
    if unit.erasing.is_by_person(data_class):
        return KEYS
    return METHODS.get(data_class, ROWS)
