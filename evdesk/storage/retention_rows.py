"""Rules of retention in their versions, holds, and what each run took."""

import json
from datetime import date, datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.retention import (
    Decision,
    Executed,
    Hold,
    HoldKind,
    Period,
    Planned,
    Rule,
    Trigger,
)
from evdesk.ports.retention import Brought, RuledOn, Run
from evdesk.storage.connection import Connection, Row
from evdesk.storage.json_text import canonical

RULE = (
    "retention_rule.rule, version, data_class, begins, period, legal_basis, jurisdiction,"
    " justification, valid_from, statutory"
)
HOLDS = (
    "SELECT id, kind, object, legal_hold.author, legal_hold.reason, since_at_ms, review_on,"
    " legal_hold_release.at_ms, legal_hold_release.author"
    " FROM legal_hold LEFT JOIN legal_hold_release ON hold_id = id ORDER BY id"
)
OPEN_RUN = (
    "SELECT id, as_of_ms, started_at_ms, actor FROM retention_run"
    " WHERE NOT EXISTS (SELECT 1 FROM retention_run_end WHERE run_id = id) ORDER BY id LIMIT 1"
)
EXECUTED = f"""
    SELECT run_id, started_at_ms, finished_at_ms, actor, cutoff_at_ms, selected, deleted, retained,
           reasons, left_over, method, checkpoint, ledger, error, {RULE}
    FROM retention_log JOIN retention_run ON retention_run.id = run_id
    JOIN retention_rule ON retention_rule.rule = retention_log.rule
        AND retention_rule.version = rule_version
    WHERE :run IS NULL OR run_id = :run ORDER BY retention_log.id DESC LIMIT :limit
"""  # noqa: S608 - constants
RULE_COLUMNS = 10


