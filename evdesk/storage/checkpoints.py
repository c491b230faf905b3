"""Signed heads of the audit log, kept beside it: never two that contradict each other."""

from collections.abc import Callable
from datetime import datetime

from evdesk.domain import notes
from evdesk.domain.errors import StorageError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.notes import Head
from evdesk.ports import KeptCheckpoint
from evdesk.storage.chain import Chain
from evdesk.storage.connection import Connection, Row

CHECKPOINT = "SELECT size, at_ms, note FROM audit_checkpoint"
CONTRADICTS = (
    "The audit log is not the one that was signed before ({signed}), so nothing was signed now. "
    "Run evdesk audit verify; it says what is wrong with it."
)


def keep_checkpoint(db: Connection, sign: Callable[[Head], str], now: datetime) -> KeptCheckpoint:
    """Sign the head of the log as it is, unless that is done already; return the checkpoint.

    Raises:
        StorageError: an earlier checkpoint is of another log, or the log is broken.

    """
    chain = Chain(db)
    head = chain.head()
    row = db.one(f"{CHECKPOINT} ORDER BY size DESC, id DESC LIMIT 1")
    if row is not None:
        newest = kept_checkpoint(row)
        if newest is None or not _continues(chain, newest.head, head):
            raise StorageError(CONTRADICTS, signed=row[0])
        if newest.head == head:
            return newest
    note, at_ms = sign(head), to_ms(now)
    insert = "INSERT INTO audit_checkpoint (size, at_ms, note) VALUES (?, ?, ?)"
    db.run(insert, (head.size, at_ms, note))
    return KeptCheckpoint(head, from_ms(at_ms), note)


def kept_checkpoint(row: Row) -> KeptCheckpoint | None:
    """Return the checkpoint of a row, or None where it is none that can be read."""
    _, at_ms, note = row
    try:
        return KeptCheckpoint(notes.parse(note).head, from_ms(at_ms), note)
    except (ValueError, OverflowError):
        return None


def _continues(chain: Chain, signed: Head, head: Head) -> bool:
    return signed.size <= head.size and chain.head(signed.size) == signed
