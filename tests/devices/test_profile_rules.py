"""What a profile says of its registers: the keys, the line of every mistake, what it decides."""

from fractions import Fraction

import pytest

from evdesk.devices.profile_file import load_profile
from evdesk.devices.profiles import Identify
from evdesk.domain.errors import UserError
from tests.devices.support import edited_profile

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
