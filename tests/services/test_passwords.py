"""How good a password has to be."""

import pytest

from evdesk.domain.errors import UserError
from evdesk.domain.secrets import Secret
from evdesk.services.passwords import demand_good, rate

SITE = ("North depot", "Ada Lovelace")


@pytest.mark.parametrize(
    "password", ["correct horse", "biber polka lampe", "Xk7-qq92-Mvb1", "ÄÖÜ löwe 77 kran"]
)
def test_words_that_do_not_belong_together_are_good(password: str) -> None:
    demand_good(Secret(password.encode()), SITE, demo=False)
    assert rate(password, SITE).good


@pytest.mark.parametrize(
    ("password", "advice"),
    [
        ("kurz", "at least 8 characters"),
        ("passwort123", "similar to a commonly used password"),
        ("aaaaaaaaaaaaaaaa", "Repeats like"),
        ("lovelace", "Add another word"),
        ("northdepot1", "Add another word"),
        ("qwertzuiop", "very common password"),
    ],
)
def test_what_is_easy_to_guess_is_refused_with_advice(password: str, advice: str) -> None:
    with pytest.raises(UserError, match=advice):
        demand_good(Secret(password.encode()), SITE, demo=False)
    assert not rate(password, SITE).good


def test_the_names_of_site_and_account_count_as_known() -> None:
    assert rate("Lovelace1843", ()).score > rate("Lovelace1843", SITE).score


def test_characters_are_counted_and_not_bytes() -> None:
    with pytest.raises(UserError, match="at least 8"):
        demand_good(Secret("äöüßäöü".encode()), (), demo=False)


def test_a_password_may_be_as_long_as_anybody_likes() -> None:
    demand_good(Secret(("biber polka lampe " * 50).encode()), SITE, demo=False)


def test_on_a_demo_site_any_password_will_do() -> None:
    demand_good(Secret(b"x"), SITE, demo=True)
    with pytest.raises(UserError, match="at least one"):
        demand_good(Secret(b""), SITE, demo=True)


def test_bytes_that_are_no_text_are_a_password_like_any_other() -> None:
    demand_good(Secret(b"\xff\xfe\x9a\x81 mambo 99 zug"), SITE, demo=False)
