"""Every Wh that a meter counts is a session's, idle, in a gap, or stands out."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.corrections import Decision, DecisionKind, corrected
from evdesk.domain.instants import MILLISECOND
from evdesk.domain.readings import MeterId
from evdesk.domain.reconciling import Account, Gap, GapKind, RestKind
from evdesk.domain.sessions import Flag, Replacement, Rules, Session
from tests.domain.days import START, at
from tests.domain.meters import BARE, RULES, Metered, with_energy


def visit(meter: Metered, seconds: int, wh: int, *, read: bool = True) -> None:
    for _ in range(seconds):
        meter.pass_second("C", wh, read=read)


def idle(meter: Metered, seconds: int, wh: int = 0, *, read: bool = True) -> None:
    for _ in range(seconds):
        meter.pass_second("A", wh, read=read)


def a_day() -> Metered:
    """Two cars, one of them through a silence, standby, and a silence while nobody is there."""
    meter = Metered()
    idle(meter, 10, 1)
    visit(meter, 30, 5)
    visit(meter, 200, 5, read=False)
    visit(meter, 30, 5)
    idle(meter, 10, 1)
    idle(meter, 100, 2, read=False)
    idle(meter, 10, 1)
    visit(meter, 40, 3)
    idle(meter, 10)
    return meter


def figures_of(found: Account) -> tuple[int, int, int, int, int]:
    return found.delta_wh, found.sessions_wh, found.idle_wh, found.gap_wh, found.rest_wh


def kinds(found: Account) -> list[tuple[RestKind, int, int]]:
    return [(rest.kind, rest.wh, rest.session) for rest in found.rests]


def test_a_silence_in_a_session_is_its_own_and_one_outside_is_a_gap() -> None:
    meter = a_day()
    found = meter.account()
    assert found.start is not None
    assert found.end is not None
    assert found.delta_wh == found.end.wh - found.start.wh == meter.delivered_wh
    # The first unplugged second still counts for the session: its end register is read there.
    assert figures_of(found) == (1_649, 1_421, 27, 201, 0)
    assert found.gaps == (Gap(GapKind.SILENCE, at(279), at(380), 201),)
    assert found.sessions == 2


def test_a_session_across_the_boundary_counts_by_the_register_there() -> None:
    meter = a_day()
    first, second = meter.account(to_at=at(100)), meter.account(from_at=at(100))
    assert (first.rest_wh, second.rest_wh) == (0, 0)
    assert first.end == second.start  # the last read before the boundary, not one invented for it
    assert first.end is not None
    assert first.end.at == at(39)
    assert first.sessions_wh + second.sessions_wh == 1_421
    assert first.delta_wh + second.delta_wh == meter.delivered_wh


def test_a_session_that_is_still_open_counts_as_far_as_the_register_says() -> None:
    meter = Metered()
    idle(meter, 3)
    visit(meter, 50, 4)
    assert figures_of(meter.account()) == (200, 200, 0, 0, 0)


def correct(session: Session, start_wh: int, end_wh: int) -> Session:
    decision = Decision(
        DecisionKind.CORRECTED, START, "A-1", "typed", session.claim(), corrected(start_wh, end_wh)
    )
    return replace(session, correction=decision)


def test_a_correction_that_claims_more_than_was_counted_stands_out() -> None:
    meter = a_day()
    sessions = meter.sessions()
    sessions[0] = correct(sessions[0], 1_000, 1_000 + 1_301 + 500)
    found = meter.account(sessions=sessions)
    assert (found.sessions_wh, found.rest_wh) == (1_921, -500)
    assert kinds(found) == [(RestKind.CORRECTION, -500, 1)]
    assert found.idle_wh + found.gap_wh == 228


def test_a_correction_counts_where_the_car_was_plugged_in() -> None:
    meter = a_day()
    sessions = meter.sessions()
    sessions[0] = correct(sessions[0], 0, 1_000)
    first = meter.account(to_at=at(100), sessions=sessions)
    second = meter.account(from_at=at(100), sessions=sessions)
    assert (first.rest_wh, second.rest_wh) == (301, 0)


def test_a_session_that_says_other_than_its_registers_stands_out() -> None:
    meter = a_day()
    sessions = meter.sessions()
    sessions[1] = with_energy(sessions[1], 100)
    found = meter.account(sessions=sessions)
    assert kinds(found) == [(RestKind.MISMATCH, 20, 2)]
    assert found.rest_wh == 20


def test_two_sessions_over_the_same_energy_stand_out() -> None:
    meter = a_day()
    twice = meter.sessions()
    twice.append(replace(twice[0], id=twice[1].id))
    found = meter.account(sessions=twice)
    assert kinds(found) == [(RestKind.OVERLAP, -1_301, 2)]
    assert found.rest_wh == -1_301


def unread(session: Session) -> Session:
    bare = replace(session.figures, start=None, end=None, energy_wh=None)
    return replace(session, figures=bare)


def test_a_session_without_a_register_leaves_its_energy_to_be_explained() -> None:
    meter = a_day()
    first, second = meter.sessions()
    found = meter.account(sessions=[first, unread(second)])
    assert kinds(found) == [(RestKind.NO_REGISTER, 117, 2)]
    right = meter.account(sessions=[first, correct(unread(second), 0, 117)])
    assert (right.sessions_wh, right.rest_wh, kinds(right)) == (1_418, 0, [])


def test_what_is_counted_after_an_end_by_hand_stands_out() -> None:
    meter = Metered()
    idle(meter, 3)
    visit(meter, 20, 5)
    visit(meter, 100, 5, read=False)
    meter.take(meter.tracker.end_now())
    idle(meter, 50, 0, read=False)
    idle(meter, 5)
    found = meter.account()
    assert Flag.FORCED_END in meter.closed[0].flags
    assert kinds(found) == [(RestKind.FORCED_END, 500, 1)]
    assert figures_of(found) == (600, 100, 0, 0, 500)


def test_a_reset_stands_as_a_gap_that_is_not_complete() -> None:
    meter = Metered()
    idle(meter, 5)
    meter.pass_second("A", 7, read=False)
    meter.reset()
    idle(meter, 6, 2)
    found = meter.account()
    assert found.gaps == (Gap(GapKind.RESET, at(4), at(6), 2, complete=False),)
    assert figures_of(found) == (12, 0, 10, 2, 0)
    assert meter.delivered_wh - meter.lost_wh == 12


def swap(meter: Metered, final_wh: int, first_wh: int) -> Replacement:
    """Put another meter in; return what is told of it."""
    meter.delivered_wh += final_wh - meter.points[-1].wh - meter.unread_wh
    meter.unread_wh, meter.register_wh = 0, first_wh
    return Replacement(1, MeterId(1), 1, at(meter.second), final_wh, first_wh)


def test_a_meter_that_was_replaced_leaves_no_doubt_once_both_registers_are_told() -> None:
    meter = Metered()
    idle(meter, 5)
    idle(meter, 100, 1, read=False)
    told = swap(meter, meter.register_wh, 70)
    idle(meter, 100, 1, read=False)
    idle(meter, 5)
    found = meter.account(replacements=[told])
    assert figures_of(found) == (200, 0, 0, 200, 0)
    assert [(gap.kind, gap.wh, gap.complete) for gap in found.gaps] == [
        (GapKind.REPLACED, 100, True),
        (GapKind.SILENCE, 100, True),
    ]
    assert meter.delivered_wh == 200


def test_what_is_told_of_a_meter_later_explains_the_step_of_its_register() -> None:
    meter = Metered()
    idle(meter, 5)
    idle(meter, 100, 1, read=False)
    told = swap(meter, meter.register_wh, 70)
    idle(meter, 10, 1)
    doubtful, clear = meter.account(), meter.account(replacements=[replace(told, at=at(9_000))])
    assert [gap.complete for gap in doubtful.gaps] == [False]
    assert [gap.complete for gap in clear.gaps] == [True]
    assert clear.delta_wh == meter.delivered_wh == 110
    too_late = meter.account(from_at=at(108), replacements=[replace(told, at=at(111))])
    assert too_late.delta_wh == 6


def test_a_session_whose_meter_was_replaced_and_told_has_both_parts() -> None:
    meter = Metered()
    idle(meter, 3)
    visit(meter, 20, 5)
    visit(meter, 70, 5, read=False)
    told = swap(meter, meter.register_wh, 30)
    meter.take(meter.tracker.counting.replace_meter(told))
    visit(meter, 20, 5)
    idle(meter, 4)
    found = meter.account(replacements=[told])
    assert figures_of(found) == (550, 550, 0, 0, 0)
    assert meter.closed[0].energy_wh == 550


def test_a_meter_of_another_serial_number_that_stands_higher_counts_nothing_in_between() -> None:
    """Its first register could follow the old one's last: only its serial number tells."""
    meter = Metered()
    idle(meter, 3)
    visit(meter, 20, 5)
    visit(meter, 100, 5, read=False)
    swap(meter, 0, meter.register_wh + 40)
    seen_at = at(meter.second)
    meter.tracker.state.replaced = True
    visit(meter, 20, 5)
    idle(meter, 4)
    blind, seeing = meter.account(), meter.account(seen=frozenset({seen_at}))
    assert kinds(blind) == [(RestKind.MISMATCH, 545, 1)]
    assert figures_of(seeing) == (195, 195, 0, 0, 0)
    assert [(gap.kind, gap.complete) for gap in seeing.gaps] == [(GapKind.REPLACED, False)]


