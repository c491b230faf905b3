"""What a device says beside its values: when it is asked, what of it is believed, what it costs."""

import asyncio
from dataclasses import replace

import pytest

from evdesk.devices.connection import NoAnswer
from evdesk.devices.lessons import STRIKES, Lessons
from evdesk.devices.plan import plan_blocks, plan_cycle
from evdesk.devices.profile_file import load_profiles
from evdesk.devices.signs import EVERY, SignWatch
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind
from evdesk.domain.readings import PilotState, Reading, Signs
from tests.devices.support import (
    METERS,
    ONE,
    edited_profile,
    frame,
    meter,
    request_of,
    server,
    stepped_site,
    wall_devices,
    words,
)

KNOWN = load_profiles(METERS)
SECOND = 1_000
CARD = "04A1B2C3"
VISIT = delivering(60 * SECOND, 3_660 * SECOND, 7_200 * SECOND, 11_000, tag=CARD)


def bay(profile, **changes):
    return Device("bay", profile, sessions=(VISIT,), serial=17_612_345, **changes)


def signs_at(profile, *seconds, **changes):
    """Return the signs of a simulated charger at instants, one reading each."""

    async def main():
        async with stepped_site(bay(profile, **changes)) as site:
            return [(await site.read(second)).signs for second in seconds]

    return asyncio.run(main())


def test_a_car_is_told_with_its_card_the_moment_it_comes():
    before, again, plugged = signs_at("keba-p30", 0, 2, 62)
    assert before == Signs(serial="17612345", tag="", session_wh=0, error_code=0)
    assert again is None  # nothing new to say
    assert plugged is not None
    assert (plugged.tag, plugged.serial, plugged.error_code) == (CARD, "17612345", 0)


def test_every_few_cycles_one_sign_is_asked_for_in_turn():
    found = signs_at("keba-p30", *range(100, 100 + 2 * 4 * EVERY, 2))
    told = [(n, one) for n, one in enumerate(found) if one is not None]
    assert [n for n, _ in told] == [0, *range(EVERY - 1, 4 * EVERY, EVERY)]
    assert [one.tag for _, one in told] == [CARD, CARD, None, None, CARD]
    assert [one.error_code for _, one in told] == [0, None, None, 0, None]
    assert [one.session_wh is not None for _, one in told] == [True, False, True, False, False]


def test_how_long_a_car_is_there_is_told_by_chargers_that_know():
    (found,) = signs_at("phoenix-charx", 1_860)
    assert found is not None
    assert (found.connected_s, found.session_wh, found.tag) == (1_800, 5_500, CARD)


@pytest.mark.parametrize("profile", [n for n, known in KNOWN.items() if known.info.has_tag])
def test_every_charger_that_shows_cards_shows_this_one(profile):
    empty, plugged = signs_at(profile, 0, 1_860)
    assert empty is not None
    assert plugged is not None
    assert (empty.tag, plugged.tag) == ("", CARD)


@pytest.mark.parametrize("profile", [n for n, known in KNOWN.items() if known.info.has_serial])
def test_every_device_with_a_serial_number_tells_it(profile):
    (found,) = signs_at(profile, 0)
    assert found is not None
    assert found.serial is not None
    digits = found.serial.lstrip("0")
    assert digits in {"17612345", f"{17_612_345:X}"}


def test_a_serial_number_of_a_whole_station_is_asked_for_at_its_own_unit():
    async def main():
        left = Device("left", "alfen-eve", bus="eve", unit=1, serial=4711)
        right = Device("right", "alfen-eve", bus="eve", unit=2, serial=4711)
        async with stepped_site(left, right) as site:
            return [(await site.read(0, index)).signs for index in (0, 1)]

    found = asyncio.run(main())
    assert [one.serial for one in found] == ["004711", "004711"]
    assert [one.temperature_c for one in found] == [24.5, 24.5]


def test_a_sign_that_lies_between_the_values_costs_no_request():
    async def main():
        async with stepped_site(bay("heidelberg-energy-control")) as site:
            signs = [(await site.read(second)).signs for second in (0, 1, 62, 63)]
            return signs, site.readers[0].requests

    signs, requests = asyncio.run(main())
    assert [one and one.temperature_c for one in signs] == [24.5, None, 24.5, None]
    assert requests == 4 + 1  # the layout, once


def test_signs_are_asked_for_again_after_a_failure():
    fault = Fault(FaultKind.DROP, 3_000, 5_000)

    async def main():
        async with stepped_site(bay("peblar", faults=(fault,))) as site:
            first, again = (await site.read(0)).signs, (await site.read(1)).signs
            with pytest.raises(NoAnswer):
                await site.read(4)
            return first, again, (await site.read(30)).signs

    first, again, after = asyncio.run(main())
    assert again is None
    assert first == after == Signs(serial="17612345")


def test_a_sign_the_device_does_not_know_is_asked_for_once(tmp_path):
    served = tmp_path / "served"
    old = 'name = "rfid_tag"\naddress = 1500'
    edited_profile(served, "keba-p30", (old, 'name = "no_tag"\naddress = 1508'))

    async def main():
        async with stepped_site(bay("keba-p30"), profiles_dir=METERS, served_dir=served) as site:
            found = [(await site.read(second)).signs for second in (0, 62, 3_700)]
            return found, site.readers[0].requests

    found, requests = asyncio.run(main())
    assert all(one is not None and one.tag is None for one in found)
    kinds_of_box, serial, card, two_each_time = 1, 1, 1, 3 * 2
    assert requests == 3 * 4 + kinds_of_box + serial + card + two_each_time


