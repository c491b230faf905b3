"""Audit logs that were never written: as long as one likes, or of a real tree."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from evdesk.domain import merkle
from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.domain.notes import Head, Rollback
from evdesk.domain.verdicts import Doubt, Finding, Verdict, What
from evdesk.ports import AuditFilter, KeptCheckpoint, KeptEntry, TellShare
from evdesk.services.auditing import EVERY, AuditService, HandedOver, Verified, silent

BEGAN = datetime(2026, 11, 20, 6, tzinfo=UTC)
TURNS: tuple[Any, ...] = (
    ("A-HANNA000", "session.assigned", "session", "12", {"driver": "D-17KQ2M9X"}),
    ("collector", "session.closed", "session", "13", {"energy_wh": 18_204, "flags": ["comm_gap"]}),
    ("A-DENIZ000", "invoice.issued", "invoice", "I-1F4K2", {"number": "2026-00007"}),
    ("A-AUDIT000", "person.revealed", "driver", "D-17KQ2M9X", {}),
    ("A-DENIZ000", "access.denied", "action", "change tariffs", {}),
    ("collector", "readings.sealed", "hour", "2026-11-20T07", {"segments": 6}),
)
PROOF = "c2sp.org/tlog-proof@v1\nindex 1\n"


class StubAudit(AuditService):
    """``told`` is what is wrong with the log as a whole; ``bad`` the first bad entry, if any."""

    def __init__(
        self, size: int = 60, told: Rollback | None = None, bad: int | None = None
    ) -> None:
        self.told, self.bad, self.signs = told, bad, True
        self.strange_heads = False  # whatever head is compared is not of this log
        self.compared: list[Head] = []
        self.reasons: list[str] = []
        self.asked: list[tuple[AuditFilter, int | None]] = []
        self.leaves: list[bytes] = []
        self.texts: list[str] = []
        self.made: list[KeptCheckpoint] = []
        for _ in range(size):
            self.grow()
        if size:
            self.checkpoint_at(size * 2 // 3)

    def grow(self) -> None:
        """Write one more entry."""
        seq = len(self.texts)
        self.texts.append(json.dumps({"v": 1, "seq": seq, "action": TURNS[seq % 6][1]}))
        self.leaves.append(merkle.leaf_hash(self.texts[-1].encode()))

    def entry(self, seq: int) -> AuditEntry:
        actor, action, kind, ref, facts = TURNS[seq % 6]
        return AuditEntry(
            seq, BEGAN + timedelta(minutes=seq), actor, action, kind, ref,
            Outcome.DENIED if action == "access.denied" else Outcome.OK,
            "sample of the audit" if action == "person.revealed" else None, json.dumps(facts),
        )  # fmt: skip

    def head(self, size: int | None = None) -> Head:
        size = len(self.leaves) if size is None else size
        return Head(size, merkle.root_of(self.leaves[:size]))

    def find(
        self, wanted: AuditFilter = EVERY, limit: int | None = None, before_seq: int | None = None
    ) -> list[AuditEntry]:
        self.asked.append((wanted, before_seq))
        top = len(self.texts) if before_seq is None else min(before_seq, len(self.texts))
        entries = map(self.entry, range(top - 1, -1, -1))
        return [each for each in entries if _fits(each, wanted)][:limit]

    def count(self, wanted: AuditFilter = EVERY) -> int:
        return len(self.texts) if wanted == EVERY else len(self.find(wanted))

    def show(self, seq: int) -> KeptEntry:
        covering = [one for one in self.made if one.head.size > seq]
        signed = min(covering, key=lambda one: one.head.size, default=None)
        entry = self.entry(seq)
        return KeptEntry(
            entry, self.texts[seq], self.leaves[seq], json.dumps({"facts": {}}),
            (("session", "[12]", b"x" * 32),) if entry.object_type == "session" else (),
            self.head(), tuple(self._path(seq, len(self.leaves))), signed,
            () if signed is None else tuple(self._path(seq, signed.head.size)),
        )  # fmt: skip

    def _path(self, seq: int, size: int) -> list[bytes]:
        def node(level: int, index: int) -> bytes:
            span = 1 << level
            return merkle.root_of(self.leaves[index * span : (index + 1) * span])

        return merkle.inclusion(seq, size, node)

    def proof(self, seq: int) -> str:
        return PROOF

    def checkpoints(self, limit: int | None = None) -> list[KeptCheckpoint]:
        return list(reversed(self.made))[:limit]

    def checkpoint_at(self, size: int) -> KeptCheckpoint:
        head = self.head(size)
        note = f"S-4F7K\n{size}\n{str(head).partition(':')[2]}\n\n— S-4F7K c2lnbmVk\n"
        self.made.append(KeptCheckpoint(head, BEGAN + timedelta(minutes=size), note))
        return self.made[-1]

    def checkpoint(self) -> KeptCheckpoint:
        return self.checkpoint_at(len(self.leaves))

    def verify(self, heads: Sequence[Head] = (), tell: TellShare = silent) -> Verified:
        self.compared += heads
        for share in range(5):
            tell(share / 5)
        findings: tuple[Finding, ...] = ()
        if self.bad is not None:
            findings = (Finding(What.ENTRY_CHANGED, self.bad, 3, {}),)
        if self.told is not None or self.strange_heads:
            findings += (Finding(What.ROLLED_BACK, 46, 1, {}),)
        doubts = () if self.signs else (Doubt.ANCHOR_MISSING,)
        size = len(self.texts)
        verdict = Verdict(
            self.head(), size, size - len(findings), 2, 0, 812, 144, 0, len(self.made),
            size - self.made[-1].head.size, self.made[-1].at, findings, doubts,
        )  # fmt: skip
        recorded = not findings and self.signs
        return Verified(verdict, recorded, self.checkpoint() if recorded else None,
                        self.strange_heads)  # fmt: skip

    def export(self, out, tell: TellShare = silent) -> HandedOver:
        tell(0.5)
        out.write(b"PK")
        return HandedOver(self.head(), "ab" * 32, True, None)

    def rollback(self) -> Rollback | None:
        return self.told

    def explain_rollback(self, reason: str) -> KeptCheckpoint | None:
        self.reasons.append(reason)
        self.told = None
        return None


def _fits(entry: AuditEntry, wanted: AuditFilter) -> bool:
    noun = entry.action.partition(".")[0]
    return (
        (wanted.from_at is None or entry.at >= wanted.from_at)
        and wanted.actor in {None, entry.actor}
        and wanted.action in {None, entry.action, noun}
        and wanted.about
        in {None, entry.object_type, entry.object_ref, f"{entry.object_type}/{entry.object_ref}"}
    )
