"""How fast readings are kept: encrypted, guarded and journaled, against plain SQLite.

Both sides have the same schema with its guards, foreign keys and settings, the same readings of 24
meters, and turn the same domain values into rows; rounds alternate, and the median is compared.

Measured on 2 busy cores of a Debian 12 server (SQLCipher 4.19, SQLite 3.40 beside it): batches of
1,000, synchronous NORMAL: 61,000 readings a second against 60,000 plain, ratio 1.0, 16 µs of CPU a
reading. Batches of 20, one page a meter and commit: NORMAL 15,500 against 35,300, FULL 16,200
against 35,400, ratio 0.5, 55 µs of CPU a reading, of which 26 µs encrypt and sign that page.
"""

import sqlite3
import statistics
import sys
import time
from collections.abc import Iterator
from operator import truediv
from pathlib import Path

import pytest

from evdesk.domain.meters import NewMeter
from evdesk.domain.readings import MeterId, Reading
from evdesk.domain.secrets import Secret
from evdesk.storage.connection import SETTINGS
from evdesk.storage.database import Access, Database
from evdesk.storage.faults import Place
from evdesk.storage.meters import StoredMeters
from evdesk.storage.migrations import SITE_SCHEMA, create, statements, steps
from evdesk.storage.reading_rows import INSERT, reading_values
from evdesk.storage.readings import StoredReadings
from tests.storage.sites import START, reading

METERS = 24
ROUNDS = 15
NORMAL, FULL = "PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL"


class Plain:
    """The same tables in a plain file, by the standard library."""

    def __init__(self, path: Path, synchronous: str) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        for file in steps(SITE_SCHEMA).values():
            for statement in statements(file.read_text(encoding="utf-8")):
                self.connection.execute(statement)
        for setting in (*SETTINGS, synchronous):
            if "trusted_schema" not in setting:  # an older SQLite distrusts JSON in triggers
                self.connection.execute(setting)
        for number in range(1, METERS + 1):
            self.connection.execute(
                "INSERT INTO meter (name, profile, url, unit, phases, role, created_at_ms)"
                " VALUES (?, 'p', 'u', 1, '123', 'station', 0)",
                (f"M{number}",),
            )

    def ingest(self, readings: list[Reading]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(INSERT, map(reading_values, readings))
        self.connection.execute("COMMIT")


class Encrypted:
    """The site database as the collector writes it."""

    def __init__(self, path: Path, synchronous: str) -> None:
        place = Place(path, Secret(bytes(range(32))), 5_000)
        create(place, SITE_SCHEMA, wal=True)
        self.database = Database(place, SITE_SCHEMA)
        with self.database.transaction(Access.JOURNAL) as connection:
            for number in range(1, METERS + 1):
                StoredMeters(connection).add(NewMeter(f"M{number}", "p", "u", 1), START)
        purpose = (Access.JOURNAL, None)
        kept = self.database._take(purpose)  # the journal's connection, which stays open
        kept.run(synchronous)
        self.database._give_back(purpose, kept)

    def ingest(self, readings: list[Reading]) -> None:
        with self.database.transaction(Access.JOURNAL) as connection:
            StoredReadings(connection).add(readings)


def batches(size: int, count: int, start: int) -> list[list[Reading]]:
    """Readings of every meter in turn, a second apart, as a collector brings them."""
    numbers = range(start, start + size * count)
    readings = [one_reading(number) for number in numbers]
    return [readings[first : first + size] for first in range(0, size * count, size)]


def one_reading(number: int) -> Reading:
    second, meter = divmod(number, METERS)
    return reading(MeterId(meter + 1), second, power_w=number * 7_919 % 220_000 / 10)


def compared(sides: tuple[Plain, Encrypted], size: int, count: int) -> dict[str, float]:
    """Return readings a second on both sides, their ratio, and CPU time an encrypted reading."""
    walls: dict[type, list[float]] = {Plain: [], Encrypted: []}
    cpus: dict[type, list[float]] = {Plain: [], Encrypted: []}
    for number in range(ROUNDS):
        work = batches(size, count, number * size * count)
        for side in sides if number % 2 else sides[::-1]:
            wall_s, cpu_s = timed(side, work)
            walls[type(side)].append(wall_s / size / count)
            cpus[type(side)].append(cpu_s / size / count)
    plain_s, encrypted_s = (statistics.median(walls[kind]) for kind in (Plain, Encrypted))
    return {
        "plain_per_s": round(1 / plain_s),
        "encrypted_per_s": round(1 / encrypted_s),
        "ratio": round(statistics.median(map(truediv, walls[Plain], walls[Encrypted])), 2),
        "encrypted_cpu_us": round(statistics.median(cpus[Encrypted]) * 1e6, 1),
    }


def timed(side: Plain | Encrypted, work: list[list[Reading]]) -> tuple[float, float]:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    for batch in work:
        side.ingest(batch)
    return time.perf_counter() - wall_s, time.process_time() - cpu_s


def report(benchmark, sides: tuple[Plain, Encrypted], size: int, count: int):
    found = benchmark.pedantic(compared, args=(sides, size, count), rounds=1)
    benchmark.extra_info.update(found)
    sys.stdout.write(f"\nbatches of {size}: {found}\n")
    return found


@pytest.fixture(params=[NORMAL, FULL], ids=["normal", "full"])
def sides(request, tmp_path: Path) -> Iterator[tuple[Plain, Encrypted]]:
    plain = Plain(tmp_path / "plain.db", request.param)
    encrypted = Encrypted(tmp_path / "site.db", request.param)
    yield plain, encrypted
    plain.connection.close()
    encrypted.database.close()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("sides", [NORMAL], indirect=True, ids=["normal"])
def test_encryption_costs_less_than_a_fifth_in_batches_of_1000(benchmark, sides) -> None:
    assert report(benchmark, sides, 1_000, 10)["ratio"] >= 0.8


@pytest.mark.timeout(300)
def test_batches_of_20_are_reported(benchmark, sides) -> None:
    assert report(benchmark, sides, 20, 100)["encrypted_per_s"] > 1_000
