"""A day of twenty devices at one second, with faults from a seed: nothing lost, nothing doubled.

Run it alone: ``python -m pytest tests/end_to_end/test_soak.py --all -s``.
"""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from evdesk.devices.simulator.scenario import Device
from evdesk.domain.instants import to_ms
from evdesk.domain.meters import Source
from tests.end_to_end.places import start_collector
from tests.end_to_end.plagued import (
    OLD_SERIAL,
    ServedLog,
    Truth,
    could_be_late,
    random_cars,
    random_faults,
    served_logs,
)
from tests.end_to_end.rig import Blank, Rig, rig

STARTS_AT = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
CHARGERS = (
    *("heidelberg-energy-control", "keba-p30", "goe-gemini", "alfen-eve", "abl-em4"),
    *("amperfied-connect", "bender-cc6xx", "cfos-power-brain", "phoenix-charx", "sungrow-ac011e"),
)
METERS = (
    *("abb-b23-b24", "eastron-sdm54", "eastron-sdm630", "janitza-umg96-b23", "orno-we525-we526"),
    *("sbc-ale3", "sunspec-float", "sunspec-int-sf", "chint-dtsu666", "carlogavazzi-em24-e1"),
)
HOURS, SEED, STEP_MS = 24, 20_260_302, 1_000
WITHIN = 0.05  # memory of the last hour against that of the second
LOOK_EVERY_S = 0.25


@dataclass
class Memory:
    """Resident bytes of a process in each hour of the site's time."""

    by_hour: dict[int, list[int]] = field(default_factory=dict)

    def look(self, pid: int, minute: float) -> None:
        """Take a sample, where the platform tells."""
        try:
            pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
        except (OSError, IndexError):
            return
        self.by_hour.setdefault(int(minute // 60) + 1, []).append(int(pages) * 4096)

    def of_hour(self, hour: int) -> float:
        return median(self.by_hour[hour])


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_a_day_of_faults_loses_and_doubles_nothing_and_does_not_grow(
    tmp_path: Path, blank: Blank
) -> None:
    devices = plagued_devices(SEED, HOURS)
    with rig(tmp_path, blank, *devices, starts_at=STARTS_AT, step_ms=STEP_MS) as site:
        begun = time.monotonic()
        memory = soak(site, HOURS)
        report(memory, time.monotonic() - begun)
        logs = served_logs(site.log)
        stored = sum(check_readings(site, device, logs[device.name]) for device in devices)
        for device in devices:
            resolution_wh = site.opened.services.devices.profile(device.profile).resolution_wh
            truth = Truth(device, logs[device.name], STARTS_AT, resolution_wh)
            truth.check(site.sessions(device.name))
    sys.stderr.write(f"{stored} readings, none lost, none doubled\n")
    if memory.by_hour:
        assert abs(memory.of_hour(HOURS) / memory.of_hour(2) - 1) <= WITHIN


def plagued_devices(seed: int, hours: int) -> list[Device]:
    """Return twenty devices of different makes with cars and faults; the first never refuses."""
    chance = random.Random(seed)
    return [
        Device(
            name=profile,
            profile=profile,
            initial_wh=chance.randrange(10**6, 10**7),
            serial=OLD_SERIAL,
            sessions=random_cars(chance, hours),
            faults=random_faults(
                chance, hours, chance.randrange(hours // 3, hours), may_refuse=bool(number)
            ),
        )
        for number, profile in enumerate((*CHARGERS, *METERS))
    ]


def soak(site: Rig, hours: int) -> Memory:
    """Let a collector process work so many hours of the site's time; return its memory."""
    memory = Memory()
    child = start_collector(site.opened, "--seconds", str(hours * 3600))
    while child.poll() is None:
        memory.look(child.pid, site.minute())
        time.sleep(LOOK_EVERY_S)
    _, err = child.communicate()
    assert child.returncode == 0, err.decode()
    return memory


def report(memory: Memory, took_s: float) -> None:
    lines = [f"{took_s:.0f} s"]
    lines += [f"hour {hour}: {memory.of_hour(hour) / 2**20:.1f} MiB" for hour in memory.by_hour]
    sys.stderr.write("\n" + "\n".join(lines) + "\n")


# -- readings --------------------------------------------------------------------------------------


def check_readings(site: Rig, device: Device, log: ServedLog) -> int:
    """What was served in time is stored, once, as it was served; nothing else is."""
    begins_ms = to_ms(STARTS_AT)
    missed = set(log.at_ms)
    stored = 0
    for at_ms, wh in readings(site, device.name):
        assert log.wh_at(at_ms) == wh
        missed.remove(at_ms)  # a second one of the same instant would raise
        stored += 1
    missed.discard(begins_ms)  # the read that adding the device made
    lost = [at for at in missed if not could_be_late(device, at - begins_ms)]
    assert not lost, f"{device.name}: {len(lost)} lost, first {lost[:3]}"
    return stored


def readings(site: Rig, name: str) -> Iterator[tuple[int, int]]:
    """Yield instants and Wh as they are stored; -1 Wh for none."""
    with site.opened.services.store.read() as unit:
        meter = unit.meters.by_name(name)
        assert meter is not None
        end = STARTS_AT + timedelta(hours=HOURS + 1)
        for one in unit.readings.between(Source(meter.id), STARTS_AT, end):
            yield to_ms(one.at), -1 if one.import_wh is None else one.import_wh
