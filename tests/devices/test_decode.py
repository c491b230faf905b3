"""Decoding: exact energy, word orders, and what counts as no value; checked by the encoder."""

import math
import struct
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.devices.decode import SLOTS, converter, decode_values, reading_decoder
from evdesk.devices.plan import plan_blocks, plan_cycle
from evdesk.devices.profile_file import load_profiles
from evdesk.devices.profiles import ENERGY, Function, Register
from evdesk.devices.simulator.words import packer
from evdesk.domain.readings import MeterId, PilotState
from tests.devices.support import METERS, PROFILES

KNOWN = load_profiles(METERS)
AT = datetime(2026, 3, 2, tzinfo=UTC)
LENGTHS = {"16": 1, "32": 2, "64": 4}


def register(kind, **changes) -> Register:
    plain = Register(
        name="value",
        address=0,
        function=Function.HOLDING,
        type=kind,
        length=LENGTHS[kind[1:]],
        little_words=False,
        little_bytes=False,
        scale=Fraction(1),
        unit="",
        mask=None,
        not_available=frozenset(),
        enum=(),
        readable=True,
    )
    return replace(plain, **changes)


def energy(kind, unit="kWh", scale=Fraction(1), **changes) -> Register:
    return register(kind, name=ENERGY, unit=unit, scale=scale, **changes)


def decoded(one: Register, data: bytes):
    (block,) = plan_blocks([one], KNOWN["abb-b23-b24"].pace)
    ((_, raw, value),) = decode_values(block, data)
    assert raw == data
    return value


@pytest.mark.parametrize("kind", ["u16", "i16", "u32", "i32", "u64", "i64"])
@pytest.mark.parametrize("little_words", [False, True])
@pytest.mark.parametrize("little_bytes", [False, True])
@given(data=st.data())
def test_an_integer_comes_back_in_every_order(kind, little_words, little_bytes, data):
    one = register(kind, little_words=little_words, little_bytes=little_bytes)
    bits = 16 * one.length
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if kind[0] == "i" else (0, 2**bits - 1)
    limit = 2**53  # the encoder takes a float
    value = data.draw(st.integers(max(low, -limit), min(high, limit)))
    assert decoded(one, packer(one)(value)) == value


@pytest.mark.parametrize("kind", ["f32", "f64"])
@pytest.mark.parametrize("little_words", [False, True])
@given(
    value=st.floats(width=32, allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
)
def test_a_float_comes_back_in_either_order(kind, little_words, value):
    one = register(kind, little_words=little_words)
    assert decoded(one, packer(one)(value)) == round(value, 6)


def test_the_order_of_words_and_bytes_is_the_profiles():
    one = energy("u32", unit="Wh")
    assert decoded(one, bytes.fromhex("00010203")) == 0x00010203
    assert decoded(replace(one, little_words=True), bytes.fromhex("00010203")) == 0x02030001
    assert decoded(replace(one, little_bytes=True), bytes.fromhex("00010203")) == 0x01000302
    both = replace(one, little_bytes=True, little_words=True)
    assert decoded(both, bytes.fromhex("00010203")) == 0x03020100
    swapped = replace(energy("f64", unit="Wh"), little_words=True)
    raw = struct.pack(">d", 4711.9)
    assert decoded(swapped, b"".join(raw[at : at + 2] for at in (6, 4, 2, 0))) == 4711


def test_integer_energy_is_exact_where_a_float_would_not_be():
    assert decoded(energy("u64", scale=Fraction(1, 100)), (2**53 + 1).to_bytes(8, "big")) is None
    raw = 29_000_000_007
    assert decoded(energy("u64", scale=Fraction(1, 100)), raw.to_bytes(8, "big")) == raw * 10
    assert decoded(energy("u32", scale=Fraction(1, 10_000)), (57).to_bytes(4, "big")) == 5
    assert decoded(energy("u32", scale=Fraction(1, 10_000)), (59).to_bytes(4, "big")) == 5
    assert decoded(energy("u32", scale=Fraction(1, 10_000)), (60).to_bytes(4, "big")) == 6


def test_float_energy_is_floored_from_its_exact_value():
    kwh = struct.pack(">f", 1234.567)  # the nearest float is 1234.5670166…
    assert decoded(energy("f32"), kwh) == 1234567
    kwh = struct.pack(">f", 1234.566)  # the nearest float is 1234.5660400…
    assert decoded(energy("f32"), kwh) == 1234566
    kwh = struct.pack(">f", 1000.001)  # the nearest float is 1000.0009766: shown as 1000.001
    assert decoded(energy("f32"), kwh) == 1000000


@given(st.floats(width=32, min_value=0, max_value=1e8))
def test_float_energy_never_claims_more_than_the_register(value):
    wh = decoded(energy("f32"), struct.pack(">f", value))
    assert wh <= Fraction(value) * 1000 < wh + 1


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.001, 3e38])
def test_float_energy_that_cannot_be_is_missing(value):
    assert decoded(energy("f32"), struct.pack(">f", value)) is None


