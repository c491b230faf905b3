"""What proves the audit log to others, as lines of files; docs/audit.md describes each file."""

import hashlib
from collections.abc import Iterator, Mapping

from evdesk.domain import merkle
from evdesk.domain.errors import LogBroken
from evdesk.domain.instants import from_ms
from evdesk.domain.notes import Head
from evdesk.domain.verdicts import Known
from evdesk.ports import Evidence
from evdesk.storage.audit_log import instant
from evdesk.storage.chain import Chain
from evdesk.storage.checked_rows import row_states, touched_rows, unknown_rows
from evdesk.storage.checked_schema import schema_differences
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import canonical

ENTRIES, PAYLOADS, ROWS = "entries.jsonl", "payloads.jsonl", "rows.jsonl"
SEGMENTS, CHECKPOINTS, KEY, STATE = "segments.jsonl", "checkpoints.txt", "key.txt", "state.json"
LAST_MS = 253_402_300_799_999  # the year 9999 ends
UNKNOWN = "unknown"  # there, and not to be compared


def evidence_of(db: Connection, known: Known) -> Evidence:
    """Return what proves the log as it is in this transaction.

    Raises:
        StorageError: the database cannot be read.

    """
    tables = ("audit", "audit_payload", "row_commit", "segment", "audit_checkpoint")
    counts = [db.number(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608
    return Evidence(
        head=_head(db),
        lines=sum(counts),
        files={
            ENTRIES: _entries(db),
            PAYLOADS: _payloads(db),
            ROWS: _rows(db),
            SEGMENTS: _segments(db),
            CHECKPOINTS: _checkpoints(db),
            KEY: iter([f"{known.key or ''}\n".encode()]),
            STATE: _state(db, known),
        },
    )


def _head(db: Connection) -> Head:
    """Return the head of the log; of one with holes, that of the entries that are there."""
    try:
        return Chain(db).head()
    except LogBroken:
        tree = merkle.Growing()
        for (leaf,) in db.each("SELECT leaf FROM audit ORDER BY seq"):
            tree.add(leaf)
        return Head(tree.size, tree.root())


def _entries(db: Connection) -> Iterator[bytes]:
    for (text,) in db.each("SELECT CAST(entry AS BLOB) FROM audit ORDER BY seq"):
        yield text + b"\n"


def _payloads(db: Connection) -> Iterator[bytes]:
    rows = db.each("SELECT seq, salt, CAST(body AS BLOB) FROM audit_payload ORDER BY seq")
    for seq, salt, body in rows:
        text = body.decode(errors="replace")
        yield _line({"seq": seq, "salt": _hex(salt), "body": text})


def _rows(db: Connection) -> Iterator[bytes]:
    for state in row_states(db):
        said = {"table": state.table, "key": state.key, "seq": state.seq}
        line: dict[str, object] = {**said, "digest": _hex(state.digest)}
        if state.newest:
            line["now"] = _hex(state.now) or (UNKNOWN if state.there else None)
        yield _line(line)
    for table, key in unknown_rows(db):
        yield _line({"table": table, "key": key, "seq": None, "digest": None, "now": UNKNOWN})


def _segments(db: Connection) -> Iterator[bytes]:
    if db.one("SELECT 1 FROM segment LIMIT 1") is None:
        return
    from evdesk.storage.checked_segments import days, segment_states

    for day in days(db):
        for state in segment_states(db, day):
            one = state.segment
            curve, register, rest = one.digests
            yield _line(
                {
                    "meter": one.span.source.meter_id,
                    "socket": one.span.source.socket,
                    "from_ms": one.span.from_ms,
                    "until_ms": one.span.until_ms,
                    "part": one.span.part,
                    "bucket_ms": one.bucket_ms,
                    "readings": one.readings,
                    "first_ms": one.first_ms,
                    "last_ms": one.last_ms,
                    "curve": curve.hex(),
                    "register": register.hex(),
                    "rest": rest.hex(),
                    "buckets": hashlib.sha256(one.buckets).hexdigest(),
                    "digest": one.digest.hex(),
                    "whole": state.whole,
                }
            )


def _checkpoints(db: Connection) -> Iterator[bytes]:
    """Yield the signed notes as they are, each but the last with an empty line behind it."""
    between = b""
    for (note,) in db.each("SELECT CAST(note AS BLOB) FROM audit_checkpoint ORDER BY size, id"):
        yield between + note
        between = b"\n"


def _state(db: Connection, known: Known) -> Iterator[bytes]:
    last = db.one("SELECT leaf FROM audit ORDER BY seq DESC LIMIT 1")
    rows = db.all("SELECT size, at_ms FROM audit_checkpoint ORDER BY size, id")
    times = [[size, instant(from_ms(min(max(at_ms, 0), LAST_MS)))] for size, at_ms in rows]
    yield _line(
        {
            "anchors": [str(head) for head in known.heads],
            "checkpoint_times": times,
            "found": known.found,
            "head": str(_head(db)),
            "last_leaf": _hex(last and last[0]),
            "schema": schema_differences(db),
            "sealed_to_ms": db.number("SELECT sealed_to_ms FROM archive"),
            "touched": [list(one) for one in touched_rows(db)],
        }
    )


def _line(value: Mapping[str, object]) -> bytes:
    return canonical(value).encode(errors="replace") + b"\n"


def _hex(value: object) -> str | None:
    return value.hex() if isinstance(value, bytes) else None
