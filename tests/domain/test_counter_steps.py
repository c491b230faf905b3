"""Counters that begin anew, are restored, roll over or are replaced: nothing invented, all said."""

from evdesk.domain.readings import MeterId
from evdesk.domain.registers import Bounds, Verdict
from evdesk.domain.sessions import (
    CarSigns,
    EpochBegan,
    Figures,
    Flag,
    Replacement,
    Rules,
    SessionEvent,
    SessionState,
)
from evdesk.domain.tracking import Tracker
from tests.domain.days import BY_PILOT, at, closed, play, sample

U32 = Rules(by_pilot=True, interval_ms=1000, bounds=Bounds(50_000, 1, 2**32))


def charge(tracker: Tracker, registers: list[int], first_second: int = 1) -> list[SessionEvent]:
    return play(tracker, *[sample(first_second + n, "C", wh) for n, wh in enumerate(registers)])


def leave(tracker: Tracker, second: int, wh: int) -> Figures:
    ends = closed(play(tracker, sample(second, "A", wh), sample(second + 1, "A", wh)))
    return ends[0].figures


def told(final_wh: int, first_wh: int, second: float, serial: str | None = None) -> Replacement:
    return Replacement(1, MeterId(1), 1, at(second), final_wh, first_wh, serial)


def test_a_counter_past_its_last_digit_goes_on_at_zero_and_loses_nothing() -> None:
    tracker = Tracker(U32)
    play(tracker, sample(0, "A", 2**32 - 10))
    charge(tracker, [2**32 - 6, 2**32 - 2, 2, 6, 10])
    figures = leave(tracker, 6, 14)
    assert (figures.energy_wh, figures.flags) == (24, frozenset({Flag.ROLLOVER}))
    assert figures.state() is SessionState.CLOSED


def test_a_zero_near_the_end_of_the_range_is_no_rollover_unless_it_stays() -> None:
    tracker = Tracker(U32)
    play(tracker, sample(0, "A", 2**32 - 10))
    charge(tracker, [2**32 - 6, 0, 2**32 - 2])
    figures = leave(tracker, 4, 2**32 - 1)
    assert (figures.energy_wh, figures.flags) == (9, frozenset())


def test_a_restored_older_counter_counts_nothing_until_it_passes_the_old_maximum() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 4_000))
    charge(tracker, [4_000 + 10 * n for n in range(40)])  # up to 4390
    events = charge(tracker, [4_150 + 10 * n for n in range(40)], 41)  # up to 4540
    figures = leave(tracker, 81, 4_540)
    assert [e.step.kind for e in events if isinstance(e, EpochBegan)] == [Verdict.REWIND]
    assert (figures.energy_wh, figures.flags) == (540, frozenset({Flag.METER_REWOUND}))
    assert figures.state() is SessionState.REVIEW


def test_the_next_session_after_a_rewind_is_not_billed_what_was_billed_before() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 4_000))
    charge(tracker, [4_000 + 10 * n for n in range(40)])
    assert leave(tracker, 41, 4_390).energy_wh == 390
    play(tracker, *[sample(43 + n, "A", 4_150) for n in range(4)])  # restored while nobody charges
    charge(tracker, [4_150 + 10 * n for n in range(40)], 50)  # up to 4540: 150 above the maximum
    figures = leave(tracker, 90, 4_540)
    assert (figures.energy_wh, figures.flags) == (150, frozenset({Flag.METER_REWOUND}))


def test_another_serial_number_is_another_meter_at_once() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000, signs=CarSigns(serial="111")))
    charge(tracker, [90_002, 90_004])
    play(tracker, sample(3, "C", 12, signs=CarSigns(serial="222")), sample(4, "C", 15))
    figures = leave(tracker, 5, 16)
    assert figures.energy_wh == 4 + 4
    assert figures.flags == {Flag.METER_CHANGED, Flag.METER_RESET}
    assert figures.start is not None
    assert figures.end is not None
    assert (figures.start.serial, figures.end.serial) == ("111", "222")
    assert figures.state() is SessionState.REVIEW