@pytest.mark.parametrize("bits", ["7fc00000", "7f800001", "ffc00000", "ffffffff", "7fffffff"])
def test_any_nan_is_missing(bits):
    for one in (energy("f32"), register("f32", unit="V")):
        assert decoded(one, bytes.fromhex(bits)) is None


@pytest.mark.parametrize(("kind", "size"), [("u32", 4), ("u64", 8)])
def test_a_counter_of_ones_alone_is_missing_also_where_no_manual_says_so(kind, size):
    assert decoded(energy(kind, scale=Fraction(1, 10_000)), b"\xff" * size) is None
    assert decoded(energy(kind, scale=Fraction(1, 10_000)), b"\0" * size) == 0


@pytest.mark.parametrize(("kind", "size"), [("i32", 4), ("i64", 8)])
def test_a_signed_counter_at_its_largest_number_is_missing(kind, size):
    counter = energy(kind, scale=Fraction(1, 10_000_000))
    largest = b"\x7f" + b"\xff" * (size - 1)
    assert decoded(counter, largest) is None
    below = int.from_bytes(largest, "big") - 1
    assert decoded(counter, below.to_bytes(size, "big")) == below // 10_000


def test_negative_integer_energy_is_missing():
    assert (
        decoded(energy("i32", scale=Fraction(1, 10)), (-1).to_bytes(4, "big", signed=True)) is None
    )


@pytest.mark.parametrize("name", PROFILES)
def test_every_sentinel_of_every_profile_is_missing(name):
    for one in KNOWN[name].every:
        for pattern in () if one.is_compound else one.not_available:
            assert decoded(one, pattern.to_bytes(2 * one.length, "big")) is None


def test_signed_sentinels_are_told_from_numbers():
    one = KNOWN["abb-b23-b24"].registers["active_power_total"]
    assert decoded(one, bytes.fromhex("7fffffff")) is None
    assert decoded(one, bytes.fromhex("7ffffffe")) == pytest.approx(21474836.5, abs=0.1)
    assert decoded(one, bytes.fromhex("ffffffff")) == 0.0  # −0.01 W, rounded to 0.1 W


def test_a_mask_is_shifted_down_before_the_code_is_looked_up():
    one = register("u16", mask=0x0F00)
    assert decoded(one, bytes.fromhex("a5c3")) == 5
    assert converter(replace(one, type="bool", mask=0x0010))(0x0010) == 1


def test_a_number_may_take_part_of_a_word_only():
    one = register("u16", mask=0x0FFF, unit="A", scale=Fraction(6, 100))
    assert decoded(one, bytes.fromhex("f10a")) == pytest.approx(0x10A * 0.06)
    high = register("u32", mask=0xFF000000, unit="V")
    assert decoded(high, bytes.fromhex("e7ffffff")) == 231


