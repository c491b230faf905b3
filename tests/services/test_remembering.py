"""What is learned of devices outlives the collector, for as long as it can be right."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.device_memory import KEPT_FOR, DeviceMemory, Refusal, device_of
from evdesk.domain.meters import Meter, NewMeter
from evdesk.domain.readings import MeterId
from evdesk.ports import MeterReader
from evdesk.services.collecting import Collector
from evdesk.services.polling import make_plans
from evdesk.services.remembering import has_learned, remember
from tests.devices.support import WallClock, edited_profile
from tests.fakes.clock import START
from tests.fakes.devices import FakeDevices, FakeReader
from tests.services.desk import Desk

TOO_LONG = Refusal(1, None, 4, 0, 12, ("current_l1", "voltage_l1"))
NOT_THERE = Refusal(2, 9, 3, 700, 1, ("voltage_l3",))


class LearningReader(FakeReader):
    """Implements ``ports.MeterReader``: learns what the test teaches it."""

    def __init__(self, refusals: frozenset[Refusal]) -> None:
        super().__init__(silent=False)
        self.refusals = refusals


@dataclass
class LearningDevices(FakeDevices):
    """Knows what each reader was given."""

    given: list[frozenset[Refusal]] = field(default_factory=list)
    readers: list[LearningReader] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def reader(
        self, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal] = frozenset()
    ) -> MeterReader:
        self.given.append(refusals)
        self.readers.append(LearningReader(refusals))
        return self.readers[-1]


def given(desk: Desk, now: datetime = START) -> frozenset[Refusal]:
    """Return what a reader is told at a start."""
    devices = LearningDevices()
    make_plans(desk.store, devices, now)
    return devices.given[0]


def taught(desk: Desk, *refusals: Refusal, now: datetime = START) -> None:
    """Let a collector learn something and end."""
    devices = LearningDevices()
    plans = make_plans(desk.store, devices, now)
    devices.readers[0].refusals |= frozenset(refusals)
    assert has_learned(plans)
    remember(desk.store, plans, now)
    assert not has_learned(plans)


def test_what_was_learned_is_known_at_the_next_start(desk: Desk) -> None:
    desk.add_meter()
    assert given(desk) == frozenset()
    taught(desk, TOO_LONG)
    taught(desk, NOT_THERE)
    assert given(desk) == {TOO_LONG, NOT_THERE}
    with desk.store.read() as unit:
        (memory,) = unit.memories.all().values()
    assert memory.missing == ("voltage_l3",)


def test_all_of_it_is_forgotten_thirty_days_after_the_first(desk: Desk) -> None:
    desk.add_meter()
    taught(desk, TOO_LONG)
    taught(desk, NOT_THERE, now=START + timedelta(days=20))
    assert given(desk, START + KEPT_FOR - timedelta(seconds=1)) == {TOO_LONG, NOT_THERE}
    later = START + KEPT_FOR
    assert given(desk, later) == frozenset()
    taught(desk, NOT_THERE, now=later)
    assert given(desk, later + timedelta(days=29)) == {NOT_THERE}


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "other"},
        {"url": "tcp://127.0.0.1:1503"},
        {"unit": 2},
        {"serial": "another"},
    ],
)
def test_it_is_not_of_another_device_in_the_same_place(desk: Desk, change: dict[str, str]) -> None:
    desk.add_meter()
    with desk.store.read() as unit:
        (meter,) = unit.meters.all()
    memory = DeviceMemory(meter.id, device_of(meter), START, frozenset({TOO_LONG}))
    assert memory.holds_for(meter, START)
    assert not memory.holds_for(replace(meter, **change), START)  # type: ignore[arg-type]


def test_nothing_is_written_while_nothing_is_learned(desk: Desk) -> None:
    desk.add_meter()
    taught(desk, TOO_LONG)
    before = desk.store.data_version()
    plans = make_plans(desk.store, LearningDevices(), START)
    assert not has_learned(plans)
    assert desk.store.data_version() == before


def test_a_collector_does_not_repeat_what_a_device_refused_before_it_was_restarted(
    desk: Desk, tmp_path: Path
) -> None:
    """The device is an SDM630 that refuses more than 10 registers, as its manual does not say."""
    short = ("max_registers_per_read = 80", "max_registers_per_read = 10")
    served = edited_profile(tmp_path / "served", "eastron-sdm630", short).parent

    async def run() -> list[int]:
        scenario = Scenario(devices=(Device("bay", "eastron-sdm630", initial_wh=5_000),))
        depot = Depot(scenario, profiles_dir=served)
        await depot.start()
        try:
            with desk.store.journal() as unit:
                url = str(depot.addresses()[0]["url"])
                unit.meters.add(NewMeter("bay", "eastron-sdm630", url, 1, interval_ms=200), START)
            devices = ModbusDevices(WallClock(), stepped=False)
            await Collector(desk.store, devices, WallClock()).run(1.2)
            return [await requests_of(memory) for memory in ({}, known())]
        finally:
            await depot.stop()

    def known() -> dict[MeterId, DeviceMemory]:
        with desk.store.read() as unit:
            return unit.memories.all()

    async def requests_of(memories: dict[MeterId, DeviceMemory]) -> int:
        """Return how many requests the first cycle after a start takes."""
        with desk.store.read() as unit:
            (meter,) = unit.meters.all()
        refusals = memories[meter.id].refusals if memories else frozenset[Refusal]()
        devices = ModbusDevices(WallClock(), stepped=False)
        reader = devices.reader(meter, frozenset({1}), refusals)
        (reading,) = await reader.read()
        await devices.close()
        assert reading.import_wh == 5_000
        return reader.requests

    from_nothing, from_memory = asyncio.run(run())
    assert from_memory < from_nothing
    (memory,) = known().values()
    assert memory.missing == ()
    # 74 registers by 10: each request that is left brings something.
    assert from_memory == from_nothing - len(memory.refusals)
