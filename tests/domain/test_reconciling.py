"""What is left above a register never makes up for what is left below."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.reconciling import Account, Remainder, Rest, RestKind, remainder_of
from evdesk.domain.sessions import SessionId
from tests.domain.days import START

CORRECTION, MISMATCH, OVERLAP = RestKind.CORRECTION, RestKind.MISMATCH, RestKind.OVERLAP
WH = st.integers(-2_000, 2_000)


def rest(kind: RestKind, wh: int, session: int, hour: int = 0) -> Rest:
    """Return a rest of a session of one hour."""
    from_at = START + timedelta(hours=hour)
    return Rest(kind, wh, SessionId(session), from_at, from_at + timedelta(hours=1))


def account_of(*rests: Rest, unsaid_wh: int = 0) -> Account:
    delta_wh = sum(one.wh for one in rests) + unsaid_wh
    return Account(None, None, delta_wh, 0, 0, 0, len(rests), (), rests)


def left(*rests: Rest, unsaid_wh: int = 0) -> tuple[int, int]:
    found = account_of(*rests, unsaid_wh=unsaid_wh).remainder
    return found.above_wh, found.below_wh


def test_corrections_of_two_sessions_do_not_make_up_for_each_other() -> None:
    two = rest(CORRECTION, 1_500, 1), rest(CORRECTION, -1_500, 2, 5)
    assert account_of(*two).rest_wh == 0
    assert left(*two) == (1_500, -1_500)
    assert left(*two, rest(CORRECTION, 20, 3, 9)) == (1_520, -1_500)


def test_a_correction_settles_what_its_own_session_left() -> None:
    assert left(rest(MISMATCH, 20, 1), rest(CORRECTION, -20, 1)) == (0, 0)
    assert left(rest(MISMATCH, 20, 1), rest(CORRECTION, -50, 1)) == (0, -30)
    assert left(rest(RestKind.FORCED_END, 900, 1), rest(CORRECTION, -900, 1)) == (0, 0)


def test_either_of_two_sessions_with_the_same_energy_may_be_corrected() -> None:
    twice = rest(OVERLAP, -1_300, 2)
    assert left(twice) == (0, -1_300)
    assert left(twice, rest(CORRECTION, 1_300, 2)) == (0, 0)
    assert left(twice, rest(CORRECTION, 1_300, 1)) == (0, 0)
    assert left(twice, rest(CORRECTION, 2_000, 1)) == (700, 0)
    assert left(twice, rest(CORRECTION, 1_300, 1), rest(CORRECTION, 1_300, 2)) == (1_300, 0)


def test_the_same_energy_settles_nothing_at_another_time_or_beyond_itself() -> None:
    assert left(rest(OVERLAP, -1_300, 2), rest(CORRECTION, 1_300, 1, 5)) == (1_300, -1_300)
    more = rest(OVERLAP, -10, 2), rest(CORRECTION, 1_500, 1), rest(CORRECTION, -1_490, 2)
    assert left(*more) == (1_490, -1_490)
    assert left(rest(OVERLAP, -10, 2), rest(MISMATCH, 10, 1)) == (10, -10)


def test_what_no_session_says_goes_to_its_own_sign() -> None:
    assert left(rest(CORRECTION, -500, 1), unsaid_wh=500) == (500, -500)
    assert left(rest(CORRECTION, 500, 1), unsaid_wh=-30) == (500, -30)
    assert left(unsaid_wh=7) == (7, 0)


def test_what_was_explained_and_is_gone_must_be_taken_back() -> None:
    assert Remainder().without([-500]) == Remainder(500, 0)
    assert Remainder().without([-500, 500]) == Remainder()
    assert Remainder(0, -300).without([500]) == Remainder(0, -800)
    assert Remainder(0, -300).without([500, -800]) == Remainder()
    assert Remainder(1_500, -1_500).without([1_500]) == Remainder(0, -1_500)


@given(
    st.lists(
        st.builds(rest, st.sampled_from(RestKind), WH, st.integers(1, 4), st.integers(0, 3)),
        max_size=6,
    ),
    WH,
)
def test_above_and_below_add_up_to_the_rest(rests: list[Rest], unsaid_wh: int) -> None:
    found = account_of(*rests, unsaid_wh=unsaid_wh)
    assert found.remainder.sum_wh == found.rest_wh
    assert found.remainder.above_wh >= 0 >= found.remainder.below_wh


@given(st.lists(WH, max_size=4), st.lists(WH, max_size=5), st.data())
def test_an_explanation_takes_away_exactly_what_it_says_of_its_sign(
    amounts: list[int], explained: list[int], data: st.DataObject
) -> None:
    before = remainder_of(amounts).without(explained)
    assert before.sum_wh == sum(amounts) - sum(explained)
    wh = data.draw(st.integers(before.below_wh, before.above_wh))
    assert before.takes(wh) == (wh != 0)
    assert not before.takes(before.above_wh + 1)
    assert not before.takes(before.below_wh - 1)
    after = remainder_of(amounts).without([*explained, wh])
    assert after.above_wh == before.above_wh - max(wh, 0)
    assert after.below_wh == before.below_wh - min(wh, 0)
