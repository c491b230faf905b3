"""The audit log for people: read it, sign its head, check it, hand it to an auditor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from evdesk.domain import notes
from evdesk.domain.audit import AuditEntry, Change
from evdesk.domain.errors import LogBroken, NotPermitted, StorageError, UserError
from evdesk.domain.notes import Head, Rollback
from evdesk.domain.permissions import Action
from evdesk.domain.verdicts import Known, Result, Verdict, What
from evdesk.ports import (
    AuditFilter,
    EvidenceWriter,
    KeptCheckpoint,
    KeptEntry,
    LogKeys,
    Store,
    TellShare,
    Unit,
)
from evdesk.services.permitting import given, permit

EVERY = AuditFilter()
VERIFIED, EXPORTED = "audit.verified", "evidence.exported"


def silent(_share: float) -> None:
    """Tell nobody how far it is."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a check found; ``recorded``: an entry says that it was made, and what it found.

    ``signed`` is the checkpoint that was made after it, if all was well and the account may sign.
    ``only_heads``: nothing is wrong but that heads from elsewhere are not of this log.
    """

    verdict: Verdict
    recorded: bool
    signed: KeptCheckpoint | None
    only_heads: bool = False


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Evidence that was written: up to which head, and the hash of its list of contents."""

    head: Head
    manifest: str
    recorded: bool
    signed: KeptCheckpoint | None


