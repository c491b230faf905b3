"""Compound values: tariffs added up, export taken off, powers of ten beside the number."""

import math
import struct

import pytest

from evdesk.devices.decode import SLOTS, decode_values, reading_decoder
from evdesk.devices.plan import plan_blocks, plan_cycle, split_block
from evdesk.devices.profile_file import load_profile
from evdesk.domain.errors import UserError
from tests.devices.support import edited_profile

ENERGY = """name = "energy_import_total"
address = 72
"""
SCALE = ("length = 2\n", "length = 2\nscale_address = 9\n")


def profile_with(folder, *changes):
    return load_profile(edited_profile(folder, "eastron-sdm630", *changes))


def energy_of(profile, words):
    (block,) = plan_blocks([profile.registers["energy_import_total"]], profile.pace)
    ((_, raw, value),) = decode_values(block, struct.pack(f">{len(words)}H", *words))
    return value, raw


def two_tariffs(folder, kind="u32", rest=""):
    table = f'{ENERGY}plus = [78]\n{rest}function = "input"\ntype = "{kind}"\n'
    old = f'{ENERGY}function = "input"\ntype = "f32"\n'
    # What lies between the two tariffs is another value's.
    return profile_with(folder, (old, table))


def test_two_tariffs_are_one_energy(tmp_path):
    profile = two_tariffs(tmp_path)
    words = [0x0001, 0x0002, 0xDEAD, 0xBEEF, 0xDEAD, 0xBEEF, 0x0000, 0x0007]
    value, raw = energy_of(profile, words)
    assert value == (65536 + 2 + 7) * 1_000
    assert raw == bytes.fromhex("00010002 00000007")


def test_a_missing_tariff_is_no_energy(tmp_path):
    profile = two_tariffs(tmp_path)
    assert energy_of(profile, [0, 5, 0, 0, 0, 0, 0xFFFF, 0xFFFF])[0] is None


def test_tariffs_are_added_before_they_are_floored(tmp_path):
    profile = two_tariffs(tmp_path, "f32")
    half = struct.unpack(">2H", struct.pack(">f", 0.0005))
    assert energy_of(profile, [*half, 0, 0, 0, 0, *half])[0] == math.floor(2 * 1000 * 0.0005)


def test_a_number_in_the_other_word_order_is_read_in_it(tmp_path):
    profile = two_tariffs(tmp_path, rest='word_order = "little"\n')
    assert energy_of(profile, [3, 1, 0, 0, 0, 0, 4, 0])[0] == (65536 + 3 + 4) * 1_000


def test_export_is_taken_off_a_power(tmp_path):
    old = 'name = "active_power_total"\naddress = 52\n'
    profile = profile_with(tmp_path, (old, old + "minus = [54]\n"))
    (block,) = plan_blocks([profile.registers["active_power_total"]], profile.pace)
    ((_, _, value),) = decode_values(block, struct.pack(">ff", 100.0, 3500.5))
    assert value == -3400.5


@pytest.mark.parametrize(
    ("exponent", "volts"), [(-1, 231.4), (0, 2314.0), (-2, 23.1), (11, None), (-0x8000, None)]
)
def test_a_power_of_ten_scales_the_number(tmp_path, exponent, volts):
    old = 'name = "voltage_l1"\naddress = 0\nfunction = "input"\ntype = "f32"\nlength = 2\n'
    new = 'name = "voltage_l1"\naddress = 0\nfunction = "input"\ntype = "i16"\nscale_address = 77\n'
    profile = profile_with(tmp_path, (old, new))
    (block,) = plan_blocks([profile.registers["voltage_l1"]], profile.pace)
    data = bytearray(2 * block.count)
    data[:2] = struct.pack(">h", 2314)
    data[2 * 77 : 2 * 78] = struct.pack(">h", exponent)
    ((_, raw, value),) = decode_values(block, bytes(data))
    assert value == volts
    assert raw == struct.pack(">hh", 2314, exponent)


def test_numbers_and_their_power_of_ten_stay_in_one_request(tmp_path):
    old = 'name = "voltage_l1"\naddress = 0\nfunction = "input"\ntype = "f32"\nlength = 2\n'
    new = 'name = "voltage_l1"\naddress = 0\nfunction = "input"\ntype = "i16"\nscale_address = 77\n'
    profile = profile_with(tmp_path, (old, new))
    blocks = list(plan_cycle(profile, "123").always)
    while any(len(block.registers) > 1 for block in blocks):
        blocks = [
            half
            for block in blocks
            for half in (split_block(block, profile.pace) if len(block.registers) > 1 else [block])
        ]
    (volts,) = [block for block in blocks if "voltage_l1" in block.names()]
    assert (volts.address, volts.count) == (0, 78)


def test_values_under_a_compound_one_are_read_with_it(tmp_path):
    profile = two_tariffs(tmp_path)
    decoder = reading_decoder(profile)
    slots = [None] * len(SLOTS)
    for block in plan_cycle(profile, "123").always:
        assert block.count <= profile.pace.max_registers
        data = bytearray(2 * block.count)
        for at, value in ((0, 231.25), (52, 7000.0)):
            data[2 * (at - block.address) : 2 * (at - block.address) + 4] = struct.pack(">f", value)
        data[2 * (72 - block.address) : 2 * (74 - block.address)] = struct.pack(">I", 11)
        data[2 * (78 - block.address) : 2 * (80 - block.address)] = struct.pack(">I", 31)
        compiled = decoder.compile(block)
        compiled.into(slots, bytes(data))
        assert compiled.energy_words(bytes(data)) == struct.pack(">II", 11, 31)
    assert slots[SLOTS.index("energy_import_total")] == 42_000
    assert slots[SLOTS.index("voltage_l1")] == 231.2
    assert slots[SLOTS.index("active_power_total")] == 7000.0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("plus = [70]\n", "70 does not lie behind the register"),
        ("plus = [73]\n", "73 does not lie behind the register"),
        ("minus = [65535]\n", "65535 does not lie behind the register"),
        ("plus = [74]\n", "address 74 already belongs to 'energy_import_total'"),
        ("plus = [400]\n", "longer than max_registers_per_read = 80"),
        ("scale_address = 73\n", "scale_address = 73 is not within 74 and 65535"),
        ("mask = 1\nplus = [78]\n", "only plain numbers have plus, minus or scale_address"),
    ],
)
def test_a_part_that_cannot_be_is_named_with_its_line(tmp_path, line, sentence):
    with pytest.raises(UserError, match=sentence):
        profile_with(tmp_path, (ENERGY, ENERGY + line))
