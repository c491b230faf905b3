"""Replaced meters: what a person read off both displays, taken in by the collector once."""

from datetime import timedelta

from evdesk.domain.meters import Source
from evdesk.domain.readings import MeterId, PilotState, Reading
from evdesk.domain.sessions import Flag, SessionState
from evdesk.ports import SessionFilter
from evdesk.services.journaling import Journal, Reach
from evdesk.services.replacing import Told
from tests.fakes.clock import START
from tests.services.desk import Desk


def read(second: float, wh: int, state: str = "C") -> Reading:
    at = START + timedelta(seconds=second)
    return Reading(MeterId(1), 1, at, wh, pilot=PilotState(state))


def journal(desk: Desk) -> Journal:
    made = Journal(desk.store, {MeterId(1): Reach(1_000, 1)})
    made.settle()
    return made


def test_a_session_goes_on_over_both_meters(desk: Desk) -> None:
    desk.add_meter()
    journal(desk).commit([read(0, 500, "A"), read(1, 502), read(2, 504)])
    desk.clock.at = START + timedelta(seconds=60)
    desk.replacements.replace("bay1", Told(510, 3, "4711", "broken display"))
    going_on = journal(desk)
    journal(desk)  # a second start takes nothing in twice
    going_on.commit([read(61, 4), read(62, 6), read(63, 8, "A"), read(64, 8, "A")])
    (session,) = desk.sessions.find(SessionFilter())
    assert session.figures.energy_wh == (510 - 500) + (8 - 3)
    assert Flag.METER_CHANGED in session.figures.flags
    assert session.state is SessionState.CLOSED
    with desk.store.read() as unit:
        assert unit.meters.all()[0].serial == "4711"
        assert [one.reason for one in unit.replacements.of(Source(MeterId(1)))] == [
            "broken display"
        ]
    entry = desk.audit()[-2]
    assert (entry.action, entry.object_ref) == ("meter.replaced", "1")


def test_registers_that_neither_meter_can_have_shown_are_refused(desk: Desk) -> None:
    desk.add_meter()
    journal(desk).commit([read(0, 5_000, "A")])
    desk.clock.at = START + timedelta(minutes=5)
    with desk.refused("cannot have ended at 4000 Wh"):
        desk.replacements.replace("bay1", Told(4_000, 6_000))
    with desk.refused("cannot have ended at 50000 Wh"):
        desk.replacements.replace("bay1", Told(50_000, 0))
    with desk.refused("cannot have begun at 6000 Wh"):
        desk.replacements.replace("bay1", Told(4_000, 6_000, at=START - timedelta(hours=1)))
    with desk.refused("never below 0"):
        desk.replacements.replace("bay1", Told(-1, 0))
    with desk.refused("still to come"):
        desk.replacements.replace("bay1", Told(5_000, 0, at=START + timedelta(days=1)))
    with desk.refused("no meter named bay2"):
        desk.replacements.replace("bay2", Told(5_000, 0))
