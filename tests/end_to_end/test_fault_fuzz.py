"""Random faults and restarts: what is billed without a doubt is what the register counted."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import Device, Fault
from evdesk.domain.sessions import Flag
from tests.end_to_end.plagued import (
    OLD_SERIAL,
    Truth,
    random_cars,
    random_faults,
    served_logs,
)
from tests.end_to_end.rig import STARTS_AT, Blank, Rig, rig

HOURS, STEP_MS = 10, 20_000
CHARGERS = ("heidelberg-energy-control", "keba-p30", "goe-gemini", "phoenix-charx", "peblar")
METERS = ("eastron-sdm630", "abb-b23-b24", "chint-dtsu666")
SPOTLESS = "heidelberg-energy-control"


def random_devices(chance: random.Random) -> list[Device]:
    """Return bays of their own, a box with a meter beside it, and one that nothing happens to."""

    def faults() -> tuple[Fault, ...]:
        return random_faults(chance, HOURS, chance.randrange(8))

    bays = [
        Device(
            name=f"bay{number}",
            profile=profile,
            initial_wh=chance.randrange(10**6, 10**7),
            serial=OLD_SERIAL,
            sessions=random_cars(chance, HOURS - 2),
            faults=faults(),
        )
        for number, profile in enumerate((*CHARGERS, *METERS))
    ]
    cars = bays[0].sessions
    box = Device("box", CHARGERS[0], sessions=cars, faults=faults())
    meter = replace(bays[0], name="meter", profile=METERS[0], faults=faults())
    return [*bays, box, meter, replace(bays[0], name="spotless", profile=SPOTLESS, faults=())]


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", [3, 4, 33, 34, 35])
def test_random_faults_bill_nothing_wrong_without_saying_so(
    tmp_path: Path, blank: Blank, seed: int
) -> None:
    chance = random.Random(seed)
    devices = random_devices(chance)
    with rig(tmp_path, blank, *devices, step_ms=STEP_MS) as site:
        join(site)
        collect_with_restarts(site, chance)
        check(site, devices)


def join(site: Rig) -> None:
    """Make one point of a charger's state and of a meter that is read less often."""
    site.join(energy="meter", state="box", name="joined")
    site.opened.services.meters.set_interval("meter", 3 * STEP_MS)


def collect_with_restarts(site: Rig, chance: random.Random) -> None:
    while site.minute() < HOURS * 60:
        site.collect(min(site.minute() + chance.randrange(10, 170), HOURS * 60))


def check(site: Rig, devices: list[Device]) -> None:
    logs = served_logs(site.log)
    for device in devices:
        if device.name == "box":
            continue
        found = site.sessions("joined" if device.name == "meter" else device.name)
        resolution_wh = site.opened.services.devices.profile(device.profile).resolution_wh
        Truth(device, logs[device.name], STARTS_AT, resolution_wh).check(found)
        if not device.faults and device.name != "meter":
            assert len(found) == len(device.sessions)
            assert all(_is_clear(one.figures.flags) for one in found)


def _is_clear(flags: frozenset[Flag]) -> bool:
    """Nothing happened to it but that the collector was started anew, perhaps as the car left."""
    restarted = {Flag.INTERRUPTED, Flag.ESTIMATED_END}
    return flags <= restarted and (Flag.INTERRUPTED in flags or not flags)
