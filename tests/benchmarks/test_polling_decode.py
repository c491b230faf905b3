"""What a reading costs: decoding alone, and the whole way from the socket against bare pymodbus."""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from pymodbus.client import AsyncModbusTcpClient

from evdesk.devices.decode import SLOTS, reading_decoder
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.plan import plan_cycle
from evdesk.devices.profile_file import load_profiles
from evdesk.domain.readings import MeterId
from tests.devices.support import METERS, ONE, PROFILES, START, SetClock, meter

KNOWN = load_profiles(METERS)
AT = datetime(2026, 3, 2, tzinfo=UTC)
READINGS = 1_000
ROUNDS = 5
MOST = 1.5  # times the CPU of a bare pymodbus read

DEPOT = """
import asyncio, json
from evdesk.devices.simulator import serve
from evdesk.devices.simulator.scenario import Device, Scenario
scenario = Scenario((Device("bay", "eastron-sdm630", initial_wh=1_000_000),))
tell = lambda rows: print(json.dumps(rows), flush=True)
asyncio.run(serve(scenario, stepped=True, on_ready=tell))
"""


@pytest.mark.parametrize("name", PROFILES)
def test_decoding_a_reading(benchmark, name):
    profile = KNOWN[name]
    decoder = reading_decoder(profile)
    blocks = [decoder.compile(block) for block in plan_cycle(profile, "123").always]
    answers = [bytes(range(1, 2 * one.block.count + 1)) for one in blocks]

    def decode():
        slots = [None] * len(SLOTS)
        for one, answer in zip(blocks, answers, strict=True):
            one.into(slots, answer)
        return decoder.reading(MeterId(1), AT, slots, b"")

    benchmark(decode)


async def cpu_us(url: str) -> tuple[float, float]:
    """Return the CPU of a reading and of a bare pymodbus read of the same registers, in µs."""
    devices = ModbusDevices(SetClock(), stepped=True)
    reader = devices.reader(meter(url, "eastron-sdm630"), ONE)
    await devices.tell_instant(START)
    host, port = url.removeprefix("tcp://").split(":")
    client = AsyncModbusTcpClient(host, port=int(port), retries=0)
    await client.connect()
    ours, bare = [], []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(READINGS):
            await reader.read()
        between = time.process_time()
        for _ in range(READINGS):
            await client.read_input_registers(0, count=74, device_id=1)
        ours.append(between - began)
        bare.append(time.process_time() - between)
    client.close()
    await devices.close()
    return min(ours) / READINGS * 1e6, min(bare) / READINGS * 1e6


def test_a_reading_costs_little_more_than_a_bare_pymodbus_read():
    with subprocess.Popen([sys.executable, "-c", DEPOT], stdout=subprocess.PIPE) as depot:
        assert depot.stdout is not None
        (row,) = json.loads(depot.stdout.readline())
        ours, bare = asyncio.run(cpu_us(row["url"]))
        depot.terminate()
    assert ours <= MOST * bare, f"{ours:.0f} µs a reading, {bare:.0f} µs a bare read"