class StoredRetention:
    """Implements ``ports.RetentionRows``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    # -- rules ----------------------------------------------------------------------------------

    def rules(self) -> list[Brought]:
        """Return every version that the site keeps, oldest first."""
        rows = self._db.all(f"SELECT {RULE}, author, at_ms, reason FROM retention_rule ORDER BY id")  # noqa: S608
        return [
            Brought(_rule(row[:RULE_COLUMNS]), author, from_ms(at_ms), reason)
            for *row, author, at_ms, reason in rows
        ]

    def decisions(self) -> list[RuledOn]:
        """Return what was decided about versions, oldest first."""
        rows = self._db.all(
            "SELECT rule, version, kind, author, at_ms FROM retention_decision ORDER BY id"
        )
        return [
            RuledOn(rule, version, Decision(kind), author, from_ms(at_ms))
            for rule, version, kind, author, at_ms in rows
        ]

    def bring(self, one: Brought) -> None:
        """Keep a version; its number must be new."""
        rule = one.rule
        self._db.run(
            "INSERT INTO retention_rule (rule, version, data_class, begins, period, legal_basis,"
            " jurisdiction, justification, valid_from, statutory, author, at_ms, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(rule.id, rule.version, rule.data_class, rule.trigger.value, str(rule.period)),
                *(rule.legal_basis, rule.jurisdiction, rule.justification),
                *(rule.valid_from.isoformat(), int(rule.statutory)),
                *(one.author, to_ms(one.at), one.reason),
            ),
        )

    def decide(self, one: RuledOn) -> None:
        """Keep a decision about a version."""
        self._db.run(
            "INSERT INTO retention_decision (rule, version, kind, author, at_ms)"
            " VALUES (?, ?, ?, ?, ?)",
            (one.rule, one.version, one.kind.value, one.author, to_ms(one.at)),
        )

    # -- holds ----------------------------------------------------------------------------------

    def hold(self, one: Hold) -> int:
        """Keep a hold; its id is given here, and returned."""
        return self._db.insert(
            "INSERT INTO legal_hold (kind, object, author, reason, since_at_ms, review_on)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                *(one.kind.value, one.object, one.author, one.reason),
                *(to_ms(one.since_at), one.review_on.isoformat()),
            ),
        )

    def release(self, hold: int, author: str, reason: str, at: datetime) -> None:
        """End a hold."""
        self._db.run(
            "INSERT INTO legal_hold_release (hold_id, author, reason, at_ms) VALUES (?, ?, ?, ?)",
            (hold, author, reason, to_ms(at)),
        )

    def holds(self) -> list[Hold]:
        """Return every hold, oldest first."""
        return [
            Hold(
                id=hold,
                kind=HoldKind(kind),
                object=about,
                author=author,
                reason=reason,
                since_at=from_ms(since_at_ms),
                review_on=date.fromisoformat(review_on),
                released_at=None if released_at_ms is None else from_ms(released_at_ms),
                released_by=released_by,
            )
            for hold, kind, about, author, reason, since_at_ms, review_on, released_at_ms,
            released_by in self._db.all(HOLDS)
        ]  # fmt: skip

    def invoice_id(self, ref: str) -> str | None:
        """Return the id of an issued invoice, by id or number."""
        row = self._db.one("SELECT id FROM invoice WHERE id = ?1 OR number = ?1", (ref,))
        return None if row is None else str(row[0])

    # -- runs -----------------------------------------------------------------------------------

    def open_run(self) -> Run | None:
        """Return the run that is not over."""
        row = self._db.one(OPEN_RUN)
        if row is None:
            return None
        run, as_of_ms, started_at_ms, actor = row
        return Run(run, from_ms(as_of_ms), from_ms(started_at_ms), actor)

    def begin_run(self, as_of: datetime, at: datetime, actor: str) -> int:
        """Begin a run."""
        return self._db.insert(
            "INSERT INTO retention_run (as_of_ms, started_at_ms, actor) VALUES (?, ?, ?)",
            (to_ms(as_of), to_ms(at), actor),
        )

    def step(self, run: int, rule: str, deleted: int) -> None:
        """Keep what a transaction of a run took."""
        self._db.run(
            "INSERT INTO retention_step (run_id, rule, deleted) VALUES (?, ?, ?)",
            (run, rule, deleted),
        )

    def deleted(self, run: int, rule: str) -> int:
        """Return how much a run has taken under a rule so far."""
        return self._db.number(
            "SELECT coalesce(sum(deleted), 0) FROM retention_step WHERE run_id = ? AND rule = ?",
            (run, rule),
        )

    def logged(self, run: int) -> frozenset[str]:
        """Return the rules that a run is through with."""
        rows = self._db.all("SELECT rule FROM retention_log WHERE run_id = ?", (run,))
        return frozenset(rule for (rule,) in rows)

    def log(self, one: Executed) -> None:
        """Keep what a rule took in a run."""
        planned = one.planned
        self._db.run(
            "INSERT INTO retention_log (run_id, rule, rule_version, finished_at_ms, cutoff_at_ms,"
            " selected, deleted, retained, reasons, left_over, method, checkpoint, ledger, error)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(one.run, planned.rule.id, planned.rule.version, to_ms(one.finished_at)),
                *(to_ms(planned.cutoff_at), planned.selected, one.deleted, planned.retained),
                *(canonical(dict(planned.reasons)), one.left, one.method, one.checkpoint),
                *(one.ledger, one.error),
            ),
        )

    def end_run(self, run: int, at: datetime) -> None:
        """Say that a run is over."""
        self._db.run(
            "INSERT INTO retention_run_end (run_id, at_ms) VALUES (?, ?)", (run, to_ms(at))
        )

    def last_run_at(self) -> datetime | None:
        """Return when the newest run that is over began."""
        row = self._db.one(
            "SELECT max(started_at_ms) FROM retention_run JOIN retention_run_end ON run_id = id"
        )
        return None if row is None or row[0] is None else from_ms(row[0])

    def executed(self, run: int | None = None, limit: int = -1) -> list[Executed]:
        """Return what rules took, newest first: of one run, or of all."""
        return [_executed(row) for row in self._db.all(EXECUTED, {"run": run, "limit": limit})]


def _rule(row: Row | list[object]) -> Rule:
    (rule, version, data_class, begins, period, legal_basis, jurisdiction, justification,
     valid_from, statutory) = row  # fmt: skip
    return Rule(
        id=str(rule),
        version=int(str(version)),
        data_class=str(data_class),
        trigger=Trigger(str(begins)),
        period=Period.parse(str(period)),
        legal_basis=str(legal_basis),
        jurisdiction=str(jurisdiction),
        justification=str(justification),
        valid_from=date.fromisoformat(str(valid_from)),
        statutory=bool(statutory),
    )


def _executed(row: Row) -> Executed:
    (run, started_at_ms, finished_at_ms, actor, cutoff_at_ms, selected, deleted, retained, reasons,
     left, method, checkpoint, ledger, error) = row[:-RULE_COLUMNS]  # fmt: skip
    why = tuple(json.loads(reasons).items())
    rule = _rule(row[-RULE_COLUMNS:])
    return Executed(
        run=run,
        started_at=from_ms(started_at_ms),
        finished_at=from_ms(finished_at_ms),
        actor=actor,
        planned=Planned(rule, from_ms(cutoff_at_ms), selected, retained, why),
        deleted=deleted,
        left=left,
        method=method,
        checkpoint=checkpoint,
        ledger=ledger,
        error=error,
    )
