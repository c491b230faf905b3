"""Readings as a table, rows and sealed hours alike; those of thinned days say so.

An hour whose sealed readings are damaged costs no other: a row of its own stands in its place.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from operator import itemgetter

from evdesk.domain.errors import Damaged, UserError
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Cell, Unit

READING_COLUMNS = (
    "meter", "socket", "at", "import_wh", "import_raw", "power_w", "current_l1_a", "current_l2_a",
    "current_l3_a", "voltage_l1_v", "voltage_l2_v", "voltage_l3_v", "pilot", "thinned",
    "damage",
)  # fmt: skip
MOST_ROWS = 1_000_000  # a table is made in memory; a spreadsheet holds no more either
TENTHS, THOUSANDTHS = 1, 3

AT = READING_COLUMNS.index("at")

Row = tuple[Cell, ...]
Stretches = Sequence[tuple[datetime, datetime]]


def reading_rows(
    unit: Unit, meter: MeterId | None, from_at: datetime, to_at: datetime
) -> tuple[tuple[Row, ...], tuple[Damaged, ...]]:
    """Return the readings of one meter or of all, in the order of ``READING_COLUMNS``, and damage.

    Each damage has a row with nothing but meter, socket, its first instant and the sentence.

    Raises:
        UserError: more than a table can hold.

    """
    names = {one.id: one.name for one in unit.meters.all(removed=True)}
    rows: list[Row] = []
    damage: list[Damaged] = []
    for source in unit.readings.sources():
        if meter in {None, source.meter_id}:
            rows.extend(_rows(unit, source, names[source.meter_id], (from_at, to_at), damage))
        if len(rows) > MOST_ROWS:
            raise UserError(
                "These are more than {most} readings. Nothing was saved: name one meter with "
                "--meter, or a shorter time with --from and --to.",
                most=MOST_ROWS,
            )
    return tuple(rows), tuple(damage)


def _rows(
    unit: Unit,
    source: Source,
    name: str,
    span: tuple[datetime, datetime],
    damage: list[Damaged],
) -> list[Row]:
    """Return the rows of one source in order, and add to the damage what was met."""
    places: list[Row] = []

    def leave_out(from_at: datetime, error: Damaged) -> None:
        damage.append(error)
        nothing = [None] * (len(READING_COLUMNS) - AT - 2)
        places.append((name, source.socket, max(from_at, span[0]), *nothing, str(error)))

    thinned = unit.readings.thinned(source, *span)
    readings = islice(unit.readings.between(source, *span, leave_out), MOST_ROWS + 1)
    rows = [_row(name, reading, thinned) for reading in readings]
    return sorted([*places, *rows], key=itemgetter(AT)) if places else rows


def _row(name: str, reading: Reading, thinned: Stretches) -> Row:
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
        None,
    )


def _exact(value: float | None, digits: int) -> Decimal | None:
    return None if value is None else Decimal(round(value * 10**digits)).scaleb(-digits)
