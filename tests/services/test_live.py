"""A card says what is known now: what a silent device last said is not."""

from datetime import timedelta

import pytest

from evdesk.domain.meters import MeterRole, MeterState, MeterStatus
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.services.live import Card, StationState
from tests.fakes.clock import START
from tests.services.desk import Desk


@pytest.fixture(autouse=True)
def watched(desk: Desk) -> None:
    """A collector that was heard of just now."""
    with desk.store.journal() as unit:
        unit.collector.take(1, "here", START)


def test_nothing_is_known_of_now_while_no_collector_runs(desk: Desk) -> None:
    tell(desk, desk.add_meter().meter.id)
    assert card(desk).state is StationState.FREE
    with desk.store.journal() as unit:
        unit.collector.release()
    assert card(desk).state is StationState.PAUSED


def tell(
    desk: Desk,
    meter: MeterId,
    state: MeterState = MeterState.OK,
    power_w: float | None = 0.0,
    pilot: PilotState | None = PilotState.A,
) -> None:
    with desk.store.journal() as unit:
        reading = Reading(meter, 1, START, 5_000, power_w=power_w, pilot=pilot)
        unit.readings.add([reading])
        unit.meters.save_statuses([MeterStatus(meter, state, START, 1_000)])


def card(desk: Desk) -> Card:
    return desk.live.overview().cards[0]


def test_a_station_that_was_never_read_is_new_and_shows_no_figure(desk: Desk) -> None:
    desk.add_meter()
    found = card(desk)
    assert (found.state, found.power_w, found.import_wh, found.at) == ("new", None, None, None)


@pytest.mark.parametrize(
    ("plugged", "power_w", "pilot", "state"),
    [
        (False, 0.0, PilotState.A, "free"),
        (True, 0.0, PilotState.B, "connected"),
        (True, None, PilotState.C, "connected"),
        (True, 7_200.0, PilotState.C, "charging"),
        (False, 0.0, PilotState.F, "fault"),
        (True, 0.0, PilotState.E, "fault"),
    ],
)
def test_a_card_names_the_state(
    desk: Desk, plugged: bool, power_w: float | None, pilot: PilotState, state: str
) -> None:
    meter = desk.add_meter().meter.id
    tell(desk, meter, MeterState.OK, power_w, pilot)
    if plugged:
        desk.charge(None, None)
    found = card(desk)
    assert (found.state, found.import_wh, found.interval_ms) == (state, 5_000, 1_000)


@pytest.mark.parametrize("state", [MeterState.SILENT, MeterState.FAULT])
def test_a_device_that_stopped_answering_is_silent(desk: Desk, state: MeterState) -> None:
    tell(desk, desk.add_meter().meter.id, state)
    assert card(desk).state == "silent"


def test_a_device_that_never_answered_is_silent_once_it_was_asked(desk: Desk) -> None:
    meter = desk.add_meter().meter.id
    with desk.store.journal() as unit:
        unit.meters.save_statuses([MeterStatus(meter, MeterState.SILENT)])
    assert card(desk).state == "silent"


def test_a_point_is_not_called_free_while_its_charger_is_silent(desk: Desk) -> None:
    lamp = desk.add_meter("lamp", "lamp").meter.id
    meter = desk.add_meter("meter", "meter", MeterRole.GRID).meter.id
    desk.stations.add("bay", "meter", "lamp")
    tell(desk, meter, pilot=None)
    assert card(desk).state == "new"
    tell(desk, lamp, power_w=None)
    assert card(desk).state == "free"
    with desk.store.journal() as unit:
        unit.meters.save_statuses([MeterStatus(lamp, MeterState.SILENT, START)])
    assert card(desk).state == "silent"


def test_a_card_shows_the_session_and_its_driver(desk: Desk) -> None:
    meter = desk.add_meter().meter.id
    tell(desk, meter)
    session = desk.charge(desk.add_driver(), None)
    found = card(desk)
    assert found.session is not None
    assert (found.session.id, found.driver) == (session, "Kim Lee")


def test_the_charging_rate_is_that_of_the_span_asked_for(desk: Desk) -> None:
    meter = desk.add_meter().meter.id
    station = card(desk).station
    with desk.store.journal() as unit:
        steps = [Reading(meter, 1, START - timedelta(seconds=s), s, power_w=1.0) for s in (90, 9)]
        unit.readings.add(steps[::-1][1:] + steps[::-1][:1])
    curve = desk.live.curves([station], timedelta(seconds=60), 100)[station.id]
    assert curve.at_s == ((START - timedelta(seconds=9)).timestamp(),)


def test_the_version_moves_when_somebody_else_commits(desk: Desk, second_desk: Desk) -> None:
    before = desk.live.version()
    assert desk.live.version() == before
    second_desk.add_driver()
    assert desk.live.version() != before


def test_todays_sessions_are_those_plugged_in_since(desk: Desk) -> None:
    desk.add_meter()
    desk.charge(None, 1, START)
    later = desk.charge(None, 1, START + timedelta(hours=2))
    found = desk.live.sessions_today(START + timedelta(hours=1))
    assert [session.id for session in found] == [later]
