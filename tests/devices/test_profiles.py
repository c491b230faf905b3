"""Profiles: what the shipped ones say, and the line of every mistake."""

from fractions import Fraction

import pytest

from evdesk.devices.profile_file import load_profile, load_profiles
from evdesk.domain.errors import UserError
from tests.devices.support import METERS, PROFILES, edited_profile


def test_a_profile_is_named_by_its_file():
    assert sorted(load_profiles(METERS)) == PROFILES


def test_every_meter_bills_energy_and_every_charger_tells_its_state():
    for profile in load_profiles(METERS).values():
        info = profile.info
        assert info.has_energy if info.kind == "meter" else info.has_state, info.id
        assert info.needs_meter == (info.kind == "charger" and not info.has_energy)


def test_resolution_is_what_the_register_counts_in():
    found = {name: profile.info.resolution_wh for name, profile in load_profiles(METERS).items()}
    assert found["abb-b23-b24"] == 10
    assert found["goe-gemini"] == found["carlogavazzi-em330-em340"] == 100
    assert found["keba-p30"] == found["eastron-sdm630"] == 1


def test_a_scale_is_exactly_what_is_written():
    profiles = load_profiles(METERS)
    assert profiles["keba-p30"].registers["energy_import_total"].scale == Fraction(1, 10_000)
    assert profiles["goe-gemini"].registers["session_energy"].scale == Fraction(1, 360_000)


def test_keba_tells_no_car_from_a_locked_car_by_the_cable():
    registers = load_profiles(METERS)["keba-p30"].registers
    (pointing,) = [value for value in registers["state"].enum if value.by is not None]
    assert (pointing.raw, pointing.by) == (1, "cable_state")
    letters = {value.raw: value.letter for value in registers["cable_state"].enum}
    assert letters == {0: "A", 1: "A", 3: "A", 5: "B", 7: "B"}


def test_registers_that_count_apparent_energy_are_told():
    told = {name for name, profile in load_profiles(METERS).items() if profile.info.counts_vah}
    assert told == {"heidelberg-energy-control", "amperfied-connect"}


def test_a_choice_says_whether_the_lifetime_register_is_read_otherwise_by_it():
    on_energy = {
        (profile.info.id, choice.key): choice.on_energy
        for profile in load_profiles(METERS).values()
        for choice in profile.info.choices
    }
    assert on_energy["keba-p30", "energy_unit"]
    assert on_energy["eastron-sdm630", "word_order"]
    assert not on_energy["evse-din", "limit_unit"]


def test_no_shipped_register_lies_on_another_under_any_option():
    for profile in load_profiles(METERS).values():
        for choice in profile.choices:
            for option in choice.options:
                registers = profile.variant({choice.key: option.id}).registers.values()
                taken = [(r.unit_id, r.function, at) for r in registers for at in r.own_addresses]
                assert len(taken) == len(set(taken)), profile.info.id


MISTAKES = [
    ('type = "f32"', 'type = "f31"', "register 'voltage_l1': type 'f31' is not one of u16,"),
    ("address = 2\n", "address = 1\n", "address 1 already belongs to 'voltage_l1'"),
    ('name = "voltage_l2"', 'name = "voltage_l1"', "another register has this name"),
    ("address = 2\n", "address = 70000\n", "address = 70000 is not within 0 and 65534"),
    ("address = 2\n", 'address = "2"\n', "address must be a whole number, not '2'"),
    ("length = 2\n", "length = 3\n", "f32 takes 2 registers, not 3"),
    ('unit = "V"', 'unit = "Volt"', "unit 'Volt' is not one of"),
    ('unit = "kWh"', 'unit = "Ah"', "unit 'Ah' is not one of"),
    ('function = "input"', 'function = "inputs"', "function 'inputs' is not one of coil"),
    ('unit = "V"', 'unit = "V"\ncolour = "red"', "unknown key 'colour'"),
    ("length = 2\n", "length = 2\nscale = 0\n", "scale = 0 is not above 0"),
    ("length = 2\n", 'length = 2\nnot_available = ["0x1FFFFFFFF"]\n', "no"),
    ("length = 2\n", "length = 2\nenum = [\n { raw = 1 },\n { raw = 1 },\n]\n", "listed twice"),
    ("phases = 3", "phases = 4", "phases = 4 is not within 1 and 3"),
    ("schema_version = 1", "schema_version = 2", "schema_version = 2 is not within 1 and 1"),
    ('kind = "meter"', 'kind = "metre"', "kind 'metre' is not one of meter, charger"),
    ('id = "eastron-sdm630"\n', "", "'id' is missing"),
    ("phases = 3", "phases = = 3", "this is not TOML"),
    ('transports = ["rtu"', 'transports = ["rut"', "transport 'rut' is not one of"),
    ("bridge_gap = 40", "bridge_gap = true", "bridge_gap must be a whole number, not True"),
]


@pytest.mark.parametrize(("right", "wrong", "sentence"), MISTAKES)
def test_a_mistake_in_a_profile_is_named_with_its_line(tmp_path, right, wrong, sentence):
    path = edited_profile(tmp_path, "eastron-sdm630", (right, wrong))
    text = path.read_text(encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_profile(path)
    said = str(caught.value)
    assert sentence in said
    assert said.startswith(f"{path} line ")
    line = int(said.split(" line ", 1)[1].split(":", 1)[0])
    marked = text.splitlines()[line - 1]
    if wrong:
        last = wrong.strip().splitlines()[-2 if "enum" in wrong else -1]
        assert last.split("=")[0].strip() in marked


def test_the_line_is_found_behind_arrays_strings_and_comments(tmp_path):
    path = edited_profile(
        tmp_path,
        "keba-p30",
        ("notes = [", 'notes = [\n  """several\n[[register]] lines""", # and a comment\n'),
        ("raw = 3, iec61851", "raw = 3, iec61581"),
    )
    lines = path.read_text(encoding="utf-8").splitlines()
    wanted = 1 + next(i for i, line in enumerate(lines) if "iec61581" in line)
    with pytest.raises(UserError, match=f"line {wanted}: register 'state', enum 4: unknown key"):
        load_profile(path)


def test_a_rotation_names_registers_that_are_there(tmp_path):
    path = edited_profile(tmp_path, "keba-p30", ('  "voltage_l3",', '  "voltage_l4",'))
    with pytest.raises(UserError, match="there is no register 'voltage_l4'"):
        load_profile(path)


def test_an_id_is_taken_once(tmp_path):
    edited_profile(tmp_path, "keba-p30").rename(tmp_path / "another.toml")
    edited_profile(tmp_path, "keba-p30")
    with pytest.raises(UserError, match="the id 'keba-p30' is already taken"):
        load_profiles(tmp_path)


def test_a_shipped_file_is_named_from_its_folder_on():
    from evdesk.devices.toml_text import shown_path

    assert shown_path(METERS / "keba-p30.toml") == "resources/meters/keba-p30.toml"
