"""Decisions about sessions: appended with a reason and a name; what was measured stays."""

from dataclasses import replace
from datetime import timedelta

import pytest

from evdesk.domain.corrections import Claim, DecisionKind
from evdesk.domain.errors import NothingFound
from evdesk.domain.meters import Source
from evdesk.domain.readings import PilotState, Reading
from evdesk.domain.sessions import Flag, SessionId, SessionState
from evdesk.ports import SessionFilter
from evdesk.services.journaling import Journal, Reach
from tests.fakes.clock import START
from tests.services.desk import OWNER, Desk

WHY = "read off the display"
MARCH = "2026-03"


def test_a_correction_holds_and_what_was_measured_stays(desk: Desk) -> None:
    session = desk.charge(desk.ready_to_bill(), 12_000)
    found = desk.reviews.correct(session, 1_000, 9_000, f"  {WHY}\n")
    assert found.claim() == Claim(1_000, 9_000, 8_000)
    assert found.measured() == Claim(1_000, 13_000, 12_000)
    assert found.state is SessionState.CLOSED
    decision = desk.sessions.detail(session).decisions[0]
    assert (decision.kind, decision.author, decision.reason) == (
        DecisionKind.CORRECTED,
        OWNER.id,
        WHY,
    )
    assert (decision.before, decision.after) == (found.measured(), found.claim())
    entry = desk.audit()[-1]
    assert (entry.action, entry.object_ref, entry.reason) == (
        "session.corrected",
        str(session),
        WHY,
    )


def test_the_newest_of_several_corrections_holds_and_all_are_kept(desk: Desk) -> None:
    session = desk.charge(desk.ready_to_bill())
    desk.reviews.correct(session, 0, 5_000, "first thought")
    found = desk.reviews.correct(session, 2_000, 5_000, "second thought")
    assert found.energy_wh == 3_000
    kept = desk.sessions.detail(session).decisions
    assert [decision.reason for decision in kept] == ["first thought", "second thought"]
    assert kept[1].before == kept[0].after


