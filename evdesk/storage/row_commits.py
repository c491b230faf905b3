"""What rows of evidence looked like: committed to in the entry of the transaction that wrote them.

``KEYS`` is every such table with the columns of its key. The triggers of the schema note which rows
a transaction has written. A row is hashed as canonical JSON of its columns that are not NULL, so
that a column added later changes nothing; a blob stands in it as ``sha256:`` and its hash.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

from evdesk.storage.connection import Connection
from evdesk.storage.json_text import canonical

SALT_BYTES = 32
MANY = 8  # rows of a table that are read one by one in less time than all at once
KEYS: dict[str, tuple[str, ...]] = {
    "site": ("id",),
    "issuer": ("id",),
    "account": ("id",),
    "driver": ("id",),
    "person_field": ("person_id", "field"),
    "meter": ("id",),
    "meter_choice": ("meter_id", "key"),
    "meter_replacement": ("id",),
    "station": ("id",),
    "station_driver": ("id",),
    "session": ("id",),
    "session_event": ("id",),
    "session_decision": ("id",),
    "explanation": ("id",),
    "tariff": ("id",),
    "tariff_component": ("tariff_id", "position"),
    "tariff_assignment": ("id",),
    "invoice": ("id",),
    "invoice_session": ("session_id",),
    "invoice_document": ("seq",),
    "invoice_event": ("id",),
    "card": ("id",),
    "card_end": ("card_id",),
    "fault": ("id",),
    "fault_event": ("id",),
    "session_aggregate": ("station_id", "month"),
    "retention_rule": ("id",),
    "retention_decision": ("id",),
    "legal_hold": ("id",),
    "legal_hold_release": ("hold_id",),
    "retention_log": ("id",),
    "notice": ("id",),
    "purpose_setting": ("id",),
    "consent_evidence": ("id",),
    "consent_event": ("id",),
    "person_restriction": ("id",),
    "objection": ("id",),
    "key_erasure": ("id",),
    "vehicle": ("id",),
    "request": ("id",),
    "request_event": ("id",),
    "disclosure": ("id",),
    "breach": ("id",),
    "breach_account": ("id",),
    "controller_detail": ("id",),
}


@dataclass(frozen=True, slots=True)
class RowCommit:
    """What an entry says of a row; ``digest`` is None where the row was deleted."""

    table: str
    key: str
    digest: bytes | None

    def listed(self) -> list[str | None]:
        """Return it as it is listed in what the entry commits to."""
        return [self.table, self.key, None if self.digest is None else self.digest.hex()]


class RowCommits:
    """The commitments of one transaction."""

    def __init__(self, connection: Connection, random_bytes: Callable[[int], bytes]) -> None:
        self._db = connection
        self._random_bytes = random_bytes

    def touched(self) -> list[tuple[str, str]]:
        """Return the rows that this transaction has written, by table and key."""
        return [
            (table, key)
            for table, key in self._db.all("SELECT table_name, row_key FROM touched ORDER BY 1, 2")
        ]

    def commit(self, seq: int, rows: list[tuple[str, str]]) -> str:
        """Commit to rows as they are now, in entry ``seq``; return the digest over all of them.

        The entry itself is written afterwards: the transaction checks what points to it at its end.
        """
        commits = list(self._commit(seq, rows))
        self._db.many("DELETE FROM touched WHERE table_name = ? AND row_key = ?", rows)
        return listed_digest(commits)

    def _commit(self, seq: int, rows: list[tuple[str, str]]) -> Iterator[RowCommit]:
        commits, salts = [], []
        for table, group in groupby(rows, itemgetter(0)):
            keys = [key for _, key in group]
            texts = row_texts(self._db, table, keys)
            for key in keys:
                text, digest = texts.get(key), None
                if text is not None:
                    salt = self._random_bytes(SALT_BYTES)
                    digest = row_digest(salt, text)
                    salts.append((table, key, seq, salt))
                commits.append((table, key, seq, digest))
                yield RowCommit(table, key, digest)
        self._db.many("INSERT INTO row_commit VALUES (?, ?, ?, ?)", commits)
        self._db.many("INSERT INTO row_salt VALUES (?, ?, ?, ?)", salts)


def listed_digest(commits: list[RowCommit]) -> str:
    """Return the SHA-256, in hex, over the list of what an entry says of rows."""
    text = canonical([one.listed() for one in sorted(commits, key=_order)])
    return hashlib.sha256(text.encode()).hexdigest()


def row_digest(salt: bytes, text: str) -> bytes:
    """Return the commitment to a row."""
    return hmac.digest(salt, text.encode(), "sha256")


def row_text(connection: Connection, table: str, key: str) -> str | None:
    """Return a row as canonical JSON, or None where there is none."""
    where = " AND ".join(f"{column} = ?" for column in KEYS[table])
    sql = f"SELECT * FROM {table} WHERE {where}"  # noqa: S608 - a name of KEYS
    found = connection.record(sql, json.loads(key))
    return None if found is None else canonical_row(*found)


def row_texts(connection: Connection, table: str, keys: list[str]) -> dict[str, str]:
    """Return rows as canonical JSON by key; many at once where one column is their key."""
    columns = KEYS[table]
    if len(keys) < MANY or len(columns) > 1:
        texts = ((key, row_text(connection, table, key)) for key in keys)
        return {key: text for key, text in texts if text is not None}
    (column,) = columns
    names, rows = connection.records(
        f"SELECT json_array({column}), * FROM {table} WHERE {column}"  # noqa: S608 - of KEYS
        " IN (SELECT value ->> '$[0]' FROM json_each(?))",
        (f"[{','.join(keys)}]",),
    )
    return {key: canonical_row(names[1:], row) for key, *row in rows}


def canonical_row(names: list[str], row: Sequence[object]) -> str:
    """Return the columns of a row that are not NULL as canonical JSON."""
    values = zip(names, row, strict=True)
    return canonical({name: _plain(value) for name, value in values if value is not None})


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return f"sha256:{hashlib.sha256(value).hexdigest()}"
    return value


def _order(one: RowCommit) -> tuple[str, str]:
    return one.table, one.key
