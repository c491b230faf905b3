"""While the collector reads a bus that bears one client, nobody else does."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from evdesk.domain.errors import UserError
from evdesk.domain.meters import NewMeter
from evdesk.ports import ProfileInfo
from evdesk.services.finding import FindingService
from evdesk.services.metering import MeterService
from evdesk.services.occupied import Occupancy
from evdesk.settings import JOURNAL
from tests.fakes.clock import START, SetClock
from tests.fakes.devices import FakeDevices
from tests.services.desk import Desk

LINE = "rtu:///dev/ttyUSB0?baud=9600&parity=N&stop=1"
FRAGILE = "fragile"


@dataclass
class Devices(FakeDevices):
    """Takes any URL; one of its profiles bears one client."""

    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def check_url(self, url: str, *, demo: bool) -> str:
        return url

    def profile(self, profile: str) -> ProfileInfo:
        if profile == FRAGILE:
            return replace(super().profile("charger"), id=FRAGILE, one_client=True)
        return super().profile(profile)


def meters_at(desk: Desk, url: str, profile: str = "charger", *, running: bool = True) -> Occupancy:
    """Let the collector read a device at a URL; return who is asked whether it may be read."""
    with desk.store.journal() as unit:
        unit.meters.add(NewMeter("bay1", profile, url, 1), START)
        if running:
            unit.collector.take(4711, "here", START)
    return Occupancy(desk.store, Devices(), SetClock())


@pytest.mark.parametrize(
    ("url", "profile"),
    [
        (LINE, "charger"),
        ("rtu-tcp://converter:8899", "charger"),
        ("ascii:///dev/ttyUSB0", "charger"),
        ("tcp://192.168.1.7:502", FRAGILE),
    ],
)
def test_a_bus_that_bears_one_client_is_left_to_the_collector(
    desk: Desk, url: str, profile: str
) -> None:
    occupancy = meters_at(desk, url, profile)
    with pytest.raises(UserError) as caught:
        occupancy.check(url)
    assert str(caught.value).startswith(
        f"The collector is reading bay1 at {url.partition('?')[0]}, where a second client would"
        " disturb it. Stop it for the moment (evdesk collect --stop, or Stop in the window)"
    )


def test_a_network_device_bears_more_than_one(desk: Desk) -> None:
    meters_at(desk, "tcp://192.168.1.7:502").check("tcp://192.168.1.7:502")


def test_another_bus_is_free(desk: Desk) -> None:
    meters_at(desk, LINE).check("rtu:///dev/ttyUSB1?baud=9600&parity=N&stop=1")


def test_without_a_collector_every_bus_is_free(desk: Desk) -> None:
    meters_at(desk, LINE, running=False).check(LINE)


def test_a_collector_that_was_killed_keeps_nothing(desk: Desk) -> None:
    occupancy = meters_at(desk, LINE)
    assert isinstance(occupancy.wall, SetClock)
    occupancy.wall.at += timedelta(seconds=JOURNAL.lease_s + 1)
    occupancy.check(LINE)


def test_a_probe_beside_the_collector_is_refused_before_anything_is_asked(desk: Desk) -> None:
    occupancy = meters_at(desk, LINE)
    devices = Devices()
    service = FindingService(desk.store, devices, SetClock(), occupancy)
    with pytest.raises(UserError, match="where a second client would disturb it"):
        asyncio.run(service.probe(LINE, 1, "charger"))
    assert not devices.is_open


def test_a_device_is_added_to_a_line_that_the_collector_reads_without_being_tried(
    desk: Desk,
) -> None:
    occupancy = meters_at(desk, LINE)
    service = MeterService(desk.store, Devices(), SetClock(), occupancy)
    added = asyncio.run(service.add(NewMeter("bay2", "charger", LINE, 2)))
    assert str(added.silent) == (
        "rtu:///dev/ttyUSB0 is being read by the collector, so it was not asked from here."
    )
    with desk.store.read() as unit:
        assert [meter.name for meter in unit.meters.all()] == ["bay1", "bay2"]