def test_a_sign_that_costs_the_link_never_costs_the_reading():
    """Some chargers hang up when they are asked for a register that they lack."""

    async def hanging_up(reader, writer):
        while True:
            tid, unit, pdu = await request_of(reader)
            address = int.from_bytes(pdu[1:3], "big")
            if address == 30050:
                writer.close()
                return
            count = int.from_bytes(pdu[3:5], "big")
            writer.write(frame(tid, unit, words(pdu[0], *[0] * count)))

    async def main():
        async with server(hanging_up) as port, wall_devices() as devices:
            reader = devices.reader(meter(f"tcp://127.0.0.1:{port}", "peblar", 255), ONE)
            readings: list[Reading] = []
            for _ in range(STRIKES + 1):
                readings += await reader.read()
                await asyncio.sleep(1.01)  # no second connection within a second
            return readings, reader.errors

    readings, errors = asyncio.run(main())
    assert [one.import_wh for one in readings] == [0] * (STRIKES + 1)
    assert errors == STRIKES


# -- cards and numbers ----------------------------------------------------------------------------


def watching(known, always=()):
    return SignWatch(known, always, 1, Lessons())


def taken(profile, name, raw):
    """Return the signs of one register's words."""
    known = KNOWN[profile]
    register = known.registers[name]
    (block,) = plan_blocks([register], known.pace)
    watch = watching(known, plan_cycle(known, "123").always)
    return watch.take([(block, (register,), bytes.fromhex(raw))])


@pytest.mark.parametrize(
    ("profile", "raw", "tag"),
    [
        ("keba-p30", "04a1b2c3", "04A1B2C3"),
        ("keba-p30", "00000000", ""),
        ("keba-p30", "ffffffff", ""),  # a number too long for it
        ("keba-p30", "0000b2c3", "0000B2C3"),
        ("goe-gemini", "04a1b2c3000000000000", "04A1B2C3"),
        ("goe-gemini", "04a1b200000000000000", "04A1B200"),  # a number may end in 0
        ("goe-gemini", "04a1b2c3d4e5f6000000", "04A1B2C3D4E5F6"),
        ("goe-gemini", "04a1b2c3d4e5f6070809", "04A1B2C3D4E5F6070809"),
        ("goe-gemini", "00000000000004a1b2c3", "04A1B2C3"),  # filled in front
        ("goe-gemini", "00000000000000000000", ""),
        ("bender-cc6xx", "3034613162326333" + "00" * 12, "04A1B2C3"),
        ("bender-cc6xx", "20" * 20, ""),
        ("bender-cc6xx", "30" * 8 + "00" * 12, ""),
        ("vestel-evc04", "00300034004100310042003200430033" + "00" * 14, "04A1B2C3"),
    ],
)
def test_cards_are_read_as_people_write_them(profile, raw, tag):
    found = taken(profile, "rfid_tag", raw)
    assert found is not None
    assert found.tag == tag


@pytest.mark.parametrize(
    ("profile", "raw", "serial"),
    [
        ("keba-p30", "010cbd79", "17612153"),
        ("keba-p30", "00000000", None),
        ("abb-terra-ac", "00000000010cbd79", "00000000010CBD79"),
        ("goe-gemini", "313233343536" + "00" * 6, "123456"),
        ("goe-gemini", "00" * 12, None),
        ("vestel-evc04", "00410042" + "00" * 46, "AB"),
        ("innogy-ebox", "20" * 50, None),
    ],
)
def test_serial_numbers_are_texts_and_zeros_are_none(profile, raw, serial):
    assert (taken(profile, "serial_number", raw) or Signs()).serial == serial


def test_a_charger_s_own_session_counter_is_whole_wh_and_never_the_register():
    found = taken(
        "goe-gemini", "session_energy", (360_000 * 11 // 2 + 179).to_bytes(4, "big").hex()
    )
    assert found == Signs(session_wh=5_500)
    assert taken("mennekes-compact", "session_energy", "7fc00000") is None  # not a number


def test_errors_are_numbers_also_where_they_are_bits():
    assert taken("bender-cc6xx", "error_code", "00010002") == Signs(error_code=0x10002)
    assert taken("keba-p30", "error_code", "0000abcd") == Signs(error_code=0xABCD)


def test_of_two_temperatures_the_higher_counts():
    known = KNOWN["alfen-eve"]
    register = known.registers["board_temperature"]
    (block,) = plan_blocks([register], known.pace)
    watch = watching(known)
    low, high = bytes.fromhex("41c80000"), bytes.fromhex("42480000")
    found = watch.take([(block, (register,), high), (block, (register,), low)])
    assert found == Signs(temperature_c=50.0)


def test_a_state_nobody_knows_is_no_change():
    watch = watching(KNOWN["keba-p30"])
    watch.begin()
    assert watch.due(PilotState.B)
    for pilot in (PilotState.B, None, PilotState.B):
        watch.begin()
        assert watch.due(pilot) is None
    watch.begin()
    assert watch.due(PilotState.C)


def test_a_long_request_for_signs_is_halved_where_it_is_refused():
    known = KNOWN["heidelberg-energy-control"]
    both = replace(known, registers={n: known.registers[n] for n in ("temperature",)})
    watch = watching(both)
    (block,) = watch.due(PilotState.A)
    assert watch.refused(block) == ()
    watch.anew()
    assert watch.due(PilotState.A) == ()
