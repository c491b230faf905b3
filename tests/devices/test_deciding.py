"""What a profile leaves open: decided by the device, by a person, by a default, or not at all."""

import asyncio

import pytest

from evdesk.devices.profile_file import load_profiles
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.readings import PilotState
from tests.devices.support import (
    METERS,
    ONE,
    START,
    edited_profile,
    frame,
    meter,
    request_of,
    server,
    stepped_site,
    wall_devices,
    words,
)

SECOND = 1_000
VISIT = delivering(60 * SECOND, 3_660 * SECOND, 7_200 * SECOND, 11_000)


def bay(profile, *choices, **changes):
    plain = {"sessions": (VISIT,), "initial_wh": 5_000_000, "choices": choices}
    return Device("bay", profile, **{**plain, **changes})


def read(device, seconds=1_860, chosen=None):
    """Read a simulated device once; ``chosen`` is what a person decided when it was added."""

    async def main():
        async with stepped_site(device) as site:
            if chosen:
                row = site.depot.addresses()[0]
                one = meter(site.urls[0], device.profile, int(str(row["unit"])), choices=chosen)
                site.readers[0] = site.devices.reader(one, ONE)
            return await site.read(seconds), site.readers[0].decided

    return asyncio.run(main())


def decided(decisions):
    return {one.key: (one.option, one.by_device) for one in decisions}


def test_a_device_decides_by_what_it_shows():
    reading, decisions = read(bay("keba-p40"))
    assert decided(decisions) == {"energy_unit": ("0.1wh", True), "meter": ("inside", True)}
    assert reading.import_wh == 5_005_500


@pytest.mark.parametrize(
    ("firmware", "unit", "wh"),
    [
        (10_201, "0.1wh", 500_550),
        (10_200, "wh", 5_005_500),
        (10_109, "wh", 5_005_500),
        (10_300, "0.1wh", 500_550),
    ],
)
def test_the_firmware_says_what_a_p40_counts_in(tmp_path, firmware, unit, wh):
    """The same words are ten times as much with the older firmware."""
    served = tmp_path / "served"
    edited_profile(
        served,
        "keba-p40",
        ("example = 10300", f"example = {firmware}"),
        ("scale = 0.0001\nunit", "scale = 0.001\nunit"),
    )

    async def main():
        async with stepped_site(bay("keba-p40"), profiles_dir=METERS, served_dir=served) as site:
            return await site.read(1_860), site.readers[0].decided

    reading, decisions = asyncio.run(main())
    assert decided(decisions)["energy_unit"] == (unit, True)
    assert reading.import_wh == wh


def test_a_device_that_does_not_tell_what_it_counts_in_is_not_read(tmp_path):
    served = tmp_path / "served"
    edited_profile(served, "keba-p40", ("example = 10300", "example = 777"))

    async def main():
        async with stepped_site(bay("keba-p40"), profiles_dir=METERS, served_dir=served) as site:
            with pytest.raises(DeviceError) as caught:
                await site.read(0)
            return str(caught.value)

    said = asyncio.run(main())
    assert said.startswith("The device does not tell which kind of keba-p40 it is: What its energy")
    assert said.endswith(
        "add it again with --choice energy_unit=OPTION; the options are 0.1wh, wh."
    )


def test_what_a_person_chose_counts_before_what_the_device_shows():
    reading, decisions = read(bay("keba-p40"), chosen={"energy_unit": "wh"})
    assert decided(decisions) == {"energy_unit": ("wh", False), "meter": ("inside", True)}
    assert reading.import_wh == 50_055_000


def test_a_default_is_taken_where_nothing_decides():
    reading, decisions = read(bay("keba-p30"))
    assert decided(decisions)["energy_unit"] == ("0.1wh", False)
    assert reading.import_wh == 5_005_500
    reading, _ = read(bay("keba-p30", ("energy_unit", "wh")), chosen={"energy_unit": "wh"})
    assert reading.import_wh == 5_005_500


METER_TYPE = """name = "meter_type"
address = 1112
function = "holding"
type = "u16"
length = 1
"""


@pytest.mark.parametrize(
    ("profile", "old", "new", "option"),
    [
        ("keba-p30", "example = 310110", "example = 310100", ("meter", "none")),
        ("keba-p40", "example = 4101113", "example = 4101013", ("meter", "none")),
        (
            "phoenix-charx",
            METER_TYPE + "example = 1",
            METER_TYPE + "example = 65535",
            ("meter", "none"),
        ),
        ("innogy-ebox", "example = 6", "example = 5", ("layout", "older")),
    ],
)
def test_a_charger_without_a_meter_inside_has_no_energy_but_a_state(
    tmp_path, profile, old, new, option
):
    served = tmp_path / "served"
    edited_profile(served, profile, (old, new))

    async def main():
        async with stepped_site(bay(profile), profiles_dir=METERS, served_dir=served) as site:
            return await site.read(1_860), site.readers[0].decided

    reading, decisions = asyncio.run(main())
    assert decided(decisions)[option[0]] == (option[1], True)
    assert (reading.import_wh, reading.import_raw, reading.pilot) == (None, b"", PilotState.C)


