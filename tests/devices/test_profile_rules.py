"""What a profile says of its registers: the keys, the line of every mistake, what it decides."""

from fractions import Fraction

import pytest

from evdesk.devices.decode import value_of
from evdesk.devices.plan import plan_blocks
from evdesk.devices.profile_file import load_profile, load_profiles
from evdesk.devices.profiles import Identify
from evdesk.devices.simulator.device import SimulatedDevice
from evdesk.devices.simulator.encode import Encoder, Span
from evdesk.devices.simulator.scenario import Device
from evdesk.domain.errors import UserError
from tests.devices.support import METERS, PROFILES, edited_profile

SCHEMA = "schema_version = 1\n"


def with_table(folder, text, profile="goe-gemini"):
    """Return a shipped profile with a table put before its others."""
    return edited_profile(folder, profile, (SCHEMA, f"{SCHEMA}\n{text}\n"))


def refusal(path, marked):
    """Return why a profile is refused; the line it names holds ``marked``."""
    with pytest.raises(UserError) as caught:
        load_profile(path)
    said = str(caught.value)
    line = int(said.split(" line ", 1)[1].split(":", 1)[0])
    assert marked in path.read_text(encoding="utf-8").splitlines()[line - 1], said
    return said


def test_identify_rows_say_what_a_device_must_show(tmp_path):
    text = """
[[identify]]
register = "max_current"
low = 300000
high = 399999.5

[[identify]]
register = "serial_number"
equals = [17, "AB"]
contains = "x"
"""
    first, second = load_profile(with_table(tmp_path, text)).identify
    assert first == Identify("max_current", (), None, Fraction(300_000), Fraction(799_999, 2))
    assert second == Identify("serial_number", (17, "AB"), "x")


@pytest.mark.parametrize(
    ("row", "marked", "sentence"),
    [
        ('register = "maker"\nequals = [1]', "register =", "there is no register 'maker'"),
        ('register = "state"', "register =", "say what it must show"),
        ('register = "state"\nequals = []', "register =", "say what it must show"),
        ('register = "state"\nequals = 3', "equals", "must be a list of whole numbers or texts"),
        ('register = "state"\nequals = [1.5]', "equals", "must be a list of whole numbers"),
        ('register = "state"\nequals = [true]', "equals", "must be a list of whole numbers"),
        ('register = "state"\ncontains = 3', "contains", "contains must be a text"),
        ('register = "state"\nlow = "3"', "low", "low must be a number"),
        ('register = "state"\nlow = 3\nhi = 4', "hi = 4", "unknown key 'hi'"),
        ('register = "state"\nmatches = "(["', "matches", "no regular expression"),
        ('register = "state"\nanswers = true', "answers", "does not tell a device from others"),
    ],
)
def test_a_mistake_in_an_identify_row_is_named_with_its_line(tmp_path, row, marked, sentence):
    assert sentence in refusal(with_table(tmp_path, f"[[identify]]\n{row}"), marked)


@pytest.mark.parametrize(
    ("row", "value", "holds"),
    [
        (Identify("r", equals=(3, 5)), 5, True),
        (Identify("r", equals=(3, 5)), 5.0, True),
        (Identify("r", equals=(3, 5)), 4, False),
        (Identify("r", equals=("EM340",)), "EM340", True),
        (Identify("r", contains="keba"), "KeBa AG", True),
        (Identify("r", contains="keba"), "ABB", False),
        (Identify("r", low=Fraction(1)), 1, True),
        (Identify("r", low=Fraction(1)), 0.9, False),
        (Identify("r", high=Fraction(9)), 9.1, False),
        (Identify("r", low=Fraction(1), high=Fraction(9)), 4, True),
        (Identify("r", low=Fraction(1)), "4", False),
        (Identify("r", contains="1"), None, False),
        (Identify("r", matches="3[0-9]{5}"), 310110.0, True),
        (Identify("r", matches="3[0-9]{5}"), 3101101, False),
        (Identify("r", matches="EM[0-9]+"), "EM340", True),
        (Identify("r", answers=True), None, True),
        (Identify("r", answers=False), 7, False),
    ],
)
def test_an_identify_row_holds_for_what_it_names_alone(row, value, holds):
    assert row.holds(value) is holds


