"""A day of twenty devices at one second, with faults from a seed: nothing lost, nothing doubled.

Run it alone: ``python -m pytest tests/end_to_end/test_soak.py --all -s``.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from evdesk.devices.simulator.loads import UNITS_PER_WH
from evdesk.devices.simulator.scenario import Device, FaultKind
from evdesk.domain.instants import to_ms
from evdesk.domain.meters import Source
from evdesk.domain.sessions import Session as Found
from evdesk.domain.sessions import SessionState
from evdesk.ports import SessionFilter
from tests.end_to_end.places import start_collector
from tests.end_to_end.rig import Blank, Rig, rig
from tests.end_to_end.soaking import ServedLog, could_be_late, plagued_depot, served_logs

STARTS_AT = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
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
    scenario = plagued_depot(SEED, HOURS, STARTS_AT)
    with rig(tmp_path, blank, *scenario.devices, starts_at=STARTS_AT, step_ms=STEP_MS) as site:
        begun = time.monotonic()
        memory = soak(site, HOURS)
        took_s = time.monotonic() - begun
        logs = served_logs(site.log)
        stored = sum(check_readings(site, device, logs[device.name]) for device in scenario.devices)
        for device in scenario.devices:
            check_sessions(site, device, logs[device.name])
    report(memory, stored, took_s)
    if memory.by_hour:
        assert abs(memory.of_hour(HOURS) / memory.of_hour(2) - 1) <= WITHIN


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


def report(memory: Memory, stored: int, took_s: float) -> None:
    lines = [f"{stored} readings in {took_s:.0f} s: {stored / took_s:.0f} a second"]
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


# -- sessions --------------------------------------------------------------------------------------


def check_sessions(site: Rig, device: Device, log: ServedLog) -> None:
    """What would be billed was served, and is no more than the cars took."""
    services = site.opened.services
    found = services.sessions.find(SessionFilter(station=services.stations.find(device.name)))
    resolution_wh = services.devices.profile(device.profile).resolution_wh
    for one in found:
        for register in (one.figures.start, one.figures.end):
            assert register is None or log.wh_at(to_ms(register.at)) == register.wh
    taken_wh = sum((car.energy_units or 0) // UNITS_PER_WH for car in device.sessions)
    billed = [one for one in found if one.state is SessionState.CLOSED]
    assert sum(one.figures.energy_wh or 0 for one in billed) <= taken_wh + resolution_wh
    for one in billed:
        if not one.figures.flags:
            check_sure(one, device, resolution_wh)


def check_sure(one: Found, device: Device, resolution_wh: int) -> None:
    """A session without a flag is one car's, with all that it took and nothing else."""
    begun = (one.figures.plugged_in_at - STARTS_AT) // timedelta(milliseconds=1)
    assert one.figures.unplugged_at is not None
    ended = (one.figures.unplugged_at - STARTS_AT) // timedelta(milliseconds=1)
    cars = [car for car in device.sessions if car.plug_in_ms < ended and car.unplug_ms > begun]
    assert len(cars) == 1, (one, cars)
    may_differ_wh = resolution_wh + 1
    if any(fault.kind is FaultKind.FREEZE for fault in device.faults):
        may_differ_wh = max(5 * resolution_wh, 100)  # below that a standing register is no doubt
    took_wh = (cars[0].energy_units or 0) // UNITS_PER_WH
    assert abs((one.figures.energy_wh or 0) - took_wh) <= may_differ_wh, (one, took_wh)
