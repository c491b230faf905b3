"""Devices and what the collector knows of them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import (
    Meter,
    MeterRole,
    MeterState,
    MeterStatus,
    MidClass,
    NewMeter,
)
from evdesk.domain.readings import MeterId
from evdesk.storage.connection import Connection, Row
from evdesk.storage.json_text import parse_object

SELECT = (
    "SELECT id, name, profile, url, unit, phases, serial, interval_ms, role, created_at_ms,"
    " removed_at_ms, mid_class, seal, calibrated_until, (SELECT json_group_object(key, option)"
    " FROM meter_choice WHERE meter_id = meter.id) FROM meter "
)


class StoredMeters:
    """Implements ``ports.Meters``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, meter: NewMeter, at: datetime) -> MeterId:
        """Add a device; its name must be new among those not removed."""
        row = self._db.insert(
            "INSERT INTO meter (name, profile, url, unit, phases, serial, interval_ms, role,"
            " created_at_ms, mid_class, seal, calibrated_until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                meter.name,
                meter.profile,
                meter.url,
                meter.unit,
                meter.phases,
                meter.serial,
                meter.interval_ms,
                meter.role.value,
                to_ms(at),
                meter.mid_class,
                meter.seal,
                _day_text(meter.calibrated_until),
            ),
        )
        self._add_choices(MeterId(row), meter.choices)
        return MeterId(row)

    def by_name(self, name: str) -> Meter | None:
        """Return the device of that name that is not removed."""
        row = self._db.one(SELECT + "WHERE name = ? AND removed_at_ms IS NULL", (name,))
        return _meter(row) if row else None

    def all(self, *, removed: bool = False) -> list[Meter]:
        """Return devices by name; with ``removed`` also those taken away."""
        where = "" if removed else "WHERE removed_at_ms IS NULL "
        return [_meter(row) for row in self._db.all(SELECT + where + "ORDER BY name, id")]

    def set_interval(self, meter: MeterId, interval_ms: int | None) -> None:
        """Ask for another polling interval; None leaves it to the program."""
        self._db.run("UPDATE meter SET interval_ms = ? WHERE id = ?", (interval_ms, meter))

    def set_choices(self, meter: MeterId, choices: Mapping[str, str]) -> None:
        """Write what people decided of what its profile leaves open, in place of what they did."""
        self._db.run("DELETE FROM meter_choice WHERE meter_id = ?", (meter,))
        self._add_choices(meter, choices)

    def _add_choices(self, meter: MeterId, choices: Mapping[str, str]) -> None:
        self._db.many(
            "INSERT INTO meter_choice (meter_id, key, option) VALUES (?, ?, ?)",
            [(meter, key, option) for key, option in sorted(choices.items())],
        )

    def set_facts(self, meter: Meter) -> None:
        """Write what people know of a device: serial number, class, seal and calibration.

        A serial number that is set anew forgets the one that was read.
        """
        before = self._db.one("SELECT serial FROM meter WHERE id = ?", (meter.id,))
        self._db.run(
            "UPDATE meter SET serial = ?, mid_class = ?, seal = ?, calibrated_until = ?"
            " WHERE id = ?",
            (
                meter.serial,
                meter.mid_class,
                meter.seal,
                _day_text(meter.calibrated_until),
                meter.id,
            ),
        )
        if before is not None and before[0] != meter.serial:
            self.forget_serial(meter.id)

    def note_serial(self, meter: MeterId, serial: str) -> None:
        """Keep the first serial number that was read of a device (collector only)."""
        self._db.run(
            "INSERT INTO meter_status (meter_id, state, requests, errors, seen_serial)"
            " VALUES (?, 'new', 0, 0, ?) ON CONFLICT (meter_id) DO UPDATE"
            " SET seen_serial = coalesce(seen_serial, excluded.seen_serial)",
            (meter, serial),
        )

    def forget_serial(self, meter: MeterId) -> None:
        """Forget which serial number was read: the next one that is read is right."""
        self._db.run("UPDATE meter_status SET seen_serial = NULL WHERE meter_id = ?", (meter,))

    def remove(self, meter: MeterId, at: datetime) -> None:
        """Take a device away; its readings stay."""
        self._db.run("UPDATE meter SET removed_at_ms = ? WHERE id = ?", (to_ms(at), meter))

    def statuses(self) -> dict[MeterId, MeterStatus]:
        """Return what is known of each device; one never read has state NEW."""
        rows = self._db.all(
            "SELECT meter.id, coalesce(state, 'new'), last_read_at_ms, meter_status.interval_ms,"
            " coalesce(requests, 0), coalesce(errors, 0), last_error, seen_serial"
            " FROM meter LEFT JOIN meter_status ON meter_id = meter.id ORDER BY meter.id"
        )
        return {MeterId(row[0]): _status(row) for row in rows}

    def save_statuses(self, statuses: Iterable[MeterStatus]) -> None:
        """Replace what is known of these devices (collector only)."""
        self._db.many(
            "INSERT INTO meter_status (meter_id, state, last_read_at_ms, interval_ms, requests,"
            " errors, last_error) VALUES (?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (meter_id) DO UPDATE SET state = excluded.state,"
            " last_read_at_ms = excluded.last_read_at_ms, interval_ms = excluded.interval_ms,"
            " requests = excluded.requests, errors = excluded.errors,"
            " last_error = excluded.last_error",
            [
                (
                    status.meter_id,
                    status.state.value,
                    None if status.last_read_at is None else to_ms(status.last_read_at),
                    status.interval_ms,
                    status.requests,
                    status.errors,
                    status.last_error,
                )
                for status in statuses
            ],
        )


def _meter(row: Row) -> Meter:
    meter, name, profile, url, unit, phases, serial, interval_ms, role, *rest = row
    created_at_ms, removed, mid_class, seal, calibrated_until, choices = rest
    return Meter(
        id=MeterId(meter),
        name=name,
        profile=profile,
        url=url,
        unit=unit,
        phases=phases,
        serial=serial,
        interval_ms=interval_ms,
        role=MeterRole(role),
        created_at=from_ms(created_at_ms),
        removed_at=None if removed is None else from_ms(removed),
        mid_class=None if mid_class is None else MidClass(mid_class),
        seal=seal,
        calibrated_until=None if calibrated_until is None else date.fromisoformat(calibrated_until),
        choices={key: str(option) for key, option in parse_object(choices).items()},
    )


def _status(row: Row) -> MeterStatus:
    meter, state, last_read_at_ms, interval_ms, requests, errors, last_error, seen_serial = row
    return MeterStatus(
        meter_id=MeterId(meter),
        state=MeterState(state),
        last_read_at=None if last_read_at_ms is None else from_ms(last_read_at_ms),
        interval_ms=interval_ms,
        requests=requests,
        errors=errors,
        last_error=last_error,
        seen_serial=seen_serial,
    )


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
