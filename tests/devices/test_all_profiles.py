"""Every shipped profile: known values are put into registers, served, and read back.

What is served is made by ``words`` from the profile's TOML, apart from the decoder; a wrong word
order, an address beside the right one, a sign or a scale gives another value.
"""

from functools import partial
from typing import Any

import pytest

from tests.devices.known import DATA, TARGETS, Device, quick_profiles, readings, wrong
from tests.devices.support import PROFILES
from tests.devices.words import FILLER, patterns_of, usual_options


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return quick_profiles(tmp_path_factory.mktemp("meters"))


def variants() -> list[Any]:
    """Return every profile, and again for each option a device decides by what it shows."""
    cases = []
    for name, data in DATA.items():
        usual = usual_options(data)
        cases.append(pytest.param(name, usual, id=name))
        for choice in data.get("choice", []):
            for option in choice["options"]:
                if "register" in option and option["id"] != usual[choice["key"]]:
                    chosen = {**usual, choice["key"]: option["id"]}
                    cases.append(pytest.param(name, chosen, id=f"{name}-{option['id']}"))
    return cases


@pytest.mark.parametrize(("name", "chosen"), variants())
def test_every_value_comes_back(folder, name, chosen):
    device = Device(name, chosen)
    device.put_values()
    (found,) = readings(folder, device)
    assert wrong(device, found) == {}


def test_options_decided_first_hold_for_the_rules_of_the_others(folder):
    """A 1 with its words turned is no 0 and no 1: read so, MWh would be taken for kWh."""
    device = Device("eastron-sdm630", {"word_order": "little", "energy_unit": "MWh"})
    device.put_values()
    (found,) = readings(folder, device)
    assert wrong(device, found) == {}
    assert found[1].import_wh == device.expected["energy_import_total", 1] > 1_000_000


@pytest.mark.parametrize("name", PROFILES)
def test_who_it_is_and_what_it_shows_of_a_session_comes_with_the_first_reading(folder, name):
    device = Device(name, usual_options(DATA[name]))
    device.put_values()
    device.put_signs()
    (found,) = readings(folder, device)
    assert wrong(device, found) == {}


def other_order(row):
    turned = {"big": "little", "little": "big"}
    return row | {"word_order": turned[row["word_order"]]} if row["length"] > 1 else row


def ten_times(row):
    return row | {"scale": row.get("scale", 1) * 10}


def one_further(row):
    return row | {"address": row["address"] + 1}


@pytest.mark.parametrize("change", [other_order, ten_times, one_further])
@pytest.mark.parametrize("name", ["abb-b23-b24", "acrel-adw300", "lovato-dmg610", "eastron-sdm54"])
def test_words_laid_out_otherwise_do_not_pass(folder, name, change):
    """The known values are such that a mistake shows in each of them that it touches."""
    data = DATA[name]
    order = data["device"]["default_word_order"]
    rows = [{"word_order": order, **row} for row in data["register"]]
    device, other = (
        Device(name, {}),
        Device(name, {}, {**data, "register": list(map(change, rows))}),
    )
    for one in (device, other):
        one.put_values()
    other.memory.words = dict.fromkeys(device.memory.words, FILLER) | other.memory.words
    (found,) = readings(folder, other)
    touched = {row["name"] for row in rows if change(row) != row} & set(TARGETS)
    assert {text.split()[0] for text in wrong(device, found)} == touched


SIGNED = [
    name
    for name, data in DATA.items()
    for row in data["register"]
    if row["name"] == "active_power_total" and row["type"][0] != "u"
]


@pytest.mark.parametrize("name", sorted(set(SIGNED)))
def test_what_flows_back_is_below_zero(folder, name):
    device = Device(name, usual_options(DATA[name]))
    device.put_values(sign=-1)
    (found,) = readings(folder, device)
    assert wrong(device, found) == {}
    assert all(one.power_w is not None and one.power_w < 0 for one in found.values())


STATES = [
    name for name, data in DATA.items() if any(r["name"] == "state" for r in data["register"])
]


@pytest.mark.parametrize("name", STATES)
def test_every_state_is_the_pilot_state_it_stands_for(folder, name):
    device = Device(name, usual_options(DATA[name]))
    device.put_values()
    cases = [
        (meaning, other)
        for meaning in device.states()
        for other in (device.memory.rows[meaning["by"]]["enum"] if "by" in meaning else [None])
    ]
    changes = [partial(device.put_states, *case) for case in cases]
    for (meaning, other), found in zip(cases, readings(folder, device, changes), strict=True):
        letters = {reading.pilot and reading.pilot.value for reading in found.values()}
        assert letters == {(other or meaning).get("iec61851")}, (meaning, other)
        assert sorted(found) == list(device.sockets)


@pytest.mark.parametrize("name", PROFILES)
def test_what_a_device_marks_as_missing_is_none(folder, name):
    """Each pattern of "no value" in turn; in a sum of phases or tariffs it makes all of it None."""
    rows = Device(name, usual_options(DATA[name])).memory.rows
    marks = {key: list(patterns_of(row)) for key, row in rows.items() if key in TARGETS}
    for turn in range(max(map(len, marks.values()), default=0)):
        device = Device(name, usual_options(DATA[name]))
        device.put_values()
        for key, patterns in marks.items():
            if turn < len(patterns):
                for socket in device.sockets:
                    device.memory.put_pattern(key, patterns[turn], socket)
                    device.expected[key, socket] = None
        (found,) = readings(folder, device)
        assert wrong(device, found) == {}
