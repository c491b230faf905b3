"""How rows of each kind leave the database, through the one door that is left for it.

Each function takes out what a chunk names, all of it, and returns how many of its keys there were.
Salts go with the rows that they stood for, or what was there could be guessed and proven.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from evdesk.storage.connection import Connection, Row, Value

DAY_MS = 86_400_000
IN_KEYS = "IN (SELECT value FROM json_each(?))"
ENERGY = (
    "coalesce((SELECT end_wh - start_wh FROM session_decision AS decision"
    " WHERE decision.session_id = session.id AND kind = 'corrected'"
    " ORDER BY decision.id DESC LIMIT 1), energy_wh)"
)
ADD_UP = (
    "INSERT INTO session_aggregate (station_id, month, sessions, energy_wh, unmeasured)"
    " VALUES (?, ?, ?, ?, ?) ON CONFLICT (station_id, month) DO UPDATE SET"
    " sessions = sessions + excluded.sessions, energy_wh = energy_wh + excluded.energy_wh,"
    " unmeasured = unmeasured + excluded.unmeasured"
)
FLOOR = (
    "INSERT INTO invoice_floor (series, serial)"  # noqa: S608 - a constant
    f" SELECT series, max(serial) FROM invoice WHERE id {IN_KEYS} GROUP BY series"
    " ON CONFLICT (series) DO UPDATE SET serial = max(serial, excluded.serial)"
)
FORGET_SALTS = (
    "DELETE FROM row_salt WHERE (table_name, row_key) IN (SELECT table_name, row_key FROM touched)"
)
UNIT = "\x1f"  # between person and purpose in the key of consents


@dataclass(frozen=True, slots=True)
class Chunk:
    """Keys that are to go; ``tz`` tells in which month a session began."""

    keys: tuple[int | str, ...]
    data_class: str
    tz: str

    @property
    def listed(self) -> tuple[str]:
        """Return the keys as the one value of a statement: a JSON list."""
        return (json.dumps(self.keys),)


@contextmanager
def permitted(db: Connection, *tables: str) -> Iterator[None]:
    """Open the door of some tables for what this transaction deletes; forget what it wrote of."""
    doors = [(table,) for table in (*tables, "row_salt")]
    db.many("INSERT INTO deletion_permit VALUES (?, 'retention')", doors)
    yield
    db.run(FORGET_SALTS)
    db.many("DELETE FROM deletion_permit WHERE table_name = ?", doors)


# -- sessions and invoices ------------------------------------------------------------------------


def aggregate_sessions(db: Connection, chunk: Chunk) -> int:
    """Add sessions to the figures of their charging points and months, and drop them."""
    rows = db.all(
        f"SELECT station_id, plugged_in_at_ms, {ENERGY} FROM session WHERE id {IN_KEYS}",  # noqa: S608
        chunk.listed,
    )
    with permitted(db, "session", "session_event", "session_decision"):
        db.many(ADD_UP, _added_up(rows, chunk.tz))
        return _drop_sessions(db, chunk.listed)


def _added_up(rows: list[Row], tz: str) -> list[tuple[Value, ...]]:
    zone = ZoneInfo(tz)
    figures: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for station, plugged_in_at_ms, energy_wh in rows:
        local = datetime.fromtimestamp(plugged_in_at_ms // 1000, zone)
        sums = figures[station, f"{local.year:04}-{local.month:02}"]
        sums[0] += 1
        sums[1] += energy_wh or 0
        sums[2] += energy_wh is None
    return [(*key, *sums) for key, sums in sorted(figures.items())]


def _drop_sessions(db: Connection, listed: tuple[str]) -> int:
    db.run(f"DELETE FROM session_event WHERE session_id {IN_KEYS}", listed)  # noqa: S608
    db.run(f"DELETE FROM session_decision WHERE session_id {IN_KEYS}", listed)  # noqa: S608
    return db.run(f"DELETE FROM session WHERE id {IN_KEYS}", listed)  # noqa: S608


def unlink_sessions(db: Connection, chunk: Chunk) -> int:
    """Let billed sessions no longer say whose they were, nor which card began them."""
    with permitted(db, "session"):
        return db.run(
            "UPDATE session SET driver_id = NULL, tag_digest = NULL, tag_shown = NULL"  # noqa: S608
            f" WHERE id {IN_KEYS}",
            chunk.listed,
        )


def drop_invoices(db: Connection, chunk: Chunk) -> int:
    """Drop invoices with all that belongs to them, and the sessions that they billed."""
    found = db.all(
        f"SELECT session_id FROM invoice_session WHERE invoice_id {IN_KEYS}",  # noqa: S608
        chunk.listed,
    )
    sessions = (json.dumps([session for (session,) in found]),)
    of_invoices = ("invoice_document", "invoice_event", "invoice_session")
    with permitted(db, *of_invoices, "invoice", "session", "session_event", "session_decision"):
        db.run(FLOOR, chunk.listed)
        for table in of_invoices:
            db.run(f"DELETE FROM {table} WHERE invoice_id {IN_KEYS}", chunk.listed)  # noqa: S608
        _drop_sessions(db, sessions)
        return db.run(f"DELETE FROM invoice WHERE id {IN_KEYS}", chunk.listed)  # noqa: S608


def drop_drafts(db: Connection, chunk: Chunk) -> int:
    """Drop drafts; their sessions can be billed anew."""
    return db.run(f"DELETE FROM invoice_draft WHERE id {IN_KEYS}", chunk.listed)  # noqa: S608


# -- people ---------------------------------------------------------------------------------------


def drop_fields(db: Connection, chunk: Chunk) -> int:
    """Drop the fields of one class of persons, whose key is destroyed already."""
    with permitted(db):
        db.run(
            f"DELETE FROM person_field WHERE person_id {IN_KEYS} AND data_class = ?",  # noqa: S608
            (*chunk.listed, chunk.data_class),
        )
    return len(chunk.keys)


def drop_vehicles(db: Connection, chunk: Chunk) -> int:
    """Drop what is known of persons' vehicles."""
    with permitted(db, "vehicle"):
        return db.run(f"DELETE FROM vehicle WHERE person_id {IN_KEYS}", chunk.listed)  # noqa: S608


