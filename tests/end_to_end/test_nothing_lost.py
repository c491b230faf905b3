"""Twenty meters at one second: what was served is what is stored, exactly once."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.instants import rfc3339
from evdesk.domain.meters import Source
from evdesk.ports import SessionFilter
from tests.end_to_end.places import collect, depot, make_site

STARTS_AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ALL = SessionFilter()
METERS, MINUTE_MS = 20, 60_000


def twenty_meters() -> Scenario:
    visit = delivering(1 * MINUTE_MS, 4 * MINUTE_MS, 5 * MINUTE_MS, 500)
    devices = tuple(
        Device(
            name=f"bay{n:02}", profile="eastron-sdm630", initial_wh=n * 10_000, sessions=(visit,)
        )
        for n in range(METERS)
    )
    return Scenario(devices=devices, start_at=STARTS_AT)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("seconds", [1200, pytest.param(3600, marks=pytest.mark.slow)])
def test_not_one_reading_is_lost_or_doubled(tmp_path: Path, seconds: int) -> None:
    with depot(twenty_meters(), tmp_path) as served:
        opened = make_site(tmp_path / "site", STARTS_AT, served)
        counts = collect(opened, seconds)
    assert (counts["readings"], counts["failures"]) == (METERS * seconds, 0)
    registers = served.registers()
    with closing(opened.services.store), opened.services.store.read() as unit:
        assert unit.readings.count() == METERS * seconds
        for meter in unit.meters.all():
            after = STARTS_AT + timedelta(hours=2)
            stored = unit.readings.between(Source(meter.id), STARTS_AT, after)
            known = registers[meter.name]
            del known[rfc3339(STARTS_AT)]  # the read that adding the meter made
            assert {rfc3339(one.at): one.import_wh for one in stored} == known
        energies = [one.figures.energy_wh for one in opened.services.sessions.find(ALL)]
    assert energies == [500] * METERS