def jump(meter: Metered, wh: int) -> None:
    """Let the register show at once what it has counted while it stood still."""
    meter.register_wh += wh


def test_a_jump_is_believed_in_a_session_that_believed_it() -> None:
    meter = Metered()
    idle(meter, 3)
    visit(meter, 20, 5)
    jump(meter, 900)
    visit(meter, 20, 5)
    idle(meter, 4)
    (doubted,) = meter.sessions()
    assert Flag.METER_RESET in doubted.figures.flags
    assert [(gap.kind, gap.complete) for gap in meter.account().gaps] == [(GapKind.RESET, False)]
    figures = replace(doubted.figures, flags=frozenset(), energy_wh=1_100)
    found = meter.account(sessions=[replace(doubted, figures=figures)])
    assert (figures_of(found), found.gaps) == ((1_100, 1_100, 0, 0, 0), ())


def test_a_counter_set_back_unseen_that_has_climbed_past_its_old_value_counts_from_there() -> None:
    meter = Metered()
    idle(meter, 200, 5)
    meter.register_wh -= 500
    for _ in range(40):
        idle(meter, 90, 1, read=False)
        meter.pass_second("A", 1)
    found = meter.account()
    assert found.rest_wh == 0
    assert [(gap.kind, gap.complete) for gap in found.gaps if not gap.complete] == [
        (GapKind.REWIND, False)
    ]
    assert found.delta_wh == 199 * 5 + 40 * 91 - 500


