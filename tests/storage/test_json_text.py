"""Texts that are hashed are those of RFC 8785, also where a shorter way is taken."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from evdesk.storage.json_text import canonical, hashed_text

plain = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.text('abc"\\\n\x7f')
)
values = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(values)
def test_a_text_is_that_of_the_standard_or_none(value: object) -> None:
    try:
        expected: bytes | None = rfc8785.dumps(json.loads(canonical(value)))
    except (ValueError, rfc8785.CanonicalizationError):
        expected = None
    try:
        found: bytes | None = hashed_text(value)
    except (ValueError, rfc8785.CanonicalizationError):
        found = None
    assert found == expected


def test_decimals_and_instants_are_texts() -> None:
    value = {"b": Decimal("1.50"), "a": datetime(2026, 3, 2, 6, tzinfo=UTC), "c": (1, {"d"})}
    assert hashed_text(value) == b'{"a":"2026-03-02T06:00:00Z","b":"1.50","c":[1,["d"]]}'