class AuditService:
    """Use cases of the audit log.

    Checking never changes what is checked: a log in doubt is not written to.
    """

    def __init__(self, store: Store, keys: LogKeys, writer: EvidenceWriter) -> None:
        self._store, self._keys, self._writer = store, keys, writer

    # -- reading --------------------------------------------------------------------------------

    @permit(Action.READ_AUDIT)
    def find(
        self,
        wanted: AuditFilter = EVERY,
        limit: int | None = None,
        before_seq: int | None = None,
    ) -> list[AuditEntry]:
        """Return the entries that fit, newest first; ``actor`` may be the name of an account."""
        with self._store.read() as unit:
            return unit.audit.find(_with_id(unit, wanted), limit, before_seq)

    @permit(Action.READ_AUDIT)
    def count(self, wanted: AuditFilter = EVERY) -> int:
        """Return how many entries fit."""
        with self._store.read() as unit:
            return unit.audit.count(_with_id(unit, wanted))

    @permit(Action.READ_AUDIT)
    def show(self, seq: int) -> KeptEntry:
        """Return all there is about an entry.

        Raises:
            UserError: there is none of that number.

        """
        with self._store.read() as unit:
            kept = unit.audit.kept(seq)
            count = unit.audit.count()
        if kept is None:
            raise UserError(
                "There is no entry {seq}: the log has {count}, numbered from 0.",
                seq=seq,
                count=count,
            )
        return kept

    @permit(Action.READ_AUDIT)
    def proof(self, seq: int) -> str:
        """Return what proves an entry to be in the signed log, as a C2SP tlog-proof.

        Raises:
            UserError: no such entry, or no checkpoint covers it yet.

        """
        kept = self.show(seq)
        if kept.checkpoint is None:
            raise UserError(
                "No checkpoint covers entry {seq} yet, so nothing signed proves it. Make one: "
                "evdesk audit checkpoint",
                seq=seq,
            )
        return notes.proof(seq, kept.signed_path, kept.checkpoint.note)

    @permit(Action.READ_AUDIT)
    def head(self) -> Head:
        """Return the head of all entries."""
        with self._store.read() as unit:
            return unit.audit.head()

    @permit(Action.READ_AUDIT)
    def checkpoints(self, limit: int | None = None) -> list[KeptCheckpoint]:
        """Return signed heads, newest first."""
        with self._store.read() as unit:
            return unit.audit.checkpoints(limit)

    # -- signing --------------------------------------------------------------------------------

    @permit(Action.SIGN_AUDIT)
    def checkpoint(self) -> KeptCheckpoint:
        """Sign the head as it is now, unless that is done already; return the checkpoint.

        Raises:
            NotPermitted: the account has no part in the key.
            StorageError: the log is not the one that was signed or anchored before.

        """
        return self._store.sign_head(self._keys.sign)

    @permit(Action.SIGN_AUDIT)
    def sign_if_possible(self) -> KeptCheckpoint | None:
        """Sign the head if this account may, as the collector does after each sealed hour.

        A log that contradicts itself is not signed, nor one with another key: whoever verifies is
        told so.
        """
        return self._sign()

    def _sign(self) -> KeptCheckpoint | None:
        if not self._keys.can_sign or self._store.rollback is not None:
            return None
        try:
            return self._store.sign_head(self._keys.sign)
        except (StorageError, NotPermitted):
            return None

    # -- checking -------------------------------------------------------------------------------

    @permit(Action.VERIFY_AUDIT)
    def verify(self, heads: Sequence[Head] = (), tell: TellShare = silent) -> Verified:
        """Check everything against itself, the key, the anchor, and heads from elsewhere.

        Where all is well, an entry says so afterwards, and the new head is signed.
        """
        known = self._known(heads)
        with self._store.read() as unit:
            verdict = unit.audit.verify(known, tell)
        recorded = verdict.result is Result.INTACT and self._record(VERIFIED, _counts(verdict))
        signed = self._sign() if recorded else None
        only_heads = self._store.rollback is None and _is_about(verdict, heads)
        return Verified(verdict, recorded, signed, only_heads)

    @permit(Action.LOOK)
    def rollback(self) -> Rollback | None:
        """Return what is wrong with the log as a whole, so that nothing can be changed."""
        return self._store.rollback

    @permit(Action.EXPLAIN_ROLLBACK)
    def explain_rollback(self, reason: str) -> KeptCheckpoint | None:
        """Say why the log is not the one that was anchored, and go on; return a new checkpoint.

        Raises:
            UserError: there is nothing to explain, or no reason.

        """
        reason = given(reason)
        if self._store.rollback is None:
            raise UserError("The audit log is the one that was anchored: nothing to explain.")
        self._store.explain_rollback(reason)
        return self._sign()

    # -- handing over ---------------------------------------------------------------------------

    @permit(Action.EXPORT_EVIDENCE)
    def export(self, out: BinaryIO, tell: TellShare = silent) -> HandedOver:
        """Write all that proves the log into one file; its own entry comes afterwards.

        A log that was rolled back, or is not whole, takes no entry.

        Raises:
            OSError: the file cannot be written.
            StorageError: the log cannot be read, or its entry not be written.

        """
        signed = self._sign()
        known = self._known(())
        with self._store.read() as unit:
            evidence = unit.audit.evidence(known)
            manifest = self._writer.write(evidence, out, tell)
        head = evidence.head
        facts = {"entries": head.size, "head": str(head), "manifest": manifest}
        return HandedOver(head, manifest, self._enter(facts), signed)

    def _enter(self, facts: dict[str, object]) -> bool:
        """Write the entry of an export; return whether the log can take one."""
        if self._store.rollback is not None:
            return False
        try:
            with self._store.write() as unit:
                unit.record_change(Change(EXPORTED, "audit", "log", facts))
        except LogBroken:
            return False
        return True

    def _known(self, heads: Sequence[Head]) -> Known:
        """Return what is known of the log from outside the database, and when it was opened."""
        anchored, rollback = self._keys.anchored(), self._store.rollback
        return Known(
            self._keys.verifier(),
            [*heads, *([] if anchored is None else [anchored])],
            None if rollback is None or rollback.found is None else rollback.found.size,
        )

    def _record(self, action: str, facts: dict[str, object]) -> bool:
        """Write an entry, if that is possible; return whether it was."""
        try:
            with self._store.write() as unit:
                unit.record_change(Change(action, "audit", "log", facts))
        except StorageError:
            return False
        return True


def _with_id(unit: Unit, wanted: AuditFilter) -> AuditFilter:
    """Return a filter in which an account's name is its id."""
    ids = {str(one.name): str(one.id) for one in unit.accounts.all()}
    return replace(wanted, actor=ids.get(wanted.actor or "", wanted.actor))


def _counts(verdict: Verdict) -> dict[str, object]:
    return {
        "entries": verdict.entries,
        "head": str(verdict.head),
        "erased": verdict.erased,
        "rows": verdict.rows,
        "segments": verdict.segments,
        "unsigned_tail": verdict.unsigned_tail,
    }


def _is_about(verdict: Verdict, heads: Sequence[Head]) -> bool:
    """Return whether all that is wrong is that these heads are not of the log."""
    if len(verdict.findings) != 1:
        return False
    found = verdict.findings[0]
    theirs = found.facts.get("head") in {str(head) for head in heads}
    return found.what is What.ROLLED_BACK and theirs and found.count <= len(heads)