def test_text_ends_at_the_first_zero_and_may_be_empty():
    text = replace(register("u16"), type="string", length=4)
    assert decoded(text, b"AB12\0\0xx") == "AB12"
    assert decoded(text, bytes(8)) is None
    assert decoded(text, b"\0A\0\0\0\0\0\0") == "A"  # one letter at the right of its word
    assert decoded(text, b"  C2    ") == "C2"
    assert decoded(replace(text, little_bytes=True), b"BA21\0\0\0\0") == "AB12"
    assert decoded(replace(text, is_utf16=True), "Aé".encode("utf-16-be") + bytes(4)) == "Aé"
    assert decoded(replace(text, is_utf16=True), b"\xd8\x00" * 4) is not None  # no text: no crash
    assert decoded(replace(text, type="bytes"), b"\x01\x02abcdef") == "01026162636465 66".replace(
        " ", ""
    )


def test_power_current_and_voltage_are_kept_as_finely_as_readings_are():
    assert decoded(register("f32", unit="W"), struct.pack(">f", 3680.26)) == 3680.3
    assert decoded(register("f32", unit="A"), struct.pack(">f", 15.98765)) == 15.988
    assert decoded(register("f32", unit="V"), struct.pack(">f", 230.46)) == 230.5


def reading_of(name, **values):
    """Decode a cycle in which the named registers have these raw integers and the others 0."""
    profile = KNOWN[name]
    decoder = reading_decoder(profile)
    slots, raw = [None] * len(SLOTS), b""
    for block in plan_cycle(profile, "123").always:
        data = bytearray(2 * block.count)
        for one in block.registers:
            start = 2 * (one.address - block.address)
            size = 2 * one.length
            data[start : start + size] = values.get(one.name, 0).to_bytes(size, "big")
        compiled = decoder.compile(block)
        compiled.into(slots, bytes(data))
        if compiled.energy is not None:
            raw = compiled.energy_words(bytes(data))
    return decoder.reading(MeterId(7), AT, slots, raw)


@pytest.mark.parametrize(
    ("state", "cable", "pilot"),
    [
        (0, 7, None),
        (1, 0, "A"),
        (1, 3, "A"),
        (1, 5, "B"),
        (1, 7, "B"),
        (2, 7, "B"),
        (3, 7, "C"),
        (4, 7, "E"),
        (5, 7, "B"),
        (9, 7, None),
    ],
)
def test_keba_states(state, cable, pilot):
    found = reading_of("keba-p30", state=state, cable_state=cable, energy_import_total=123456).pilot
    assert found == (None if pilot is None else PilotState(pilot))


@pytest.mark.parametrize(
    ("state", "pilot"), [(2, "A"), (5, "B"), (7, "C"), (8, None), (9, "E"), (10, "F"), (11, None)]
)
def test_heidelberg_states(state, pilot):
    found = reading_of("heidelberg-energy-control", state=state).pilot
    assert found == (None if pilot is None else PilotState(pilot))


