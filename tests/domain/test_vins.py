"""VINs: what cannot be one, what may be mistyped, and what is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.errors import UserError
from evdesk.domain.vins import VALUES, check_digit, masked, parse_vin

CHARS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@pytest.mark.parametrize("text", ["1M8GDM9AXKP042788", "1" * 17, " 1m8gd-m9axk p042788 "])
def test_a_vin_whose_check_digit_fits_is_taken(text: str) -> None:
    vin = parse_vin(text)
    assert not vin.doubtful
    assert vin.number == text.replace(" ", "").replace("-", "").upper()


@pytest.mark.parametrize("text", ["5YJ3E1EA7KF317000", "LSVAA49J232047371"])
def test_a_wrong_check_digit_is_refused_where_it_is_compulsory(text: str) -> None:
    with pytest.raises(UserError, match="check digit") as refusal:
        parse_vin(text)
    assert text not in str(refusal.value)


def test_a_wrong_check_digit_is_a_doubt_elsewhere() -> None:
    assert parse_vin("WVWZZZ1JZXW000001").doubtful


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "17 characters"), ("1M8GDM9AXKP04278", "this has 16"), ("WVWZZZ1JZXW00000O", "here is O"),
     ("IVWZZZ1JZXW000001", "here is I"), ("WVWZZZ1JZXW00000Ä", "here is Ä")],
)  # fmt: skip
def test_what_is_no_vin_is_refused_without_repeating_it(text: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as refusal:
        parse_vin(text)
    assert not text or text not in str(refusal.value)


def test_every_character_of_a_vin_has_a_value() -> None:
    assert set(VALUES) == set(CHARS)
    assert (VALUES["A"], VALUES["H"], VALUES["J"], VALUES["R"], VALUES["S"]) == (1, 8, 1, 9, 2)


@given(st.text(CHARS, min_size=17, max_size=17))
def test_one_mistyped_character_of_an_american_vin_is_nearly_always_found(text: str) -> None:
    number = "1" + text[1:]
    number = number[:8] + check_digit(number) + number[9:]
    assert parse_vin(number).number == number
    wrong = "0" if number[8] != "0" else "1"
    with pytest.raises(UserError):
        parse_vin(number[:8] + wrong + number[9:])


def test_a_vin_never_shows_itself_whole() -> None:
    vin = parse_vin("WVWZZZ1JZXW000001")
    assert masked(vin.number) == "WVW**********0001"
    assert vin.number not in f"{vin!r} {vin} {[vin]}"
