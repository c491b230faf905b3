"""The watchman beside a collector: what it finds is written with the readings, or kept."""

import asyncio
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from evdesk.domain.errors import DeviceError
from evdesk.domain.faults import FaultCode
from evdesk.domain.readings import MeterId, PilotState, Reading, Signs
from evdesk.domain.surroundings import Surroundings
from evdesk.ports import FaultFilter
from evdesk.services.collecting import Collector
from evdesk.services.meter_facts import MeterFacts, MeterFactsService
from evdesk.services.polling import make_plans
from evdesk.services.watching import Watchman
from tests.fakes.clock import START, SetClock
from tests.fakes.computer import SetComputer
from tests.fakes.devices import FakeDevices
from tests.services.desk import URL, Desk

SECOND = timedelta(seconds=1)


class Round:
    """A watchman over the devices of a desk; ``let`` says what a device does for some seconds."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.clock = desk, SetClock()
        self.begin()

    def begin(self) -> None:
        plans = make_plans(self.desk.store, self.desk.devices, self.clock.at)
        self.watchman = Watchman(self.desk.store, plans, self.desk.devices, self.clock)

    def commit(self) -> None:
        found = self.watchman.take()
        with self.desk.store.journal() as unit:
            found.write(unit, "collector")

    def let(self, does: Callable[[], None], seconds: int) -> None:
        for _ in range(seconds):
            self.clock.at += SECOND
            does()

    def answers(self, meter: MeterId, **more: object) -> Callable[[], None]:
        def read() -> None:
            reading = Reading(meter, 1, self.clock.at, 1_000, b"", **more)  # type: ignore[arg-type]
            self.watchman.read(meter, [reading])

        return read

    def silent(self, meter: MeterId) -> Callable[[], None]:
        error = DeviceError("{name} does not answer.", name="It")
        return lambda: self.watchman.failed(meter, self.clock.at, error)

    def told(self) -> list[tuple[str, bool]]:
        with self.desk.store.read() as unit:
            return [(f.code.value, f.is_open) for f in unit.faults.find(FaultFilter())]


@pytest.fixture
def rounds(desk: Desk) -> Round:
    desk.add_meter()
    return Round(desk)


def meter_of(desk: Desk) -> MeterId:
    return desk.meters.rows()[0].meter.id


def test_what_is_open_when_the_program_ends_is_the_same_fault_afterwards(desk, rounds) -> None:
    meter = meter_of(desk)
    rounds.let(rounds.silent(meter), 30)
    rounds.commit()
    rounds.begin()
    rounds.let(rounds.silent(meter), 30)
    rounds.commit()
    assert rounds.told() == [("device_silent", True)]
    rounds.let(rounds.answers(meter), 20)
    rounds.commit()
    assert rounds.told() == [("device_silent", False)]


def test_what_could_not_be_written_is_written_later_in_order(desk, rounds) -> None:
    meter = meter_of(desk)
    rounds.let(rounds.silent(meter), 30)
    kept = rounds.watchman.take()
    rounds.let(rounds.answers(meter, signs=Signs(serial="4711")), 20)
    rounds.watchman.put_back(kept)
    rounds.commit()
    assert rounds.told() == [("device_silent", False)]
    with desk.store.read() as unit:
        assert unit.meters.statuses()[meter].seen_serial == "4711"


def test_a_serial_number_is_noted_once(desk, rounds) -> None:
    meter = meter_of(desk)
    rounds.let(rounds.answers(meter, signs=Signs(serial="A1")), 2)
    assert dict(rounds.watchman.take().serials) == {meter: "A1"}
    rounds.let(rounds.answers(meter, signs=Signs(serial="A1")), 2)
    assert dict(rounds.watchman.take().serials) == {}


def test_an_entered_serial_number_counts_more_than_the_one_that_was_read(desk, rounds) -> None:
    meter = meter_of(desk)
    rounds.let(rounds.answers(meter, signs=Signs(serial="A1")), 2)
    rounds.commit()
    MeterFactsService(desk.store).set("bay1", MeterFacts("B2", None, None, None))
    rounds.begin()
    rounds.let(rounds.answers(meter, signs=Signs(serial="A1")), 2)
    rounds.commit()
    assert rounds.told() == [("wrong_serial", True)]


def test_a_calibration_is_looked_at_by_the_sites_own_calendar(desk, rounds) -> None:
    facts = MeterFacts(None, None, None, date(2026, 3, 2))
    MeterFactsService(desk.store).set("bay1", facts)
    rounds.begin()
    rounds.clock.at = START.replace(hour=22, minute=59)  # 23:59 in Berlin: its last minute
    rounds.watchman.tick(rounds.clock.at)
    rounds.clock.at += timedelta(minutes=2)
    rounds.watchman.tick(rounds.clock.at)
    rounds.commit()
    assert sorted(rounds.told()) == [("calibration_expired", True), ("calibration_expiring", False)]


def test_a_point_of_a_charger_and_a_meter_is_judged_by_both(desk, rounds) -> None:
    desk.stations.retire("bay1")
    meter = desk.add_meter("m", "meter").meter.id
    desk.stations.retire("m")
    desk.stations.add("joined", "m", "bay1")
    charger = next(row.meter.id for row in desk.meters.rows() if row.meter.name == "bay1")
    rounds.begin()

    def stays() -> None:
        rounds.answers(charger, pilot=PilotState.B)()
        rounds.answers(meter, power_w=3.0)()

    rounds.let(rounds.answers(charger, pilot=PilotState.A), 5)
    rounds.let(stays, 4 * 3_600 + 60)
    rounds.commit()
    with desk.store.read() as unit:
        (fault,) = unit.faults.find(FaultFilter())
    assert (fault.code, fault.station, fault.meter) == (FaultCode.LONG_IDLE, "joined", "m")


def test_a_collector_writes_what_the_computer_says_and_what_the_clock_did(desk) -> None:
    desk.add_meter()
    desk.meters.set_interval("bay1", 200)
    computer = SetComputer(Surroundings(clock_synchronised=False, free_bytes=5_000_000))
    elapsed = iter(range(0, 100_000, 30))  # half a minute passes between two looks
    devices = FakeDevices()
    devices.silent.add(URL)
    collector = Collector(desk.store, devices, SetClock(), lambda: float(next(elapsed)), computer)
    asyncio.run(collector.run(1.6))
    with desk.store.read() as unit:
        found = {fault.code: fault.facts for fault in unit.faults.find(FaultFilter())}
    assert found[FaultCode.DISK_NEARLY_FULL] == {"free_mb": 5}
    assert found[FaultCode.CLOCK_JUMP]["by_s"] == -30.0
    assert FaultCode.CLOCK_NOT_SYNCHRONISED not in found  # not for ten minutes yet
