"""Old readings thin out to quarter hours; what proves a bill stays."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from evdesk.domain.instants import to_ms
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, Reading, Register
from evdesk.domain.registers import Bounds
from evdesk.domain.sessions import Figures
from evdesk.ports import Store, Watch
from evdesk.services.sealing import Archivist
from tests.storage.archives import journal, seal_all
from tests.storage.sites import START, add_meter, at, raw, reading, writing

QUARTER_S, DAY_S, EVERY_S = 900, 86_400, 20
BEGUN = 10  # readings with which each day begins: nobody knows what happened by midnight
LEFT = 18 * 8 + BEGUN - 1
DAY = DAY_S - 6 * 3600  # seconds from START to the end of its UTC day
DAYS = 10


@pytest.fixture
def meter(store) -> MeterId:
    with writing(store) as unit:
        unit.archive.set_thinning(DAYS)
        return add_meter(unit)


def thin(store: Store, days: float = DAYS + 0.5) -> None:
    """Do what the collector does, so many days after the first one ended."""
    archivist = Archivist(store)
    for later in (0, 2):  # thinning begins with the second run
        while archivist.step(at(DAY) + timedelta(days=days, hours=later)):
            pass


def one_day(meter: MeterId) -> list[Reading]:
    return [
        reading(meter, s, power_w=float(7_000 + s % 977)) for s in range(0, DAY + 7_200, EVERY_S)
    ]


def kept(store: Store, meter: MeterId, begin: float = 0, end: float = DAY) -> list[Reading]:
    with store.read() as unit:
        return list(unit.readings.between(Source(meter), at(begin), at(end)))


def is_edge(one: Reading) -> bool:
    second = to_ms(one.at) // 1000
    return one.at < at(BEGUN * EVERY_S) or second % QUARTER_S in {0, QUARTER_S - EVERY_S}


def test_both_registers_at_each_quarter_hour_stay_with_their_raw_words(store, meter):
    journal(store, *one_day(meter))
    thin(store)
    assert kept(store, meter) == [
        one for one in one_day(meter) if one.at < at(DAY) and is_edge(one)
    ]
    last, first = kept(store, meter, DAY - EVERY_S, DAY + EVERY_S)
    assert (last.at, first.at) == (at(DAY - EVERY_S), at(DAY))
    assert first.import_raw == reading(meter, DAY).import_raw


def test_a_day_that_is_younger_stays_whole(store, meter):
    journal(store, *one_day(meter))
    thin(store, days=DAYS - 1)
    assert kept(store, meter) == [one for one in one_day(meter) if one.at < at(DAY)]


def test_never_is_never(store, meter):
    with writing(store) as unit:
        unit.archive.set_thinning(None)
    journal(store, *one_day(meter))
    thin(store, days=5_000)
    assert len(kept(store, meter)) == DAY / EVERY_S


def test_no_peak_is_lost_in_a_curve_and_it_says_up_to_where_it_is_thinned(store, meter):
    day = one_day(meter)
    day[1234] = replace(day[1234], power_w=22_000.1)
    day[2345] = replace(day[2345], power_w=-1.5)
    journal(store, *day)
    thin(store)
    for points in (40, 2_000, 100_000):
        with store.read() as unit:
            curve = unit.readings.curve(Source(meter), START, at(DAY + 7_200), points)
            young = unit.readings.curve(Source(meter), at(DAY), at(DAY + 7_200), points)
        assert curve.power_w[curve.at_s.index(day[1234].at.timestamp())] == 22_000.1
        assert curve.power_w[curve.at_s.index(day[2345].at.timestamp())] == -1.5
        assert curve.thinned_until_s == at(DAY).timestamp()
        assert young.thinned_until_s is None
        assert None not in curve.power_w


def test_a_silence_stays_a_gap(store, meter):
    journal(
        store, *[one for one in one_day(meter) if not 5_000 <= (one.at - START).seconds < 9_000]
    )
    thin(store)
    with store.read() as unit:
        curve = unit.readings.curve(Source(meter), START, at(DAY), 2_000)
    assert curve.power_w.count(None) == 1


def silent_day(meter: MeterId, begin: int, end: int) -> list[Reading]:
    """A day in which nobody read anything in begin <= second < end."""
    return [one for one in one_day(meter) if not begin <= (one.at - START).seconds < end]


def breaks(store: Store, meter: MeterId) -> list[float]:
    """Seconds of the first reads after silences, as a month's account is told of them."""
    watch = Watch(timedelta(seconds=60), Bounds(resolution_wh=1))
    with store.read() as unit:
        points = list(unit.registers.follow(Source(meter), at(-9), at(DAY + 7_200), watch))
    return [(point.at - START).total_seconds() for point in points[1:] if not point.unbroken]


