"""Cars changed while nobody could watch, cards, and clocks that are set."""

from evdesk.domain.sessions import CarSigns, Flag, Opened, Rules, SessionState, Tagged
from evdesk.domain.tracking import Tracker
from tests.domain.days import BY_PILOT, at, card, closed, play, sample


def connected(seconds: int) -> CarSigns:
    return CarSigns(connected_s=seconds)


def test_a_swap_between_two_polls_makes_two_sessions_that_add_up() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, signs=connected(0)),
        sample(30, "C", 130, signs=connected(29)),
        sample(31, "C", 131, signs=connected(0)),
        sample(32, "C", 133),
        sample(33, "A", 134),
        sample(34, "A", 134),
    )
    ends = [end.figures for end in closed(events)]
    assert sum(figures.energy_wh or 0 for figures in ends) == 34
    assert len(ends) == 2
    assert not any(figures.flags for figures in ends)


def test_a_swap_during_a_silence_makes_two_sessions_and_the_doubtful_energy_is_neither_s() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, signs=connected(0)),
        sample(300, "C", 400, signs=connected(299)),
        sample(301, "C", 401),
        sample(1_500, "C", 900),
        sample(1_501, "C", 902, signs=connected(600)),
        sample(1_502, "A", 904),
        sample(1_503, "A", 904),
    )
    first, second = (end.figures for end in closed(events))
    assert (first.energy_wh, second.energy_wh) == (301, 4)
    assert Flag.UNSEEN_REPLUG in first.flags & second.flags
    assert first.state() is second.state() is SessionState.REVIEW
    assert (first.unplugged_at, second.plugged_in_at) == (at(301), at(901))


def test_a_swap_during_a_silence_that_drew_nothing_is_exact() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "B", 100, signs=connected(0)),
        sample(301, "B", 401, signs=connected(300)),
        sample(1_500, "B", 401, signs=connected(600)),
        sample(1_502, "C", 404),
        sample(1_503, "A", 404),
        sample(1_504, "A", 404),
    )
    first, second = (end.figures for end in closed(events))
    assert (first.energy_wh, second.energy_wh) == (301, 3)
    assert first.state() is second.state() is SessionState.CLOSED


def test_another_card_after_a_silence_is_another_visit() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, signs=CarSigns(tag=card("AAAA1111"))),
        sample(2, "C", 103),
        sample(900, "C", 500),
        sample(901, "C", 502, signs=CarSigns(tag=card("BBBB2222"))),
        sample(902, "A", 503),
        sample(903, "A", 503),
    )
    first, second = (end.figures for end in closed(events))
    assert (first.tag, second.tag) == (card("AAAA1111"), card("BBBB2222"))
    assert (first.energy_wh, second.energy_wh) == (3, 3)
    assert first.state() is second.state() is SessionState.REVIEW


def test_another_card_without_a_silence_is_one_session_that_somebody_must_look_at() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, signs=CarSigns(tag=card("AAAA1111"))),
        sample(2, "C", 103, signs=CarSigns(tag=card("BBBB2222"))),
        sample(3, "A", 104),
        sample(4, "A", 104),
    )
    (end,) = closed(events)
    assert (end.figures.energy_wh, end.figures.flags) == (4, frozenset({Flag.UNSEEN_REPLUG}))


def test_a_session_counter_that_falls_is_no_news_while_the_charger_is_watched() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, signs=CarSigns(session_wh=50)),
        sample(2, "C", 103, signs=CarSigns(session_wh=0)),
        sample(3, "A", 104),
        sample(4, "A", 104),
    )
    (end,) = closed(events)
    assert (end.figures.energy_wh, end.figures.flags) == (4, frozenset())


def test_a_session_counter_that_fell_during_a_silence_is_a_doubt() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, signs=CarSigns(session_wh=50)),
        sample(900, "C", 500, signs=CarSigns(session_wh=20)),
        sample(901, "A", 501),
        sample(902, "A", 501),
    )
    (end,) = closed(events)
    assert end.figures.state() is SessionState.REVIEW
    assert Flag.UNSEEN_REPLUG in end.figures.flags


def test_a_card_shown_before_the_plug_is_the_session_s() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(
        tracker,
        sample(0, "A", 100, signs=CarSigns(no_tag=True)),
        sample(1, "A", 100, signs=CarSigns(tag=card("AAAA1111"))),
        sample(2, "C", 100),
    )
    assert [type(event) for event in events][:2] == [Opened, Tagged]


def test_a_card_the_charger_goes_on_showing_is_not_the_next_visitor_s() -> None:
    tracker = Tracker(BY_PILOT)
    shown = CarSigns(tag=card("AAAA1111"))
    play(tracker, sample(0, "A", 0), sample(1, "C", 1, signs=shown), sample(2, "A", 2))
    play(tracker, sample(3, "A", 2), sample(4, "A", 2, signs=shown))
    events = play(tracker, sample(5, "C", 2, signs=shown), sample(6, "A", 3), sample(7, "A", 3))
    assert closed(events)[0].figures.tag is None
    play(tracker, sample(8, "A", 3, signs=CarSigns(no_tag=True)))
    events = play(tracker, sample(9, "C", 3, signs=shown), sample(10, "A", 4), sample(11, "A", 4))
    assert closed(events)[0].figures.tag == card("AAAA1111")


