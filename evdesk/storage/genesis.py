"""How the audit log of a site begins: entry 0 commits to all that was there before it."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from evdesk.domain.instants import from_ms
from evdesk.domain.notes import Verifier
from evdesk.storage.audit_log import SALT_BYTES, instant
from evdesk.storage.chain import Chain, Last
from evdesk.storage.connection import Connection, Row
from evdesk.storage.json_text import canonical, hashed_text
from evdesk.storage.row_commits import KEYS, RowCommits

LOG_ID_BYTES = 32
BEGUN = "log.begun"
RandomBytes = Callable[[int], bytes]


def has_begun(connection: Connection) -> bool:
    """Return whether entry 0 is there."""
    return connection.one("SELECT 1 FROM audit WHERE seq = 0") is not None


def begin(
    connection: Connection, verifier: Verifier, program: str, now: datetime, random: RandomBytes
) -> None:
    """Write entry 0 and take over the entries of a log that was no tree yet.

    Call it in a transaction that holds the write lock, when ``has_begun`` says no.
    """
    before = connection.all(
        "SELECT seq, at_ms, actor, action, object_type, object_ref, outcome, reason, salt, body"
        " FROM audit_before JOIN audit_payload_before USING (seq) ORDER BY seq"
    )
    _touch_everything(connection)
    facts = {
        "log_id": random(LOG_ID_BYTES).hex(),
        "key": str(verifier),
        "schema_version": connection.number("PRAGMA user_version"),
        "program": program,
        "entries_before": len(before),
        "sha256_before": _digest(before),
    }
    chain, rows = Chain(connection), RowCommits(connection, random)
    fields = {
        "at": instant(from_ms(before[0][1]) if before else now),
        "actor": "evdesk",
        "role": "program",
        "action": BEGUN,
        "object_type": "site",
        "object_ref": verifier.name,
        "outcome": "ok",
    }
    touched = rows.touched()
    if touched:
        fields["rows"] = rows.commit(0, touched)
    last = chain.append(fields, hashed_text({"facts": facts}), random(SALT_BYTES), None)
    for row in before:
        last = _take_over(chain, row, last)
    connection.run("DROP TABLE audit_payload_before")
    connection.run("DROP TABLE audit_before")


def _take_over(chain: Chain, row: Row, last: Last) -> Last:
    _, at_ms, actor, action, object_type, object_ref, outcome, reason, salt, facts = row
    fields = {
        "at": instant(from_ms(at_ms)),
        "actor": actor,
        "role": "unknown",
        "action": action,
        "object_type": object_type,
        "object_ref": object_ref,
        "outcome": outcome,
    }
    said = {} if reason is None else {"reason": reason}
    body = hashed_text({"facts": json.loads(facts), **said})
    return chain.append(fields, body, salt, last)


def _touch_everything(connection: Connection) -> None:
    for table, key in KEYS.items():
        over = " WHERE state <> 'open'" if table == "session" else ""
        columns = ", ".join(key)
        connection.run(
            f"INSERT OR IGNORE INTO touched SELECT '{table}', json_array({columns})"  # noqa: S608
            f" FROM {table}{over}"
        )


def _digest(rows: list[Row]) -> str:
    plain = [[_hex(value) for value in row] for row in rows]
    return hashlib.sha256(canonical(plain).encode()).hexdigest()


def _hex(value: object) -> object:
    return value.hex() if isinstance(value, bytes) else value
