"""Sessions, their log and where the engine stands."""

from dataclasses import replace

import pytest

from evdesk.domain.errors import StorageError, UserError
from evdesk.domain.readings import Register
from evdesk.domain.registers import Step, Verdict
from evdesk.domain.sessions import (
    Based,
    ChargingStarted,
    ChargingStopped,
    Closed,
    EpochBegan,
    Flag,
    Opened,
    SessionId,
    SessionState,
)
from evdesk.ports import SessionFilter
from tests.storage.sites import EVA, START, add_station, at, close_a_session, figures, writing


def test_a_session_is_opened_updated_and_closed(store) -> None:
    with writing(store) as unit:
        station = add_station(unit)
        session = unit.sessions.open(station, figures(), None)
        assert unit.sessions.open_ids() == {station: session}
        assert unit.sessions.get(session).figures == figures()
        closed = replace(figures(end=13_400), flags=frozenset({Flag.COMM_GAP}))
        unit.sessions.update(session, closed)
        assert unit.sessions.open_ids() == {}
        found = unit.sessions.get(session)
    assert (found.figures, found.state, found.station) == (closed, SessionState.CLOSED, "S1")


def test_a_session_without_registers_stays_without(store) -> None:
    bare = replace(figures(), start=None, peak_w=None)
    with writing(store) as unit:
        session = unit.sessions.open(add_station(unit), bare, None)
        assert unit.sessions.get(session).figures == bare
        assert unit.sessions.get(SessionId(99)) is None


def test_a_station_has_at_most_one_open_session(store) -> None:
    with writing(store) as unit:
        station = add_station(unit)
        unit.sessions.open(station, figures(), None)
        with pytest.raises(UserError, match="must be new"):
            unit.sessions.open(station, figures(), None)


def test_a_closed_session_is_not_updated(store) -> None:
    with writing(store) as unit:
        session = close_a_session(unit)
        with pytest.raises(StorageError, match="is not open"):
            unit.sessions.update(session, figures(end=20_000))


def test_sessions_are_found_by_what_is_asked(store) -> None:
    with writing(store) as unit:
        unit.drivers.add(EVA)
        first, second = close_a_session(unit, "S1"), close_a_session(unit, "S2")
        third = unit.sessions.open(add_station(unit, "S3"), at_plug(50), EVA.id)
        unit.sessions.assign(first, EVA.id)
        station = unit.stations.by_name("S2").id
    assert find(store) == [third, second, first]
    assert find(store, driver=EVA.id) == [third, first]
    assert find(store, station=station) == [second]
    assert find(store, state=SessionState.OPEN) == [third]
    assert find(store, from_at=at(50)) == [third]
    assert find(store, to_at=at(50)) == [second, first]
    assert find(store, unbilled=True, state=SessionState.CLOSED) == [second, first]
    with store.read() as unit:
        assert unit.sessions.count() == 3
        assert unit.sessions.count(SessionState.CLOSED) == 2


def at_plug(seconds: float):
    return replace(figures(), plugged_in_at=at(seconds))


def find(store, **wanted) -> list[SessionId]:
    with store.read() as unit:
        return [session.id for session in unit.sessions.find(SessionFilter(**wanted))]


def test_every_event_of_the_log_says_what_happened(store) -> None:
    register = Register(1_000, START, b"\x03\xe8")
    later = Register(2_000, at(9), b"\x07\xd0")
    events = [
        Opened(START, register, frozenset({Flag.ESTIMATED_START})),
        Based(at(1), register),
        ChargingStarted(at(2), None),
        ChargingStopped(at(3), None),
        EpochBegan(at(9), Step(Verdict.RESET, register, later)),
        Closed(at(10), later, figures(end=2_000)),
    ]
    with writing(store) as unit:
        session = close_a_session(unit)
        for event in events:
            unit.sessions.log(session, event)
        logged = unit.sessions.events(session)
    kinds = ["opened", "based", "charging_started", "charging_stopped", "epoch_began", "closed"]
    assert [entry.kind for entry in logged] == kinds
    assert (logged[0].wh, logged[0].raw, logged[0].detail) == (
        1_000,
        "03e8",
        {"flags": ["estimated_start"]},
    )
    assert logged[1].detail == {"register_at": "2026-03-02T06:00:00Z"}
    assert logged[4].detail == {
        "before": {"wh": 1_000, "at": "2026-03-02T06:00:00Z", "raw": "03e8"},
        "between_wh": 0,
        "step": "reset",
    }
    assert logged[5].detail["figures"]["energy_wh"] == 1_000


def test_a_tracker_snapshot_is_replaced_and_comes_back(store) -> None:
    snapshot = {"track": {"reads": 1}, "session": None, "peak_w": 7_200.55, "flags": ["comm_gap"]}
    with writing(store) as unit:
        station = add_station(unit)
    with store.journal() as unit:
        unit.sessions.save_tracker(station, {"old": True})
        unit.sessions.save_tracker(station, snapshot)
    with store.read() as unit:
        assert unit.sessions.trackers() == {station: snapshot}
