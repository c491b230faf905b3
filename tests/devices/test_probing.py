"""A probe shows every value with what is wrong with it, and says which other way makes sense."""

import asyncio
import struct
from dataclasses import replace

import pytest

from evdesk.devices.probing import Wanted, probe_device
from evdesk.devices.profiles import Profile
from evdesk.domain.errors import DeviceError, NothingFound
from evdesk.ports import Mark, Probe
from tests.devices.looking import KNOWN, link_to
from tests.fakes.link import DirectLink, Words, words_link, words_of


def probe(link: DirectLink, unit: int, profile: Profile | None) -> Probe:
    return asyncio.run(probe_device(link, Wanted(unit, profile), KNOWN.values()))


def words(name: str) -> Words:
    profile = KNOWN[name]
    return words_of(link_to(name), profile, profile.info.default_unit)


def probe_words(name: str, found: Words) -> Probe:
    """Probe a unit that has these words with a profile."""
    return probe(words_link(found, 1), 1, KNOWN[name])


def codes(found: Probe) -> list[str]:
    return [hint.code for hint in found.hints]


@pytest.mark.parametrize(
    "name", ["eastron-sdm630", "keba-p30", "carlogavazzi-em330-em340", "sunspec-int-sf"]
)
def test_the_values_of_a_device_fit_its_profile_and_nothing_is_hinted(name):
    profile = KNOWN[name]
    found = probe(link_to(name), profile.info.default_unit, profile)
    assert {value.name for value in found.values} >= {"energy_import_total", "active_power_total"}
    assert [value for value in found.values if value.mark is Mark.WRONG] == []
    assert found.hints == ()
    energy = next(value for value in found.values if value.name == "energy_import_total")
    assert (energy.unit, energy.mark) == ("Wh", Mark.FITS)
    assert int(energy.value or 0) == pytest.approx(5_005_500, abs=200)


def test_without_a_profile_the_best_is_taken_and_the_others_named():
    found = probe(link_to("eastron-sdm630"), 1, None)
    assert found.profile == "eastron-sdm630"
    assert found.candidates[0].profile == "eastron-sdm630"
    assert "eastron-sdm54" in {candidate.profile for candidate in found.candidates}


def test_a_device_that_no_profile_fits_says_so():
    link = words_link({(3, 0): b"\x12\x34"}, 1)
    with pytest.raises(NothingFound, match="answers, but none of 63 profiles fits"):
        probe(link, 1, None)


def test_what_a_profile_leaves_open_is_shown_as_the_device_decides_it():
    found = probe(link_to("eastron-sdm630"), 1, KNOWN["eastron-sdm630"])
    decided = {one.key: (one.option, one.by_device) for one in found.decided}
    assert decided == {"word_order": ("big", True), "energy_unit": ("kWh", True)}


def test_a_value_the_device_lacks_is_named_and_costs_no_other():
    found = words("eastron-sdm120")
    del found[4, 70], found[4, 71]  # the frequency
    rows = {value.name: value for value in probe_words("eastron-sdm120", found).values}
    assert rows["frequency"].value is None
    assert rows["frequency"].mark is Mark.MISSING
    assert str(rows["frequency"].remark) == "not available (exception 2)"
    assert rows["voltage_l1"].mark is Mark.FITS


# -- hints ----------------------------------------------------------------------------------------


def turned(name: str, found: Words, *, by_words: bool, by_bytes: bool) -> Words:
    """Return the words of a device that sends them, or their bytes, in another order."""
    result = dict(found)
    for register in KNOWN[name].registers.values():
        if register.type in {"string", "bytes"} or not register.readable:
            continue
        keys = [(int(register.function), register.address + n) for n in range(register.length)]
        if not all(key in found for key in keys):
            continue
        values = [found[key] for key in keys]
        if by_words:
            values.reverse()
        if by_bytes:
            values = [value[::-1] for value in values]
        result.update(zip(keys, values, strict=True))
    return result


