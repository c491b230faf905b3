"""Sessions, their events and the trackers that find them."""

import json
from dataclasses import replace
from typing import Any

from evdesk.domain.errors import StorageError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import StationId
from evdesk.domain.readings import Register
from evdesk.domain.sessions import (
    Figures,
    Flag,
    Session,
    SessionEvent,
    SessionId,
    SessionState,
    Tag,
)
from evdesk.domain.site import DriverId
from evdesk.ports import LoggedEvent, SessionFilter
from evdesk.storage.connection import Connection, Row, Value
from evdesk.storage.corrections import COLUMNS, NEWEST, decision_of
from evdesk.storage.json_text import canonical, parse_object
from evdesk.storage.session_events import event_values

DECI = 10
HIDDEN = "…"
DECISION_VALUES = len(COLUMNS.split(","))
NOT_OPEN = (
    "Session {session} is not open: its figures stay as they are, and nothing of this step was "
    "written. Correct a closed session by a correction, which is logged."
)
SELECT = f"""
    SELECT session.id, station_id, station.name, driver_id, session.state,
           plugged_in_at_ms, unplugged_at_ms, session.start_wh, start_at_ms, start_raw,
           session.end_wh, end_at_ms, end_raw, energy_wh, charging_ms, peak_dw, flags,
           drift_ms, start_serial, end_serial, tag_digest, tag_shown, invoice_id,
           {", ".join(f"decision.{name}" for name in COLUMNS.split(", "))}
    FROM session JOIN station ON station.id = station_id
    LEFT JOIN invoice_session ON invoice_session.session_id = session.id
    LEFT JOIN session_decision AS decision ON decision.id = ({NEWEST})
"""  # noqa: S608 - constants
FIND = """
    WHERE (:from_ms IS NULL OR plugged_in_at_ms >= :from_ms)
      AND (:to_ms IS NULL OR plugged_in_at_ms < :to_ms)
      AND (:station IS NULL OR station_id = :station)
      AND (:driver IS NULL OR driver_id = :driver)
      AND (:state IS NULL OR session.state = :state)
      AND (:left_from_ms IS NULL OR coalesce(unplugged_at_ms, :left_from_ms) >= :left_from_ms)
      AND (NOT :unbilled OR invoice_id IS NULL)
    ORDER BY plugged_in_at_ms DESC, session.id DESC
"""


class StoredSessions:
    """Implements ``ports.Sessions``; ``hides`` leaves cards pseudonyms."""

    def __init__(self, connection: Connection, *, hides: bool = False) -> None:
        self._db, self._hides = connection, hides

    def open(self, station: StationId, figures: Figures, driver: DriverId | None) -> SessionId:
        """Begin a session; a station has at most one open."""
        row = self._db.insert(
            "INSERT INTO session (state, plugged_in_at_ms, unplugged_at_ms, start_wh, start_at_ms,"
            " start_raw, end_wh, end_at_ms, end_raw, energy_wh, charging_ms, peak_dw, flags,"
            " drift_ms, start_serial, end_serial, tag_digest, tag_shown, station_id, driver_id)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*_values(figures), station, driver),
        )
        return SessionId(row)

    def log(self, session: SessionId, event: SessionEvent) -> None:
        """Append an event to the session's log."""
        self._db.run(
            "INSERT INTO session_event (session_id, at_ms, kind, wh, raw, detail)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (session, *event_values(event)),
        )

    def update(self, session: SessionId, figures: Figures) -> None:
        """Write the figures of an open session; figures with an end close it.

        Raises:
            StorageError: there is no such open session.

        """
        changed = self._db.run(
            "UPDATE session SET state = ?, plugged_in_at_ms = ?, unplugged_at_ms = ?, start_wh = ?,"
            " start_at_ms = ?, start_raw = ?, end_wh = ?, end_at_ms = ?, end_raw = ?,"
            " energy_wh = ?, charging_ms = ?, peak_dw = ?, flags = ?, drift_ms = ?,"
            " start_serial = ?, end_serial = ?, tag_digest = ?, tag_shown = ?"
            " WHERE id = ? AND state = 'open'",
            (*_values(figures), session),
        )
        if changed == 0:
            raise StorageError(NOT_OPEN, session=session)

    def open_ids(self) -> dict[StationId, SessionId]:
        """Return the open session of each station that has one."""
        rows = self._db.all("SELECT station_id, id FROM session WHERE state = 'open'")
        return {StationId(station): SessionId(session) for station, session in rows}

    def get(self, session: SessionId) -> Session | None:
        """Return a session."""
        row = self._db.one(SELECT + "WHERE session.id = ?", (session,))
        return self._shown(_session(row)) if row else None

    def find(self, wanted: SessionFilter) -> list[Session]:
        """Return sessions, newest plug-in first; ``to_at`` itself is not included."""
        rows = self._db.all(
            SELECT + FIND,
            {
                "from_ms": None if wanted.from_at is None else to_ms(wanted.from_at),
                "to_ms": None if wanted.to_at is None else to_ms(wanted.to_at),
                "left_from_ms": None if wanted.left_from is None else to_ms(wanted.left_from),
                "station": wanted.station,
                "driver": wanted.driver,
                "state": None if wanted.state is None else wanted.state.value,
                "unbilled": int(wanted.unbilled),
            },
        )
        return [self._shown(_session(row)) for row in rows]

    def events(self, session: SessionId) -> list[LoggedEvent]:
        """Return the session's log, oldest first."""
        rows = self._db.all(
            "SELECT at_ms, kind, wh, raw, detail FROM session_event WHERE session_id = ?"
            " ORDER BY id",
            (session,),
        )
        return [
            LoggedEvent(from_ms(at_ms), kind, wh, raw.hex(), self._told(parse_object(detail)))
            for at_ms, kind, wh, raw, detail in rows
        ]

    def _shown(self, session: Session) -> Session:
        tag = session.figures.tag
        if tag is None or not self._hides:
            return session
        return replace(session, figures=replace(session.figures, tag=tag.hidden()))

    def _told(self, detail: dict[str, object]) -> dict[str, object]:
        if not self._hides:
            return detail
        figures = detail.get("figures")
        if isinstance(figures, dict):
            detail = {**detail, "figures": {**figures, "tag": figures.get("tag") and HIDDEN}}
        return {**detail, "tag": HIDDEN} if "tag" in detail else detail

    def assign(self, session: SessionId, driver: DriverId) -> None:
        """Say whose it is; a billed session is never re-assigned (the caller checks)."""
        self._db.run("UPDATE session SET driver_id = ? WHERE id = ?", (driver, session))

    def count(self, state: SessionState | None = None) -> int:
        """Return how many sessions are kept, or how many of them are in a state."""
        if state is None:
            return self._db.number("SELECT count(*) FROM session")
        return self._db.number("SELECT count(*) FROM session WHERE state = ?", (state.value,))

    def trackers(self) -> dict[StationId, dict[str, object]]:
        """Return each station's tracker snapshot."""
        rows = self._db.all("SELECT station_id, snapshot FROM tracker")
        return {StationId(station): parse_object(snapshot) for station, snapshot in rows}

    def save_tracker(self, station: StationId, snapshot: dict[str, object]) -> None:
        """Replace a station's tracker snapshot."""
        self._db.run(
            "INSERT INTO tracker (station_id, snapshot) VALUES (?, ?)"
            " ON CONFLICT (station_id) DO UPDATE SET snapshot = excluded.snapshot",
            (station, canonical(snapshot)),
        )