def drop_consents(db: Connection, chunk: Chunk) -> int:
    """Drop whole histories of consent, a person and a purpose at a time: no part decides alone."""
    pairs = [str(key).split(UNIT) for key in chunk.keys]
    with permitted(db, "consent_event"):
        db.many("DELETE FROM consent_event WHERE person_id = ? AND purpose = ?", pairs)
    return len(pairs)


def drop_evidence(db: Connection, chunk: Chunk) -> int:
    """Drop scans and signatures; their hashes stay with the consents."""
    with permitted(db, "consent_evidence"):
        return db.run(f"DELETE FROM consent_evidence WHERE id {IN_KEYS}", chunk.listed)  # noqa: S608


def drop_requests(db: Connection, chunk: Chunk) -> int:
    """Drop requests with what was answered, and what was disclosed."""
    found: dict[str, list[tuple[str]]] = {"request": [], "disclosure": []}
    for key in chunk.keys:
        table, _, number = str(key).partition(":")
        found[table].append((number,))
    with permitted(db, "request", "request_event", "disclosure"):
        db.many("DELETE FROM request_event WHERE request_id = ?", found["request"])
        db.many("DELETE FROM request WHERE id = ?", found["request"])
        db.many("DELETE FROM disclosure WHERE id = ?", found["disclosure"])
    return len(chunk.keys)


def drop_cards(db: Connection, chunk: Chunk) -> int:
    """Drop cards and their ends."""
    with permitted(db, "card", "card_end"):
        db.run(f"DELETE FROM card_end WHERE card_id {IN_KEYS}", chunk.listed)  # noqa: S608
        return db.run(f"DELETE FROM card WHERE id {IN_KEYS}", chunk.listed)  # noqa: S608


def drop_mail(db: Connection, chunk: Chunk) -> int:
    """Drop letters with what they carried."""
    return db.run(f"DELETE FROM outbox WHERE id {IN_KEYS}", chunk.listed)  # noqa: S608


# -- the site -------------------------------------------------------------------------------------


def drop_faults(db: Connection, chunk: Chunk) -> int:
    """Drop faults that are over, with their ends."""
    with permitted(db, "fault", "fault_event"):
        db.run(f"DELETE FROM fault_event WHERE fault_id {IN_KEYS}", chunk.listed)  # noqa: S608
        return db.run(f"DELETE FROM fault WHERE id {IN_KEYS}", chunk.listed)  # noqa: S608


def drop_payloads(db: Connection, chunk: Chunk) -> int:
    """Drop what entries of the audit log say in detail, with their salts; the entries stay."""
    with permitted(db, "audit_payload"):
        return db.run(f"DELETE FROM audit_payload WHERE seq {IN_KEYS}", chunk.listed)  # noqa: S608


def drop_days(db: Connection, chunk: Chunk) -> int:
    """Drop the readings of UTC days, as rows and sealed."""
    with permitted(db, "segment", "segment_data", "reading"):
        for key in chunk.keys:
            span = (int(key) * DAY_MS, (int(key) + 1) * DAY_MS)
            data = db.all("SELECT data_id FROM segment WHERE from_ms >= ? AND from_ms < ?", span)
            db.run("DELETE FROM segment WHERE from_ms >= ? AND from_ms < ?", span)
            db.many("DELETE FROM segment_data WHERE id = ?", data)
            db.run("DELETE FROM reading WHERE at_ms >= ? AND at_ms < ?", span)
    return len(chunk.keys)
