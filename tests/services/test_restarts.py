"""Restarts at any moment: each reading is taken in once, and no session is forgotten open."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evdesk.domain.meters import MeterRole
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.domain.sessions import SessionState
from evdesk.ports import SessionFilter
from evdesk.services.journaling import Journal, Reach
from tests.fakes.clock import START
from tests.services.desk import Desk

CHARGER, METER = MeterId(1), MeterId(2)
REACHES = {CHARGER: Reach(1_000, 1), METER: Reach(1_000, 1)}


def two_devices(desk: Desk) -> None:
    """Make a station whose state and energy come from two devices."""
    desk.add_meter("box", "lamp", MeterRole.STATION)
    desk.add_meter("meter", "meter", MeterRole.GRID)
    desk.stations.add("bay1", "meter", "box")


def state(second: float, letter: str) -> Reading:
    return Reading(CHARGER, 1, START + timedelta(seconds=second), None, pilot=PilotState(letter))


def energy(second: float, wh: int, power_w: float) -> Reading:
    return Reading(METER, 1, START + timedelta(seconds=second), wh, power_w=power_w)


def journal(desk: Desk) -> Journal:
    made = Journal(desk.store, REACHES)
    made.settle()
    return made


def test_readings_committed_in_another_order_than_they_were_read_are_taken_in_once(
    desk: Desk,
) -> None:
    two_devices(desk)
    going = journal(desk)
    going.commit([state(0, "A"), energy(0.1, 100, 0)])
    going.commit([state(1, "C"), energy(1.1, 102, 7_000)])
    going.commit([state(60, "A")])
    going.commit([energy(59.9, 200, 0)])  # stamped earlier, read to its end later
    going = journal(desk)
    with desk.store.read() as unit:
        assert len(unit.sessions.open_ids()) == 1  # one reading without a car confirms no end
    going.commit([state(61, "A"), energy(61.1, 201, 0)])
    going.commit([state(62, "A"), energy(62.1, 201, 0)])
    going.commit([state(70, "C"), energy(70.1, 203, 7_000)])
    second, first = desk.sessions.find(SessionFilter())
    assert (first.state, second.state) == (SessionState.CLOSED, SessionState.OPEN)
    assert first.figures.energy_wh == 101


def test_a_session_that_no_tracker_knows_is_ended_and_the_next_car_is_counted(desk: Desk) -> None:
    two_devices(desk)
    journal(desk).commit([state(0, "A"), energy(0.1, 100, 0), state(1, "C"), energy(1.1, 102, 0)])
    with desk.store.journal() as unit:  # as a program of before could have left it
        saved = dict(unit.sessions.trackers()[next(iter(unit.sessions.open_ids()))])
        assert isinstance(saved["state"], dict)
        forgot = saved["state"] | {"session": None, "plugged_at": None}
        unit.sessions.save_tracker(unit.stations.all()[0].id, saved | {"state": forgot})
    going = journal(desk)
    going.commit([state(5, "A"), energy(5.1, 104, 0), state(6, "C"), energy(6.1, 105, 0)])
    second, first = desk.sessions.find(SessionFilter())
    assert (first.state, second.state) == (SessionState.CLOSED, SessionState.OPEN)
    assert "interrupted" in first.figures.flags


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_sessions_are_the_same_wherever_the_collector_was_restarted(desk: Desk, data) -> None:
    with desk.store.read() as unit:
        known = len(unit.meters.all())
    if not known:
        two_devices(desk)
    start = 10_000 * len(desk.sessions.find(SessionFilter())) + 100
    letters, wh, going = "AACCCCCCBBCCAAAA", 1_000 + 100 * start, journal(desk)
    for n, letter in enumerate(letters):
        wh += 3 if letter == "C" else 0
        pair = [state(start + n, letter), energy(start + n - 0.2, wh, 9_000 * (letter == "C"))]
        going.commit(pair[:1])
        if data.draw(st.booleans()):
            going = journal(desk)
        going.commit(pair[1:])
        if data.draw(st.booleans()):
            going = journal(desk)
    newest = desk.sessions.find(SessionFilter())[0]
    assert newest.state is not SessionState.OPEN
    assert newest.figures.energy_wh is not None
    assert 0 < newest.figures.energy_wh <= 24
