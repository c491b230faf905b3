"""What checking the audit log found, and what is told of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evdesk.domain.notes import Head, Verifier

MOST_BAD = 100_000  # entries found bad that are told apart; a log in ruins needs no longer list


class What(StrEnum):
    """What is not as it was written; the codes are a promise to scripts."""

    ENTRY_CHANGED = "entry_changed"  # an entry, or the order of its fields
    ENTRY_MISSING = "entry_missing"
    ORDER = "order"  # an entry stands where another one belongs
    PAYLOAD_CHANGED = "payload_changed"  # or it is gone, and no entry says who erased it
    ROW_CHANGED = "row_changed"
    ROW_MISSING = "row_missing"
    ROW_UNKNOWN = "row_unknown"  # a row that no entry knows, or one that was deleted
    SEGMENT_CHANGED = "segment_changed"  # sealed readings
    CHECKPOINT_FORGED = "checkpoint_forged"  # not signed by the key of this log
    CHECKPOINT_FORK = "checkpoint_fork"  # two signed heads of one size
    KEY_CHANGED = "key_changed"  # keys.json has another key than the log began with
    ROLLED_BACK = "rolled_back"  # shorter than, or another one than, a head that is known
    CLOCK = "clock"  # an entry is older than the one before it, and does not say so
    NODE_CHANGED = "node_changed"  # a stored inner node of the tree
    FILE_CHANGED = "file_changed"  # the database does not fit together


STRUCTURE = frozenset({What.ENTRY_CHANGED, What.ENTRY_MISSING, What.ORDER})


class Doubt(StrEnum):
    """Why it cannot be told whether all is as it was written."""

    KEY_MISSING = "key_missing"  # no key is known from outside the log
    ANCHOR_MISSING = "anchor_missing"  # no head is known from outside the database
    RESTORED = "restored"  # a head of entries that were lost with a restore, which is in the log


class Result(StrEnum):
    """How it ended."""

    INTACT = "intact"
    TAMPERED = "tampered"
    UNVERIFIABLE = "unverifiable"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known from outside the database: the key of keys.json, and heads of the log.

    Take the heads before the view of the database that is checked: the log only grows. ``found`` is
    how many entries a log that was rolled back had when it was opened: opening it adds one.
    """

    key: Verifier | None
    heads: Sequence[Head]
    found: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of what is wrong: how often, and where first, as far as an entry tells."""

    what: What
    seq: int | None
    count: int
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is, what of it is proven, and what is wrong.

    ``verified`` entries are whole with their payloads, ``erased`` ones have none any more, as
    later entries say. ``unsigned_tail`` counts the entries behind the newest good checkpoint.
    ``unproven_segments`` are sealed readings whose entry says too little to prove them.
    ``erased_under`` counts rows by the rule that they were erased under, ``erased_days`` days whose
    readings were: nothing of these is missing. ``head`` is
    that of the entries as they are now; None where they cannot be read.
    """

    head: Head | None
    entries: int
    verified: int
    erased: int
    clock_set_back: int
    rows: int
    segments: int
    unproven_segments: int
    checkpoints: int
    unsigned_tail: int
    newest_checkpoint_at: datetime | None
    findings: tuple[Finding, ...]
    doubts: tuple[Doubt, ...]
    erased_under: tuple[tuple[str, int], ...] = ()
    erased_days: int = 0

    @property
    def result(self) -> Result:
        """Return how it ended."""
        if self.findings:
            return Result.TAMPERED
        return Result.UNVERIFIABLE if self.doubts else Result.INTACT

    @property
    def first(self) -> Finding | None:
        """Return the finding about the earliest entry; those that name none come last."""
        return self.findings[0] if self.findings else None


class Findings:
    """Takes in what is found, and keeps the first of each kind."""

    def __init__(self) -> None:
        self.bad: set[int] = set()
        self._kinds: dict[What, Finding] = {}
        self._structural: list[int] = []

    def add(self, what: What, seq: int | None = None, **facts: object) -> None:
        """Take in what is wrong, and the number of the entry that tells it."""
        known = self._kinds.get(what)
        if known is None:
            self._kinds[what] = Finding(what, seq, 1, facts)
        elif seq is not None and (known.seq is None or seq < known.seq):
            self._kinds[what] = Finding(what, seq, known.count + 1, facts)
        else:
            self._kinds[what] = Finding(what, known.seq, known.count + 1, known.facts)
        if seq is not None and len(self.bad) < MOST_BAD:
            self.bad.add(seq)
            if what in STRUCTURE:
                self._structural.append(seq)

    def broken_within(self, first: int, last: int) -> bool:
        """Return whether one of these entries is known to be no longer what it was.

        A tree over them has another root then, which is no news.
        """
        return any(first <= seq <= last for seq in self._structural)

    def listed(self) -> tuple[Finding, ...]:
        """Return one finding a kind, by entry."""
        order = list(What)
        return tuple(
            sorted(
                self._kinds.values(),
                key=lambda one: (one.seq is None, one.seq or 0, order.index(one.what)),
            )
        )