def _values(figures: Figures) -> tuple[Value, ...]:
    return (
        figures.state().value,
        to_ms(figures.plugged_in_at),
        None if figures.unplugged_at is None else to_ms(figures.unplugged_at),
        *_register_values(figures.start),
        *_register_values(figures.end),
        figures.energy_wh,
        figures.charging_ms,
        None if figures.peak_w is None else round(figures.peak_w * DECI),
        canonical(sorted(figures.flags)),
        figures.drift_ms,
        None if figures.start is None else figures.start.serial,
        None if figures.end is None else figures.end.serial,
        None if figures.tag is None else figures.tag.digest,
        None if figures.tag is None else figures.tag.shown,
    )


def _register_values(register: Register | None) -> tuple[Value, Value, Value]:
    if register is None:
        return None, None, None
    return register.wh, to_ms(register.at), register.raw


def _session(row: Row) -> Session:
    session, station_id, station, driver, state, *figures, invoice = row[:-DECISION_VALUES]
    decision = row[-DECISION_VALUES:]
    return Session(
        id=SessionId(session),
        station_id=StationId(station_id),
        station=station,
        driver=None if driver is None else DriverId(driver),
        state=SessionState(state),
        figures=_figures(figures),
        invoice=invoice,
        correction=None if decision[0] is None else decision_of(decision),
    )


def _figures(row: list[Any]) -> Figures:
    (plugged_in_at_ms, unplugged_at_ms, start_wh, start_at_ms, start_raw,
     end_wh, end_at_ms, end_raw, energy_wh, charging_ms, peak_dw, flags,
     drift_ms, start_serial, end_serial, tag_digest, tag_shown) = row  # fmt: skip
    return Figures(
        plugged_in_at=from_ms(plugged_in_at_ms),
        unplugged_at=None if unplugged_at_ms is None else from_ms(unplugged_at_ms),
        start=_register(start_wh, start_at_ms, start_raw, start_serial),
        end=_register(end_wh, end_at_ms, end_raw, end_serial),
        energy_wh=energy_wh,
        charging_ms=charging_ms,
        peak_w=None if peak_dw is None else peak_dw / DECI,
        flags=frozenset(Flag(flag) for flag in json.loads(flags)),
        drift_ms=drift_ms,
        tag=None if tag_digest is None else Tag(tag_digest, tag_shown),
    )


def _register(
    wh: int | None, at_ms: int | None, raw: bytes | None, serial: str | None
) -> Register | None:
    if wh is None or at_ms is None or raw is None:
        return None
    return Register(wh, from_ms(at_ms), raw, serial)