def test_an_option_may_have_the_function_of_all_registers(tmp_path):
    text = """
[[choice]]
key = "function"
about = "Which registers it answers to."
options = [
  { id = "input", register = "power", low = 1, function = "input" },
  { id = "holding", register = "power", low = 1, function = "holding" },
]

[[register]]
name = "power"
address = 900
function = "input"
type = "u16"
length = 1

[[register]]
name = "fixed"
address = 900
function = "holding"
type = "u16"
length = 1
when = ["function=input"]
"""
    profile = load_profile(with_table(tmp_path, text))
    assert {one.function for one in profile.registers.values() if one.name != "fixed"} == {4}
    assert profile.registers["fixed"].function == 3
    turned = profile.variant({"function": "holding"}).registers
    assert {one.function for one in turned.values()} == {3}
    assert "fixed" not in turned


# -- choices --------------------------------------------------------------------------------------

OPTIONS = (
    '[{ id = "new", register = "phases_connected", low = 2 }, { id = "old", label = "before" }]'
)
CHOICE = f'[[choice]]\nkey = "kind"\nabout = "Two kinds."\ndefault = "old"\noptions = {OPTIONS}\n'
LIMIT = 'name = "current_limit"\n'


def test_a_choice_says_what_is_there_under_which_option(tmp_path):
    path = with_table(tmp_path, CHOICE, "peblar")
    text = path.read_text(encoding="utf-8")
    row = text[text.index(f"[[register]]\n{LIMIT}") :].split("\n\n")[0]
    old = row.replace(LIMIT, LIMIT + 'when = ["kind=old"]\n').replace("40000", "41000")
    new = row.replace(LIMIT, LIMIT + 'when = ["kind=new"]\n')
    path.write_text(text.replace(row, f"{old}\n\n{new}"), encoding="utf-8")
    profile = load_profile(path)
    (choice,) = profile.choices
    assert (choice.key, choice.default, choice.has_rules) == ("kind", "old", True)
    assert [option.id for option in choice.options] == ["new", "old"]
    assert profile.registers["current_limit"].address == 41_000
    assert profile.variant({"kind": "new"}).registers["current_limit"].address == 40_000
    assert profile.variant({"kind": "old"}) is profile
    (shown,) = profile.info.choices
    assert (shown.key, shown.default, shown.by_device) == ("kind", "old", True)
    assert all(option.has_energy for option in shown.options)


def test_an_option_may_turn_the_words_of_all_registers(tmp_path):
    text = CHOICE.replace('label = "before"', 'word_order = "little"')
    path = with_table(tmp_path, text, "peblar")
    profile = load_profile(path)
    registers = profile.registers  # the default turns them
    assert registers["energy_import_total"].little_words
    assert not profile.variant({"kind": "new"}).registers["energy_import_total"].little_words
    assert not registers["state"].little_words  # one word has no order


@pytest.mark.parametrize(
    ("right", "wrong", "marked", "sentence"),
    [
        ('key = "kind"', 'key = "a kind"', "a kind", "is taken, or no plain word"),
        ("about = ", "aboot = ", "[[choice]]", "'about' is missing"),
        ('default = "old"', 'default = "middle"', "middle", "is not one of new, old"),
        ('id = "old"', 'id = "new"', "options", "at least two options, each with its own id"),
        ('default = "old"\n', "", "key", "a rule of an option must decide"),
        ("phases_connected", "phases", "options", "there is no register 'phases'"),
        (", low = 2", "", "options", "say what it must show"),
        ('id = "old"', 'id = "old", colour = 1', "colour", "unknown key 'colour'"),
        ('id = "old"', 'id = "very old"', "very old", "is no plain word"),
    ],
)
def test_a_mistake_in_a_choice_is_named_with_its_line(tmp_path, right, wrong, marked, sentence):
    assert right in CHOICE
    if right == 'default = "old"\n':
        plain = CHOICE.replace(', register = "phases_connected", low = 2', "")
        text = plain.replace(right, wrong)
    else:
        text = CHOICE.replace(right, wrong)
    assert sentence in refusal(with_table(tmp_path, text, "peblar"), marked)


# -- registers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "marked", "sentence"),
    [
        ('when = ["kind=old"]', "when", "there is no choice 'kind=old'"),
        ('when = ["kind"]', "when", "'kind' is not written CHOICE=OPTION"),
        ("unit_id = 256", "unit_id", "unit_id = 256 is not within 0 and 255"),
        ("shared = 1", "shared", "shared must be true or false"),
        ('byte_order = "utf-16-be"', "byte_order", "only a string has the byte order utf-16-be"),
        ("per_phase = true", "per_phase", "one and two under plus"),
        ('example = "x"', "example", "example must be a number"),
    ],
)
def test_a_mistake_in_a_register_is_named_with_its_line(tmp_path, line, marked, sentence):
    path = edited_profile(tmp_path, "goe-gemini", (LIMIT, f"{LIMIT}{line}\n"))
    assert sentence in refusal(path, marked)


