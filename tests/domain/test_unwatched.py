"""Stretches in which nobody sees the car: when it may have been changed for another."""

import json
from dataclasses import replace

import pytest

from evdesk.domain import snapshots
from evdesk.domain.sessions import CarSigns, Figures, Flag, Rules
from evdesk.domain.tracking import Tracker
from tests.domain.days import BY_LOAD, BY_PILOT, card, closed, sample

POWER_W = 7_200.0  # 2 Wh a second
MINUTE_S = 60


class Day:
    """Samples every 10 s; the register counts what is drawn, also while nobody watches."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker, self.second, self.wh = tracker, 0, 1_000_000.0
        self.found: list[Figures] = []

    def go(
        self,
        minutes: float,
        pilot: str | None,
        power_w: float = 0.0,
        *,
        read: bool = True,
        frozen: bool = False,
    ) -> None:
        """Let so many minutes pass; ``pilot`` None: the charger tells no state."""
        for _ in range(round(minutes * 6)):
            self.second += 10
            self.wh += 0 if frozen else power_w / 360
            if read:
                told = sample(self.second, pilot, int(self.wh), power_w)
                self.found += [one.figures for one in closed(self.tracker.on(told))]

    def restart(self) -> None:
        state = json.loads(json.dumps(snapshots.dump(self.tracker.state)))
        self.tracker = Tracker(self.tracker.rules, snapshots.load(state))
        self.tracker.resumed = True

    def flags(self) -> frozenset[Flag]:
        (figures,) = self.found
        return figures.flags


def plugged_in() -> Day:
    day = Day(Tracker(BY_PILOT))
    day.go(1, "A")
    day.go(10, "C", POWER_W)
    return day


def left(day: Day) -> Day:
    day.go(10, "C", POWER_W)
    day.go(1, "A")
    return day


@pytest.mark.parametrize("minutes", [2, 4.5])
def test_a_short_silence_is_too_short_to_change_cars(minutes: float) -> None:
    day = plugged_in()
    day.go(minutes, None, read=False)
    assert left(day).flags() == {Flag.COMM_GAP}


def test_a_car_that_drew_nothing_while_nobody_watched_may_be_another() -> None:
    day = plugged_in()
    day.go(6, None, read=False)
    assert left(day).flags() == {Flag.COMM_GAP, Flag.UNSEEN_REPLUG}


def test_a_car_that_drew_on_as_before_is_the_same() -> None:
    day = plugged_in()
    day.go(60, None, POWER_W, read=False)
    assert left(day).flags() == {Flag.COMM_GAP}


def test_a_car_that_draws_far_less_after_a_silence_may_be_another() -> None:
    day = plugged_in()
    day.go(40, None, POWER_W, read=False)
    day.go(10, "C", 300.0)
    day.go(1, "A")
    assert Flag.UNSEEN_REPLUG in day.flags()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("pilot", ["E", None])
def test_a_car_that_is_seen_to_draw_all_along_is_the_same_whatever_its_charger_says(
    pilot: str | None, restarts: bool
) -> None:
    day = plugged_in()
    day.go(20, pilot, POWER_W)
    if restarts:
        day.restart()
    day.go(20, pilot, POWER_W / 6)
    assert left(day).flags() <= {Flag.INTERRUPTED}


def test_a_pause_while_the_charger_says_nothing_of_the_car_is_a_doubt() -> None:
    day = plugged_in()
    day.go(5, "E", POWER_W)
    day.go(1, "E")
    day.go(5, "E", POWER_W)
    assert Flag.UNSEEN_REPLUG in left(day).flags()


def test_a_session_that_ends_unseen_at_its_last_register_is_no_doubt() -> None:
    day = plugged_in()
    day.go(40, None, POWER_W, read=False)
    day.go(1, "A")
    (figures,) = day.found
    assert figures.flags == {Flag.COMM_GAP, Flag.ESTIMATED_END}
    assert figures.energy_wh == 10 * MINUTE_S * 2


def test_a_session_that_was_counted_on_without_its_car_being_seen_is_a_doubt() -> None:
    day = plugged_in()
    day.go(40, "E", POWER_W)
    day.go(1, "A")
    assert Flag.UNSEEN_REPLUG in day.flags()


@pytest.mark.parametrize("restarts", [False, True])
def test_a_register_that_stood_still_may_catch_up_in_the_next_session(restarts: bool) -> None:
    """What the first car drew is counted once the second one is there: both are looked at."""
    day = Day(Tracker(BY_LOAD))
    day.go(1, None)
    day.go(5, None, POWER_W, frozen=True)
    day.go(5, None)
    if restarts:
        day.restart()
    day.go(0.5, None, POWER_W, frozen=True)
    day.wh += 600
    day.go(5, None, POWER_W)
    day.go(5, None)
    first, second = day.found
    assert Flag.REGISTER_FROZEN in first.flags
    assert Flag.REGISTER_FROZEN in second.flags


def test_a_session_begins_afresh_once_the_register_has_moved() -> None:
    day = Day(Tracker(BY_LOAD))
    day.go(1, None)
    day.go(5, None, POWER_W, frozen=True)
    day.go(3, None)
    day.wh += 600
    day.go(3, None)
    day.go(5, None, POWER_W)
    day.go(5, None)
    assert [Flag.REGISTER_FROZEN in one.flags for one in day.found] == [True, False]


def test_a_register_that_counted_more_than_the_charger_says_counted_another_car() -> None:
    """Both cars drew nothing; one that came and went between them did, as the charger said E."""
    day = Day(Tracker(BY_PILOT))
    nothing = CarSigns(session_wh=0)
    for minute in range(30):
        pilot = "A" if minute < 2 else "E" if 10 <= minute < 25 else "B"
        day.wh += 100 if 12 <= minute < 16 else 0
        told = sample(60 * minute, pilot, int(day.wh), 0.0, nothing)
        assert not closed(day.tracker.on(told))
    day.second = 30 * 60
    day.go(1, "A")
    assert day.flags() >= {Flag.UNSEEN_REPLUG}


def test_nothing_drawn_in_a_silence_is_no_doubt_until_power_flows_again() -> None:
    """A car that is full stands there all night; one that draws again may be another."""
    day = plugged_in()
    day.go(20, "B")
    day.go(10, None, read=False)
    day.go(20, "B")
    again = Day(Tracker(BY_PILOT, snapshots.load(snapshots.dump(day.tracker.state))))
    again.second, again.wh = day.second, day.wh
    day.go(1, "A")
    assert day.flags() == {Flag.COMM_GAP}
    assert left(again).flags() == {Flag.COMM_GAP, Flag.UNSEEN_REPLUG}


def test_two_cars_that_draw_alike_are_told_by_what_the_change_of_them_cost() -> None:
    day = plugged_in()
    day.go(60, None, POWER_W, read=False)
    day.go(10, None, read=False)
    day.go(60, None, POWER_W, read=False)
    assert Flag.UNSEEN_REPLUG in left(day).flags()


@pytest.mark.parametrize(
    "signs", [CarSigns(tag=card("04A1B2C3")), CarSigns(session_wh=0), CarSigns(session_wh=60)]
)
def test_a_card_or_a_count_that_has_hardly_begun_tells_no_car_from_another(
    signs: CarSigns,
) -> None:
    day = Day(Tracker(BY_PILOT))
    day.go(1, "A")
    day.tracker.on(sample(day.second, "C", int(day.wh), POWER_W, signs))
    day.go(1, "C", POWER_W)
    day.go(30, None, read=False)
    assert Flag.UNSEEN_REPLUG in left(day).flags()


def test_a_load_that_is_there_again_after_a_silence_may_be_another_car() -> None:
    day = Day(Tracker(replace(BY_LOAD, idle_ms=900_000)))
    day.go(1, None)
    day.go(10, None, POWER_W)
    day.go(16, None, read=False)
    day.go(10, None, POWER_W)
    day.go(20, None)
    assert day.flags() == {Flag.COMM_GAP, Flag.UNSEEN_REPLUG}


def test_a_load_that_went_straight_on_through_a_silence_is_one_car() -> None:
    day = Day(Tracker(replace(BY_LOAD, idle_ms=900_000)))
    day.go(1, None)
    day.go(10, None, POWER_W)
    day.go(16, None, POWER_W, read=False)
    day.go(10, None, POWER_W)
    day.go(20, None)
    assert day.flags() == {Flag.COMM_GAP}


def test_a_register_that_catches_up_once_the_load_has_fallen_gives_the_session_its_all() -> None:
    day = Day(Tracker(replace(BY_LOAD, idle_ms=900_000)))
    day.go(1, None)
    day.go(5, None, POWER_W)
    day.go(5, None, POWER_W, frozen=True)
    day.go(2, None)
    day.wh += 5 * MINUTE_S * 2
    day.go(20, None)
    (figures,) = day.found
    assert (figures.energy_wh, figures.flags) == (10 * MINUTE_S * 2, frozenset())


def test_a_charger_that_falls_silent_beside_a_slow_meter_is_silent_all_the_same() -> None:
    rules = Rules(by_pilot=True, interval_ms=300_000, state_ms=10_000)
    day = Day(Tracker(rules))
    day.go(1, "A")
    day.go(10, "C", POWER_W)
    day.go(14, None, read=False)
    day.go(10, "C", POWER_W)
    day.go(1, "A")
    assert Flag.UNSEEN_REPLUG in day.flags()
