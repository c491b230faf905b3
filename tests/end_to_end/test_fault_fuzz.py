"""Random faults and restarts: what is billed without a doubt is what the register counted."""

import random
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.running import Speed, collect
from evdesk.bootstrap.sites import Opened
from evdesk.devices.simulator.loads import UNITS_PER_WH, Session, delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.domain.instants import rfc3339
from evdesk.domain.sessions import Flag
from evdesk.domain.sessions import Session as Found
from evdesk.ports import SessionFilter
from tests.end_to_end.places import Served, depot, make_site

STARTS_AT = datetime(2026, 3, 2, 0, 0, tzinfo=UTC)
MINUTE_MS = 60_000
INTERVAL_MS = 20_000
HOURS = 10
RESOLUTION_WH = 100
MAX_W = 22_000
CHARGERS = ("heidelberg-energy-control", "keba-p30", "goe-gemini")
METERS = ("eastron-sdm630", "abb-b23-b24")
AMOUNTS = {FaultKind.SLOW: 500, FaultKind.EXCEPTION: 4, FaultKind.REWIND: 3_000}
KINDS = (
    FaultKind.SILENCE,
    FaultKind.SLOW,
    FaultKind.EXCEPTION,
    FaultKind.DROP,
    FaultKind.REFUSE,
    FaultKind.RESET,
    FaultKind.REWIND,
    FaultKind.SENTINEL,
)
LEVELS = {FaultKind.RESET, FaultKind.REWIND}


@dataclass(frozen=True)
class Visit:
    """A car that was there: when, and the Wh it took."""

    came: datetime
    left: datetime
    wh: int


def random_scenario(chance: random.Random) -> Scenario:
    profiles = (*CHARGERS, *METERS)
    devices = [
        Device(
            name=f"bay{number}",
            profile=profile,
            initial_wh=chance.randrange(10**6, 10**7),
            sessions=random_visits(chance),
            faults=random_faults(chance),
        )
        for number, profile in enumerate(profiles)
    ]
    cars = devices[0].sessions
    box = Device("box", CHARGERS[0], sessions=cars, faults=random_faults(chance))
    meter = Device(
        "meter", METERS[0], initial_wh=500_000, sessions=cars, faults=random_faults(chance)
    )
    untouched = Device(name="never refuses", profile="heidelberg-energy-control")
    return Scenario(devices=(*devices, box, meter, untouched), start_at=STARTS_AT)


def random_visits(chance: random.Random) -> tuple[Session, ...]:
    visits, at = list[Session](), chance.randrange(5, 60) * MINUTE_MS
    while at < (HOURS - 3) * 60 * MINUTE_MS:
        stay_s = chance.randrange(600, 7_200)
        drawing_s = stay_s if chance.random() < 0.5 else stay_s // 2
        wh = chance.randrange(2_000, MAX_W) * drawing_s // 3600
        visits.append(delivering(at, at + drawing_s * 1000, at + stay_s * 1000, wh))
        at += stay_s * 1000 + chance.randrange(20, 90) * MINUTE_MS
    return tuple(visits)


def random_faults(chance: random.Random) -> tuple[Fault, ...]:
    faults = []
    for _ in range(chance.randrange(4)):
        kind = chance.choice(KINDS)
        begins = chance.randrange(HOURS * 3600) * 1000
        lasts_s = chance.choice((20, 60, 300, 2_400))
        faults.append(Fault(kind, begins, begins + lasts_s * 1000, AMOUNTS.get(kind, 0)))
    return tuple(faults)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", [3, 4, 33])
def test_random_faults_bill_nothing_wrong_without_saying_so(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    scenario = random_scenario(chance)
    with depot(scenario, tmp_path) as served:
        opened = make_site(tmp_path / "site", STARTS_AT, served, INTERVAL_MS)
        with closing(opened.services.store):
            join(opened)
            collect_with_restarts(opened, chance)
            check(opened, scenario, served)


def join(opened: Opened) -> None:
    """Make one point of a charger's state and of a meter that is read less often."""
    stations = opened.services.stations
    for name in ("box", "meter"):
        stations.retire(name)
    stations.add("meter", "meter", "box")
    opened.services.meters.set_interval("meter", 3 * INTERVAL_MS)


def collect_with_restarts(opened: Opened, chance: random.Random) -> None:
    ends = STARTS_AT + timedelta(hours=HOURS)
    while (now := opened.services.clock.now()) < ends:
        seconds = min((ends - now).total_seconds(), chance.randrange(600, 10_000))
        collect(opened, max(seconds, 60), Speed(given=True, times=None))


def check(opened: Opened, scenario: Scenario, served: Served) -> None:
    registers = served.registers()
    for device in scenario.devices:
        if device.name == "box":
            continue
        station = opened.services.stations.find(device.name)
        found = opened.services.sessions.find(SessionFilter(station=station))
        sure = [one for one in found if not one.figures.flags]
        for one in found:
            check_registers(one, registers[device.name])
        for one in sure:
            check_sure(one, visits_of(device))
        if not any(fault.kind in LEVELS for fault in device.faults):
            taken = sum(visit.wh for visit in visits_of(device))
            assert sum(one.figures.energy_wh or 0 for one in found) <= taken + RESOLUTION_WH
        if not device.faults and device.name != "meter":
            clear = [one for one in found if not one.figures.flags - {Flag.INTERRUPTED}]
            assert len(clear) == len(device.sessions)


def visits_of(device: Device) -> list[Visit]:
    return [
        Visit(
            STARTS_AT + timedelta(milliseconds=one.plug_in_ms),
            STARTS_AT + timedelta(milliseconds=one.unplug_ms),
            (one.energy_units or 0) // UNITS_PER_WH,
        )
        for one in device.sessions
    ]


def check_registers(one: Found, served: dict[str, int]) -> None:
    """Both registers are what was served at that instant, and make the energy."""
    for register in (one.figures.start, one.figures.end):
        if register is not None:
            assert served[rfc3339(register.at)] == register.wh
    if one.figures.start and one.figures.end and Flag.METER_RESET not in one.figures.flags:
        assert one.figures.energy_wh == one.figures.end.wh - one.figures.start.wh


def check_sure(one: Found, visits: list[Visit]) -> None:
    """A session without a flag is one car's, with all that it took and nothing else."""
    begun, ended = one.figures.plugged_in_at, one.figures.unplugged_at
    assert ended is not None
    there = [visit for visit in visits if visit.came < ended and visit.left > begun]
    assert len(there) == 1, (one, there)
    assert one.figures.energy_wh is not None
    assert abs(one.figures.energy_wh - there[0].wh) <= RESOLUTION_WH, (one, there)