def test_a_glitch_changes_nothing() -> None:
    meter = a_day()
    spoilt = list(meter.points)
    spoilt[5] = replace(spoilt[5], wh=0)
    spoilt[30] = replace(spoilt[30], wh=spoilt[30].wh + 2**31)
    clean = meter.account()
    meter.points = spoilt
    assert meter.account() == clean


def test_a_register_never_read_accounts_for_nothing() -> None:
    found = Metered().account()
    assert (found.start, found.end, figures_of(found)) == (None, None, (0, 0, 0, 0, 0))


def test_without_a_read_before_it_the_span_begins_at_the_first_one_after() -> None:
    meter = a_day()
    found = meter.account(from_at=at(-1_000))
    assert found.start is not None
    assert (found.start.at, found.rest_wh) == (at(0), 0)


# What may happen, in order: a car is there for a while, or none, each with reads or in silence; the
# collector restarts; the counter begins anew (and is then read a few times, or nobody could tell).
STRETCH = st.tuples(
    st.sampled_from(["C", "A", "B"]), st.integers(1, 120), st.integers(0, 12), st.booleans()
)
HAPPENS = st.lists(
    st.one_of(STRETCH, st.sampled_from(["restart", "reset A", "reset B", "reset C"])), max_size=14
)
FAR_ENOUGH_WH = 20_000  # a fall that cannot be taken for a rise


