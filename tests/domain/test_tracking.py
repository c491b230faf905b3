"""Sessions out of registers: starts, ends, pauses, silences, restarts, resets."""

from evdesk.domain import snapshots
from evdesk.domain.registers import Bounds
from evdesk.domain.sessions import Based, Flag, Opened, Rules, SessionState
from evdesk.domain.tracking import Tracker
from tests.domain.days import BY_LOAD, BY_PILOT, at, closed, play, sample


def test_a_session_is_plug_in_to_unplug_with_pauses_inside() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 1000, 0),
        sample(1, "B", 1000, 0),
        sample(2, "C", 1003, 7000),
        sample(3, "B", 1005, 0),
        sample(4, "C", 1007, 7000),
        sample(5, "A", 1009, 0),
        sample(6, "A", 1009, 0),
    )
    figures = closed(events)[0].figures
    assert (figures.plugged_in_at, figures.unplugged_at) == (at(1), at(5))
    assert figures.energy_wh == 9
    assert figures.charging_ms == 2000
    assert figures.state() is SessionState.CLOSED


def test_energy_drawn_before_the_first_plugged_sample_belongs_to_the_session() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 1000),
        sample(1, "C", 1004),
        sample(2, "A", 1010),
        sample(3, "A", 1010),
    )
    figures = closed(events)[0].figures
    assert figures.start is not None
    assert (figures.start.wh, figures.energy_wh) == (1000, 10)


def test_one_read_of_no_car_does_not_end_a_session() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(tracker, *[sample(n, p, 50) for n, p in enumerate("ABCABCEFC")])
    assert not closed(events)
    assert tracker.state.session is not None


def test_the_end_is_dated_to_the_first_of_two_equal_reads() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 10),
        sample(1, "B", 10),
        sample(2, "A", 12),
        sample(9, None, 12),
        sample(10, "A", 12),
    )
    assert closed(events)[0].figures.unplugged_at == at(2)


def test_a_missing_register_is_never_zero_and_the_baseline_waits_for_a_valid_one() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A"),
        sample(1, "B"),
        sample(2, "C", 5000),
        sample(3, "C", 5010),
        sample(4, "A", None),
        sample(5, "A", 5012),
    )
    figures = closed(events)[0].figures
    assert [type(event) for event in events[:2]] == [Opened, Based]
    assert figures.energy_wh == 12


def test_a_session_that_never_saw_a_register_goes_to_review() -> None:
    events = play(Tracker(BY_PILOT), *[sample(n, p) for n, p in enumerate("ABCAA")])
    figures = closed(events)[0].figures
    assert figures.energy_wh is None
    assert figures.state() is SessionState.REVIEW


def test_a_steady_zero_on_a_meter_without_history_is_valid() -> None:
    events = play(Tracker(BY_PILOT), *[sample(n, p, 0) for n, p in enumerate("ABBAA")])
    figures = closed(events)[0].figures
    assert (figures.energy_wh, figures.flags) == (0, frozenset())


def test_a_zero_after_a_larger_value_is_no_baseline_and_no_end() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 90_000),
        sample(1, "B", 0),
        sample(2, "C", 90_002),
        sample(3, "A", 0),
        sample(4, "A", 90_004),
    )
    figures = closed(events)[0].figures
    assert (figures.energy_wh, figures.flags) == (4, frozenset())


def test_a_register_that_stays_low_begins_anew_and_the_session_goes_to_review() -> None:
    low = [sample(3 + n, "C", n) for n in range(4)]
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 90_000),
        sample(1, "C", 90_002),
        sample(2, "C", 90_006),
        *low,
        sample(8, "A", 5),
        sample(9, "A", 5),
    )
    figures = closed(events)[0].figures
    assert figures.energy_wh == 6 + 5
    assert figures.flags == {Flag.METER_RESET}
    assert figures.state() is SessionState.REVIEW


def test_a_jump_beyond_what_the_cable_carries_is_never_billed() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 1000),
        sample(1, "C", 1002),
        sample(2, "C", 4_294_967_295),
        sample(3, "C", 1006),
        sample(4, "A", 1008),
        sample(5, "A", 1008),
    )
    assert closed(events)[0].figures.energy_wh == 8


