"""Whatever happens between a car's coming and going, its Wh are those the register counted."""

from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain import snapshots
from evdesk.domain.sessions import SessionEvent
from evdesk.domain.tracking import Tracker
from tests.domain.days import BY_PILOT, at, closed, sample

# A day at one point: how long each visit lasts, how long the point is free, what is drawn a second.
VISITS = st.lists(
    st.tuples(st.integers(3, 40), st.integers(3, 20), st.integers(0, 12)), min_size=1, max_size=6
)
MISSED = st.sets(st.integers(0, 400), max_size=60)
RESTARTS = st.sets(st.integers(0, 400), max_size=8)


def restarted(tracker: Tracker) -> Tracker:
    return Tracker(BY_PILOT, snapshots.load(snapshots.dump(tracker.state)))


@given(visits=VISITS, missed=MISSED, restarts=RESTARTS)
def test_sessions_add_up_to_the_register_through_silences_and_restarts(
    visits: list[tuple[int, int, int]], missed: set[int], restarts: set[int]
) -> None:
    tracker, events, second, wh = Tracker(BY_PILOT), list[SessionEvent](), 0, 1_000
    for stays, free, per_second in [(0, 3, 0), *visits]:
        first, states = second, ["C"] * stays + ["A"] * free
        for pilot in states:
            wh += per_second if pilot == "C" else 0
            edge = second - first in {
                0,
                stays,
                stays + 1,
            }  # edges are seen; the middle may be missed
            if edge or second not in missed:
                events += tracker.on(sample(second, pilot, wh))
            if second in restarts:
                tracker = restarted(tracker)
            second += 1
    ends = closed(events)
    assert [end.figures.energy_wh for end in ends] == [s * w for s, _, w in visits]
    assert not any(end.figures.flags for end in ends)


@given(st.lists(st.sampled_from("ABCEF-"), max_size=60), st.data())
def test_energy_is_never_negative_and_every_session_ends_after_it_began(
    pilots: list[str], data: st.DataObject
) -> None:
    tracker = Tracker(BY_PILOT)
    for second, pilot in enumerate(pilots):
        wh = data.draw(st.one_of(st.none(), st.integers(0, 2_000)))
        events = tracker.on(sample(second, None if pilot == "-" else pilot, wh))
        for end in closed(events):
            assert end.figures.unplugged_at is not None
            assert end.figures.unplugged_at >= end.figures.plugged_in_at
            assert end.figures.energy_wh is None or end.figures.energy_wh >= 0


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 9)), max_size=40))
def test_a_snapshot_goes_on_exactly_where_it_was_taken(steps: list[tuple[str, int]]) -> None:
    straight, interrupted, wh = Tracker(BY_PILOT), Tracker(BY_PILOT), 0
    for second, (pilot, rise) in enumerate(steps):
        wh += rise
        one = sample(second, pilot, wh)
        assert straight.on(one) == interrupted.on(one)
        interrupted = restarted(interrupted)
    assert snapshots.dump(straight.state) == snapshots.dump(interrupted.state)
    assert at(0) < at(1)
