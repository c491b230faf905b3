"""One dead unit of eight on a serial line, and another bus beside it, with a real collector."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind
from evdesk.domain.meters import MeterState, NewMeter, Source
from evdesk.services.collecting import Collector
from evdesk.settings import Polling
from tests.devices.lines import line_depot
from tests.devices.support import WallClock
from tests.fakes.terminals import needs_terminals
from tests.services.desk import Desk

PROFILE = "chint-dtsu666"  # wants no gap: the line itself sets the pace
INTERVAL_S, TIMEOUT_S, SECONDS, DEAD = 0.6, 0.3, 4.5, 4
# As in earnest, but for the scale: a second between tries at first, then two.
POLLING = Polling(line_timeout_s=TIMEOUT_S, backoff_first_s=1.0, backoff_last_s=2.0)
LOAD_S = 0.6  # a test machine is not always there when it should be


def unit(number: int, bus: str, *faults: Fault) -> Device:
    return Device(f"{bus} {number}", PROFILE, number, bus=bus, faults=faults)


def collect(desk: Desk) -> tuple[dict[str, list[datetime]], dict[str, MeterState]]:
    """Return when each device was read, and how it answers in the end."""
    silent = Fault(FaultKind.SILENCE, 0)
    shared = [unit(n, "line", *([silent] if n == DEAD else [])) for n in range(1, 9)]

    async def run() -> None:
        async with AsyncExitStack() as stack:
            depot = await stack.enter_async_context(
                line_depot(*shared, unit(1, "other"), baud=115_200)
            )
            with desk.store.journal() as rows:
                for row in depot.addresses():
                    name, url = str(row["name"]), str(row["url"])
                    new = NewMeter(name, PROFILE, url, int(str(row["unit"])), interval_ms=600)
                    rows.meters.add(new, datetime.now(UTC))
            devices = ModbusDevices(WallClock(), stepped=False, polling=POLLING)
            await Collector(desk.store, devices, WallClock()).run(SECONDS)

    asyncio.run(run())
    now = datetime.now(UTC)
    with desk.store.read() as rows:
        meters, states = rows.meters.all(), rows.meters.statuses()
        read = {
            meter.name: [
                reading.at
                for reading in rows.readings.between(
                    Source(meter.id), now - timedelta(hours=1), now + timedelta(hours=1)
                )
            ]
            for meter in meters
        }
    return read, {meter.name: states[meter.id].state for meter in meters}


def longest_s(times: list[datetime]) -> float:
    return max((later - earlier).total_seconds() for earlier, later in pairwise(times))


@needs_terminals
def test_a_dead_unit_costs_its_own_bus_its_timeout_and_other_buses_nothing(desk: Desk) -> None:
    read, states = collect(desk)
    dead, other = f"line {DEAD}", "other 1"
    assert states.pop(dead) is MeterState.SILENT
    assert set(states.values()) == {MeterState.OK}
    assert read.pop(dead) == []

    beside = read.pop(other)
    assert longest_s(beside) < INTERVAL_S + LOAD_S
    assert len(beside) > 0.7 * SECONDS / INTERVAL_S

    # Three tries of 0.3 s in 4.5 s leave four fifths of the line to the seven others.
    assert len(read) == 7
    counts = [len(times) for times in read.values()]
    assert min(counts) > 0.7 * SECONDS / INTERVAL_S
    assert max(counts) - min(counts) <= 2
    for times in read.values():
        assert longest_s(times) < INTERVAL_S + TIMEOUT_S + LOAD_S