def test_a_serial_number_told_before_its_register_still_replaces_it() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000, signs=CarSigns(serial="111")), sample(1, "C", 90_001))
    play(tracker, sample(2, "C", None, signs=CarSigns(serial="222")), sample(3, "C", 90_500))
    figures = leave(tracker, 4, 90_501)
    assert figures.energy_wh == 1 + 1
    assert Flag.METER_CHANGED in figures.flags


def test_an_announced_replacement_bills_both_meters_and_needs_no_review() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000))
    charge(tracker, [90_002, 90_004])
    events = tracker.counting.replace_meter(told(90_010, 5, 60))
    play(tracker, sample(61, "C", 7), sample(62, "C", 9))
    figures = leave(tracker, 63, 11)
    assert [type(event) for event in events] == [EpochBegan]
    assert figures.energy_wh == (90_010 - 90_000) + (11 - 5)
    assert Flag.METER_CHANGED in figures.flags
    assert figures.state() is SessionState.CLOSED


def test_a_replacement_announced_afterwards_explains_the_step_that_was_seen() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000))
    charge(tracker, [90_002, 90_004, 7, 9, 11, 13])
    assert tracker.state.session is not None
    assert tracker.state.session.flags == {Flag.METER_RESET}
    tracker.counting.replace_meter(told(90_010, 5, 3))
    figures = leave(tracker, 8, 15)
    assert (figures.energy_wh, figures.flags) == (10 + 10, frozenset({Flag.METER_CHANGED}))
    assert figures.state() is SessionState.CLOSED


def test_a_replacement_between_sessions_is_no_session_s_affair() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000), sample(1, "A", 90_000))
    assert tracker.counting.replace_meter(told(90_000, 3, 60)) == []
    play(tracker, *[sample(61 + n, "A", 3) for n in range(3)])
    charge(tracker, [3, 8], 64)
    figures = leave(tracker, 66, 10)
    assert (figures.energy_wh, figures.flags) == (7, frozenset())


def test_a_replacement_is_taken_in_once() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000))
    charge(tracker, [90_002])
    assert tracker.counting.replace_meter(told(90_010, 5, 60))
    assert tracker.counting.replace_meter(told(90_010, 5, 60)) == []


def test_two_unexplained_steps_are_not_explained_by_one_replacement() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 90_000))
    charge(tracker, [90_002, *(n for n in range(5)), *(500_000 + n for n in range(5))])
    tracker.counting.replace_meter(told(90_010, 0, 3))
    assert leave(tracker, 13, 500_006).state() is SessionState.REVIEW


def test_a_session_ended_by_hand_goes_to_review_with_its_last_register() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100), sample(1, "C", 104), sample(2, "C", 109))
    figures = closed(tracker.end_now())[0].figures
    assert (figures.energy_wh, figures.unplugged_at) == (9, at(2))
    assert figures.flags == frozenset({Flag.ESTIMATED_END, Flag.FORCED_END})
    assert figures.state() is SessionState.REVIEW
    assert tracker.end_now() == []


def test_a_counter_that_was_reset_in_a_silence_and_climbed_past_its_old_value_is_doubted() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 1_000))
    charge(tracker, [1_003, 1_006])
    charge(tracker, [900, 960, 1_020], 900)
    figures = leave(tracker, 903, 1_030)
    assert Flag.METER_REWOUND in figures.flags
    assert figures.state() is SessionState.REVIEW


def test_a_charger_that_counted_more_in_a_silence_than_its_register_is_doubted() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100))
    play(tracker, sample(1, "C", 100, signs=CarSigns(session_wh=0)))
    play(tracker, sample(3_000, "C", 900, signs=CarSigns(session_wh=4_000)))
    figures = leave(tracker, 3_001, 902)
    assert Flag.METER_RESET in figures.flags