@pytest.mark.parametrize("name", ["eastron-sdm120", "carlogavazzi-em330-em340", "janitza-umg604"])
@pytest.mark.parametrize(
    ("by_words", "by_bytes", "code"),
    [
        (True, False, "words-swapped"),
        (False, True, "bytes-swapped"),
        (True, True, "words-and-bytes-swapped"),
    ],
)
def test_another_order_is_hinted_at_and_the_values_stay_as_they_were_read(
    name, by_words, by_bytes, code
):
    found = probe_words(name, turned(name, words(name), by_words=by_words, by_bytes=by_bytes))
    assert codes(found) == [code]
    volts = next(value for value in found.values if value.name == "voltage_l1")
    assert volts.mark is not Mark.FITS
    assert "voltage l1 2" in str(found.hints[0])


@pytest.mark.parametrize("name", ["eastron-sdm120", "siemens-pac2200-pac3200", "dzg-dvh4013"])
@pytest.mark.parametrize(("by", "code"), [(1, "counts-from-zero"), (-1, "counts-from-one")])
def test_a_map_that_is_one_off_is_hinted_at(name, by, code):
    profile = KNOWN[name]
    registers = {
        key: replace(register, address=register.address + 8)
        for key, register in profile.registers.items()
    }
    further = replace(profile, registers=registers, every=tuple(registers.values()), choices=())
    found = {(function, at + 8 + by): word for (function, at), word in words(name).items()}
    probed = probe(words_link(found, 1, missing=b"\0\0"), 1, further)
    assert code in codes(probed)  # whole numbers may look swapped as well: both are named


@pytest.mark.parametrize("name", ["eastron-sdm120", "janitza-umg604"])
@pytest.mark.parametrize("missing", [None, b"\0\0"])
def test_the_other_function_is_hinted_at(name, missing):
    other = {3: 4, 4: 3}
    found = {(other[function], at): word for (function, at), word in words(name).items()}
    probed = probe(words_link(found, 1, missing=missing), 1, KNOWN[name])
    assert codes(probed) == ["other-function"]


def scaled(name: str, found: Words, register: str, factor: float) -> Words:
    """Return the words of a device whose numbers of one kind are in another unit."""
    result = dict(found)
    for one in KNOWN[name].registers.values():
        keys = [(int(one.function), one.address + n) for n in range(2)]
        if one.name.startswith(register) and one.type == "f32" and keys[0] in found:
            (number,) = struct.unpack(">f", found[keys[0]] + found[keys[1]])
            raw = struct.pack(">f", number * factor)
            result.update(zip(keys, (raw[:2], raw[2:]), strict=True))
    return result


@pytest.mark.parametrize(
    ("register", "factor", "sentence"),
    [
        ("voltage_l", 10, "The voltages would make sense if they were not 10 times too large"),
        ("voltage_l", 0.001, "if they were not 1000 times too small"),
        ("frequency", 10, "The frequency would make sense if they were not 10 times too large"),
        ("active_power", 0.001, "Power is about 1000 times too small for voltage and current"),
        ("active_power", 10, "Power is about 10 times too large"),
    ],
)
def test_a_wrong_scale_is_hinted_at(register, factor, sentence):
    found = probe_words(
        "eastron-sdm630", scaled("eastron-sdm630", words("eastron-sdm630"), register, factor)
    )
    assert sentence in str(found.hints[0])


def test_another_profile_is_named_where_it_fits_and_this_one_does_not():
    found = probe(link_to("eastron-sdm630"), 1, KNOWN["carlogavazzi-em330-em340"])
    assert codes(found) == ["other-profile"]
    assert "eastron-sdm630" in str(found.hints[0])


def test_a_silent_unit_is_told_from_one_that_answers_beside_it():
    link = link_to("keba-p30")
    with pytest.raises(DeviceError, match="unit 1 did not answer, but unit 255 does: try that one"):
        probe(link, 1, KNOWN["keba-p30"])


def test_a_bus_on_which_nobody_answers_says_who_was_asked():
    with pytest.raises(DeviceError, match="Unit 7 did not answer"):
        probe(words_link({}, 99), 7, KNOWN["eastron-sdm120"])


def test_a_probe_only_reads():
    link = link_to("eastron-sdm630")
    probe(link, 1, None)
    assert {request[0] for _, request in link.requests} <= {1, 2, 3, 4, 0x2B}