def test_an_older_box_is_not_asked_for_the_register_it_lacks(tmp_path):
    """Asked for it alone, the refusal would be taken for one of the whole device."""
    served = tmp_path / "served"
    edited_profile(
        served,
        "heidelberg-energy-control",
        ('name = "modbus_map_version"\n', 'name = "modbus_map_version"\nexample = 262\n'),
        ('name = "energy_import_total"\naddress = 17', 'name = "nothing"\naddress = 700'),
    )
    device = bay("heidelberg-energy-control")

    async def main():
        async with stepped_site(device, profiles_dir=METERS, served_dir=served) as site:
            return await site.read(1_860)

    reading = asyncio.run(main())
    assert (reading.import_wh, reading.pilot) == (None, PilotState.C)
    assert reading.power_w == 11_000


def test_older_controllers_add_their_phases_up():
    reading, decisions = read(
        bay("bender-cc6xx", ("registers", "legacy")), chosen={"registers": "legacy"}
    )
    assert decided(decisions)["registers"] == ("legacy", False)
    assert (reading.import_wh, reading.power_w) == (5_005_500, 11_000)


def test_a_refusal_decides_too_and_is_asked_for_once_per_connection(tmp_path):
    served = tmp_path / "served"
    edited_profile(served, "bender-cc6xx", ("address = 142", "address = 542"))
    fault = Fault(FaultKind.DROP, 100 * SECOND, 101 * SECOND)
    device = bay("bender-cc6xx", ("registers", "legacy"), faults=(fault,))

    async def main():
        async with stepped_site(device, profiles_dir=METERS, served_dir=served) as site:
            found, requests = [], []
            for second in (0, 1, 2):
                found.append(await site.read(second))
                requests.append(site.readers[0].requests)
            return found, requests, site.readers[0].decided

    found, requests, decisions = asyncio.run(main())
    assert decided(decisions)["registers"] == ("legacy", True)
    assert [one.import_wh for one in found] == [5_000_000] * 3
    assert requests[2] - requests[1] < requests[0]


def test_the_function_that_answers_is_taken():
    async def input_only(reader, writer):
        while True:
            tid, unit, pdu = await request_of(reader)
            answer = words(4, 0x4332) if pdu[0] == 4 else bytes([pdu[0] | 0x80, 1])
            writer.write(frame(tid, unit, answer))

    async def main():
        async with server(input_only) as port, wall_devices() as devices:
            one = meter(f"tcp://127.0.0.1:{port}", "phoenix-ev-cc-basic-ser")
            reader = devices.reader(one, ONE)
            return (await reader.read())[0], reader.decided

    reading, decisions = asyncio.run(main())
    assert decided(decisions) == {"function": ("input", True)}
    assert reading.pilot is PilotState.C


def test_choices_that_bear_upon_nothing_that_is_read_cost_nothing():
    _, decisions = read(bay("evse-din"))
    assert decisions == ()


# -- sockets --------------------------------------------------------------------------------------


def twin(profile, **changes):
    """Return two sockets of one charger: a car at the second."""
    return (
        Device("left", profile, bus="twin", initial_wh=1_000_000, serial=7, **changes),
        Device("right", profile, bus="twin", initial_wh=2_000_000, socket=2, sessions=(VISIT,)),
    )


@pytest.mark.parametrize("profile", ["abl-em4", "compleo", "etrel-inch", "phoenix-charx"])
def test_each_socket_has_a_reading_of_its_own(profile):
    known = load_profiles(METERS)[profile].info

    async def main():
        async with stepped_site(*twin(profile)) as site:
            one = meter(site.urls[0], profile, known.default_unit)
            site.readers[0] = site.devices.reader(one, frozenset({1, 2}))
            await site.devices.tell_instant(START)
            site.clock.at = START
            await site.devices.tell_instant(START.replace(hour=6, minute=31))
            return await site.readers[0].read()

    left, right = asyncio.run(main())
    assert (left.socket, right.socket) == (1, 2)
    assert (left.pilot, right.pilot) == (PilotState.A, PilotState.C)
    assert (left.power_w, right.power_w) == (0, 11_000)
    if known.has_energy:
        assert (left.import_wh, right.import_wh) == (1_000_000, 2_005_500)
    assert right.signs is None or right.signs.serial == (left.signs and left.signs.serial)


def test_a_socket_that_is_not_there_leaves_the_other_its_reading():
    async def main():
        async with stepped_site(Device("left", "abl-em4", initial_wh=1_000_000)) as site:
            one = meter(site.urls[0], "abl-em4", 255)
            reader = site.devices.reader(one, frozenset({1, 2}))
            await site.devices.tell_instant(START)
            found = await reader.read()
            alone = site.devices.reader(one, frozenset({2}))
            with pytest.raises(DeviceError, match="illegal address"):
                await alone.read()
            return found, reader.errors

    found, errors = asyncio.run(main())
    assert [(one.socket, one.import_wh) for one in found] == [(1, 1_000_000)]
    assert errors == 1


def test_a_socket_the_profile_does_not_have_is_refused():
    async def main():
        async with stepped_site(Device("left", "abl-em4")) as site:
            one = meter(site.urls[0], "abl-em4", 255)
            with pytest.raises(UserError, match=r"abl-em4 has 2 socket\(s\), not a socket 3"):
                site.devices.reader(one, frozenset({3}))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        (Device("b", "abl-em4", socket=3), r"b: abl-em4 has 2 socket\(s\), not a socket 3"),
        (Device("b", "keba-p30", choices=(("meter", "x"),)), "b: keba-p30 has no choice meter=x"),
        (Device("b", "keba-p30", choices=(("m", "x"),)), "b: keba-p30 has no choice m=x"),
    ],
)
def test_a_simulated_device_that_cannot_be_is_refused(device, sentence):
    with pytest.raises(UserError, match=sentence):
        Depot(Scenario((device,)))