@pytest.mark.parametrize(
    ("name", "state", "other", "pilot"),
    [
        (
            "abb-terra-ac",
            0x0400 | 0x80,
            {"cable_state": 0},
            "C",
        ),  # the highest bit is not the state
        ("abb-terra-ac", 0x0500, {"cable_state": 0x0111}, "B"),
        ("abb-terra-ac", 0x0500, {"cable_state": 0x0101}, "B"),
        ("abb-terra-ac", 0x0500, {"cable_state": 0x0011}, "A"),
        ("abb-terra-ac", 0x0600, {"cable_state": 0x0111}, None),
        ("vestel-evc04", 1, {"cable_state": 3}, "C"),
        ("vestel-evc04", 0, {"cable_state": 3}, "B"),
        ("vestel-evc04", 0, {"cable_state": 2}, "B"),
        ("vestel-evc04", 0, {"cable_state": 1}, "A"),
        ("vestel-evc04", 0, {"cable_state": 9}, None),
        ("webasto-next", 3, {}, "C"),
        ("webasto-next", 2, {}, None),
        ("schneider-evlink-pro", 2, {"plugged": 0}, "A"),
        ("schneider-evlink-pro", 2, {"plugged": 1}, "B"),
        ("schneider-evlink-pro", 8, {"plugged": 1}, "C"),
        ("compleo", 0x8000, {}, "A"),
        ("compleo", 1, {}, "B"),
        ("compleo", 3, {}, "C"),
        ("etrel-inch", 0, {}, None),  # unknown is not "no car"
        ("daheimladen-em2go", 9, {}, None),
        ("abl-em4", 0x12C2, {}, "C"),
        ("peblar", ord("B"), {}, "B"),
        ("phoenix-charx", int.from_bytes(b"C1"), {}, "C"),
        ("phoenix-ev-cc-basic-ser", int.from_bytes(b"E0"), {}, "E"),
        ("siemens-versicharge", int.from_bytes(b"B\0"), {}, "B"),
        ("siemens-versicharge", int.from_bytes(b"\0B"), {}, "B"),
        ("siemens-versicharge", int.from_bytes(b"Z "), {}, None),
        ("innogy-ebox", int.from_bytes(b"E\0\0\0"), {}, "E"),
        ("alfen-eve", int.from_bytes(b"D2" + bytes(8)), {}, "D"),
        ("alfen-eve", 0, {}, None),
    ],
)
def test_states_that_are_more_than_a_number(name, state, other, pilot):
    found = reading_of(name, state=state, **other).pilot
    assert found == (None if pilot is None else PilotState(pilot))


def f32(value):
    return int.from_bytes(struct.pack(">f", value))


@pytest.mark.parametrize(
    ("letter", "amps", "watts"),
    [(b"C", 16.0, 3 * 16 * 230), (b"D", 16.0, 3 * 16 * 230), (b"B", 0.0, 0), (b"A", 0.0, 0)],
)
def test_currents_that_freeze_count_while_it_charges_only(letter, amps, watts):
    values = {f"current_l{n}": f32(16.0) for n in "123"}
    values |= {f"voltage_l{n}": f32(230.0) for n in "123"}
    found = reading_of("innogy-ebox", state=int.from_bytes(letter + bytes(3)), **values)
    assert (found.currents_a, found.power_w) == ((amps,) * 3, watts)


@pytest.mark.parametrize("letter", [b"E", b"F", b"?"])
def test_currents_that_freeze_are_unknown_in_a_fault(letter):
    values = {f"current_l{n}": f32(16.0) for n in "123"}
    found = reading_of("innogy-ebox", state=int.from_bytes(letter + bytes(3)), **values)
    assert (found.currents_a, found.power_w) == ((None,) * 3, None)


def test_a_power_that_is_volts_times_amps_needs_both():
    values = {"state": int.from_bytes(b"C" + bytes(3)), "current_l1": f32(16.0)}
    values |= {f"current_l{n}": f32(0.0) for n in "23"}
    missing = {f"voltage_l{n}": f32(math.nan) for n in "123"}
    assert reading_of("innogy-ebox", **values, **missing).power_w is None
    values["voltage_l1"] = f32(229.5)
    assert reading_of("innogy-ebox", **{**missing, **values}).power_w == 3_672.0


def test_a_reading_keeps_the_words_of_its_register_also_when_they_mean_nothing():
    reading = reading_of("abb-b23-b24", energy_import_total=2**64 - 1)
    assert reading.import_wh is None
    assert reading.import_raw == b"\xff" * 8
    reading = reading_of("abb-b23-b24", energy_import_total=123)
    assert (reading.import_wh, reading.import_raw) == (1230, (123).to_bytes(8, "big"))
    assert reading.meter_id == 7
    assert reading.socket == 1
