"""Rows of evidence held against what the audit log says of them."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from evdesk.domain.errors import StorageError
from evdesk.domain.verdicts import Findings, What
from evdesk.storage.connection import Connection
from evdesk.storage.entry_batch import Batch
from evdesk.storage.faults import is_unreadable
from evdesk.storage.json_text import canonical
from evdesk.storage.row_commits import KEYS, row_digest, row_text

BY_ENTRY = (
    "SELECT seq, table_name, row_key, digest FROM row_commit INDEXED BY row_commit_seq"
    " WHERE seq >= ? AND seq < ? ORDER BY seq, table_name, row_key"
)
BY_ROW = (
    "SELECT table_name, row_key, seq, digest, salt FROM row_commit"
    " LEFT JOIN row_salt USING (table_name, row_key, seq) ORDER BY table_name, row_key, seq"
)
MASK = 2**64 - 1

Tell = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class RowState:
    """What an entry says of a row, and what the row is now, if no later entry speaks of it.

    ``digest`` None: it was deleted. ``now`` None: it is not there, or cannot be compared.
    """

    table: str
    key: str
    seq: int
    digest: bytes | None
    newest: bool
    there: bool
    now: bytes | None


class CommitLists:
    """What entries say of rows, held against the digest in each entry."""

    def __init__(self, db: Connection, findings: Findings) -> None:
        self._db, self._findings = db, findings
        self.fingerprint = 0

    def compare(self, batch: Batch, begin: int, end: int) -> None:
        """Compare the lists of a batch of entries."""
        listed: dict[int, bytes] = {}
        rows = self._db.all(BY_ENTRY, (begin, end))
        for seq, group in groupby(rows, itemgetter(0)):
            items = [(table, key, digest) for _, table, key, digest in group]
            self.fingerprint += sum(hash((*one, seq)) & MASK for one in items)
            text = canonical([[table, key, _hex(digest)] for table, key, digest in items])
            listed[seq] = hashlib.sha256(text.encode()).hexdigest().encode()
        pairs = zip(batch.seqs, batch.fields, strict=True)
        said = {seq: one.rows for seq, one in pairs if one.rows is not None}
        if said == listed:
            return
        for seq in batch.seqs:
            if said.get(seq) != listed.get(seq):
                self._findings.add(What.ROW_CHANGED, seq, commitments=True)

    def end(self, size: int) -> None:
        """Look for what speaks of rows in the name of entries that are not there."""
        beyond = self._db.number("SELECT count(*) FROM row_commit WHERE seq >= ?", (size,))
        if beyond + self._db.number("SELECT count(*) FROM row_commit WHERE seq < 0"):
            self._findings.add(What.ROW_CHANGED, size, commitments=True)


def row_states(db: Connection) -> Iterator[RowState]:
    """Yield everything that entries say of rows, row by row, oldest entry first."""
    for (table, key), group in groupby(db.each(BY_ROW), itemgetter(0, 1)):
        said = list(group)
        for _, _, seq, digest, _ in said[:-1]:
            yield RowState(table, key, seq, digest, newest=False, there=False, now=None)
        _, _, seq, digest, salt = said[-1]
        there, now = _present(db, table, key, salt)
        yield RowState(table, key, seq, digest, newest=True, there=there, now=now)


def unknown_rows(db: Connection) -> Iterator[tuple[str, str]]:
    """Yield table and key of rows of evidence that no entry speaks of."""
    for table, columns in KEYS.items():
        key = f"json_array({', '.join(f'{table}.{column}' for column in columns)})"
        over = " AND state <> 'open'" if table == "session" else ""
        sql = (
            f"SELECT {key} FROM {table} WHERE NOT EXISTS (SELECT 1 FROM row_commit"  # noqa: S608
            f" WHERE table_name = '{table}' AND row_key = {key}){over}"
        )
        for (found,) in db.each(sql):
            yield table, found


def touched_rows(db: Connection) -> list[tuple[str, str]]:
    """Return table and key of rows that were written, and no entry followed."""
    return [(table, key) for table, key in db.all("SELECT table_name, row_key FROM touched")]


class CheckedRows:
    """Every row of evidence, held against the newest entry that speaks of it."""

    def __init__(self, db: Connection, findings: Findings) -> None:
        self._db, self._findings = db, findings
        self.fingerprint = 0
        self.count = 0

    def run(self, tell: Tell) -> None:
        """Check every row; ``tell`` is told how many commitments are done."""
        for number, state in enumerate(row_states(self._db), start=1):
            one = (state.table, state.key, state.digest, state.seq)
            self.fingerprint += hash(one) & MASK
            if state.newest:
                self._check(state)
            if not number % 1000:
                tell(number)
        for table, key in unknown_rows(self._db):
            self._findings.add(What.ROW_UNKNOWN, None, table=table, key=key)
        for table, key in touched_rows(self._db):
            seq = self._db.one(
                "SELECT max(seq) FROM row_commit WHERE table_name = ? AND row_key = ?",
                (table, key),
            )
            self._findings.add(
                What.ROW_CHANGED, None if seq is None else seq[0], table=table, key=key
            )

    def _check(self, state: RowState) -> None:
        what = None
        if state.digest is None:
            what = What.ROW_UNKNOWN if state.there else None
        elif not state.there:
            what = What.ROW_MISSING
        elif state.now != state.digest:
            what = What.ROW_CHANGED
        self.count += state.digest is not None
        if what is not None:
            self._findings.add(what, state.seq, table=state.table, key=state.key)


def _present(db: Connection, table: str, key: str, salt: object) -> tuple[bool, bytes | None]:
    """Return whether a row is there, and its digest, where its salt is."""
    if not _is_key(table, key):
        return False, None
    try:
        text = row_text(db, table, key)
    except StorageError as error:
        if not is_unreadable(error):
            raise
        return True, None
    if text is None or not isinstance(salt, bytes):
        return text is not None, None
    return True, row_digest(salt, text)


def _is_key(table: str, key: str) -> bool:
    try:
        values = json.loads(key)
    except (ValueError, TypeError, RecursionError):
        return False
    plain = isinstance(values, list) and all(isinstance(one, str | int) for one in values)
    return plain and len(values) == len(KEYS.get(table, ()))


def _hex(digest: object) -> str | None:
    return digest.hex() if isinstance(digest, bytes) else None
