"""Polling: the whole pipeline per reading against a bare pymodbus read loop.

Both read 20 simulated SDM630 (one request of 74 registers each) from another process as fast as
they can. The pipeline also decodes, follows sessions, encrypts and commits every reading, in
batches of 20 as at 1 s. Figures are CPU time of the reading process per reading.

Aim: 1.5. Measured on 2 cores: 176 to 240 us against 82 to 121 us, 2.0 to 2.15 times. A third of
the difference is encryption: each meter's row goes to a page of its own, 20 pages per commit.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from pymodbus.client import AsyncModbusTcpClient

from evdesk.bootstrap.running import Speed, collect
from evdesk.bootstrap.sites import Opened
from tests.end_to_end.places import Served, make_site

METERS, ROUNDS, SECONDS = 20, 3, 200
STARTS_AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
SCENARIO = """schema_version = 1
name = "benchmark"
start_at = 2026-03-02T06:00:00Z
""" + "\n".join(
    f'[[device]]\nname = "bay{n:02}"\nprofile = "eastron-sdm630"\ninitial_wh = {n * 1000}\n'
    f'[[device.session]]\nplug_in = "00:01"\nunplug = "12:00"\npower_w = 11000\nenergy_wh = 60000\n'
    for n in range(METERS)
)


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[list[dict[str, object]]]:
    scenario = folder / "twenty.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    command = [sys.executable, "-m", "evdesk", "simulate", str(scenario), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        yield json.loads(child.stdout.readline())["devices"]
        child.terminate()
        child.communicate()


async def bare_loop(ports: list[int], rounds: int) -> None:
    """Read every meter's block so many times: pymodbus and nothing else."""

    async def one(port: int) -> None:
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        for _ in range(rounds):
            answer = await client.read_input_registers(0, count=74, device_id=1)
            assert len(answer.registers) == 74
        client.close()

    await asyncio.gather(*(one(port) for port in ports))


def cpu_us(readings: int, began: float) -> float:
    return (time.process_time() - began) / readings * 1e6


def bare_us(folder: Path) -> float:
    with simulator(folder) as devices:
        ports = [int(str(device["url"]).rsplit(":", 1)[1]) for device in devices]
        began = time.process_time()
        asyncio.run(bare_loop(ports, SECONDS))
        return cpu_us(METERS * SECONDS, began)


def pipeline_us(opened: Opened) -> float:
    began = time.process_time()
    tally = collect(opened, SECONDS, Speed(given=True, times=None))
    assert tally.readings == METERS * SECONDS
    return cpu_us(tally.readings, began)


def test_what_the_whole_pipeline_costs_beside_a_bare_read(tmp_path: Path) -> None:
    bare, whole = [], []
    with simulator(tmp_path, "--stepped") as devices:
        served = Served(devices, tmp_path / os.devnull.strip("/"), {})
        opened = make_site(tmp_path / "site", STARTS_AT, served)
        for _ in range(ROUNDS):
            whole.append(pipeline_us(opened))
            bare.append(bare_us(tmp_path))
        opened.services.store.close()
    ratio = median(whole) / median(bare)
    print(f"\npolling: {median(whole):.0f} us a reading, bare {median(bare):.0f} us: {ratio:.2f}")
