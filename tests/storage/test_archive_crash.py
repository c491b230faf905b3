"""Killed at any moment of sealing or thinning, every reading exists exactly once."""

import random
import time

import pytest

from evdesk.domain.errors import StorageError
from evdesk.domain.instants import to_ms
from evdesk.domain.readings import MeterId, Reading
from tests.storage.archives import ONE, OTHER, add_two_meters, everything, journal, seal_all
from tests.storage.sites import START, at, opened, reading, writing
from tests.storage.test_crash import child

EVERY_S = 10
DAY_S = 86_400
DAY_MS = DAY_S * 1000
QUARTER_MS = 900_000
START_S = round(START.timestamp())
BEGUN = 10  # readings with which each day begins stay
# An hour of two meters at a time, each followed by steps of the archive. The stopwatch shows a
# second a step: that keeps the steps as short as they get, so that there are many of them.
COLLECTS = """
from itertools import count
from evdesk.domain.meters import Source
from evdesk.services.sealing import Archivist
from tests.storage.sites import START, at
with store.read() as unit:
    latest = unit.readings.latest([Source(1)]).get(Source(1))
begin = 0 if latest is None else round((latest.at - START).total_seconds()) + 10
archivist = Archivist(store, stopwatch=count().__next__)
for first in range(begin, 10**9, 3600):
    with store.journal() as unit:
        unit.readings.add(
            [reading(meter, s) for s in range(first, first + 3600, 10) for meter in (1, 2)]
        )
    print(first + 3600, flush=True)
    while archivist.step(at(first + 3600)):
        print(first + 3600, flush=True)
"""


@pytest.fixture
def two_meters(folder, data_key) -> None:
    store = opened(folder, data_key)
    add_two_meters(store)
    with writing(store) as unit:
        unit.archive.set_thinning(1)
    store.close()


@pytest.mark.usefixtures("two_meters")
def test_every_reading_is_there_once_whenever_the_archive_was_killed(folder, data_key) -> None:
    kill_and_look(folder, data_key, times=5)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("two_meters")
def test_every_reading_is_there_once_however_often_the_archive_is_killed(folder, data_key) -> None:
    assert kill_and_look(folder, data_key, times=60) > 0


def kill_and_look(folder, data_key, times: int) -> int:
    """Return how many days were thinned out meanwhile."""
    chance, told, thinned = random.Random(folder.parent.name), 0, 0
    for _ in range(times):
        with child(COLLECTS, folder, data_key) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(10, 80)):
                told = int(process.stdout.readline())
            time.sleep(chance.random() / 100)  # into the middle of a step
        store = opened(folder, data_key)
        with store.read() as unit:
            found, count = everything(unit), unit.readings.count()
        store.close()
        assert count == len(found[ONE]) + len(found[OTHER])
        for meter, source in ((1, ONE), (2, OTHER)):
            thinned = check(MeterId(meter), found[source], told)
    store = opened(folder, data_key)
    with pytest.raises(StorageError, match="final"):
        journal(store, reading(MeterId(1), told - EVERY_S))
    seal_all(store, at(told + 10 * DAY_S))
    with store.read() as unit:
        assert unit.readings.sealed() == unit.readings.count()
    store.close()
    return thinned


def check(meter: MeterId, found: list[Reading], told: int) -> int:
    """Every day is whole or thinned out as a whole; return how many are."""
    assert found[-1].at >= at(told - EVERY_S)
    days: dict[int, list[Reading]] = {}
    for one in found:
        days.setdefault(to_ms(one.at) // DAY_MS, []).append(one)
    thinned = 0
    for day, kept in days.items():
        from_s = max(0, day * DAY_S - START_S)
        to_s = min((day + 1) * DAY_S, round(found[-1].at.timestamp()) + 1) - START_S
        whole = [reading(meter, s) for s in range(from_s, to_s, EVERY_S)]
        if kept != whole:
            rest = [one for one in whole[BEGUN:] if is_edge(to_ms(one.at))]
            assert kept == whole[:BEGUN] + rest
            thinned += 1
    return thinned


def is_edge(at_ms: int) -> bool:
    """Whether it is the first or the last of its quarter hour."""
    return at_ms % QUARTER_MS in {0, QUARTER_MS - EVERY_S * 1000}
