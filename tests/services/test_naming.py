"""A name is what it looks like."""

import pytest

from evdesk.domain.errors import UserError
from evdesk.services.naming import LONGEST, demand_plain


@pytest.mark.parametrize(
    "text", ["", "Ólafur Ægir", "渡辺 直美", "نورا", "क्‍ष", "O'Neill-Müller & Co."]
)
def test_names_of_any_language_are_taken_as_they_are(text: str) -> None:
    assert demand_plain(text, "name") == text


@pytest.mark.parametrize("text", ["a\nb", "a\x1b[31m", "a\u202eb", "a\u200bb", "\ufeffa", "\ue000"])
def test_what_cannot_be_seen_is_refused_and_named(text: str) -> None:
    with pytest.raises(UserError, match=r"cannot be seen \(U\+[0-9A-F]{4}\)"):
        demand_plain(text, "name")


def test_a_name_has_an_end() -> None:
    assert demand_plain("x" * LONGEST, "name")
    with pytest.raises(UserError, match="201 characters; 200 at most"):
        demand_plain("x" * (LONGEST + 1), "name")
