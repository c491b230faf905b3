"""Readings for the archive, and sealing them as the collector does."""

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import strategies as st

from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.domain.secrets import Secret
from evdesk.ports import Store, Unit
from evdesk.services.sealing import Archivist
from tests.storage.sites import START, add_meter, at, raw, writing

LATER = timedelta(hours=4)
ONE, TWO, OTHER = Source(MeterId(1)), Source(MeterId(1), 2), Source(MeterId(2))
SOURCES = (ONE, TWO, OTHER)

deci = st.none() | st.integers(-(10**7), 10**7).map(lambda n: n / 10)
milli = st.none() | st.integers(-(10**6), 10**6).map(lambda n: n / 1000)
# Around the borders of hours and of minutes, where things are put together.
instants = st.one_of(
    st.integers(0, 3 * 3_600_000 - 1),
    st.sampled_from([3_600_000, 7_200_000]).flatmap(lambda ms: st.integers(ms - 3_000, ms + 3_000)),
    st.integers(0, 600).map(lambda step: step * 7_000),
)
any_reading = st.builds(
    lambda source, ms, **fields: Reading(
        source.meter_id, source.socket, START + timedelta(milliseconds=ms), **fields
    ),
    source=st.sampled_from(SOURCES),
    ms=instants,
    import_wh=st.none() | st.integers(0, 2**62),
    import_raw=st.binary(max_size=10) | st.binary(min_size=4, max_size=4),
    power_w=deci,
    currents_a=st.tuples(milli, milli, milli),
    voltages_v=st.tuples(deci, deci, deci),
    pilot=st.none() | st.sampled_from(PilotState),
)
lists_of_readings = st.lists(
    any_reading, max_size=60, unique_by=lambda one: (one.meter_id, one.socket, one.at)
)


def add_two_meters(store: Store) -> None:
    with writing(store) as unit:
        add_meter(unit, "M1")
        add_meter(unit, "M2")


def journal(store: Store, *new: Reading) -> None:
    with store.journal() as unit:
        unit.readings.add(new)


def seal_all(store: Store, now: datetime = START + LATER) -> int:
    """Seal everything that is over by then; return in how many steps."""
    archivist, steps = Archivist(store), 0
    while archivist.step(now):
        steps += 1
    return steps


def steady(meter: MeterId, hours: float, every_s: int = 5, socket: int = 1) -> list[Reading]:
    """Readings of a meter under load, a Wh a second."""
    seconds = range(0, round(hours * 3600), every_s)
    return [
        Reading(
            meter,
            socket,
            at(s),
            1_000 + s,
            (1_000 + s).to_bytes(4, "big"),
            7_200 + (s * 37 % 101) / 10,
            (10.0, 10.001, None),
            (230.1, None, 229.9),
            PilotState.C if s % 600 else PilotState.B,
        )
        for s in seconds
    ]


def spoil(folder: Path, data_key: Secret, part: str, number: int | None = None) -> None:
    """Change the first segment, as somebody with the key and without the guards would."""
    connection = raw(folder, data_key)
    connection.run("DROP TRIGGER segment_no_update")
    connection.run("DROP TRIGGER segment_data_no_update")
    first = "(SELECT data_id FROM segment ORDER BY meter_id, from_ms LIMIT 1)"
    table, key = (
        ("segment_data", "id") if part in {"curve", "register", "rest"} else ("segment", "data_id")
    )
    ((old,),) = connection.all(f"SELECT {part} FROM {table} WHERE {key} = {first}")
    if isinstance(old, int):
        new: int | bytes = old - 1 if number is None else number
    else:
        middle = len(old) // 2
        new = old[:middle] + bytes(byte ^ 0xA5 for byte in old[middle : middle + 4])
        new += old[middle + 4 :]
    connection.run(f"UPDATE {table} SET {part} = ? WHERE {key} = {first}", (new,))
    connection.close()


def everything(unit: Unit) -> dict[Source, list[Reading]]:
    """All readings of all sources, as a range query gives them."""
    end = START + timedelta(days=400)
    return {source: list(unit.readings.between(source, START, end)) for source in SOURCES}


def by_source(readings: list[Reading]) -> dict[Source, list[Reading]]:
    """The same from a plain list."""
    ordered = sorted(readings, key=lambda one: one.at)
    return {
        source: [one for one in ordered if Source(one.meter_id, one.socket) == source]
        for source in SOURCES
    }
