"""A port that two meters want in different ways."""

import asyncio
from datetime import UTC, datetime

import pytest

from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterState, NewMeter
from evdesk.services.collecting import Collector
from evdesk.services.metering import MeterService
from tests.devices.support import WallClock
from tests.fakes.clock import START, SetClock
from tests.services.desk import Desk

PROFILE = "eastron-sdm630"
LINE = "rtu:///dev/ttyUSB7"


def test_a_second_way_to_speak_to_a_port_is_refused_when_a_meter_is_added(desk: Desk) -> None:
    with desk.store.journal() as unit:
        unit.meters.add(NewMeter("first", PROFILE, LINE, 1), START)
    service = MeterService(desk.store, ModbusDevices(SetClock(), stepped=False), SetClock())
    new = NewMeter("second", PROFILE, f"{LINE}?baud=19200", 2)
    with pytest.raises(
        UserError, match=r"ttyUSB7 is already read as rtu:///dev/ttyUSB7\?baud=9600"
    ):
        asyncio.run(service.add(new))
    with desk.store.read() as unit:
        assert [meter.name for meter in unit.meters.all()] == ["first"]


def test_a_meter_that_cannot_be_read_as_it_is_set_up_leaves_the_others_to_be_read(
    desk: Desk,
) -> None:
    async def run() -> None:
        depot = Depot(Scenario(devices=(Device("bay", PROFILE, initial_wh=5_000),)))
        await depot.start()
        try:
            url = str(depot.addresses()[0]["url"])
            with desk.store.journal() as unit:
                for name, way in (("a good", url), ("b wrong", url.replace("tcp:", "rtu-tcp:"))):
                    unit.meters.add(NewMeter(name, PROFILE, way, 1), datetime.now(UTC))
            devices = ModbusDevices(WallClock(), stepped=False)
            await Collector(desk.store, devices, WallClock()).run(1.5)
        finally:
            await depot.stop()

    asyncio.run(run())
    with desk.store.read() as unit:
        good, wrong = unit.meters.all()
        states = unit.meters.statuses()
    assert states[good.id].state is MeterState.OK
    assert states[wrong.id].state is MeterState.SILENT
    assert "one port speaks one way" in (states[wrong.id].last_error or "")
