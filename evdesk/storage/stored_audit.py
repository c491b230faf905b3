"""The audit log as services read it."""

import json
from collections.abc import Callable
from datetime import datetime

from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.domain.errors import LogBroken
from evdesk.domain.notes import Head
from evdesk.domain.verdicts import Known, Verdict
from evdesk.ports import AuditFilter, Evidence, KeptCheckpoint, KeptEntry
from evdesk.storage.audit_log import instant
from evdesk.storage.chain import BROKEN, Chain
from evdesk.storage.checkpoints import CHECKPOINT, kept_checkpoint
from evdesk.storage.connection import Connection, Row, Value
from evdesk.storage.json_text import canonical

EVERYTHING = 2**63 - 1
ALL = AuditFilter()
SELECT = (
    "SELECT audit.seq, at, actor, action, object_type, object_ref, outcome, coalesce(body, '')"
    " FROM audit LEFT JOIN audit_payload USING (seq)"
)
# Looked up in the index alone: what is not stored but read out of an entry is slow to look at.
OF_ACTION = (
    "audit.seq IN (SELECT seq FROM audit INDEXED BY audit_action WHERE action = ?"
    " UNION ALL SELECT seq FROM audit INDEXED BY audit_action WHERE action > ? AND action < ?)"
)


class StoredAudit:
    """Implements ``ports.Audit``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._chain = Chain(connection)

    def entries(self, limit: int, before_seq: int | None = None) -> list[AuditEntry]:
        """Return entries, newest first; ``facts`` is "" where retention took them away."""
        return self.find(ALL, limit, before_seq)

    def find(
        self, wanted: AuditFilter, limit: int | None = None, before_seq: int | None = None
    ) -> list[AuditEntry]:
        """Return the entries that fit, newest first."""
        where, values = _where(wanted)
        rows = self._db.all(
            f"{SELECT} WHERE audit.seq < ? AND {where} ORDER BY audit.seq DESC LIMIT ?",
            (
                EVERYTHING if before_seq is None else before_seq,
                *values,
                -1 if limit is None else limit,
            ),
        )
        return [_entry(row) for row in rows]

    def count(self, wanted: AuditFilter | None = None) -> int:
        """Return how many there are, or how many fit."""
        if wanted is None or wanted == ALL:
            return self._db.number("SELECT coalesce(max(seq), -1) + 1 FROM audit")
        where, values = _where(wanted)
        return self._db.number(f"SELECT count(*) FROM audit WHERE {where}", values)  # noqa: S608

    def head(self) -> Head:
        """Return the head of all entries that are committed."""
        return self._chain.head()

    def kept(self, seq: int) -> KeptEntry | None:
        """Return all there is about an entry."""
        row = self._db.one(f"{SELECT} WHERE audit.seq = ?", (seq,))
        if row is None:
            return None
        text, leaf = self._db.all("SELECT entry, leaf FROM audit WHERE seq = ?", (seq,))[0]
        head, signed = self._chain.head(), self._first_covering(seq)
        rows = self._db.all(
            "SELECT table_name, row_key, digest FROM row_commit WHERE seq = ? ORDER BY 1, 2", (seq,)
        )
        return KeptEntry(
            entry=_entry(row),
            text=text,
            leaf=leaf,
            body=row[-1] or None,
            rows=tuple((table, key, digest) for table, key, digest in rows),
            head=head,
            path=tuple(self._chain.inclusion(seq, head.size)),
            checkpoint=signed,
            signed_path=(
                () if signed is None else tuple(self._chain.inclusion(seq, signed.head.size))
            ),
        )

    def checkpoints(self, limit: int | None = None) -> list[KeptCheckpoint]:
        """Return signed heads, newest first."""
        newest = f"{CHECKPOINT} ORDER BY size DESC, id DESC LIMIT ?"
        found = map(kept_checkpoint, self._db.all(newest, (-1 if limit is None else limit,)))
        return [one for one in found if one is not None]

    def verify(self, known: Known, tell: Callable[[float], None]) -> Verdict:
        """Check everything that is in the log or committed to by it."""
        from evdesk.storage.verification import verify_log

        return verify_log(self._db, known, tell)

    def evidence(self, known: Known) -> Evidence:
        """Return what proves this log to others."""
        from evdesk.storage.evidence_lines import evidence_of

        return evidence_of(self._db, known)

    def _first_covering(self, seq: int) -> KeptCheckpoint | None:
        sql = f"{CHECKPOINT} WHERE size > ? AND size <= ? ORDER BY size, id LIMIT 1"
        row = self._db.one(sql, (seq, self._chain.size()))
        return None if row is None else kept_checkpoint(row)


def _where(wanted: AuditFilter) -> tuple[str, list[Value]]:
    """Return a condition on entries, with its values."""
    parts: list[tuple[str, tuple[Value, ...]]] = []
    if wanted.from_at is not None:
        parts.append(("at >= ?", (instant(wanted.from_at),)))
    if wanted.to_at is not None:
        parts.append(("at < ?", (instant(wanted.to_at),)))
    if wanted.actor is not None:
        parts.append(("actor = ?", (wanted.actor,)))
    if wanted.action is not None:
        noun = wanted.action
        parts.append((OF_ACTION, (noun, f"{noun}.", f"{noun}/")))
    if wanted.about is not None:
        parts.append(_about(wanted.about))
    values = [value for _, some in parts for value in some]
    return " AND ".join(part for part, _ in parts) or "1", values


def _about(text: str) -> tuple[str, tuple[Value, ...]]:
    kind, slash, ref = text.partition("/")
    both = "audit.seq IN (SELECT seq FROM audit WHERE object_type = ? AND object_ref = ?)"
    one = "SELECT seq FROM audit WHERE object_type = ?"
    other = "SELECT seq FROM audit INDEXED BY audit_object WHERE object_ref = ?"
    if slash:
        return both, (kind, ref)
    return f"audit.seq IN ({one} UNION {other})", (text, text)


def _entry(row: Row) -> AuditEntry:
    seq, text, actor, action, object_type, object_ref, outcome, body = row
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise LogBroken(BROKEN, seq=seq) from error
    said = json.loads(body) if body else {}
    return AuditEntry(
        seq=seq,
        at=at,
        actor=actor,
        action=action,
        object_type=object_type,
        object_ref=object_ref,
        outcome=Outcome(outcome),
        reason=said.get("reason"),
        facts=canonical(said["facts"]) if body else "",
    )