def test_a_session_counter_that_shows_the_lifetime_is_no_evidence() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 100))
    play(tracker, sample(30, "C", 300, signs=CarSigns(session_wh=200)))
    play(tracker, sample(3_000, "C", 900, signs=CarSigns(session_wh=8_000_000)))
    assert leave(tracker, 3_001, 902).state() is SessionState.CLOSED


def test_a_first_register_after_the_plug_in_is_an_estimated_start() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A"), sample(1, "C"))
    charge(tracker, [500, 503], 20)
    assert leave(tracker, 22, 506).flags == {Flag.ESTIMATED_START}


def test_a_final_register_that_no_meter_can_have_shown_is_not_billed() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 4_813_600))
    charge(tracker, [4_813_602, 4_813_604])
    tracker.counting.replace_meter(told(48_123_470, 0, 60))
    play(tracker, sample(61, "C", 0), sample(62, "C", 2))
    figures = leave(tracker, 63, 4)
    assert figures.energy_wh == 4 + 4
    assert figures.state() is SessionState.REVIEW


def test_a_first_register_that_does_not_fit_explains_nothing() -> None:
    tracker = Tracker(BY_PILOT)
    play(tracker, sample(0, "A", 4_813_500))
    charge(tracker, [4_813_502, 7_654_321, 7_654_323, 7_654_325])
    tracker.counting.replace_meter(told(4_813_502, 0, 2))
    figures = leave(tracker, 5, 7_654_327)
    assert figures.energy_wh == 2 + 6
    assert figures.state() is SessionState.REVIEW


def test_a_level_that_was_too_high_at_first_is_not_believed_because_time_passes() -> None:
    tracker = Tracker(Rules(by_pilot=True, interval_ms=10_000))
    play(tracker, sample(0, "A", 1_000))
    steady = [sample(10 + 10 * n, "C", 1_000 + 4 * n) for n in range(5)]
    high = [sample(60 + 10 * n, "C", 1_800 + 4 * n) for n in range(5)]
    play(tracker, *steady, *high)
    assert leave(tracker, 110, 1_820).state() is SessionState.REVIEW


def test_a_meter_that_refreshes_its_register_every_ten_seconds_is_believed_at_once() -> None:
    tracker = Tracker(U32)
    play(tracker, sample(0, "A", 1_000))
    events = play(tracker, *[sample(1 + n, "C", 1_000 + 61 * ((1 + n) // 10)) for n in range(100)])
    assert not [event for event in events if isinstance(event, EpochBegan)]
    assert leave(tracker, 101, 1_610).flags == frozenset()


def test_a_bare_meter_that_begins_anew_as_a_car_begins_to_draw_bills_no_old_level() -> None:
    tracker = Tracker(Rules(by_pilot=False, interval_ms=10_000, idle_ms=60_000))
    idle = [sample(10 * n, None, 4_810_000, 0) for n in range(3)]
    lost = [sample(30, None, 3, 0), sample(40, None, 4, 0), sample(50, None, 30, 9_000)]
    drawing = [sample(60 + 10 * n, None, 55 + 25 * n, 9_000) for n in range(10)]
    gone = [sample(160 + 10 * n, None, 290, 0) for n in range(10)]
    figures = closed(play(tracker, *idle, *lost, *drawing, *gone))[0].figures
    assert figures.energy_wh is not None
    assert 200 <= figures.energy_wh <= 290


def test_a_counter_that_begins_anew_after_a_bare_meter_s_car_has_gone_bills_the_old_one() -> None:
    tracker = Tracker(Rules(by_pilot=False, interval_ms=10_000, idle_ms=600_000))
    play(tracker, sample(0, None, 90_000, 0))
    play(tracker, *[sample(10 + 10 * n, None, 90_000 + 25 * n, 9_000) for n in range(10)])
    play(tracker, *[sample(110 + 10 * n, None, 90_225, 0) for n in range(5)])
    events = play(tracker, *[sample(160 + 10 * n, None, n, 0) for n in range(80)])
    figures = closed(events)[0].figures
    assert figures.energy_wh == 225
    assert figures.state() is SessionState.REVIEW