def test_a_silence_splits_nothing_and_its_energy_is_the_sessions() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0, "A", 100),
        sample(1, "C", 100, 7000),
        sample(601, "C", 1267, 7000),
        sample(602, "A", 1268, 0),
        sample(603, "A", 1268, 0),
    )
    figures = closed(events)[0].figures
    assert (figures.energy_wh, figures.flags) == (1168, frozenset({Flag.COMM_GAP}))
    assert figures.charging_ms == 1000


def test_unplugged_while_nobody_watched_closes_at_the_last_stored_register() -> None:
    before = Tracker(BY_PILOT)
    play(before, sample(0, "A", 100), sample(1, "C", 100), sample(2, "C", 103))
    after = Tracker(BY_PILOT, snapshots.load(snapshots.dump(before.state)))
    after.resumed = True
    figures = closed(play(after, sample(30, "A", 150), sample(31, "A", 150)))[0].figures
    assert (figures.unplugged_at, figures.energy_wh) == (at(2), 3)
    assert figures.flags == {Flag.INTERRUPTED, Flag.ESTIMATED_END}


def test_a_car_found_plugged_in_at_the_first_read_has_an_estimated_start() -> None:
    events = play(Tracker(BY_PILOT), *[sample(n, p, 70) for n, p in enumerate("CCAA")])
    assert closed(events)[0].figures.flags == {Flag.ESTIMATED_START}


def test_the_next_session_starts_where_the_last_one_ended() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        *[sample(n, p, w) for n, (p, w) in enumerate(zip("ACAA", (0, 5, 9, 9), strict=True))],
        *[
            sample(10 + n, p, w)
            for n, (p, w) in enumerate(zip("CCAA", (9, 12, 15, 15), strict=True))
        ],
    )
    energies = [end.figures.energy_wh for end in closed(events)]
    assert energies == [9, 6]


def test_a_bare_meter_session_ends_at_the_last_sample_above_the_threshold() -> None:
    drawing = [sample(n, None, 1000 + 2 * n, 7000) for n in range(1, 11)]
    idle = [sample(11 + n, None, 1021, 3) for n in range(70)]
    events = play(Tracker(BY_LOAD), sample(0, None, 1001, 0), *drawing, *idle)
    figures = closed(events)[0].figures
    assert (figures.plugged_in_at, figures.unplugged_at) == (at(1), at(10))
    assert figures.energy_wh == 20


def test_a_pause_shorter_than_the_idle_time_is_inside_a_bare_meter_session() -> None:
    load = [7000.0] * 5 + [0.0] * 30 + [7000.0] * 5 + [0.0] * 80
    samples = [sample(n, None, n, watts) for n, watts in enumerate([0.0, *load])]
    events = play(Tracker(BY_LOAD), *samples)
    assert [end.figures.unplugged_at for end in closed(events)] == [at(40)]


def test_one_spike_opens_no_bare_meter_session() -> None:
    load = [0.0, 7000.0, 0.0, 0.0]
    events = play(Tracker(BY_LOAD), *[sample(n, None, n, w) for n, w in enumerate(load)])
    assert not events


def test_state_and_energy_may_come_from_two_devices() -> None:
    events = play(
        Tracker(BY_PILOT),
        sample(0.0, "A"),
        sample(0.3, None, 500, 0),
        sample(1.0, "C"),
        sample(1.3, None, 501, 5000),
        sample(2.0, "A"),
        sample(2.3, None, 503, 0),
        sample(3.0, "A"),
    )
    assert closed(events)[0].figures.energy_wh == 3


def test_the_end_waits_for_a_meter_that_is_read_less_often_than_the_charger() -> None:
    tracker = Tracker(Rules(by_pilot=True, interval_ms=30_000))
    events = play(
        tracker,
        sample(0, "A"),
        sample(0, None, 1000),
        sample(1, "C"),
        sample(30, None, 1090, 11_000),
        sample(50, "A"),
        sample(51, "A"),
        sample(52, "A"),
        sample(60, None, 1150, 0),
    )
    figures = closed(events)[0].figures
    assert (figures.energy_wh, figures.unplugged_at, figures.flags) == (150, at(50), frozenset())


