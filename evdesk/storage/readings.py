"""The journal of readings."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.ports import Curve
from evdesk.storage.connection import Connection, Row, Value
from evdesk.storage.curves import curve_between

COLUMNS = (
    "meter_id, socket, at_ms, import_wh, import_raw, power_dw, current_l1_ma, current_l2_ma,"
    " current_l3_ma, voltage_l1_dv, voltage_l2_dv, voltage_l3_dv, pilot"
)
INSERT = (
    f"INSERT INTO reading ({COLUMNS})"  # noqa: S608 - a constant
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SELECT = f"SELECT {COLUMNS} FROM reading WHERE meter_id = ? AND socket = ? "  # noqa: S608
DECI = 10
MILLI = 1000


class StoredReadings:
    """Implements ``ports.Readings``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, readings: Sequence[Reading]) -> None:
        """Append readings (collector only); meter, socket and instant twice is an error."""
        self._db.many(INSERT, map(reading_values, readings))

    def latest(self, sources: Iterable[Source]) -> dict[Source, Reading]:
        """Return the newest reading of each source that has one."""
        found = {}
        for source in sources:
            row = self._db.one(
                SELECT + "ORDER BY at_ms DESC LIMIT 1", (source.meter_id, source.socket)
            )
            if row is not None:
                found[source] = _reading(row)
        return found

    def between(self, source: Source, from_at: datetime, to_at: datetime) -> Iterator[Reading]:
        """Return readings with from_at <= at < to_at, oldest first, as a lazy iterable."""
        rows = self._db.each(
            SELECT + "AND at_ms >= ? AND at_ms < ? ORDER BY at_ms",
            (source.meter_id, source.socket, to_ms(from_at), to_ms(to_at)),
        )
        return map(_reading, rows)

    def curve(self, source: Source, from_at: datetime, to_at: datetime, points: int) -> Curve:
        """Return power for a plot with at most about ``points`` points: see ``curves``."""
        return curve_between(self._db, source, (to_ms(from_at), to_ms(to_at)), points)

    def count(self) -> int:
        """Return how many readings are kept."""
        return self._db.number("SELECT count(*) FROM reading")


def reading_values(reading: Reading) -> tuple[Value, ...]:
    """Return one row of table reading: 0.1 W, 1 mA, 0.1 V; None stays NULL."""
    amps_1, amps_2, amps_3 = reading.currents_a
    volts_1, volts_2, volts_3 = reading.voltages_v
    return (
        reading.meter_id,
        reading.socket,
        to_ms(reading.at),
        reading.import_wh,
        reading.import_raw,
        None if reading.power_w is None else round(reading.power_w * DECI),
        None if amps_1 is None else round(amps_1 * MILLI),
        None if amps_2 is None else round(amps_2 * MILLI),
        None if amps_3 is None else round(amps_3 * MILLI),
        None if volts_1 is None else round(volts_1 * DECI),
        None if volts_2 is None else round(volts_2 * DECI),
        None if volts_3 is None else round(volts_3 * DECI),
        None if reading.pilot is None else reading.pilot.value,
    )


def _reading(row: Row) -> Reading:
    (meter_id, socket, at_ms, import_wh, import_raw, power_dw, *phases, pilot) = row
    ma_1, ma_2, ma_3, dv_1, dv_2, dv_3 = phases
    return Reading(
        meter_id=MeterId(meter_id),
        socket=socket,
        at=from_ms(at_ms),
        import_wh=import_wh,
        import_raw=import_raw,
        power_w=_scaled(power_dw, DECI),
        currents_a=(_scaled(ma_1, MILLI), _scaled(ma_2, MILLI), _scaled(ma_3, MILLI)),
        voltages_v=(_scaled(dv_1, DECI), _scaled(dv_2, DECI), _scaled(dv_3, DECI)),
        pilot=None if pilot is None else PilotState(pilot),
    )


def _scaled(value: int | None, parts: int) -> float | None:
    return None if value is None else value / parts
