"""A reading as the values of a row: integers in 0.1 W, 1 mA and 0.1 V; None stays NULL."""

from typing import Any

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.storage.connection import Value

COLUMNS = (
    "meter_id, socket, at_ms, import_wh, import_raw, power_dw, current_l1_ma, current_l2_ma,"
    " current_l3_ma, voltage_l1_dv, voltage_l2_dv, voltage_l3_dv, pilot"
)
INSERT = (
    f"INSERT INTO reading ({COLUMNS})"  # noqa: S608 - a constant
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DECI = 10
MILLI = 1000


def reading_values(reading: Reading) -> tuple[Value, ...]:
    """Return one row in the order of ``COLUMNS``."""
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


def reading_of(row: tuple[Any, ...]) -> Reading:
    """Return the reading of a row in the order of ``COLUMNS``."""
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
