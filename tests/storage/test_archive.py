"""Rows and sealed hours are the same to whoever asks, at every step of the way."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evdesk.domain.errors import Damaged, StorageError
from evdesk.domain.instants import MILLISECOND
from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Store
from evdesk.services.sealing import Archivist
from tests.storage.archives import (
    LATER,
    ONE,
    OTHER,
    SOURCES,
    TWO,
    add_two_meters,
    by_source,
    everything,
    journal,
    lists_of_readings,
    seal_all,
    spoil,
    steady,
)
from tests.storage.sites import START, at, opened, raw, reading

FEW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
MANY = settings(FEW, max_examples=200)
SPANS = ((0, 3.2, 2_000), (0, 3.2, 40), (0.9, 1.1, 500), (0, 60, 300))  # hours, hours, points


@pytest.fixture
def meters(store):
    add_two_meters(store)
    return store


@contextmanager
def twin(folder: Path, data_key, tmp_path: Path, name: str) -> Iterator[Store]:
    """Another site, made anew, with two meters."""
    place = tmp_path / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(folder, place)
    store = opened(place, data_key)
    add_two_meters(store)
    yield store
    store.close()


def answers(store: Store) -> list[object]:
    """Everything that can be asked about readings."""
    with store.read() as unit:
        curves = [
            unit.readings.curves(SOURCES, at(begin * 3600), at(end * 3600), points)
            for begin, end, points in SPANS
        ]
        middle = list(unit.readings.between(ONE, at(3_000), at(7_205)))
        return [
            everything(unit),
            unit.readings.latest(SOURCES),
            unit.readings.count(),
            middle,
            curves,
        ]


BATCHES = st.lists(lists_of_readings, min_size=1, max_size=3)


@given(BATCHES, st.data())
@FEW
def test_no_answer_tells_whether_an_hour_is_sealed(folder, data_key, tmp_path, batches, data):
    compare_with_rows(folder, data_key, tmp_path, batches, data)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(BATCHES, st.data())
@MANY
def test_no_answer_ever_tells_whether_an_hour_is_sealed(folder, data_key, tmp_path, batches, data):
    compare_with_rows(folder, data_key, tmp_path, batches, data)


def compare_with_rows(folder, data_key, tmp_path, batches, data):
    known: dict[tuple[MeterId, int, object], Reading] = {}
    with (
        twin(folder, data_key, tmp_path, "rows") as rows,
        twin(folder, data_key, tmp_path, "sealed") as sealed,
    ):
        for batch in batches:
            new = [r for r in batch if (r.meter_id, r.socket, r.at) not in known]
            known |= {(r.meter_id, r.socket, r.at): r for r in new}
            journal(rows, *new)
            journal(sealed, *new)
            seal_all(sealed, at(3600 * data.draw(st.integers(0, 4)) + 200))
        found = answers(sealed)
        assert found == answers(rows)
        assert found[0] == by_source(list(known.values()))


def test_every_reading_is_there_once_after_every_step(meters):
    new = [*steady(MeterId(1), 2.1), *steady(MeterId(1), 1.5, 30, socket=2)]
    new += steady(MeterId(2), 2, 300)
    journal(meters, *new)
    before = answers(meters)
    archivist, steps = Archivist(meters, stopwatch=iter(range(10**6)).__next__), 0
    while archivist.step(START + LATER):  # each step seems to take a second: they become short
        assert answers(meters) == before
        steps += 1
    assert steps > 12
    with meters.read() as unit:
        assert unit.readings.sealed() == unit.readings.count() == len(new)


@given(st.data())
@FEW
def test_late_readings_are_kept_and_doubles_refused_at_every_step(folder, data_key, tmp_path, data):
    come_late(folder, data_key, tmp_path, data)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(st.data())
@MANY
def test_late_readings_are_kept_and_doubles_refused_at_any_step(folder, data_key, tmp_path, data):
    come_late(folder, data_key, tmp_path, data)


def come_late(folder, data_key, tmp_path, data):
    early = [*steady(MeterId(1), 1.2, 10), *steady(MeterId(2), 1.2, 60)]
    with twin(folder, data_key, tmp_path, "late") as store:
        journal(store, *early)
        archivist = Archivist(store, stopwatch=iter(range(10**6)).__next__)
        for _ in range(data.draw(st.integers(0, 40))):
            archivist.step(START + LATER)
        late = data.draw(lists_of_readings.map(lambda many: many[:5]))
        known = {(one.meter_id, one.socket, one.at) for one in early}
        late = [one for one in late if (one.meter_id, one.socket, one.at) not in known]
        journal(store, *late)
        for double in (*late, early[7], early[-1]):
            with pytest.raises(StorageError, match="reading is final"):
                journal(store, double)
        while archivist.step(START + LATER):
            pass
        seal_all(store)
        with store.read() as unit:
            assert everything(unit) == by_source(early + late)
            assert unit.readings.sealed() == len(early) + len(late)


def test_the_hour_that_is_not_over_stays_rows(meters):
    journal(meters, *steady(MeterId(1), 1.5))
    assert seal_all(meters, at(3600 + 60)) == 0  # over, but readings may still come
    seal_all(meters, at(3600 + 121))
    with meters.read() as unit:
        assert unit.readings.sealed() == 720
        assert unit.readings.count() == 1080
        assert unit.archive.state().sealed_until == at(3600)


def test_a_silent_device_keeps_its_latest_reading(meters):
    journal(meters, reading(MeterId(1), 5), *steady(MeterId(2), 3))
    seal_all(meters)
    with meters.read() as unit:
        assert unit.readings.latest([ONE, TWO])[ONE] == reading(MeterId(1), 5)
        assert TWO not in unit.readings.latest([ONE, TWO])


def test_a_range_over_sealed_hours_is_lazy(meters):
    journal(meters, *steady(MeterId(1), 3))
    seal_all(meters)
    with meters.read() as unit:
        found = iter(unit.readings.between(ONE, at(1), at(3 * 3600)))
        assert next(found).at == at(5)


def test_each_sealed_hour_is_in_the_log_with_a_digest_over_its_segments(meters, folder, data_key):
    journal(meters, *steady(MeterId(1), 2), *steady(MeterId(2), 1))
    seal_all(meters)
    with meters.read() as unit:
        entries = unit.audit.entries(2)
    assert [(one.action, one.object_ref) for one in entries] == [
        ("readings.sealed", "2026-03-02T07:00:00Z"),
        ("readings.sealed", "2026-03-02T06:00:00Z"),
    ]
    connection = raw(folder, data_key)
    digests = connection.all(
        "SELECT digest FROM segment WHERE from_ms = ? ORDER BY meter_id, socket, part",
        (round(START.timestamp() * 1000),),
    )
    connection.close()
    facts = json.loads(entries[1].facts)
    assert facts == {
        "segments": 2,
        "readings": 1440,
        "late": False,
        "digest": hashlib.sha256(b"".join(one for (one,) in digests)).hexdigest(),
    }


def test_nothing_to_seal_writes_nothing(meters):
    before = meters.data_version()
    assert seal_all(meters) == 0
    assert meters.data_version() == before


PARTS = ("curve", "register", "rest", "buckets", "digest", "readings", "curve_digest", "last_ms")


@pytest.mark.parametrize("part", PARTS)
def test_a_damaged_segment_says_which_hour_of_which_meter(meters, folder, data_key, part):
    journal(meters, *steady(MeterId(1), 2), *steady(MeterId(2), 2))
    seal_all(meters)
    spoil(folder, data_key, part)
    with meters.read() as unit:
        assert len(list(unit.readings.between(OTHER, START, START + LATER))) == 1440
        assert len(list(unit.readings.between(ONE, at(3600), START + LATER))) == 720
        with pytest.raises(StorageError, match=r"meter M1, socket 1, from 2026-03-02T06:00:00Z"):
            list(unit.readings.between(ONE, START, START + LATER))


@pytest.mark.parametrize("part", ["curve", "register", "rest", "buckets", "readings"])
def test_whoever_is_told_of_damage_gets_all_other_readings(meters, folder, data_key, part):
    journal(meters, *steady(MeterId(1), 2), *steady(MeterId(2), 2))
    seal_all(meters)
    late = reading(MeterId(1), 1_801.5)  # in the damaged hour, but a row
    journal(meters, late)
    spoil(folder, data_key, part)
    told = []
    with meters.read() as unit:
        found = list(
            unit.readings.between(ONE, START, START + LATER, lambda *damage: told.append(damage))
        )
        whole = list(unit.readings.between(ONE, at(3600), START + LATER))
    assert found == [late, *whole]
    assert len(whole) == 720
    ((from_at, error),) = told
    assert from_at == START
    assert "from 2026-03-02T06:00:00Z to 2026-03-02T07:00:00Z are damaged" in str(error)


def test_damage_that_hits_its_own_end_is_told_all_the_same(meters, folder, data_key):
    journal(meters, *steady(MeterId(1), 1))
    seal_all(meters)
    spoil(folder, data_key, "until_ms", 2**62)
    with meters.read() as unit, pytest.raises(Damaged, match="to 2026-03-03T06:00:00Z"):
        list(unit.readings.between(ONE, START, START + LATER))


@pytest.mark.parametrize(("part", "points"), [("curve", 2_000), ("buckets", 50)])
def test_a_damaged_segment_is_not_drawn(meters, folder, data_key, part, points):
    journal(meters, *steady(MeterId(1), 1))
    seal_all(meters)
    spoil(folder, data_key, part)
    with meters.read() as unit, pytest.raises(StorageError, match="M1"):
        unit.readings.curve(ONE, START, START + LATER, points)


def test_what_is_sealed_cannot_be_unsealed(meters, folder, data_key):
    journal(meters, *steady(MeterId(1), 1))
    seal_all(meters)
    connection = raw(folder, data_key)
    with pytest.raises(StorageError, match="final"):
        connection.run("UPDATE archive SET sealed_to_ms = 0")
    connection.close()


def test_a_reading_between_the_borders_of_an_hour_is_found_to_the_millisecond(meters):
    edges = [reading(MeterId(1), s) for s in (3599.999, 3600, 3600.001)]
    journal(meters, *edges)
    seal_all(meters)
    with meters.read() as unit:
        for one in edges:
            assert list(unit.readings.between(ONE, one.at, one.at + MILLISECOND)) == [one]
        assert list(unit.readings.between(Source(MeterId(9)), START, START + timedelta(9))) == []


def test_a_busy_database_puts_sealing_off_and_it_goes_on(meters, folder, data_key, expected_log):
    expected_log("kept the database busy.*Sealing and thinning of readings go on later")
    journal(meters, *steady(MeterId(1), 2))
    archivist, other = Archivist(meters), opened(folder, data_key)
    now = START + LATER
    with other.journal():
        while archivist.step(now):
            pass
        assert not archivist.step(now)
    other.close()
    while archivist.step(now + timedelta(seconds=61)):
        pass
    with meters.read() as unit:
        assert unit.readings.sealed() == unit.readings.count() == 1_440
