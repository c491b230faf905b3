"""Every entry of the audit log held against the others: in order, chained, with its payload."""

import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from evdesk.domain.audit import PAYLOAD_ERASED, numbers_of
from evdesk.domain.verdicts import Findings, What
from evdesk.storage.checked_rows import CommitLists
from evdesk.storage.checked_tree import BATCH, CheckedTree
from evdesk.storage.connection import Connection
from evdesk.storage.entry_batch import Batch, read_batch
from evdesk.storage.entry_text import Fields
from evdesk.storage.genesis import BEGUN

RESTORED = "site.restored"
TELLING = {BEGUN.encode(), RESTORED.encode(), PAYLOAD_ERASED.encode()}
PAYLOADS = (
    "SELECT seq, salt, CAST(body AS BLOB) FROM audit_payload WHERE seq >= ? AND seq < ?"
    " ORDER BY seq"
)

Tell = Callable[[int], None]


@dataclass(slots=True)
class Entries:
    """What was learned on the way through the log.

    ``roots`` has the root of each size that was asked for, ``key`` is the one the log began with;
    ``restores`` are number, anchored and found head of each restore.
    """

    size: int
    count: int = 0
    erased: int = 0
    clock_set_back: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)
    key: str | None = None
    restores: list[tuple[int, str, str]] = field(default_factory=list)


class CheckedEntries:
    """One walk through the first ``size`` entries; ``sizes`` are those whose roots are wanted."""

    def __init__(self, db: Connection, findings: Findings, size: int, sizes: Iterable[int]) -> None:
        self._db, self._findings = db, findings
        self._tree = CheckedTree(db, findings)
        self.commits = CommitLists(db, findings)
        self._at = b""
        self._gone: list[range] = []
        self._named: list[tuple[int, range]] = []
        self.found = Entries(size)
        self._sizes = sorted({*sizes, size}, reverse=True)

    def run(self, tell: Tell) -> Entries:
        """Check every entry; ``tell`` is told how many are done."""
        found = self.found
        if not found.size:
            self._findings.add(What.ENTRY_MISSING, 0)
        if self._db.number("SELECT count(*) FROM audit WHERE seq < 0"):
            self._findings.add(What.ORDER, 0)
        for begin in range(0, found.size, BATCH):
            end = min(begin + BATCH, found.size)
            self._check(begin, end)
            tell(end)
        self._keep_roots()
        self._tree.compare_count()
        self.commits.end(found.size)
        self._stray_payloads()
        self._explain_gone()
        return found

    def _check(self, begin: int, end: int) -> None:
        batch = read_batch(self._db, begin, end, self._findings)
        self.found.count += batch.count
        self._clock(batch)
        self._payloads(batch, begin, end)
        self.commits.compare(batch, begin, end)
        if not begin and (not batch.seqs or batch.fields[0].action != BEGUN.encode()):
            self._findings.add(What.ENTRY_MISSING, 0)
        for seq, fields in zip(batch.seqs, batch.fields, strict=True):
            if fields.action in TELLING:
                self._take_in(seq, fields)
        self._tree.add(batch.leaves)
        self._keep_roots()

    def _keep_roots(self) -> None:
        while self._sizes and self._sizes[-1] <= self._tree.size:
            size = self._sizes.pop()
            self.found.roots[size] = self._tree.root(size)

    # -- clock and payloads ---------------------------------------------------------------------

    def _clock(self, batch: Batch) -> None:
        instants = [self._at, *(one.at for one in batch.fields)]
        self._at = instants[-1]
        marked = [one.clock is not None for one in batch.fields]
        self.found.clock_set_back += sum(marked)
        if instants == sorted(instants):
            return
        for number, seq in enumerate(batch.seqs):
            if instants[number + 1] < instants[number] and not marked[number]:
                self._findings.add(What.CLOCK, seq, at=instants[number + 1].decode())

    def _payloads(self, batch: Batch, begin: int, end: int) -> None:
        rows = self._db.all(PAYLOADS, (begin, end))
        digests = [_commitment(salt, body) for _, salt, body in rows]
        said = [one.payload for one in batch.fields]
        if [seq for seq, _, _ in rows] == batch.seqs and digests == said:
            return
        there = dict(zip((seq for seq, _, _ in rows), digests, strict=True))
        for seq, one in zip(batch.seqs, batch.fields, strict=True):
            if seq not in there:
                self._gone_is(seq)
            elif there[seq] != one.payload:
                self._findings.add(What.PAYLOAD_CHANGED, seq)

    def _gone_is(self, seq: int) -> None:
        if self._gone and self._gone[-1].stop == seq:
            self._gone[-1] = range(self._gone[-1].start, seq + 1)
        else:
            self._gone.append(range(seq, seq + 1))

    def _explain_gone(self) -> None:
        """Say of each payload that is gone which later entry names it, or that none does."""
        named = _Named(self._named)
        for span in self._gone:
            for seq in span:
                if named.after(seq):
                    self.found.erased += 1
                else:
                    self._findings.add(What.PAYLOAD_CHANGED, seq, gone=True)

    def _stray_payloads(self) -> None:
        for where in ("seq < 0", "seq >= ?1"):
            sql = f"SELECT min(seq), count(*) FROM audit_payload WHERE ?1 = ?1 AND {where}"  # noqa: S608
            stray = self._db.one(sql, (self.found.size,))
            if stray and stray[1]:
                self._findings.add(What.PAYLOAD_CHANGED, max(stray[0], 0), stray=stray[1])

    # -- entries that tell of others ------------------------------------------------------------

    def _take_in(self, seq: int, fields: Fields) -> None:
        if fields.action == PAYLOAD_ERASED.encode():
            row = self._db.one("SELECT CAST(entry AS BLOB) FROM audit WHERE seq = ?", (seq,))
            ref = str(json.loads(row[0])["object_ref"]) if row else ""
            self._named += [(seq, span) for span in numbers_of(ref)]
            return
        row = self._db.one("SELECT CAST(body AS BLOB) FROM audit_payload WHERE seq = ?", (seq,))
        facts = facts_in(row and row[0])
        if seq in self._findings.bad or facts is None:
            return
        if fields.action == RESTORED.encode():
            anchored, found = str(facts.get("anchored")), str(facts.get("found"))
            self.found.restores.append((seq, anchored, found))
        elif seq == 0:
            self.found.key = str(facts.get("key"))


class _Named:
    """The numbers that entries of erasures name."""

    def __init__(self, named: list[tuple[int, range]]) -> None:
        self._spans = sorted((span.start, span.stop, seq) for seq, span in named)
        self._next = 0
        self._open: list[tuple[int, int]] = []

    def after(self, seq: int) -> bool:
        """Return whether a later entry names this one; ask in rising order."""
        while self._next < len(self._spans) and self._spans[self._next][0] <= seq:
            self._open.append(self._spans[self._next][1:])
            self._next += 1
        self._open = [one for one in self._open if one[0] > seq]
        return any(by > seq for _, by in self._open)


def facts_in(body: object) -> dict[str, object] | None:
    """Return the facts of a payload, or None where it is gone or has none."""
    try:
        facts = json.loads(body)["facts"] if isinstance(body, bytes) else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def _commitment(salt: object, body: object) -> bytes | None:
    if not isinstance(salt, bytes) or not isinstance(body, bytes):
        return None
    return hmac.digest(salt, body, "sha256").hex().encode()