def play(happens: list[object], rules: Rules = RULES, every_s: int = 1) -> Metered:
    meter = Metered(rules, every_s)
    idle(meter, 2)
    for one in happens:
        if isinstance(one, tuple):
            pilot, seconds, wh, read = one
            for _ in range(seconds):
                meter.pass_second(pilot, wh if pilot == "C" else wh // 6, read=read)
        elif one == "restart":
            meter.restart()
        elif meter.register_wh > FAR_ENOUGH_WH:
            meter.reset()
            for _ in range(4 * every_s):
                meter.pass_second(str(one)[-1], 1)
    idle(meter, 2 + 3 * every_s)
    return meter


POINTS = st.sampled_from([(RULES, 1), (BARE, 1), (RULES, 7), (RULES, 20)])


@given(HAPPENS, st.lists(st.integers(0, 1_500), max_size=3), POINTS)
def test_sessions_idle_and_gaps_are_what_the_meter_delivered(
    happens: list[object], boundaries: list[int], point: tuple[Rules, int]
) -> None:
    meter = play(happens, *point)
    known_wh = meter.delivered_wh - meter.lost_wh - meter.unread_wh
    whole = meter.account()
    unread_wh = sum(rest.wh for rest in whole.rests if rest.kind is RestKind.NO_REGISTER)
    accounted_wh = whole.sessions_wh + whole.idle_wh + whole.gap_wh
    assert accounted_wh + unread_wh == whole.delta_wh == known_wh
    assert whole.rest_wh == unread_wh
    assert whole.rests == () or point[1] > 1  # its meter was not read while the car was there
    resets = [gap for gap in whole.gaps if gap.kind is GapKind.RESET]
    assert all(not gap.complete for gap in resets)
    assert len(resets) == sum(before.wh > after.wh for before, after in falls(meter))
    edges = [at(-1), *(at(second) for second in sorted(set(boundaries))), at(meter.second + 2_000)]
    parts = [meter.account(*pair) for pair in pairwise(edges)]
    for part in parts:
        assert {rest.kind for rest in part.rests} <= {RestKind.NO_REGISTER}
        assert sum(gap.wh for gap in part.gaps) == part.gap_wh
    assert sum(part.delta_wh for part in parts) == known_wh
    assert sum(part.sessions_wh for part in parts) == whole.sessions_wh


def falls(meter: Metered):
    return pairwise(meter.points)


@given(HAPPENS, st.integers(-3_000, 3_000), st.integers(0, 20), st.booleans())
def test_what_stands_out_adds_up(
    happens: list[object], wrong_wh: int, which: int, is_bare: bool
) -> None:
    meter = play(happens)
    sessions = meter.sessions()
    if sessions:
        chosen = sessions[which % len(sessions)]
        energy_wh = max((chosen.energy_wh or 0) + wrong_wh, 0)
        changed = unread(chosen) if is_bare else correct(chosen, 0, energy_wh)
        sessions = [changed if one is chosen else one for one in sessions]
        sessions.append(replace(sessions[0], station="once more"))
    found = meter.account(sessions=sessions)
    assert sum(rest.wh for rest in found.rests) == found.rest_wh
    assert found.delta_wh == meter.delivered_wh - meter.lost_wh


def test_a_register_that_stood_still_and_caught_up_is_a_gap_with_all_of_it() -> None:
    """Nobody was there by then: nobody knows whose it was, but it was counted."""
    meter = Metered()
    idle(meter, 10)
    stood_wh = meter.register_wh
    for _ in range(600):
        meter.pass_second("A", 3)
        meter.points[-1] = replace(meter.points[-1], wh=stood_wh)
    idle(meter, 10)
    found = meter.account()
    assert [(gap.kind, gap.wh, gap.complete) for gap in found.gaps] == [
        (GapKind.CAUGHT_UP, 1_800, True)
    ]
    assert found.delta_wh == found.gap_wh == meter.delivered_wh


@pytest.mark.parametrize("seconds", [1, 600])
def test_a_register_that_is_read_otherwise_hides_what_was_counted_in_a_silence(
    seconds: int,
) -> None:
    meter = Metered()
    idle(meter, 10)
    last_wh = meter.register_wh
    idle(meter, seconds - 1, 3, read=False)
    meter.register_wh *= 10
    first_wh, read_at = meter.register_wh, at(meter.second)
    idle(meter, 10)
    swap = Replacement(1, MeterId(1), 1, read_at - MILLISECOND, last_wh, first_wh)
    (gap,) = meter.account(replacements=[swap]).gaps
    assert (gap.kind, gap.wh, gap.complete) == (GapKind.REPLACED, 0, seconds == 1)
