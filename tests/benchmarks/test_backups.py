"""Backups of a site with a million sealed readings: how long, how large, and who waits for them."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.backing_up import _Pace
from evdesk.domain.backups import BackupId
from evdesk.domain.instants import from_ms
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Attend, BackupStage, Store, unattended
from evdesk.services.sealing import Archivist
from evdesk.storage.site_folder import create_site
from tests.benchmarks.traces import START_MS, traces
from tests.storage.backing import backups_of, make
from tests.storage.sites import DONE, OWNER, PASSWORD, SITE, add_meter, opened, writing

METERS, HOURS, HOUR_S = 24, 12, 3_600
MOST_WAIT_MS = 250.0


@dataclass
class Writers:
    """Somebody who commits durably all the time, as the collector and people do."""

    store: Store
    waited_ms: list[float] = field(default_factory=list)
    number: int = 0

    @contextmanager
    def at_work(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._work, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _work(self, stop: threading.Event) -> None:
        while not stop.wait(0.02):
            self.number += 1
            at = from_ms(START_MS) + timedelta(days=2, seconds=self.number)
            rows = [Reading(MeterId(m + 1), 1, at, self.number) for m in range(20)]
            began = time.perf_counter()
            if self.number % 5:
                with self.store.journal() as unit:
                    unit.readings.add(rows)
            else:
                with self.store.write() as unit:
                    unit.record_change(DONE)
            self.waited_ms.append((time.perf_counter() - began) * 1000)

    def told(self) -> str:
        """Return the longest and the 99th of a hundred, and forget them."""
        waited = sorted(self.waited_ms)
        self.waited_ms = []
        return f"{waited[-1]:.0f} ms (p99 {waited[len(waited) * 99 // 100]:.0f}) of {len(waited)}"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """A site with a million readings, sealed hour by hour."""
    folder = tmp_path_factory.mktemp("million") / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    store = opened(folder, backups_of(folder)._keys.data_key, busy_timeout_ms=5_000)
    with writing(store) as unit:
        for number in range(METERS):
            add_meter(unit, f"M{number + 1}")
    known, archivist = traces(shared_data, METERS, HOURS), Archivist(store)
    for begin_s in range(0, HOURS * HOUR_S, 600):
        rows = [
            one
            for number, each in enumerate(known)
            for one in each.readings(MeterId(number + 1), begin_s, begin_s + 600, whole=True)
        ]
        with store.journal() as unit:
            unit.readings.add(sorted(rows, key=lambda one: one.at))
        while archivist.step(from_ms(START_MS) + timedelta(seconds=begin_s + 600)):
            pass
    while archivist.step(from_ms(START_MS) + timedelta(hours=HOURS + 1)):
        pass
    store.close()
    return folder


@pytest.fixture
def million(made_once: Path, tmp_path: Path) -> Iterator[Store]:
    folder = shutil.copytree(made_once, tmp_path / "site")
    store = opened(folder, backups_of(folder)._keys.data_key, busy_timeout_ms=5_000)
    yield store
    store.close()


@pytest.mark.timeout(900)
@pytest.mark.parametrize("paced", [False, True], ids=["by hand", "by the collector"])
def test_a_million_readings_are_backed_up_while_others_write(million, tmp_path, paced):
    """Figures stand below."""
    folder, target = tmp_path / "site", tmp_path / "usb"
    target.mkdir()
    files, writers = backups_of(folder), Writers(million)
    with million.read() as unit:
        readings = unit.readings.sealed()

    def pace() -> Attend:
        return _Pace(threading.Event()) if paced else unattended

    with writers.at_work():
        time.sleep(3)
    quiet = writers.told()
    with writers.at_work():
        began = time.perf_counter()
        made = make(files, target, BackupId("B-1"), attend=pace())
        making_s = time.perf_counter() - began
    waited = max(writers.waited_ms)
    making = writers.told()
    stages: dict[BackupStage, float] = {}
    with writers.at_work():
        began = time.perf_counter()
        verdict = files.verify(made.file, timed(pace(), stages))
        verifying_s = time.perf_counter() - began
    waited = max(waited, *writers.waited_ms)
    sys.stdout.write(
        f"\n{readings:,} sealed readings, {million.size_bytes() / 1e6:.1f} MB: backup "
        f"{made.size_bytes / 1e6:.1f} MB in {making_s:.1f} s, proven in {verifying_s:.1f} s; "
        f"longest write {quiet} without, {making} while it is made, {writers.told()} while it is "
        f"proven; {os.cpu_count()} cores\n"
        + ", ".join(f"{stage.value} {seconds:.1f} s" for stage, seconds in stages.items())
        + "\n"
    )
    assert verdict.intact
    assert readings >= 1_000_000
    assert waited <= MOST_WAIT_MS


def timed(attend: Attend, stages: dict[BackupStage, float]) -> Attend:
    """Note how long each stage takes."""
    last = time.perf_counter()

    def tell(stage: BackupStage, share: float) -> None:
        nonlocal last
        attend(stage, share)
        now = time.perf_counter()
        stages[stage] = stages.get(stage, 0) + now - last
        last = now

    return tell
