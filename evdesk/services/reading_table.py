"""Readings as a table, rows and sealed hours alike; those of thinned days say so."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from evdesk.domain.errors import UserError
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Cell, Unit

READING_COLUMNS = (
    "meter", "socket", "at", "import_wh", "import_raw", "power_w", "current_l1_a", "current_l2_a",
    "current_l3_a", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v", "pilot", "thinned",
)  # fmt: skip
MOST_ROWS = 1_000_000  # a table is made in memory; a spreadsheet holds no more either
TENTHS, THOUSANDTHS = 1, 3

Stretches = Sequence[tuple[datetime, datetime]]


def reading_rows(
    unit: Unit, meter: MeterId | None, from_at: datetime, to_at: datetime
) -> tuple[tuple[Cell, ...], ...]:
    """Return the readings of one meter or of all, in the order of ``READING_COLUMNS``.

    Raises:
        UserError: more than a table can hold.

    """
    names = {one.id: one.name for one in unit.meters.all(removed=True)}
    rows: list[tuple[Cell, ...]] = []
    for source in unit.readings.sources():
        if meter in {None, source.meter_id}:
            rows.extend(_rows(unit, source, names[source.meter_id], (from_at, to_at)))
        if len(rows) > MOST_ROWS:
            raise UserError(
                "These are more than {most} readings. Nothing was saved: name one meter with "
                "--meter, or a shorter time with --from and --to.",
                most=MOST_ROWS,
            )
    return tuple(rows)


def _rows(
    unit: Unit, source: Source, name: str, span: tuple[datetime, datetime]
) -> Iterator[tuple[Cell, ...]]:
    thinned = unit.readings.thinned(source, *span)
    for number, reading in enumerate(unit.readings.between(source, *span)):
        if number > MOST_ROWS:
            return
        yield _row(name, reading, thinned)


def _row(name: str, reading: Reading, thinned: Stretches) -> tuple[Cell, ...]:
    return (
        name,
        reading.socket,
        reading.at,
        reading.import_wh,
        reading.import_raw.hex(),
        _exact(reading.power_w, TENTHS),
        *(_exact(amps, THOUSANDTHS) for amps in reading.currents_a),
        *(_exact(volts, TENTHS) for volts in reading.voltages_v),
        None if reading.pilot is None else reading.pilot.value,
        "yes" if any(begin <= reading.at < end for begin, end in thinned) else "no",
    )


def _exact(value: float | None, digits: int) -> Decimal | None:
    return None if value is None else Decimal(round(value * 10**digits)).scaleb(-digits)