def test_a_corrected_session_is_listed_exported_and_billed_with_what_holds(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    session = desk.charge(kim, 12_000)
    desk.reviews.correct(session, 1_000, 9_000, WHY)
    data, _ = desk.exports.sessions(".csv", SessionFilter())
    line = data.decode("utf-8-sig").splitlines()[1]
    assert ",1000,9000,8000," in line
    assert f',12000,"2026-03-02T06:00:00Z","A-1","{WHY}"' in line
    billed = desk.billing.draft(kim, MARCH).invoice.sessions[0]
    assert (billed.start_wh, billed.end_wh, billed.energy_wh) == (1_000, 9_000, 8_000)
    assert (billed.start_raw, billed.end_raw) == ("000a", "")  # no words behind a typed register


@pytest.mark.parametrize("energy_stays", [True, False])
def test_a_draft_made_before_a_correction_is_not_issued(desk: Desk, energy_stays: bool) -> None:
    kim = desk.ready_to_bill()
    session = desk.charge(kim, 12_000)
    made = desk.billing.draft(kim, MARCH).invoice
    end_wh = 12_500 if energy_stays else 9_000
    desk.reviews.correct(session, 500, end_wh, WHY)
    with desk.refused(f"Session {session} changed or was billed since"):
        desk.billing.issue(made.id)


def test_a_billed_session_is_not_corrected(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    session = desk.charge(kim)
    invoice = desk.billing.issue(desk.billing.draft(kim, MARCH).invoice.id)
    with desk.refused(f"is on invoice {invoice.id} and stays as it was billed: cancel"):
        desk.reviews.correct(session, 0, 1, WHY)


def test_an_open_session_is_not_corrected_and_the_way_out_is_named(desk: Desk) -> None:
    session = desk.charge(desk.ready_to_bill(), None)
    with desk.refused(f"is still open.*evdesk session close {session}"):
        desk.reviews.correct(session, 0, 1, WHY)


@pytest.mark.parametrize(
    ("start_wh", "end_wh", "reason", "sentence"),
    [
        (0, 1, " \n\t", "Say why"),
        (2, 1, WHY, "From 2 to 1 Wh cannot be"),
        (-1, 1, WHY, "From -1 to 1 Wh cannot be"),
        (0, 10**30, WHY, "cannot be"),
        (1_000, 13_000, WHY, "says so already"),
    ],
)
def test_a_correction_that_cannot_be_changes_nothing(
    desk: Desk, start_wh: int, end_wh: int, reason: str, sentence: str
) -> None:
    session = desk.charge(desk.ready_to_bill())
    with desk.refused(sentence):
        desk.reviews.correct(session, start_wh, end_wh, reason)
    with desk.refused("no session 99"):
        desk.reviews.correct(SessionId(99), 0, 1, WHY)


# -- release ---------------------------------------------------------------------------------------


def test_a_session_in_review_is_billed_once_somebody_says_why(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    session = desk.charge(kim, 12_000, START, Flag.METER_RESET)
    with desk.refused("1 in review", NothingFound):
        desk.billing.draft(kim, MARCH)
    found = desk.reviews.release(session, WHY)
    assert (found.state, found.figures.flags) == (
        SessionState.CLOSED,
        frozenset({Flag.METER_RESET}),
    )
    assert [one.id for one in desk.billing.draft(kim, MARCH).invoice.sessions] == [session]
    assert (desk.audit()[-2].action, desk.audit()[-2].reason) == ("session.released", WHY)
    kinds = [decision.kind for decision in desk.sessions.detail(session).decisions]
    assert kinds == [DecisionKind.RELEASED]


def test_a_corrected_session_stays_in_review_until_it_is_released(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    session = desk.charge(kim, 12_000, START, Flag.METER_RESET)
    assert desk.reviews.correct(session, 0, 4_000, WHY).state is SessionState.REVIEW
    desk.reviews.release(session, WHY)
    assert [one.energy_wh for one in desk.billing.draft(kim, MARCH).invoice.sessions] == [4_000]


def test_a_session_without_energy_is_released_only_once_it_is_corrected(desk: Desk) -> None:
    desk.ready_to_bill()
    session = unread(desk)
    with desk.refused("has no energy.*Correct it first"):
        desk.reviews.release(session, WHY)
    desk.reviews.correct(session, 100, 2_100, WHY)
    assert desk.reviews.release(session, WHY).energy_wh == 2_000


def unread(desk: Desk) -> SessionId:
    """Make a session whose meter never told its register."""
    session = desk.charge(None, None)
    desk.clock.at = START + timedelta(hours=5)
    with desk.store.journal() as unit:
        bare = unit.sessions.get(session)
        assert bare is not None
        figures = replace(
            bare.figures,
            unplugged_at=START + timedelta(hours=1),
            start=None,
            end=None,
            energy_wh=None,
            flags=frozenset({Flag.NO_REGISTER}),
        )
        unit.sessions.update(session, figures)
    return session


@pytest.mark.parametrize(("wh", "state"), [(5_000, "closed"), (None, "open")])
def test_only_what_is_in_review_is_released(desk: Desk, wh: int | None, state: str) -> None:
    session = desk.charge(desk.ready_to_bill(), wh)
    with desk.refused(f"Session {session} is {state}, not in review"):
        desk.reviews.release(session, WHY)
    with desk.refused("Say why"):
        desk.reviews.release(session, "")


# -- end by hand -----------------------------------------------------------------------------------


def follow(desk: Desk) -> Journal:
    """Return the journal of a collector that reads bay1."""
    with desk.store.read() as unit:
        return Journal(desk.store, {meter.id: Reach(1_000, 1) for meter in unit.meters.all()})


def read(desk: Desk, second: int, pilot: str, wh: int) -> Reading:
    with desk.store.read() as unit:
        meter = unit.meters.all()[0].id
    at = START + timedelta(seconds=second)
    return Reading(meter, 1, at, wh, b"", 7_000.0, pilot=PilotState(pilot))


def open_session(desk: Desk) -> tuple[Journal, SessionId]:
    """Let a car charge for 20 s; then the device falls silent."""
    desk.ready_to_bill()
    journal = follow(desk)
    journal.commit([read(desk, second, "A", 1_000) for second in range(3)])
    journal.commit([read(desk, second, "C", 998 + second) for second in range(3, 23)])
    with desk.store.read() as unit:
        return journal, unit.sessions.find(SessionFilter())[0].id


def test_a_session_of_a_dead_device_ends_at_its_last_register_and_is_reviewed(desk: Desk) -> None:
    _, session = open_session(desk)
    desk.clock.at = START + timedelta(hours=1)
    assert desk.reviews.end(session, "the charger burnt down")
    found = desk.sessions.detail(session)
    assert found.session.state is SessionState.REVIEW
    assert {Flag.ESTIMATED_END, Flag.FORCED_END} <= found.session.figures.flags
    assert found.session.claim() == Claim(1_000, 1_020, 20)
    assert found.session.figures.unplugged_at == START + timedelta(seconds=22)
    assert [decision.kind for decision in found.decisions] == [DecisionKind.ENDED]
    assert found.events[-1].kind == "closed"
    actions = [entry.action for entry in desk.audit()[-2:]]
    assert actions == ["session.ended", "session.closed"]


def test_a_collector_that_runs_ends_the_session_itself(desk: Desk) -> None:
    journal, session = open_session(desk)
    with desk.store.journal() as unit:
        before = unit.collector.state().revision
        unit.collector.take(4_242, "here", START)
    desk.clock.at = START + timedelta(hours=1)
    assert not desk.reviews.end(session, "burnt down")
    with desk.store.read() as unit:
        assert unit.collector.state().revision == before + 1
    assert desk.sessions.detail(session).session.state is SessionState.OPEN
    journal.settle()
    assert desk.sessions.detail(session).session.state is SessionState.REVIEW
    journal.commit([read(desk, 9_000, "A", 5_000)])  # it came back after all
    assert desk.sessions.detail(session).session.energy_wh == 20


def test_a_journal_that_has_not_heard_of_the_end_yet_takes_it_in_with_its_next_try(
    desk: Desk, expected_log
) -> None:
    journal, session = open_session(desk)
    desk.clock.at = START + timedelta(hours=1)
    assert desk.reviews.end(session, "burnt down")
    late = [read(desk, 7_200, "C", 3_000)]
    with pytest.raises(Exception, match="is not open"):
        journal.commit(late)
    journal.commit(late)
    states = [one.state for one in desk.sessions.find(SessionFilter())]
    assert states == [SessionState.OPEN, SessionState.REVIEW]


def test_a_session_whose_device_still_answers_is_not_ended_by_hand(desk: Desk) -> None:
    _, session = open_session(desk)
    desk.clock.at = START + timedelta(seconds=40)
    with desk.refused("bay1 still answers"):
        desk.reviews.end(session, "impatience")
    desk.clock.at = START + timedelta(minutes=5)
    with desk.refused("Say why"):
        desk.reviews.end(session, "")
    desk.reviews.end(session, "gone")
    with desk.refused("has ended already"):
        desk.reviews.end(session, "gone")


def test_a_station_with_a_car_is_retired_once_its_session_is_ended(desk: Desk) -> None:
    _, session = open_session(desk)
    desk.clock.at = START + timedelta(hours=1)
    with desk.refused(f"evdesk session close {session}"):
        desk.stations.retire("bay1")
    desk.reviews.end(session, "sold")
    desk.stations.retire("bay1")


def test_a_session_begun_while_its_station_was_retired_is_ended_with_it(desk: Desk) -> None:
    desk.ready_to_bill()
    journal = follow(desk)
    journal.commit([read(desk, second, "A", 1_000) for second in range(3)])
    desk.stations.retire("bay1")  # the collector hears of it with its next commit
    journal.commit([read(desk, second, "C", 998 + second) for second in range(3, 9)])
    desk.meters.remove("bay1")
    follow(desk).settle()
    (found,) = desk.sessions.find(SessionFilter())
    assert (found.state, found.energy_wh) == (SessionState.REVIEW, 6)
    with desk.store.read() as unit:
        assert unit.readings.latest([Source(read_meter(unit))])


def read_meter(unit):
    return unit.meters.all(removed=True)[0].id


def test_a_session_that_no_tracker_knows_is_ended_as_far_as_it_was_written(desk: Desk) -> None:
    session = desk.charge(desk.ready_to_bill(), None)
    desk.clock.at = START + timedelta(hours=1)
    assert desk.reviews.end(session, "left over")
    found = desk.sessions.detail(session).session
    assert found.state is SessionState.REVIEW
    assert Flag.NO_REGISTER in found.figures.flags


# -- whose a session is ----------------------------------------------------------------------------


def test_another_default_driver_or_an_assignment_moves_no_other_session(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    lee = desk.add_driver()
    desk.stations.set_default_driver("bay1", kim, START)
    old = desk.charge(kim, 5_000, START)
    other = desk.charge(kim, 5_000, START + timedelta(hours=2))
    desk.stations.set_default_driver("bay1", lee, START - timedelta(days=9))
    desk.sessions.assign([other], lee)
    assert desk.sessions.detail(old).session.driver == kim
    assert desk.sessions.detail(other).session.driver == lee