def test_the_next_car_does_not_wait_for_the_register_of_the_one_before() -> None:
    tracker = Tracker(BY_PILOT)
    first = [sample(0, "A", 1000), sample(1, "C", 1000), sample(2, "C", 1005)]
    gone = [sample(3, "A"), sample(4, "A")]
    following = [sample(5, "C"), sample(6, "C", 1009), sample(7, "A", 1012), sample(8, "A", 1012)]
    events = play(tracker, *first, *gone, *following)
    assert [end.figures.energy_wh for end in closed(events)] == [5, 7]
    assert [end.figures.unplugged_at for end in closed(events)] == [at(3), at(7)]


def test_an_end_without_a_register_says_that_it_is_estimated() -> None:
    tracker = Tracker(BY_PILOT)
    begun = [sample(0, "A", 1000), sample(1, "C", 1000), sample(2, "C", 1003)]
    unread = [sample(3 + n, "C", None, 11_000) for n in range(200)]
    events = play(tracker, *begun, *unread, *[sample(203 + n, "A") for n in range(70)])
    figures = closed(events)[0].figures
    assert figures.unplugged_at == at(203)
    assert figures.flags == {Flag.ESTIMATED_END, Flag.COMM_GAP}


def test_a_counter_that_outruns_the_cable_to_the_end_sends_the_session_to_review() -> None:
    tracker = Tracker(Rules(by_pilot=True, interval_ms=20_000))
    fast = [sample(20 + 20 * n, "C", 100_000 + 833 * n, 150_000) for n in range(30)]
    gone = [sample(620 + 20 * n, "A", 100_000 + 833 * 30) for n in range(5)]
    figures = closed(play(tracker, sample(0, "A", 100_000), *fast, *gone))[0].figures
    assert Flag.METER_RESET in figures.flags
    assert figures.state() is SessionState.REVIEW


def test_a_counter_that_begins_anew_as_the_car_leaves_sends_the_session_to_review() -> None:
    tracker = Tracker(BY_PILOT)
    charged = [sample(1 + n, "C", 90_000 + 3 * n) for n in range(10)]
    left = [sample(11, "A", 0), sample(12, "A", 0), sample(13, "C", 0)]
    figures = closed(play(tracker, sample(0, "A", 90_000), *charged, *left))[0].figures
    assert figures.state() is SessionState.REVIEW


def test_a_register_that_is_first_read_after_the_car_left_is_no_baseline() -> None:
    events = play(
        Tracker(BY_PILOT), *[sample(n, p) for n, p in enumerate("ACCCA")], sample(5, "A", 5000)
    )
    figures = closed(events)[0].figures
    assert figures.energy_wh is None
    assert figures.state() is SessionState.REVIEW


def test_a_baseline_read_long_after_the_car_came_says_so() -> None:
    unread = [sample(1 + n, "C", None, 11_000) for n in range(200)]
    read = [sample(201, "C", 5000), sample(202, "C", 5003), sample(203, "A", 5006)]
    events = play(Tracker(BY_PILOT), sample(0, "A"), *unread, *read, sample(204, "A", 5006))
    figures = closed(events)[0].figures
    assert figures.energy_wh == 6
    assert figures.flags == {Flag.ESTIMATED_START, Flag.COMM_GAP}


def test_an_answer_that_came_late_makes_the_next_rise_no_jump() -> None:
    """At 14.4 kW: the second was stamped 0.9 s after it was read, the third in time."""
    exact = Rules(by_pilot=True, interval_ms=1000, bounds=Bounds(resolution_wh=1))
    figures = closed(
        play(
            Tracker(exact),
            sample(0, "A", 100),
            sample(1, "C", 104, 14_400),
            sample(2.9, "C", 108, 14_400),
            sample(3, "C", 112, 14_400),
            sample(4, "C", 116, 14_400),
            sample(5, "A", 120, 0),
            sample(6, "A", 120, 0),
        )
    )[0].figures
    assert (figures.energy_wh, figures.flags) == (20, frozenset())
