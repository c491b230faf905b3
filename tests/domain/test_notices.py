"""Versions of notices, and which one is shown."""

import pytest

from evdesk.domain.notices import Notice, NoticeId, NoticeVersion, current, parse_version
from evdesk.domain.purposes import VIN
from tests.fakes.clock import START


def notice(version: str, language: str) -> Notice:
    return Notice(NoticeId(1), VIN, parse_version(version), language, b"x", b"", START, "A-1")


@pytest.mark.parametrize(("text", "version"), [("1", (1, 0)), ("2.10", (2, 10)), (" 3.0 ", (3, 0))])
def test_a_version_is_two_numbers(text: str, version: tuple[int, int]) -> None:
    assert parse_version(text) == NoticeVersion(*version)
    assert str(parse_version("2.10")) == "2.10"
    assert parse_version("2.10") > parse_version("2.9")


@pytest.mark.parametrize("text", ["", "0.1", "1.", "v1", "1.2.3", "-1", "1,0", "٣"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        parse_version(text)


def test_the_newest_major_is_shown_in_the_first_language_there_is() -> None:
    known = [notice("1.0", "de"), notice("1.0", "en"), notice("2.0", "en"), notice("2.1", "en")]
    assert current(known, ["de", "en"]) == notice("2.1", "en")  # 1.0 in German no longer holds
    assert current(known[:2], ["de-AT", "en"]) == notice("1.0", "de")
    assert current(known[:2], ["fr"]) is not None
    assert current([], ["en"]) is None
