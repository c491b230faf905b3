"""A scan says of each unit what it is and how sure that is; it only reads."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from evdesk.devices.failures import Unreachable
from evdesk.devices.scanning import Scanner
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.domain.errors import DeviceError
from evdesk.ports import Certainty, Scan
from tests.devices.looking import HALF_HOUR_MS, KNOWN, Watcher, charging, link_to
from tests.devices.support import stepped_site, wall_devices
from tests.fakes.link import DirectLink, depot_link, words_link

BUS = "rtu-tcp://127.0.0.1:8899"
HOST = "tcp://127.0.0.1:502"
REFUSES = Fault(FaultKind.EXCEPTION, 0, amount=4)


def scan(
    link: DirectLink, units: Sequence[int] | None = None, watch: Watcher | None = None
) -> Scan:
    scanner = Scanner(link, KNOWN, watch or Watcher(), thorough=False)
    return asyncio.run(scanner.run(units))


def bus_of(*devices: Device, url: str = BUS) -> DirectLink:
    """Return a link to devices that share a bus."""
    there = tuple(replace(one, bus="line", name=f"d{n}") for n, one in enumerate(devices))
    return depot_link(Scenario(there), HALF_HOUR_MS, url)


def test_a_bus_with_devices_of_several_kinds_is_told_apart():
    link = bus_of(
        charging("eastron-sdm630", unit=1),
        charging("abb-b23-b24", unit=3),
        charging("carlogavazzi-em330-em340", unit=4),
        charging("heidelberg-energy-control", unit=9),
        charging("eastron-sdm630", unit=12, faults=(REFUSES,)),
    )
    found = scan(link)
    assert {device.unit: device.profile for device in found.devices} == {
        1: "eastron-sdm630",
        3: "abb-b23-b24",
        4: "carlogavazzi-em330-em340",
        9: "heidelberg-energy-control",
        12: None,
    }
    assert found.devices[-1].certainty is Certainty.UNKNOWN
    assert [str(note) for note in found.devices[-1].notes] == ["it answers, but no profile fits"]
    assert set(range(1, 17)) < set(found.asked)
    assert {50, 101} < set(found.asked)  # where some chargers are when they come from the factory
    assert found.left == ()
    assert {request[0] for _, request in link.requests} <= {1, 2, 3, 4, 0x2B}


def test_only_the_units_that_were_named_are_asked():
    link = bus_of(charging("eastron-sdm120", unit=2), charging("eastron-sdm120", unit=3))
    found = scan(link, (3, 4))
    assert [device.unit for device in found.devices] == [3]
    assert {unit for unit, _ in link.requests} == {3, 4}


def test_a_serial_number_is_read_along():
    found = scan(bus_of(charging("eastron-sdm72dm-v2", unit=1, serial=1802345)), (1,))
    assert found.devices[0].serial == "1802345"


def test_two_meters_of_one_kind_on_a_bus_are_two():
    link = bus_of(charging("eastron-sdm230", unit=1), charging("eastron-sdm230", unit=2))
    assert [device.same_as for device in scan(link, (1, 2)).devices] == [None, None]


# -- hosts ----------------------------------------------------------------------------------------


def test_on_a_host_the_search_ends_with_the_device_that_has_a_network_of_its_own():
    link = link_to("keba-p30", HOST)
    found = scan(link)
    assert [(device.unit, device.profile) for device in found.devices] == [(255, "keba-p30")]
    assert {unit for unit, _ in link.requests} == {255}


def test_a_device_that_is_not_at_the_first_unit_is_found_at_the_next():
    found = scan(link_to("janitza-umg604", HOST))
    assert [(device.unit, device.profile) for device in found.devices] == [(1, "janitza-umg604")]


def test_behind_a_converter_all_usual_units_of_a_line_are_asked():
    link = bus_of(charging("eastron-sdm630", unit=1), charging("abb-b23-b24", unit=5), url=HOST)
    found = scan(link)
    assert {device.unit: device.profile for device in found.devices} == {
        1: "eastron-sdm630",
        5: "abb-b23-b24",
    }
    assert set(range(1, 17)) < set(found.asked)


def test_a_gateway_that_says_nobody_is_there_is_no_device_but_a_reason_to_go_on():
    inner = bus_of(charging("eastron-sdm120", unit=11), url=HOST)

    def gateway(unit: int, request: bytes) -> bytes | None:
        return inner.ask(unit, request) or bytes((request[0] | 0x80, 11))

    found = scan(DirectLink(gateway, HOST))
    assert [device.unit for device in found.devices] == [11]
    assert [note.code for note in found.notes] == ["gateway"]


def everywhere(link: DirectLink, unit: int) -> Callable[[int, bytes], bytes | None]:
    return lambda _, request: link.ask(unit, request)


@pytest.mark.parametrize("name", ["eastron-sdm72dm-v2", "bernecker-mpm3pm"])
def test_a_device_that_answers_to_every_unit_is_one_device(name):
    inner = depot_link(Scenario((charging(name, serial=77),)), HALF_HOUR_MS)
    link = DirectLink(everywhere(inner, KNOWN[name].info.default_unit), HOST)
    found = scan(link, (1, 2, 3))
    assert [device.same_as for device in found.devices] == [None, 1, 1]
    assert {device.profile for device in found.devices} == {name}
    assert sum(unit == 3 for unit, _ in link.requests) == 1


# -- stopping and breaking off --------------------------------------------------------------------


def test_what_was_found_before_it_was_stopped_is_kept():
    link = bus_of(charging("eastron-sdm630", unit=1), charging("eastron-sdm630", unit=2))
    watch = Watcher(stop_after=1)
    found = scan(link, (1, 2, 3), watch)
    assert [device.unit for device in found.devices] == [1]
    assert found.asked == (1,)
    assert found.left == (2, 3)
    assert watch.found == list(found.devices)


def test_every_unit_is_told_before_and_after_it_is_asked():
    watch = Watcher()
    scan(bus_of(charging("eastron-sdm630", unit=2)), (1, 2), watch)
    steps = [(step.unit, step.done, step.total, step.found is not None) for step in watch.steps]
    assert steps == [(1, 0, 2, False), (1, 1, 2, False), (2, 1, 2, False), (2, 2, 2, True)]


class Breaking(DirectLink):
    """Breaks off after so many requests, for good or once."""

    def __init__(self, inner: DirectLink, after: int, *, once: bool) -> None:
        super().__init__(inner.ask, BUS)
        self._left, self._once = after, once

    async def exchange(self, unit: int, request: bytes, timeout_s: float | None = None) -> bytes:
        self._left -= 1
        if self._left == -1 or (self._left < 0 and not self._once):
            raise Unreachable("It is gone.")
        return await super().exchange(unit, request, timeout_s)


@pytest.mark.parametrize("once", [True, False])
def test_a_connection_that_breaks_off_is_tried_once_more(once):
    inner = bus_of(charging("eastron-sdm630", unit=1), charging("abb-b23-b24", unit=2))
    found = scan(Breaking(inner, 30, once=once), (1, 2))
    assert found.devices[0].profile == "eastron-sdm630"
    if once:
        assert found.devices[1].profile == "abb-b23-b24"
        assert found.notes == ()
    else:
        assert [note.code for note in found.notes] == ["lost"]
        assert found.left == (2,)


def test_a_unit_that_is_silent_where_others_refuse_is_found_when_asked_thoroughly():
    words = {(3, 1317 + n): word for n, word in enumerate((b"\x43\x66", b"\x19\x9a"))}
    link = words_link(words, 1, silent=True, url=BUS)
    assert scan(link, (1,)).devices == ()
    scanner = Scanner(link, KNOWN, Watcher(), thorough=True)
    assert [one.unit for one in asyncio.run(scanner.run((1,))).devices] in ([], [1])


# -- over sockets ---------------------------------------------------------------------------------


@pytest.mark.parametrize("is_rtu", [False, True])
def test_a_depot_is_scanned_over_a_socket(is_rtu):
    devices = (
        charging("eastron-sdm120", unit=1, bus="line", is_rtu=is_rtu),
        replace(charging("goe-gemini", unit=3, bus="line", is_rtu=is_rtu), name="other"),
    )

    async def main():
        async with stepped_site(*devices) as site:
            await site.devices.tell_instant(site.clock.at)
            return await site.devices.scan(site.urls[0], (1, 2, 3), Watcher(), thorough=False)

    found = asyncio.run(main())
    wanted = {1: "eastron-sdm120"} if is_rtu else {1: "eastron-sdm120", 3: "goe-gemini"}
    known = {device.unit: [one.profile for one in device.candidates] for device in found.devices}
    assert {unit: names[0] for unit, names in known.items() if names} == wanted
    assert set(known) == {1, 3}  # on a line, a device of the network is there but not known


def test_a_host_that_is_not_there_is_said_at_once():
    async def main():
        async with wall_devices() as devices:
            with pytest.raises(DeviceError, match="refused the connection"):
                await devices.scan("tcp://127.0.0.1:9", None, Watcher(), thorough=False)

    asyncio.run(main())