def test_a_silence_within_a_quarter_hour_stays_one(store, meter):
    journal(store, *silent_day(meter, 5_000, 5_200))
    thin(store)
    assert breaks(store, meter) == [5_200]
    around = [one.at for one in kept(store, meter, 4_900, 5_300)]
    assert around == [at(4_980), at(5_200)]
    with store.read() as unit:
        curve = unit.readings.curve(Source(meter), START, at(DAY), 2_000)
        stretches = unit.readings.thinned(Source(meter), START, at(DAY))
    assert curve.power_w.count(None) == 1
    assert curve.thinned_until_s == at(DAY).timestamp()
    assert [end for _, end in stretches] == [at(5_200), at(DAY)]
    assert stretches[0][1] == stretches[1][0]


def test_a_silence_in_which_nothing_was_counted_divides_nothing(store, meter):
    journal(store, *[replace(one, import_wh=10_000) for one in silent_day(meter, 5_000, 5_200)])
    thin(store)
    assert {at(4_980), at(5_200)} <= {one.at for one in kept(store, meter)}
    with store.read() as unit:
        assert len(unit.readings.thinned(Source(meter), START, at(DAY))) == 1


def test_a_device_that_is_read_every_two_minutes_is_never_silent(store, meter):
    journal(store, *one_day(meter)[::6])
    thin(store)
    with store.read() as unit:
        assert len(unit.readings.thinned(Source(meter), START, at(DAY))) == 1


def test_what_comes_late_into_a_silence_of_a_thinned_day_fills_it(store, meter):
    journal(store, *silent_day(meter, 5_000, 5_200))
    thin(store)
    late = [one for one in one_day(meter) if at(5_000) <= one.at < at(5_160)]
    journal(store, *late)
    assert breaks(store, meter) == []
    thin(store, days=DAYS + 1.2)
    assert breaks(store, meter) == []


def test_what_comes_late_leaves_what_is_left_of_a_silence(store, meter):
    journal(store, *silent_day(meter, 5_000, 5_200))
    thin(store)
    journal(store, reading(meter, 5_100))
    for days in (DAYS + 0.9, DAYS + 1.2):
        assert breaks(store, meter) == [5_100, 5_200]
        thin(store, days=days)
    assert breaks(store, meter) == [5_100, 5_200]


def test_lowest_highest_and_mean_power_are_those_of_all_readings(store, meter, folder, data_key):
    journal(store, *one_day(meter))
    thin(store)
    connection = raw(folder, data_key)
    ((count, low, high, total),) = connection.all(
        "SELECT power_readings, power_min_dw, power_max_dw, power_sum_dw FROM segment"
        " WHERE bucket_ms = 900000"
    )
    connection.close()
    power = [round((one.power_w or 0) * 10) for one in one_day(meter) if one.at < at(DAY)]
    assert (count, low, high, total) == (len(power), min(power), max(power), sum(power))


