"""Cards: kept as hashes, and sessions that stay with whoever held the card then."""

from datetime import datetime, timedelta

import pytest

from evdesk.domain.cards import CardEnd
from evdesk.domain.readings import PilotState, Reading, Signs
from evdesk.domain.sessions import Session
from evdesk.domain.site import DriverId, Party
from evdesk.ports import SessionFilter
from evdesk.services.journaling import Journal, Reach
from tests.fakes.clock import START
from tests.services.desk import Desk

MINUTE = timedelta(minutes=1)
NUMBER = "04:A2:F3:1B"


def visit(desk: Desk, at: datetime, number: str | None) -> Session:
    """Let a car charge for two seconds at bay1, with a card shown while it is plugged in."""
    with desk.store.read() as unit:
        (meter,) = unit.meters.all()
    journal = Journal(desk.store, {meter.id: Reach(1_000, 1)})
    states = [("A", ""), ("C", number), ("C", None), ("A", ""), ("A", "")]
    for second, (state, tag) in enumerate(states):
        signs = None if tag is None else Signs(tag=tag)
        reading = Reading(
            meter.id, 1, at + timedelta(seconds=second), 1_000 + second,
            pilot=PilotState(state), signs=signs,
        )  # fmt: skip
        journal.commit([reading])
    return desk.sessions.find(SessionFilter())[0]


def test_a_card_s_sessions_are_its_holder_s(desk: Desk) -> None:
    desk.add_meter()
    kim = desk.add_driver()
    card = desk.cards.add(kim, NUMBER)
    session = visit(desk, START + MINUTE, "04a2f31b")
    assert (session.driver, card.tag.shown) == (kim, "…F31B")
    assert session.figures.tag == card.tag
    assert [e.action for e in desk.audit()][-3:-1] == ["session.opened", "session.assigned"]


def test_a_card_that_changes_hands_moves_no_session_of_before(desk: Desk) -> None:
    desk.add_meter()
    kim, lou = desk.add_driver(), desk.add_driver(Party("Lou"))
    desk.cards.add(kim, NUMBER)
    first = visit(desk, START + MINUTE, NUMBER)
    desk.clock.at = START + 5 * MINUTE
    desk.cards.lost(NUMBER)
    desk.cards.add(lou, NUMBER)
    second = visit(desk, START + 6 * MINUTE, NUMBER)
    drivers = {one.id: one.driver for one in desk.sessions.find(SessionFilter())}
    assert drivers == {first.id: kim, second.id: lou}


def test_a_card_wins_over_the_station_s_driver_and_an_unknown_one_does_not(desk: Desk) -> None:
    desk.add_meter()
    kim, lou = desk.add_driver(), desk.add_driver(Party("Lou"))
    desk.stations.set_default_driver("bay1", lou, START)
    desk.cards.add(kim, NUMBER)
    assert visit(desk, START + MINUTE, NUMBER).driver == kim
    assert visit(desk, START + 2 * MINUTE, "DEADBEEF").driver == lou


def test_a_lost_card_is_nobody_s(desk: Desk) -> None:
    desk.add_meter()
    desk.cards.add(desk.add_driver(), NUMBER)
    desk.clock.at = START + MINUTE
    assert desk.cards.lost(NUMBER).end is CardEnd.LOST
    assert visit(desk, START + 2 * MINUTE, NUMBER).driver is None


def test_no_number_of_a_card_is_written_anywhere(desk: Desk) -> None:
    desk.add_meter()
    desk.cards.add(desk.add_driver(), NUMBER)
    visit(desk, START + MINUTE, NUMBER)
    with desk.store.read() as unit:
        kept = repr((unit.cards.all(), unit.audit.entries(99), unit.sessions.trackers()))
        kept += repr([unit.sessions.events(s.id) for s in unit.sessions.find(SessionFilter())])
    assert "04A2F3" not in kept.upper()


def test_a_card_has_one_holder_at_a_time(desk: Desk) -> None:
    kim, lou = desk.add_driver(), desk.add_driver(Party("Lou"))
    desk.cards.add(kim, NUMBER, START, START + MINUTE)
    with desk.refused("is D-1's at that time"):
        desk.cards.add(lou, NUMBER, START)
    desk.cards.add(lou, NUMBER, START + MINUTE)
    assert [card.driver for card in desk.cards.all()] == [kim, lou]


@pytest.mark.parametrize(("number", "sentence"), [("", "at least 4"), ("0 4-A", "at least 4")])
def test_what_is_no_number_is_refused(desk: Desk, number: str, sentence: str) -> None:
    driver = desk.add_driver()
    with desk.refused(sentence):
        desk.cards.add(driver, number)


def test_a_card_is_given_to_drivers_who_charge_here_only(desk: Desk) -> None:
    kim = desk.add_driver()
    desk.drivers.retire(kim)
    with desk.refused("no longer charges"):
        desk.cards.add(kim, NUMBER)
    with desk.refused("There is no driver"):
        desk.cards.add(DriverId("D-9"), NUMBER)
    with desk.refused("Nobody has a card"):
        desk.cards.lost(NUMBER)
    with desk.refused("before it begins"):
        desk.cards.add(kim, NUMBER, START, START)


def test_the_cards_of_a_driver_who_leaves_are_nobody_s(desk: Desk) -> None:
    desk.add_meter()
    kim = desk.add_driver()
    desk.cards.add(kim, NUMBER)
    desk.clock.at = START + MINUTE
    desk.drivers.retire(kim)
    assert desk.cards.all()[0].end is CardEnd.RETURNED
    assert visit(desk, START + 2 * MINUTE, NUMBER).driver is None
