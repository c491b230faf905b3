"""A charger that is gone for good: its session is ended while a real collector runs."""

import time
from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.sessions import Flag, Session, SessionState
from tests.end_to_end.places import PATIENCE_S, start_collector
from tests.end_to_end.rig import Blank, Rig, bay, fault, rig, visit


@pytest.mark.slow
def test_a_running_collector_ends_the_session_of_a_dead_device(
    tmp_path: Path, blank: Blank
) -> None:
    dead = bay(fault(FaultKind.SILENCE, 15), visits=(visit(5, 600),))
    living = bay(name="other", visits=(visit(5, 600),))
    with rig(tmp_path, blank, dead, living) as played:
        played.collect(30)
        collector = start_collector(played.opened, "--speed", "30")
        try:
            wait_until_it_collects(played)
            session = the_session(played, "bay")
            assert not played.opened.services.reviews.end(session.id, "taken down")
            ends = time.monotonic() + PATIENCE_S
            while the_session(played, "bay").state is SessionState.OPEN:
                assert time.monotonic() < ends
                time.sleep(0.05)
        finally:
            collector.terminate()
            collector.communicate()
        ended, other = the_session(played, "bay"), the_session(played, "other")
        assert (ended.state, other.state) == (SessionState.REVIEW, SessionState.OPEN)
        assert {Flag.FORCED_END, Flag.ESTIMATED_END} <= ended.figures.flags
        assert ended.energy_wh == played.between_wh(5, 14.9)
        assert ended.figures.unplugged_at is not None
        assert ended.figures.unplugged_at < played.at(15)


def the_session(played: Rig, station: str) -> Session:
    (found,) = [one for one in played.sessions() if one.station == station]
    return found


def wait_until_it_collects(played: Rig) -> None:
    ends, begins = time.monotonic() + PATIENCE_S, played.minute()
    while played.minute() == begins:
        assert time.monotonic() < ends
        time.sleep(0.02)
