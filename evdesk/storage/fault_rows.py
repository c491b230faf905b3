"""Faults: a row when one begins, rows for its end and for who has seen it."""

import json
from collections.abc import Iterable
from datetime import datetime

from evdesk.domain.faults import (
    CATALOGUE,
    Fault,
    FaultChange,
    FaultCode,
    FaultId,
    FaultKey,
    Severity,
)
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import StationId
from evdesk.domain.readings import MeterId
from evdesk.ports import FaultFilter, FaultNews
from evdesk.storage.connection import Connection, Row, Value
from evdesk.storage.json_text import canonical

SELECT = (
    "SELECT fault.id, code, severity, fault.meter_id, meter.name, socket, station_id, station.name,"
    " since_at_ms, fault.facts, ended.at_ms, ended.facts, seen.at_ms,"
    " coalesce(account.name, seen.actor), seen.facts"
    " FROM fault"
    " LEFT JOIN meter ON meter.id = fault.meter_id"
    " LEFT JOIN station ON station.id = fault.station_id"
    " LEFT JOIN fault_event AS ended ON ended.fault_id = fault.id AND ended.kind = 'closed'"
    " LEFT JOIN fault_event AS seen ON seen.fault_id = fault.id AND seen.kind = 'acknowledged'"
    " LEFT JOIN account ON account.id = seen.actor "
)
OPEN = "NOT EXISTS (SELECT 1 FROM fault_event WHERE fault_id = fault.id AND kind = 'closed')"
ADD_EVENT = "INSERT INTO fault_event (fault_id, at_ms, kind, actor, facts) VALUES (?, ?, ?, ?, ?)"


class StoredFaults:
    """Implements ``ports.Faults``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def apply(self, changes: Iterable[FaultChange], actor: str) -> None:
        """Write what opened and closed; what is open already, or closed, is left as it is."""
        for change in changes:
            open_row = self._open_row(change.key)
            if change.opened and open_row is None:
                self._begin(change)
            elif not change.opened and open_row is not None:
                fault, since_ms = open_row
                at_ms = max(to_ms(change.at), since_ms)  # the clock may have been set back
                facts = canonical(change.facts)
                self._db.run(ADD_EVENT, (fault, at_ms, "closed", actor, facts))

    def open_keys(self) -> dict[FaultKey, datetime]:
        """Return what is open, with its beginning."""
        rows = self._db.all("SELECT code, meter_id, socket, since_at_ms FROM fault WHERE " + OPEN)  # noqa: S608
        return {_key(code, meter, socket): from_ms(at_ms) for code, meter, socket, at_ms in rows}

    def acknowledge(self, fault: FaultId, actor: str, at: datetime, note: str | None) -> None:
        """Write that somebody has seen it."""
        facts = canonical({} if note is None else {"note": note})
        self._db.run(ADD_EVENT, (fault, to_ms(at), "acknowledged", actor, facts))

    def get(self, fault: FaultId) -> Fault | None:
        """Return a fault."""
        row = self._db.one(SELECT + "WHERE fault.id = ?", (fault,))
        return _fault(row) if row else None

    def find(self, wanted: FaultFilter) -> list[Fault]:
        """Return faults: open ones first, each newest beginning first."""
        conditions: dict[str, Value] = {
            "ended.at_ms IS NULL": True if wanted.open_only else None,
            "(ended.at_ms IS NULL OR ended.at_ms >= ?)": _ms(wanted.from_at),
            "since_at_ms < ?": _ms(wanted.to_at),
            "fault.meter_id = ?": wanted.meter,
            "severity = ?": wanted.severity and wanted.severity.value,
        }
        used = {text: value for text, value in conditions.items() if value is not None}
        where = " AND ".join(used) or "TRUE"
        values = [value for text, value in used.items() if "?" in text]
        order = "ORDER BY ended.at_ms IS NOT NULL, since_at_ms DESC, fault.id DESC"
        return [_fault(row) for row in self._db.all(f"{SELECT} WHERE {where} {order}", values)]

    def news(self, fault_id: int, event_id: int) -> FaultNews:
        """Return what began and ended after these rows."""
        began = self._db.all(SELECT + "WHERE fault.id > ? ORDER BY fault.id", (fault_id,))
        ended = self._db.all(SELECT + "WHERE ended.id > ? ORDER BY ended.id", (event_id,))
        return FaultNews(
            began=tuple(_fault(row) for row in began),
            ended=tuple(_fault(row) for row in ended),
            fault_id=self._db.number("SELECT coalesce(max(id), 0) FROM fault"),
            event_id=self._db.number("SELECT coalesce(max(id), 0) FROM fault_event"),
        )

    def _begin(self, change: FaultChange) -> None:
        key = change.key
        self._db.run(
            "INSERT INTO fault (code, severity, meter_id, socket, station_id, since_at_ms, facts)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                key.code.value,
                CATALOGUE[key.code].severity.value,
                key.meter_id,
                key.socket,
                self._station(key),
                to_ms(change.at),
                canonical(change.facts),
            ),
        )

    def _open_row(self, key: FaultKey) -> tuple[int, int] | None:
        row = self._db.one(
            "SELECT id, since_at_ms FROM fault"  # noqa: S608
            " WHERE code = ? AND meter_id IS ? AND socket IS ? AND " + OPEN,
            (key.code.value, key.meter_id, key.socket),
        )
        return (row[0], row[1]) if row else None

    def _station(self, key: FaultKey) -> StationId | None:
        """Return the charging point a device or a socket belongs to, if it is exactly one."""
        rows = self._db.all(
            "SELECT id FROM station WHERE retired_at_ms IS NULL AND ("
            " (energy_meter_id = :meter AND coalesce(:socket, energy_socket) = energy_socket)"
            " OR (state_meter_id = :meter AND coalesce(:socket, state_socket) = state_socket))",
            {"meter": key.meter_id, "socket": key.socket},
        )
        return StationId(rows[0][0]) if len(rows) == 1 else None


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _key(code: str, meter: int | None, socket: int | None) -> FaultKey:
    return FaultKey(FaultCode(code), None if meter is None else MeterId(meter), socket)


def _fault(row: Row) -> Fault:
    fault, code, severity, meter_id, meter, socket, station_id, station, since_ms, facts, *rest = (
        row
    )
    until_ms, end_facts, seen_ms, seen_by, seen_facts = rest
    ended = {} if end_facts is None else json.loads(end_facts)
    seen = {} if seen_facts is None else json.loads(seen_facts)
    return Fault(
        id=FaultId(fault),
        key=_key(code, meter_id, socket),
        severity=Severity(severity),
        meter=meter,
        station_id=station_id,
        station=station,
        since_at=from_ms(since_ms),
        until_at=None if until_ms is None else from_ms(until_ms),
        unseen_end=ended.get("unseen") is True,
        acknowledged_at=None if seen_ms is None else from_ms(seen_ms),
        acknowledged_by=seen_by,
        note=seen.get("note"),
        facts=json.loads(facts),
    )
