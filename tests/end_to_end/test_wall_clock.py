"""The collector on the wall clock: a dead device, a busy database, a device added while it runs."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

import pytest

from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.domain.meters import MeterState, NewMeter, Source
from evdesk.domain.readings import Reading
from tests.end_to_end.places import PASSWORD, PATIENCE_S

FAR = datetime(2100, 1, 1, tzinfo=UTC)
SCENARIO = """schema_version = 1
name = "wall"
[[device]]
name = "good"
profile = "heidelberg-energy-control"
[[device]]
name = "dead"
profile = "heidelberg-energy-control"
[[device.fault]]
kind = "silence"
from = "00:00"
[[device]]
name = "late"
profile = "goe-gemini"
"""


@contextmanager
def simulated(folder: Path) -> Iterator[dict[str, NewMeter]]:
    scenario = folder / "wall.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    command = [executable, "-m", "evdesk", "simulate", str(scenario)]
    with Popen(command, stdout=PIPE) as child:
        assert child.stdout is not None
        devices = json.loads(child.stdout.readline())["devices"]
        yield {
            device["name"]: NewMeter(
                device["name"], device["profile"], device["url"], device["unit"]
            )
            for device in devices
        }
        child.terminate()
        child.communicate()


def real_site(folder: Path) -> Opened:
    request = SiteRequest("Depot", "Ada", "Europe/Berlin", "EUR", "DE", "en", demo=False)
    create_site(folder, PASSWORD, request)
    return open_site(folder, PASSWORD)


@contextmanager
def collecting(opened: Opened) -> "Iterator[Popen[bytes]]":
    command = [executable, "-m", "evdesk", "--site", str(opened.folder), "collect", "--key-stdin"]
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE) as child:
        assert child.stdin is not None
        child.stdin.write(opened.data_key.reveal().hex().encode() + b"\n")
        child.stdin.flush()
        try:
            yield child
        finally:
            child.kill()


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.1)


def readings(opened: Opened, name: str) -> list[Reading]:
    with opened.services.store.read() as unit:
        meter = unit.meters.by_name(name)
        assert meter is not None
        return list(unit.readings.between(Source(meter.id), meter.created_at, FAR))


@pytest.mark.timeout(120)
def test_nothing_is_lost_to_a_dead_device_or_a_busy_database(tmp_path: Path) -> None:
    with simulated(tmp_path) as meters:
        opened = real_site(tmp_path / "site")
        with closing(opened.services.store):
            for name in ("good", "dead"):
                asyncio.run(opened.services.meters.add(meters[name]))
            with collecting(opened) as child:
                disturb(opened, meters["late"])
                opened.services.site.stop_collector()
                _, err = child.communicate(timeout=PATIENCE_S)
                assert child.returncode == 0, err.decode()
            check(opened)


def disturb(opened: Opened, late: NewMeter) -> None:
    wait_for("the first readings", lambda: len(readings(opened, "good")) >= 3)
    with opened.services.store.journal():
        time.sleep(3)  # somebody else holds the database
    asyncio.run(opened.services.meters.add(late))
    wait_for("the new device", lambda: len(readings(opened, "late")) >= 3)


def check(opened: Opened) -> None:
    rows = {row.meter.name: row.status for row in opened.services.meters.rows()}
    assert rows["good"].state is MeterState.OK
    assert rows["dead"].state is MeterState.SILENT
    assert "did not answer" in (rows["dead"].last_error or "")
    instants = [one.at for one in readings(opened, "good")]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(instants)]
    assert max(gaps) < 3  # read all the while, also in the 3 s in which nothing could be written
    assert not readings(opened, "dead")
    assert not opened.services.site.info().running
