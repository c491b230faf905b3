"""A serial bus: how much of what 9,600 baud leave a real collector uses.

Eight meters of four kinds share one line, a pseudo-terminal whose bytes take their time; the
collector is a process of its own with an encrypted site, and so is the simulator. The rate that the
line leaves is computed here from first principles: ten bits a byte (8N1), 8 bytes of request and
5 + 2 × registers of answer, 3.5 bytes (of 11 bits) of silence before the device may answer, and
after the answer the same silence or the profile's own gap, whichever is longer.

Aim: 0.90. Measured on 2 cores with a load of 7 to 10: 0.92 and 0.93 (5.5 of 6.0 requests a second);
0.83 and 0.89 in two runs with a load of 12. Requests for serial numbers are left out of the count.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.devices.plan import plan_cycle
from evdesk.devices.profile_file import load_profiles
from evdesk.devices.profiles import Profile
from evdesk.domain.meters import NewMeter, Source
from evdesk.settings import shipped
from tests.end_to_end.places import PASSWORD

BAUD, BITS_A_BYTE = 9_600, 10
SILENCE_S = 3.5 * 11 / BAUD
METERS = ("eastron-sdm630", "eastron-sdm72dm-v2", "abb-b23-b24", "carlogavazzi-em330-em340") * 2
SECONDS, WARM_UP_S = 60, 10


def left_by_the_line(profiles: Sequence[Profile]) -> float:
    """Return the requests a second that frames, silences and gaps leave."""
    requests, seconds, before_s = 0, 0.0, 0.0
    gaps_s = [profile.pace.gap_ms / 1_000 for profile in profiles]
    for profile, gap_s, before_s in zip(profiles, gaps_s, [gaps_s[-1], *gaps_s], strict=False):
        plan = plan_cycle(profile.wired("123"), "123")
        assert not plan.rotating
        assert not profile.pace.gap_from_request
        for number, block in enumerate(plan.always):
            size = 8 + 5 + 2 * block.count
            quiet_s = gap_s if number else max(gap_s, before_s)  # another unit: as either wants
            seconds += size * BITS_A_BYTE / BAUD + SILENCE_S + max(SILENCE_S, quiet_s)
            requests += 1
    return requests / seconds


@contextmanager
def line(folder: Path) -> Iterator[list[dict[str, object]]]:
    rows = (
        f'[[device]]\nname = "m{unit}"\nprofile = "{profile}"\nunit = {unit}\nbus = "line"\n'
        f"initial_wh = {unit}_000\nbase_w = 2_000\n"
        for unit, profile in enumerate(METERS, 1)
    )
    scenario = folder / "line.toml"
    scenario.write_text('schema_version = 1\nname = "line"\n' + "".join(rows), encoding="utf-8")
    command = [sys.executable, "-m", "evdesk", "simulate", str(scenario)]
    options = ["--pty", "--baud", str(BAUD)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            yield json.loads(child.stdout.readline())["devices"]
        finally:
            child.terminate()
            child.communicate()


def site_of(folder: Path, devices: Sequence[dict[str, object]]) -> Opened:
    request = SiteRequest("Depot", "Ada", "UTC", "EUR", "DE", "en", demo=False)
    create_site(folder, PASSWORD, request)
    opened = open_site(folder, PASSWORD)
    with opened.services.store.journal() as unit:
        for row in devices:
            new = NewMeter(
                str(row["name"]), str(row["profile"]), str(row["url"]), int(str(row["unit"]))
            )
            unit.meters.add(new, datetime.now(UTC))
    return opened


def collect(opened: Opened) -> None:
    command = [sys.executable, "-m", "evdesk", "--site", str(opened.folder), "collect"]
    options = ["--key-stdin", "--seconds", str(SECONDS)]
    key = opened.data_key.reveal().hex().encode() + b"\n"
    subprocess.run([*command, *options], input=key, check=True, stdout=subprocess.DEVNULL)


def requests_a_second(opened: Opened, profiles: dict[str, Profile]) -> float:
    """Return the requests behind the readings of the time after the first seconds."""
    requests, begins_at, ends_at = 0, None, None
    with opened.services.store.read() as unit:
        meters = unit.meters.all()
        begins_at = max(meter.created_at for meter in meters) + timedelta(seconds=WARM_UP_S + 5)
        ends_at = begins_at + timedelta(seconds=SECONDS - WARM_UP_S - 10)
        for meter in meters:
            plan = plan_cycle(profiles[meter.profile].wired("123"), "123")
            readings = list(unit.readings.between(Source(meter.id), begins_at, ends_at))
            requests += len(plan.always) * len(readings)
    return requests / (ends_at - begins_at).total_seconds()


@pytest.mark.timeout(SECONDS + 60)
def test_how_much_of_the_line_a_collector_uses(tmp_path: Path) -> None:
    profiles = load_profiles(shipped("resources") / "meters")
    left = left_by_the_line([profiles[name] for name in METERS])
    with line(tmp_path) as devices:
        opened = site_of(tmp_path / "site", devices)
        with closing(opened.services.store):
            collect(opened)
            reached = requests_a_second(opened, profiles)
    ratio = reached / left
    print(f"\nline: {reached:.2f} of {left:.2f} requests a second that are left: {ratio:.3f}")
