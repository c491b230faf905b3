"""A depot on serial lines, from the scenario to the register differences of its sessions."""

import json
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime

from tests.end_to_end.places import Served, collect, make_site, sessions
from tests.fakes.terminals import needs_terminals

STARTS_AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SCENARIO = """schema_version = 1
name = "line"
start_at = 2026-03-02T06:00:00Z
""" + "\n".join(
    f'[[device]]\nname = "bay{unit}"\nprofile = "{profile}"\nunit = {unit}\nbus = "line"\n'
    f"initial_wh = {unit * 1_000}\n[[device.session]]\nplug_in = '00:01'\nunplug = '00:20'\n"
    f"power_w = 11000\nenergy_wh = {unit * 1_000}\n"
    for unit, profile in ((1, "heidelberg-energy-control"), (3, "eastron-sdm630"))
)


@needs_terminals
def test_a_depot_on_a_serial_line_is_billed_like_any_other(tmp_path):
    scenario, log = tmp_path / "line.toml", tmp_path / "served.jsonl"
    scenario.write_text(SCENARIO, encoding="utf-8")
    command = [sys.executable, "-m", "evdesk", "simulate", str(scenario), "--pty", "--stepped"]
    with subprocess.Popen([*command, "--log", str(log)], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            devices = json.loads(child.stdout.readline())["devices"]
            assert len({device["url"] for device in devices}) == 1
            served = Served(devices, log, {})
            opened = make_site(tmp_path / "site", STARTS_AT, served, interval_ms=10_000)
            with closing(opened.services.store):
                counts = collect(opened, 45 * 60)
                found = {row["station"]: row["energy_wh"] for row in sessions(opened)}
        finally:
            child.terminate()
            child.communicate()
    assert counts["failures"] == 0
    assert found == {"bay1": 1_000, "bay3": 3_000}
