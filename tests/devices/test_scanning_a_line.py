"""A scan of a real serial line at 9,600 baud, whose bytes take their time."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evdesk.ports import Scan
from tests.devices.looking import Watcher
from tests.devices.support import wall_devices

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals"),
]
ROOT = Path(__file__).resolve().parents[2]
LINE = {1: "eastron-sdm630", 3: "eastron-sdm72dm", 4: "abb-b23-b24"}


@pytest.fixture
def line(tmp_path: Path) -> Iterator[str]:
    """The URL of a line with three meters."""
    rows = (
        f'[[device]]\nname = "m{unit}"\nprofile = "{profile}"\nunit = {unit}\nbus = "line"\n'
        f"initial_wh = {unit}_234_567\nbase_w = 2_000\n"
        for unit, profile in LINE.items()
    )
    scenario = tmp_path / "line.toml"
    scenario.write_text('schema_version = 1\nname = "line"\n' + "".join(rows), encoding="utf-8")
    command = [sys.executable, "-m", "evdesk", "simulate", str(scenario), "--pty", "--baud", "9600"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield str(json.loads(child.stdout.readline())["devices"][0]["url"])
        finally:
            child.terminate()
            child.communicate()


def test_every_meter_of_a_line_is_known_within_twenty_seconds(line: str) -> None:
    taken: list[float] = []

    async def main() -> Scan:
        async with wall_devices() as devices:
            loop = asyncio.get_running_loop()
            begun, watch = loop.time(), Watcher()
            scan = await devices.scan(line, (1, 2, 3, 4), watch, thorough=False)
            taken.append(loop.time() - begun)
            return scan

    scan = asyncio.run(main())
    assert {found.unit: found.profile for found in scan.devices} == LINE
    print(f"four units in {taken[0]:.1f} s")  # noqa: T201 - the figure is what one asks for
    assert taken[0] < 20 * len(LINE)
