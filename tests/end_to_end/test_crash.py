"""Killed at any moment, the collector goes on with the same session and the exact energy."""

import random
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import Opened
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.instants import rfc3339
from evdesk.domain.meters import Source
from tests.end_to_end.places import (
    PATIENCE_S,
    Served,
    collect,
    depot,
    make_site,
    sessions,
    start_collector,
)

STARTS_AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
KILLS = 10
SECOND_WH = 10
MINUTE_MS = 60_000


def two_visits() -> Scenario:
    visits = (
        delivering(1 * MINUTE_MS, 28 * MINUTE_MS, 30 * MINUTE_MS, 4_321),
        delivering(33 * MINUTE_MS, 58 * MINUTE_MS, 58 * MINUTE_MS, 3_456),
    )
    devices = (
        Device(
            name="bay1", profile="heidelberg-energy-control", initial_wh=1_234_567, sessions=visits
        ),
        Device(name="bay2", profile="keba-p30", initial_wh=77_777, sessions=visits),
    )
    return Scenario(devices=devices, start_at=STARTS_AT)


@pytest.mark.timeout(240)
def test_ten_kills_at_random_moments_lose_and_double_nothing(tmp_path: Path) -> None:
    chance = random.Random(tmp_path.name)
    with depot(two_visits(), tmp_path) as served:
        opened = make_site(tmp_path / "site", STARTS_AT, served)
        for kill in range(KILLS):
            child = start_collector(opened)
            if kill % 5:
                wait_for_work(opened)
            time.sleep(chance.random())
            child.kill()
            child.communicate()
        reached = opened.services.clock.now()
        left_s = (STARTS_AT + timedelta(hours=1) - reached).total_seconds()
        assert reached > STARTS_AT
        if left_s > 0:
            collect(opened, left_s)
    with closing(opened.services.store):
        check_sessions(opened, served)
        check_readings(opened, served)


def wait_for_work(opened: Opened) -> None:
    """Return once the collector has moved the site's clock on: it is past its imports."""
    before = opened.services.clock.now()
    until_s = time.monotonic() + PATIENCE_S
    while opened.services.clock.now() == before and time.monotonic() < until_s:
        time.sleep(0.02)


def check_sessions(opened: Opened, served: Served) -> None:
    registers, found = served.registers(), sessions(opened)
    assert [(one["station"], one["state"]) for one in found] == [
        (bay, "closed") for _ in range(2) for bay in ("bay1", "bay2")
    ]
    for one in found:
        bay = registers[str(one["station"])]
        counted = bay[str(one["unplugged_at"])] - bay[before(str(one["plugged_in_at"]), bay)]
        if one["flags"]:  # killed in the very second in which the car left
            assert one["flags"] == ["estimated_end", "interrupted"]
            assert counted - SECOND_WH <= int(str(one["energy_wh"])) <= counted
        else:
            assert one["energy_wh"] == counted


def before(instant: str, served: dict[str, int]) -> str:
    return max(at for at in served if at < instant)


def check_readings(opened: Opened, served: Served) -> None:
    """Every instant that a collector went past is stored once, with the Wh that was served."""
    for row in opened.services.meters.rows():
        with opened.services.store.read() as unit:
            stored = list(
                unit.readings.between(
                    Source(row.meter.id), STARTS_AT, STARTS_AT + timedelta(hours=2)
                )
            )
        known = served.registers()[row.meter.name]
        del known[rfc3339(STARTS_AT)]  # the read that adding the meter made
        assert {rfc3339(one.at): one.import_wh for one in stored} == {
            at: known[at] for at in known if at <= rfc3339(stored[-1].at)
        }
