"""Sessions: whose they are may be said until they are billed."""

from datetime import timedelta

from evdesk.domain.sessions import SessionId
from evdesk.domain.site import DriverId
from evdesk.ports import SessionFilter
from tests.fakes.clock import START
from tests.services.desk import Desk


def drivers_of(desk: Desk) -> list[DriverId | None]:
    """Whose sessions are, also those that are billed and shown without their drivers."""
    with desk.store.read() as unit:
        return [session.driver for session in reversed(unit.sessions.find(SessionFilter()))]


def charge_thrice(desk: Desk, driver: DriverId | None = None) -> list[SessionId]:
    return [desk.charge(driver, 5_000, START + timedelta(hours=2 * n)) for n in range(3)]


def test_many_sessions_are_assigned_at_once_each_with_its_entry(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    sessions = charge_thrice(desk)
    desk.sessions.assign(sessions, kim)
    assert drivers_of(desk) == [kim] * 3
    assert [e.action for e in desk.audit()[-3:]] == ["session.assigned"] * 3


def test_one_unknown_session_leaves_all_as_they_are(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    sessions = charge_thrice(desk)
    with desk.refused("no session 99"):
        desk.sessions.assign([*sessions, SessionId(99)], kim)
    assert drivers_of(desk) == [None] * 3


def test_a_billed_session_stays_whose_it_is_and_so_do_those_named_with_it(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    billed = desk.charge(kim)
    desk.billing.issue(desk.billing.draft(kim, "2026-03").invoice.id)
    free = desk.charge(None, 1, START + timedelta(hours=5))
    other = desk.add_driver()
    with desk.refused(f"Session {billed} is on an issued invoice"):
        desk.sessions.assign([free, billed], other)
    assert drivers_of(desk) == [kim, None]


def test_an_assignment_names_sessions_and_somebody_who_exists(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    with desk.refused("at least one"):
        desk.sessions.assign([], kim)
    session = desk.charge(None)
    with desk.refused("no driver D-9"):
        desk.sessions.assign([session], DriverId("D-9"))


def test_a_session_shows_everything_it_rests_on(desk: Desk) -> None:
    kim = desk.ready_to_bill()
    detail = desk.sessions.detail(desk.charge(kim))
    assert detail.driver is not None
    assert (detail.driver.party.name, detail.station.name) == ("Kim Lee", "bay1")
    assert (detail.meter.name, [e.kind for e in detail.events]) == ("bay1", ["opened", "closed"])
    assert detail.events[-1].raw == "000b"


def test_a_session_of_a_retired_station_and_a_removed_meter_is_still_shown(desk: Desk) -> None:
    desk.add_meter()
    session = desk.charge(None)
    desk.stations.retire("bay1")
    desk.meters.remove("bay1")
    assert desk.sessions.detail(session).meter.name == "bay1"
