"""Every simulated meter shows what a mains meter can show, to a probe of its own profile."""

import asyncio
from datetime import timedelta

import pytest

from evdesk.devices.profile_file import load_profiles
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device
from evdesk.ports import Probe
from tests.devices.support import METERS, START, stepped_site

KNOWN = {name: one for name, one in load_profiles(METERS).items() if one.info.kind == "meter"}
HOUR_MS = 3_600_000
# A counter of 0 means there that it does not count, and nothing flows back here.
SILENT = {"sunspec-int-sf": {"energy_export_total", *(f"energy_export_l{n}" for n in "123")}}
LIMITS = {"V": (225, 235), "A": (12, 50), "W": (2_900, 11_010), "Hz": (49, 51)}


def rows_of(found):
    return found.values if isinstance(found, Probe) else found


@pytest.mark.parametrize("name", KNOWN)
def test_every_value_of_a_simulated_meter_is_plausible(name):
    profile = KNOWN[name]
    phases, watts = ("123", 11_000) if profile.phases == len("123") else ("1", 3_000)
    visit = delivering(0, HOUR_MS, HOUR_MS, watts, phases)
    device = Device("bay", name, sessions=(visit,), initial_wh=5_000_000, phases=phases)

    async def main():
        async with stepped_site(device) as site:
            site.clock.at = START + timedelta(minutes=30)
            await site.devices.tell_instant(site.clock.at)
            unit = int(str(site.depot.addresses()[0]["unit"]))
            return rows_of(await site.devices.probe(site.urls[0], unit, name))

    rows = asyncio.run(main())
    assert {row.name for row in rows} == set(profile.registers)
    assert {row.name for row in rows if row.value is None} == SILENT.get(name, set())
    for row in rows:
        if row.unit in LIMITS:
            low, high = LIMITS[row.unit]
            assert low <= float(row.value) <= high, row
    energy = next(row for row in rows if row.name == "energy_import_total")
    assert 5_000_000 + watts // 2 - 100 <= int(energy.value) <= 5_000_000 + watts // 2