@pytest.mark.parametrize(
    ("old", "new", "marked", "sentence"),
    [
        ('raw = 1, by = "cable_state"', 'raw = 1, by = "cable"', "enum", "no register 'cable'"),
        ('raw = 1, by = "cable_state"', 'raw = 1, by = "error_code"', "enum", "has no enum with"),
        ('raw = 1, by = "cable_state"', 'raw = 1, iec61851 = "A", by = "x"', "by", "either iec"),
        ("{ raw = 0, label", '{ raw = 0, by = "error_code", label', "enum", "go by one"),
        ('raw = 3, iec61851 = "C"', 'raw = "3", iec61851 = "C"', 'raw = "3"', "a whole number"),
    ],
)
def test_a_mistake_in_a_state_is_named_with_its_line(tmp_path, old, new, marked, sentence):
    assert sentence in refusal(edited_profile(tmp_path, "keba-p30", (old, new)), marked)


@pytest.mark.parametrize(
    ("old", "new", "marked", "sentence"),
    [
        ("socket_stride = 256\n", "", "[device]", "'socket_stride' is missing"),
        ("sockets = 2\n", "", "socket_stride", "a device with one socket has none"),
        ("sockets = 2\n", "sockets = 49\n", "sockets", "sockets = 49 is not within 1 and 48"),
        ('transports = ["tcp"]', 'transports = ["udp"]', "transports", "not one of rtu, tcp,"),
    ],
)
def test_a_mistake_about_sockets_is_named_with_its_line(tmp_path, old, new, marked, sentence):
    assert sentence in refusal(edited_profile(tmp_path, "abl-em4", (old, new)), marked)


def test_two_registers_may_share_an_address_under_different_options_only(tmp_path):
    profile = load_profile(edited_profile(tmp_path, "keba-p40"))
    at_1036 = [one for one in profile.every if one.address == 1036]
    assert [one.scale for one in at_1036] == [Fraction(1, 10_000), Fraction(1, 1_000)]
    path = edited_profile(
        tmp_path,
        "keba-p40",
        ('when = ["energy_unit=wh", "meter=inside"]', 'when = ["meter=inside"]'),
    )
    assert "another register has this name" in refusal(path, 'name = "energy_import_total"')


@pytest.mark.parametrize(
    ("phases", "address", "plus"),
    [("123", 200, (2, 4)), ("12", 200, (2,)), ("13", 200, (4,)), ("23", 202, (2,)), ("3", 204, ())],
)
def test_phases_that_are_not_connected_are_left_out_of_a_sum(phases, address, plus):
    legacy = load_profile(METERS / "bender-cc6xx.toml").variant({"registers": "legacy"})
    energy = legacy.wired(phases).registers["energy_import_total"]
    assert (energy.address, energy.plus) == (address, plus)
    assert energy.length == (plus[-1] if plus else 0) + 2


# -- what the shipped profiles say ----------------------------------------------------------------


def served(profile, register):
    """Return what a simulated device shows in a register, decoded."""
    block = plan_blocks([register], profile.pace)[0]
    encoder = Encoder(profile, "123", unit_id=register.unit_id)
    span = encoder.span(block.function, block.address, block.count)
    assert isinstance(span, Span)
    device = SimulatedDevice(Device("bay", profile.info.id, serial=17), profile, None)
    return value_of(register, encoder.words(span, device.at(0))[block.bytes_of(register)])


@pytest.mark.parametrize("name", PROFILES)
def test_a_simulated_device_is_recognised_and_decides_as_the_profile_is_listed(name):
    profile = load_profile(METERS / f"{name}.toml")
    if profile.sunspec is not None:
        pytest.skip("found by its models")
    for row in profile.identify:
        assert row.holds(served(profile, profile.registers[row.register])), row
    for choice in profile.choices:
        rules = {option.id: option.rule for option in choice.options if option.rule is not None}
        holding = [
            key
            for key, rule in rules.items()
            if rule.answers is None
            and rule.holds(served(profile, profile.registers[rule.register]))
        ]
        assert holding[:1] in ([], [choice.usual]), choice.key


def test_nine_chargers_need_a_meter_beside_them_and_four_of_them_count_nothing():
    infos = [profile.info for profile in load_profiles(METERS).values()]
    chargers = [info for info in infos if info.kind == "charger"]
    assert len(chargers) == 31
    needing = {info.id for info in chargers if info.needs_meter}
    assert len(needing) == 9
    assert {info.id for info in chargers if info.needs_meter and not info.has_session_energy} == {
        "abl-emh1",
        "evse-din",
        "obo-ion",
        "phoenix-ev-cc-basic-ser",
    }