def test_a_minute_around_what_happened_to_a_session_stays_whole(store, meter):
    start, end = (Register(1_000 + s, at(s), b"\1\2") for s in (4_010, 9_990))
    figures = Figures(start.at, None, start, start, 0, 0, None, frozenset())
    with writing(store) as unit:
        source = Source(meter)
        station = unit.stations.add("S1", source, source, START)
        session = unit.sessions.open(station, figures, None)
        unit.sessions.update(
            session, replace(figures, unplugged_at=end.at, end=end, energy_wh=end.wh - start.wh)
        )
    journal(store, *one_day(meter))
    thin(store)
    for edge in (4_010, 9_990):
        around = kept(store, meter, edge - 60, edge + 61)
        assert [one.at for one in around] == [at(s) for s in range(edge - 50, edge + 61, EVERY_S)]
    assert kept(store, meter, 4_010 + 9 * EVERY_S, 9_900)[0].at == at(4_480)
    assert len(kept(store, meter, 4_210, 9_900)) == 2 * 7 - 1


def test_a_register_that_falls_or_leaps_stays_with_what_proves_it(store, meter):
    day = one_day(meter)
    for n, one in enumerate(day):
        wh = {True: n, False: n - 2_000}[n < 2_000] + (10**6 if n >= 3_000 else 0)
        day[n] = replace(one, import_wh=wh)
    journal(store, *day)
    thin(store)
    found = kept(store, meter)
    for step in (2_000, 3_000):
        assert all(one in found for one in day[step - 1 : step + 3])


def test_the_log_tells_what_was_thinned(store, meter):
    journal(store, *one_day(meter))
    thin(store)
    with store.read() as unit:
        entry = unit.audit.entries(1)[0]
        count = unit.readings.count()
    facts = json.loads(entry.facts)
    assert (entry.action, entry.object_ref) == ("readings.thinned", "2026-03-02T00:00:00Z")
    assert facts["older_than_days"] == DAYS
    assert (facts["segments_before"], facts["segments"]) == (18, 1)
    assert (facts["readings_before"], facts["readings"]) == (DAY // EVERY_S, LEFT)
    assert facts["digest"] != facts["digest_before"]
    assert count == LEFT + 7_200 // EVERY_S


def test_what_comes_late_into_a_thinned_day_is_kept_and_thinned_itself(store, meter):
    journal(store, *one_day(meter))
    thin(store)
    late = [reading(meter, s) for s in range(10, 3_600, 20)]
    journal(store, *late)
    thin(store, days=DAYS + 1.2)
    found = kept(store, meter, 0, 3_600)
    assert [one for one in late[BEGUN:] if one in found] == [
        one for one in late[BEGUN:] if to_ms(one.at) // 1000 % QUARTER_S in {10, QUARTER_S - 10}
    ]
    assert found == sorted(found, key=lambda one: one.at)


def test_a_damaged_hour_is_left_as_it_is_and_the_others_thin_out(
    store, meter, folder, data_key, expected_log
):
    expected_log("M1, socket 1, from 2026-03-02T06:00:00Z to .*damaged.*The day is not thinned")
    with writing(store) as unit:
        other = add_meter(unit, "M2")
    journal(store, *one_day(meter), *one_day(other))
    seal_all(store, at(DAY + 7_400))
    connection = raw(folder, data_key)
    connection.run("DROP TRIGGER segment_data_no_update")
    connection.run(
        "UPDATE segment_data SET rest = curve WHERE id ="
        " (SELECT data_id FROM segment WHERE meter_id = ? ORDER BY from_ms LIMIT 1)",
        (meter,),
    )
    connection.close()
    thin(store)
    assert len(kept(store, other)) == LEFT
    assert len(kept(store, meter, 3_600)) == 17 * 3_600 // EVERY_S


def test_a_dead_device_keeps_its_newest_reading(store, meter):
    journal(store, reading(meter, 5), replace(reading(meter, 3_000.7), import_wh=None))
    with writing(store) as unit:
        alive = add_meter(unit, "M2")
    journal(store, *one_day(alive))
    thin(store)
    with store.read() as unit:
        newest = unit.readings.latest([Source(meter)])[Source(meter)]
    assert newest.at == at(3_000.7)