def test_a_clock_that_leaps_an_hour_is_no_silence() -> None:
    tracker = Tracker(BY_PILOT)
    leap = CarSigns(drift_ms=3_600_000)
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(1, "C", 100, 7_000),
        sample(2, "C", 102, 7_000),
        sample(3_603, "C", 104, 7_000, signs=leap),
        sample(3_604, "C", 106, 7_000),
        sample(3_605, "A", 107, 0),
        sample(3_606, "A", 107, 0),
    )
    (end,) = closed(events)
    assert (end.figures.energy_wh, end.figures.flags) == (7, frozenset({Flag.CLOCK_STEP}))
    assert (end.figures.charging_ms, end.figures.drift_ms) == (4_000, 3_600_000)


def test_a_clock_that_is_kept_in_step_is_no_step() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100), sample(1, "C", 100))
    nudges = [sample(2 + 10 * n, "C", 100 + n, signs=CarSigns(drift_ms=5)) for n in range(300)]
    play(tracker, *nudges)
    (end,) = closed(play(tracker, sample(3_000, "A", 401), sample(3_001, "A", 401)))
    assert end.figures.flags == frozenset()


def test_one_reading_without_a_car_is_a_doubt_where_cars_can_have_been_changed() -> None:
    tracker = Tracker(Rules(by_pilot=True, interval_ms=60_000))
    events = play(
        tracker,
        sample(0, "A", 100),
        sample(60, "C", 150),
        sample(120, "C", 250),
        sample(180, "A", 280),
        sample(240, "C", 300),
        sample(300, "A", 350),
        sample(360, "A", 350),
    )
    first, second = (end.figures for end in closed(events))
    assert (first.energy_wh, second.energy_wh) == (180, 70)
    assert first.flags == second.flags == {Flag.UNSEEN_REPLUG}


def test_one_reading_without_a_car_among_many_is_a_glitch() -> None:
    tracker = Tracker(BY_PILOT)
    events = play(tracker, *[sample(n, p, 100 + n) for n, p in enumerate("ACCACCAA")])
    (end,) = closed(events)
    assert (end.figures.energy_wh, end.figures.flags) == (6, frozenset())


def test_an_hour_in_a_fault_is_a_doubt_where_the_charger_tells_nothing_of_its_car() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100), sample(1, "C", 100, 7_000), sample(2, "C", 102, 7_000))
    play(tracker, *[sample(3 + 10 * n, "F", 102, 0) for n in range(360)])
    events = play(tracker, sample(3_700, "C", 102, 7_000), sample(3_701, "C", 104, 7_000))
    events += play(tracker, sample(3_702, "A", 105, 0), sample(3_703, "A", 105, 0))
    (end,) = closed(events)
    assert Flag.UNSEEN_REPLUG in end.figures.flags


def test_a_long_silence_through_which_a_car_charged_straight_on_is_no_doubt() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100, 0), sample(1, "C", 100, 7_200), sample(2, "C", 102, 7_200))
    events = play(tracker, sample(3_602, "C", 7_302, 7_200), sample(3_603, "A", 7_304, 0))
    events += play(tracker, sample(3_604, "A", 7_304, 0))
    (end,) = closed(events)
    assert end.figures.flags == {Flag.COMM_GAP}


def test_a_charger_read_less_often_than_its_meter_loses_no_start() -> None:
    tracker = Tracker(Rules(by_pilot=True, interval_ms=60_000))
    readings = [sample(n, None, 1_000 + 3 * max(0, n - 20), 10_800) for n in range(1, 60)]
    events = play(tracker, sample(0, None, 1_000, 0), sample(0.5, "A"), *readings)
    events += play(tracker, sample(60, "C"), sample(61, None, 1_123, 10_800))
    assert tracker.state.session is not None
    assert tracker.state.session.base is not None
    assert tracker.state.session.base.wh == 1_000


def test_energy_counted_in_a_long_fault_at_the_end_is_a_doubt() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100), sample(1, "C", 100, 7_000), sample(2, "C", 102, 7_000))
    play(tracker, *[sample(3 + 10 * n, "F", 102 + 10 * n, 3_600) for n in range(360)])
    last = 102 + 3_590
    (end,) = closed(play(tracker, sample(3_700, "A", last, 0), sample(3_701, "A", last, 0)))
    assert end.figures.state() is SessionState.REVIEW


def test_a_silence_in_which_far_more_was_drawn_than_before_and_after_is_a_doubt() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100, 0), sample(1, "C", 100, 200), sample(2, "C", 100, 200))
    events = play(tracker, sample(3_602, "C", 10_100, 200), sample(3_603, "A", 10_100, 0))
    (end,) = closed(events + play(tracker, sample(3_604, "A", 10_100, 0)))
    assert Flag.UNSEEN_REPLUG in end.figures.flags
