"""Decisions about sessions, and how remainders were explained, as they come back."""

from dataclasses import replace

import pytest

from evdesk.domain.corrections import Claim, Decision, DecisionKind
from evdesk.domain.errors import StorageError
from evdesk.domain.sessions import SessionState
from evdesk.ports import Explanation, SessionFilter
from tests.storage.sites import START, add_station, at, close_a_session, figures, writing

MEASURED = Claim(1_000, 13_400, 12_400)


def correction(start_wh: int, end_wh: int, before: Claim = MEASURED) -> Decision:
    after = Claim(start_wh, end_wh, end_wh - start_wh)
    return Decision(DecisionKind.CORRECTED, at(9), "a-1", "typed", before, after)


RELEASE = Decision(DecisionKind.RELEASED, at(10), "a-1", "looked at")


def test_decisions_come_back_in_order_and_the_newest_correction_with_the_session(store) -> None:
    unread = Claim(None, None, None)
    first, second = correction(0, 5, unread), correction(7, 9)
    with writing(store) as unit:
        session, other = close_a_session(unit, "S1"), close_a_session(unit, "S2")
        for decision in (first, second, RELEASE):
            unit.decisions.add(session, decision)
        assert unit.decisions.of(session) == [first, second, RELEASE]
        assert unit.decisions.of(other) == []
        found = unit.sessions.get(session)
        assert found.correction == second
        assert (found.energy_wh, found.measured()) == (2, MEASURED)
        assert [one.correction for one in unit.sessions.find(SessionFilter())] == [None, second]


@pytest.mark.parametrize(
    "decision",
    [
        correction(9, 7),
        correction(-1, 7),
        Decision(DecisionKind.CORRECTED, START, "a-1", "typed"),
        Decision(DecisionKind.RELEASED, START, "a-1", " "),
        Decision(DecisionKind.RELEASED, START, "", "typed"),
    ],
)
def test_the_database_refuses_a_decision_that_cannot_be(store, decision) -> None:
    with pytest.raises(StorageError, match="refused a value"), writing(store) as unit:
        unit.decisions.add(close_a_session(unit), decision)


def test_only_a_session_in_review_is_released(store) -> None:
    with pytest.raises(StorageError, match="not in review"), writing(store) as unit:
        unit.decisions.release(close_a_session(unit))


def test_sessions_to_end_are_those_decided_and_those_of_retired_stations(store) -> None:
    with writing(store) as unit:
        stations = [add_station(unit, name) for name in ("S1", "S2", "S3")]
        sessions = [unit.sessions.open(station, figures(), None) for station in stations]
        unit.decisions.add(sessions[1], Decision(DecisionKind.ENDED, START, "a-1", "burnt"))
        unit.stations.retire(stations[2], START)
        assert unit.decisions.to_end() == sessions[1:]
        unit.sessions.update(sessions[1], figures(end=13_400))
        assert unit.decisions.to_end() == sessions[2:]


def test_sessions_are_found_by_when_they_were_left(store) -> None:
    with writing(store) as unit:
        closed = close_a_session(unit, "S1")
        still_open = unit.sessions.open(add_station(unit, "S2"), figures(), None)
        assert unit.sessions.get(closed).state is SessionState.CLOSED

    def left_from(seconds: float) -> set[int]:
        with store.read() as unit:
            found = unit.sessions.find(SessionFilter(left_from=at(seconds)))
        return {session.id for session in found}

    assert left_from(3_600) == {closed, still_open}
    assert left_from(3_601) == {still_open}


def test_explanations_come_back_by_month(store) -> None:
    with writing(store) as unit:
        station = unit.stations
        add_station(unit)
        source = station.all()[0].energy
        made = [Explanation(source, "2026-03", wh, at(wh), "a-1", f"why {wh}") for wh in (5, 1, 9)]
        for one in made:
            unit.explanations.add(one)
        assert unit.explanations.of("2026-03") == made
        assert unit.explanations.of("2026-04") == []
    with pytest.raises(StorageError, match="refused a value"), writing(store) as unit:
        unit.explanations.add(replace(made[0], wh=0))
