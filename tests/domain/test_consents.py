"""The table of moves, and the one function that decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.consents import (
    IN_FORCE,
    MOVES,
    WORDS,
    Case,
    ConsentEvent,
    ConsentState,
    EntityRole,
    MajorNotice,
    Method,
    Switch,
    Why,
    decide,
    latest,
    may_follow,
    steps_to,
    valid_until,
)
from evdesk.domain.notices import NoticeId, NoticeVersion
from evdesk.domain.purposes import VIN, Basis, Purpose, PurposeId, PurposeSetting, PurposeText
from evdesk.domain.site import DriverId
from tests.fakes.clock import START

S = ConsentState
# Written out once more, so that a change of the table is a change of the test.
ALLOWED = {
    (S.UNKNOWN, S.REQUESTED),
    (S.REQUESTED, S.GIVEN), (S.REQUESTED, S.REFUSED), (S.REQUESTED, S.DEFERRED),
    (S.GIVEN, S.WITHDRAWN), (S.GIVEN, S.REVOKED), (S.GIVEN, S.EXPIRED), (S.GIVEN, S.INVALIDATED),
    (S.GIVEN, S.RENEWED),
    (S.RENEWED, S.WITHDRAWN), (S.RENEWED, S.REVOKED), (S.RENEWED, S.EXPIRED),
    (S.RENEWED, S.INVALIDATED), (S.RENEWED, S.RENEWED),
    (S.EXPIRED, S.REQUESTED), (S.EXPIRED, S.RENEWED),
    (S.WITHDRAWN, S.REQUESTED), (S.REFUSED, S.REQUESTED), (S.DEFERRED, S.REQUESTED),
    (S.REVOKED, S.REQUESTED), (S.INVALIDATED, S.REQUESTED),
}  # fmt: skip
EVERY = [(a, b) for a in S for b in S]
TEXTS = {"en": PurposeText("", "")}
MINUTE = timedelta(minutes=1)


def purpose(basis: Basis = Basis.CONSENT) -> Purpose:
    return Purpose(VIN, basis, "", (), 24, 30, 14, "", (), TEXTS)


def event(
    state: ConsentState, at: datetime = START, seq: int = 1, until: datetime | None = None
) -> ConsentEvent:
    return ConsentEvent(
        person=DriverId("D-1"),
        purpose=VIN,
        seq=seq,
        at=at,
        recorded_at=at,
        state=state,
        method=Method.PAPER,
        notice=NoticeId(1),
        notice_version=NoticeVersion(1, 0),
        notice_language="en",
        valid_until=until,
        entity_id="D-1",
        entity_role=EntityRole.SUBJECT,
        witness="A-1",
    )


AGREED = Case(purpose(), is_known=True, events=(event(S.GIVEN),))


# -- moves -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), EVERY)
def test_a_move_is_allowed_if_it_is_in_the_table_and_only_then(
    before: ConsentState, after: ConsentState
) -> None:
    events = [] if before is S.UNKNOWN else [event(before)]
    assert may_follow(events, after, START + MINUTE) == ((before, after) in ALLOWED)


def test_every_state_has_a_word_but_the_one_before_all() -> None:
    assert set(WORDS.values()) == set(S) - {S.UNKNOWN}
    assert {event(state).word for state in WORDS.values()} == set(WORDS)


@pytest.mark.parametrize(("now", "wanted"), EVERY)
def test_the_steps_to_an_answer_are_moves_or_the_first_is_none(
    now: ConsentState, wanted: ConsentState
) -> None:
    steps = steps_to(now, wanted)
    path = [now, *steps]
    moves = list(pairwise(path))
    assert all(move in ALLOWED for move in moves) or steps == (wanted,)
    assert steps[-1] in {wanted, S.RENEWED}


@pytest.mark.parametrize("now", sorted(IN_FORCE))
def test_withdrawing_takes_no_more_steps_than_agreeing(now: ConsentState) -> None:
    assert len(steps_to(now, S.WITHDRAWN)) == 1
    assert len(steps_to(S.UNKNOWN, S.GIVEN)) == 2


def test_an_import_has_to_fit_on_both_sides() -> None:
    asked, gave = event(S.REQUESTED, START, 1), event(S.GIVEN, START + 4 * MINUTE, 2)
    gone = event(S.WITHDRAWN, START + 8 * MINUTE, 3)
    events = [asked, gave, gone]
    assert may_follow(events, S.RENEWED, START + 6 * MINUTE)
    assert not may_follow(events, S.EXPIRED, START + 6 * MINUTE)  # nothing can be withdrawn then
    assert not may_follow(events, S.REFUSED, START + 2 * MINUTE)
    assert not may_follow(events, S.REQUESTED, START - MINUTE)
    assert may_follow(events, S.REQUESTED, START + 9 * MINUTE)


# -- deciding --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(S))
def test_only_a_consent_in_force_allows_anything(state: ConsentState) -> None:
    events = () if state is S.UNKNOWN else (event(state),)
    decision = decide(replace(AGREED, events=events), START + MINUTE)
    assert decision.allowed == (state in IN_FORCE)
    assert decision.state is state


def test_a_consent_is_over_at_its_end_without_anybody_saying_so() -> None:
    case = replace(AGREED, events=(event(S.GIVEN, until=START + MINUTE),))
    before, after = (
        decide(case, START + MINUTE - timedelta(milliseconds=1)),
        decide(case, START + MINUTE),
    )
    assert before.allowed
    assert (after.allowed, after.why, after.state) == (False, Why.EXPIRED, S.EXPIRED)
    assert after.since_at == START + MINUTE


def test_a_material_change_of_the_notice_ends_consents_at_that_instant() -> None:
    changed_at = START + MINUTE
    case = replace(AGREED, majors=(MajorNotice(START, 1), MajorNotice(changed_at, 2)))
    assert decide(case, START, live=False).allowed
    assert decide(case, changed_at, live=False).why is Why.NOTICE_CHANGED
    renewed = replace(event(S.RENEWED, changed_at + MINUTE, 2), notice_version=NoticeVersion(2, 0))
    assert decide(replace(case, events=(event(S.GIVEN), renewed)), changed_at + MINUTE).allowed


@pytest.mark.parametrize("basis", list(Basis))
def test_what_stands_against_it_stops_it(basis: Basis) -> None:
    case, on = replace(AGREED, purpose=purpose(basis)), (Switch(START, on=True),)
    off = (*on, Switch(START + MINUTE, on=False))
    assert decide(case, START).allowed
    assert decide(replace(case, restrictions=on), START).why is Why.RESTRICTED
    assert decide(replace(case, restrictions=off), START + MINUTE).allowed
    assert not decide(replace(case, restrictions=off), START, live=False).allowed
    assert decide(replace(case, is_known=False), START).why is Why.UNKNOWN_PERSON
    objected = decide(replace(case, objections=on), START).allowed
    assert objected == (basis in {Basis.CONTRACT, Basis.LAW})
    erased = decide(replace(case, erased_at=START), START).allowed
    assert erased == (basis is Basis.LAW)


def test_a_purpose_that_is_switched_off_is_not_pursued() -> None:
    setting = PurposeSetting(VIN, False, 24, 14, START, "A-1")
    assert decide(replace(AGREED, settings=(setting,)), START).why is Why.SWITCHED_OFF
    on = replace(setting, enabled=True, at=START + MINUTE)
    assert decide(replace(AGREED, settings=(setting, on)), START + MINUTE).allowed


def test_what_nobody_knows_is_not_allowed() -> None:
    assert decide(Case(None, is_known=True), START).why is Why.UNKNOWN_PURPOSE
    assert not decide(Case(purpose(), is_known=True), START).allowed
    assert PurposeId("vin") == VIN


# -- time ------------------------------------------------------------------------------------------

MINUTES = st.integers(0, 500).map(lambda n: START + n * MINUTE)
STATES = st.sampled_from([state for state in S if state is not S.UNKNOWN])


@st.composite
def ledgers(draw: st.DrawFn) -> list[ConsentEvent]:
    """Ledgers as people write them: PC clocks jump, and imports come out of order."""
    events: list[ConsentEvent] = []
    clock = draw(MINUTES)
    for seq in range(1, draw(st.integers(1, 12)) + 1):
        clock = draw(st.one_of(MINUTES, st.just(clock + MINUTE)))
        state = draw(STATES)
        if draw(st.booleans()):
            at = min(draw(MINUTES), clock)
        else:
            at = max([clock, *(one.at for one in events)])
        if may_follow(events, state, at):
            events.append(replace(event(state, at, seq), recorded_at=clock))
            events.sort(key=lambda one: (one.at, one.seq))
    return events


@given(ledgers(), MINUTES)
def test_the_latest_event_decides_at_any_instant(events: list[ConsentEvent], at: datetime) -> None:
    decision = decide(replace(AGREED, events=events), at, live=False)
    past = [one for one in events if one.at <= at]
    newest = max(past, key=lambda one: (one.at, one.seq), default=None)
    assert latest(events, at) == newest
    assert decision.state is (S.UNKNOWN if newest is None else newest.state)
    assert decision.allowed == (newest is not None and newest.state in IN_FORCE)


@given(ledgers(), MINUTES, MINUTES)
def test_a_withdrawal_takes_effect_at_once_whatever_the_clock_says(
    events: list[ConsentEvent], clock: datetime, later: datetime
) -> None:
    """Also where the clock was set back before it, and is set back further afterwards."""
    at = max([clock, *(one.at for one in events)])
    if not may_follow(events, S.WITHDRAWN, at):
        return
    gone = replace(event(S.WITHDRAWN, at, len(events) + 99), recorded_at=clock)
    for now in (clock, later, START - MINUTE):
        assert not decide(replace(AGREED, events=[*events, gone]), now).allowed


@given(ledgers())
def test_every_ledger_is_a_chain_of_allowed_moves(events: list[ConsentEvent]) -> None:
    states = [S.UNKNOWN, *(one.state for one in events)]
    assert all(b in MOVES[a] for a, b in pairwise(states))


@pytest.mark.parametrize(
    ("day", "months", "end"),
    [((2026, 3, 2), 24, (2028, 3, 2)), ((2024, 2, 29), 12, (2025, 2, 28)),
     ((2026, 1, 31), 1, (2026, 2, 28)), ((2027, 8, 31), 6, (2028, 2, 29)),
     ((2026, 12, 1), 1, (2027, 1, 1))],
)  # fmt: skip
def test_a_consent_holds_for_calendar_months(
    day: tuple[int, int, int], months: int, end: tuple[int, int, int]
) -> None:
    at = datetime(*day, 6, 30, tzinfo=UTC)
    assert valid_until(at, months) == datetime(*end, 6, 30, tzinfo=UTC)
