"""Recovery codes survive being written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.storage.recovery import DIGITS, is_mistyped, read_code, write_code

values = st.binary(min_size=20, max_size=20)


@given(value=values)
def test_a_code_reads_back(value) -> None:
    code = write_code(value)
    assert read_code(code) == value
    assert [len(group) for group in code.split("-")] == [5] * 7


@given(value=values, place=st.integers(0, 40), digit=st.sampled_from(DIGITS))
def test_one_wrong_character_is_almost_always_noticed(value, place, digit) -> None:
    code = write_code(value)
    place %= len(code)
    slip = code[:place] + digit + code[place + 1 :]
    assert read_code(slip) in {None, value}


@given(value=values, place=st.integers(0, 40), letter=st.sampled_from(f"{DIGITS}U"))
def test_a_slip_is_known_as_one_and_a_passphrase_is_not(value, place, letter) -> None:
    code = write_code(value)
    places = [at for at, old in enumerate(code) if old != "-"]
    at = places[place % len(places)]
    slip = code[:at] + letter + code[at + 1 :]
    assert is_mistyped(slip) is (read_code(slip) is None)
    assert not is_mistyped("correct horse battery staple lamp door")


@pytest.mark.parametrize("text", ["", "correct horse", "0" * 34, "U" * 35, "é" * 35])
def test_what_is_no_code_is_none(text) -> None:
    assert read_code(text) is None
