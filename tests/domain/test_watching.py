"""Each code opens when it is so for long enough and closes when it is over, once each."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evdesk.domain.charger_errors import MEANINGS, REPORTED, meaning
from evdesk.domain.faults import CATALOGUE, FaultChange, FaultCode
from evdesk.domain.latches import Latch, Latches
from evdesk.domain.readings import PilotState, Signs
from evdesk.domain.watching import same_serial
from tests.domain.watch_days import Day

HOUR = 3600.0
CHARGING: dict[str, Any] = {"power_w": 11_000.0, "amps": (16.0, 16.0, 16.0), "pilot": PilotState.C}


def test_a_device_that_answers_well_has_no_fault() -> None:
    day = Day().read(300).read(HOUR, **CHARGING).read(300)
    assert day.told() == []


def test_a_silence_opens_after_its_time_and_closes_when_it_is_surely_over() -> None:
    day = Day().read(60).fail(120).read(60)
    assert day.told() == [("device_silent", "opened", 61), ("device_silent", "closed", 181)]


def test_a_short_silence_is_no_fault() -> None:
    assert Day().read(60).fail(15).read(60).fail(15).read(60).told() == []


def test_one_good_read_in_a_long_silence_does_not_close_it() -> None:
    day = Day().read(60).fail(120).read(3).fail(120).read(60)
    assert [what for _, what, _ in day.told()] == ["opened", "closed"]


def test_a_device_read_every_five_minutes_may_miss_one_read() -> None:
    day = Day(interval_s=300).read(3_000).fail(600).read(3_000).fail(1_500).read(900)
    assert day.told() == [
        ("device_silent", "opened", 6_900),
        ("device_silent", "closed", 8_400),
    ]


def test_a_silence_that_ended_while_nobody_watched_closes_at_the_first_good_read() -> None:
    day = Day().read(60).fail(120).skip(HOUR)
    day.restart()
    day.read(5)
    closed = day.changes[-1]
    assert (closed.opened, dict(closed.facts)) == (False, {"unseen": True})
    assert day.told()[-1] == ("device_silent", "closed", 180 + HOUR + 1)


def test_a_silence_that_goes_on_after_a_restart_is_the_same_fault() -> None:
    day = Day().read(60).fail(120).skip(60)
    day.restart()
    day.fail(60).read(60)
    assert [what for _, what, _ in day.told()] == ["opened", "closed"]
    assert dict(day.changes[-1].facts) == {}


def test_a_device_that_is_read_rarely_is_slow() -> None:
    day = Day().read(60)
    for _ in range(40):
        day.fail(4).read(1)
    assert day.codes() == [FaultCode.DEVICE_SLOW]
    assert day.changes[0].facts["planned_s"] == 1.0
    day.read(300)
    assert day.told()[-1][:2] == ("device_slow", "closed")


def test_another_serial_number_than_the_one_entered_is_told_at_once() -> None:
    day = Day(serial="0001234").read(5, signs=Signs(serial="1234"))
    assert day.told() == []
    day.read(3, signs=Signs(serial="9999")).read(3, signs=Signs(serial="1234"))
    assert [what for code, what, _ in day.told() if code == "wrong_serial"] == ["opened", "closed"]
    assert day.changes[0].facts == {"expected": "0001234", "found": "9999"}


def test_without_an_entered_serial_number_the_first_one_read_is_right() -> None:
    day = Day().read(5).read(5, signs=Signs(serial="A1")).read(5, signs=Signs(serial="B2"))
    assert day.watch.serial == "A1"
    assert day.codes() == [FaultCode.WRONG_SERIAL]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("0042", "42", True), ("ab 12", "AB12", True), ("42", "43", False), ("420", "42", False)],
)
def test_serial_numbers_are_compared_as_people_write_them(one, other, same) -> None:
    assert same_serial(one, other) is same


def test_a_register_that_stands_still_under_power_is_frozen_since_it_last_moved() -> None:
    day = Day().read(60, **CHARGING).read(60, **CHARGING, counted_w=0.0)
    ((code, what, at_s),) = day.told()
    assert (code, what) == ("register_frozen", "opened")
    assert 59 <= at_s <= 62
    assert day.changes[0].facts["drawn_wh"] in range(101, 201)
    day.read(60, **CHARGING)
    assert day.told()[-1][:2] == ("register_frozen", "closed")


def test_a_register_that_catches_up_after_it_froze_has_not_jumped() -> None:
    day = Day().read(60, **CHARGING).read(600, **CHARGING, counted_w=0.0)
    day.wh += 11_000 / 6
    day.read(120, **CHARGING)
    assert day.codes() == [FaultCode.REGISTER_FROZEN]
    assert not any(day.state().values())


def test_a_coarse_register_may_stand_for_a_step() -> None:
    day = Day(resolution_wh=100)
    for _ in range(200):
        day.read(6, power_w=1_000.0, amps=(4.4, 0.0, 0.0), pilot=PilotState.C, counted_w=0)
        day.wh += 1_000 * 6 / 3600
    day.wh = 100 * (day.wh // 100)
    assert day.codes() == []


def test_standby_that_a_meter_does_not_count_is_no_frozen_register() -> None:
    assert Day(interval_s=60).read(72 * HOUR, power_w=6.0, counted_w=0.0).told() == []


def test_a_power_told_in_turn_is_not_taken_for_what_is_drawn_now() -> None:
    day = Day(interval_s=30).read(600, **CHARGING)
    for _ in range(10):
        day.read(150, power_w=None, counted_w=0.0, pilot=PilotState.B)
        day.read(30, power_w=0.0, pilot=PilotState.B)
    day.read(30, power_w=22_000.0, counted_w=0.0, pilot=PilotState.C)
    assert day.codes() == []


def test_a_register_that_jumps_and_stays_is_told_once() -> None:
    day = Day().read(60, **CHARGING)
    day.wh = 10.0
    day.read(120, **CHARGING)
    assert [(code, what) for code, what, _ in day.told()] == [
        ("implausible_value", "opened"),
        ("implausible_value", "closed"),
    ]
    facts: dict[str, Any] = dict(day.changes[0].facts)
    assert facts["before_wh"] > 50_000
    assert facts["wh"] < 100


def test_one_wrong_register_value_is_a_glitch_and_no_fault() -> None:
    day = Day().read(60)
    good, day.wh = day.wh, 0.0
    day.read(1)
    day.wh = good
    assert day.read(60).told() == []


def test_a_register_may_flutter_by_its_resolution() -> None:
    day = Day(resolution_wh=100).read(5)
    for _ in range(50):
        day.wh -= 100
        day.read(1)
        day.wh += 100
        day.read(1)
    assert day.told() == []


def test_a_value_that_cannot_be_must_be_seen_twice() -> None:
    day = Day().read(60).read(5, volts=(230.0, 655.0, 230.0)).read(60)
    assert day.told() == []
    day.read(60, volts=(230.0, 6_553.5, 230.0)).read(120)
    assert [(code, what) for code, what, _ in day.told()] == [
        ("implausible_value", "opened"),
        ("implausible_value", "closed"),
    ]


def test_a_phase_that_had_voltage_and_has_none_is_lost() -> None:
    day = Day().read(60).read(120, volts=(230.0, 2.0, 231.0)).read(120)
    assert [(code, what) for code, what, _ in day.told()] == [
        ("phase_lost", "opened"),
        ("phase_lost", "closed"),
    ]
    assert day.changes[0].facts["phases"] == ["L2"]


def test_a_phase_that_never_had_voltage_is_not_connected() -> None:
    assert Day().read(HOUR, volts=(230.0, 0.0, 0.0)).told() == []


def test_an_open_contactor_is_no_lost_phase() -> None:
    assert Day().read(60).read(HOUR, volts=(0.0, 0.0, 0.0)).read(60).told() == []


def test_one_phase_that_carries_much_more_is_told_after_a_while() -> None:
    single: dict[str, Any] = {"power_w": 7_300.0, "amps": (32.0, 0.0, 0.0), "pilot": PilotState.C}
    assert Day().read(300, **single).told() == []
    day = Day().read(900, **single).read(120)
    assert [code for code, _, _ in day.told()] == ["unbalanced", "unbalanced"]
    assert Day(phases="1").read(900, **single).told() == []


def test_a_car_that_charges_without_energy_is_told() -> None:
    day = Day().read(60).read(HOUR, power_w=3.0, pilot=PilotState.C).read(60)
    assert day.told() == [
        ("no_consumption", "opened", 61),
        ("no_consumption", "closed", 60 + HOUR + 1),
    ]


def test_a_car_whose_plug_in_nobody_saw_is_not_judged_by_what_it_has_drawn() -> None:
    assert Day().read(2 * HOUR, power_w=3.0, pilot=PilotState.C).told() == []


def test_a_car_that_only_trickles_is_told() -> None:
    day = Day(interval_s=10).read(60).read(2 * HOUR, power_w=400.0, pilot=PilotState.C).read(60)
    assert [code for code, _, _ in day.told()] == ["low_consumption", "low_consumption"]


def test_a_full_car_that_stays_for_hours_is_told() -> None:
    day = Day(interval_s=10).read(60).read(HOUR, **CHARGING)
    day.read(5 * HOUR, power_w=2.0, pilot=PilotState.B).read(60)
    assert [code for code, _, _ in day.told()] == ["long_idle", "long_idle"]


def test_a_charger_in_a_fault_state_is_out_of_order() -> None:
    day = Day().read(60).read(60, pilot=PilotState.F).read(60)
    assert day.told() == [("Inoperative", "opened", 61), ("Inoperative", "closed", 121)]


def test_an_error_number_says_more_than_a_fault_state() -> None:
    day = Day(profile="webasto-next").read(60, signs=Signs(error_code=0))
    day.read(60, pilot=PilotState.E, signs=Signs(error_code=8)).read(60, signs=Signs(error_code=0))
    assert day.told() == [
        ("MREC2GroundFailure", "opened", 61),
        ("MREC2GroundFailure", "closed", 121),
    ]


def test_an_error_number_told_in_turn_with_other_values_does_not_flap() -> None:
    day = Day(profile="webasto-next").read(30, signs=Signs(error_code=0))
    for _ in range(20):
        day.read(1, pilot=PilotState.E, signs=Signs(error_code=6)).read(4, pilot=PilotState.E)
    assert day.codes() == [FaultCode.OVER_CURRENT]


def test_an_error_number_without_a_common_name_is_shown_as_it_came() -> None:
    day = Day(profile="keba-p30").read(60, signs=Signs(error_code=0x8013))
    assert day.codes() == [FaultCode.VENDOR_ERROR]
    assert day.changes[0].facts["error_code"] == 0x8013


def test_heat_opens_above_one_limit_and_closes_below_another() -> None:
    day = Day().read(30, signs=Signs(temperature_c=90.0))
    day.read(60, signs=Signs(temperature_c=80.0))
    assert day.codes() == [FaultCode.HIGH_TEMPERATURE]
    day.read(5, signs=Signs(temperature_c=60.0))
    assert day.told()[-1][:2] == ("MREC3HighTemperature", "closed")


def test_every_code_is_in_the_catalogue_with_something_to_do() -> None:
    assert set(CATALOGUE) == set(FaultCode)
    for entry in CATALOGUE.values():
        assert entry.title
        assert entry.meaning.endswith(".")
        assert entry.action.endswith(".")


def test_codes_of_chargers_have_the_names_of_everest() -> None:
    names = {code.value for code in REPORTED}
    assert {name for name in names if name.startswith("MREC")} == names - {
        "VendorError",
        "Inoperative",
    }
    for numbers in MEANINGS.values():
        assert set(numbers.values()) <= set(REPORTED)
        assert 0 not in numbers


@pytest.mark.parametrize(("code", "means"), [(None, None), (0, None), (99, "VendorError")])
def test_no_error_number_is_no_error(code, means) -> None:
    assert meaning("webasto-next", code) == means


# -- for any order of good and bad ---------------------------------------------------------------

WORDS = st.lists(
    st.tuples(st.sampled_from(["good", "bad", "restart"]), st.integers(1, 100)), max_size=60
)


@given(words=WORDS, for_s=st.integers(0, 60), clear_s=st.integers(0, 60))
def test_a_latch_opens_and_closes_in_turn_and_never_ends_before_it_began(
    words, for_s, clear_s
) -> None:
    changes: list[FaultChange] = []
    latch = Latches().make(FaultCode.DEVICE_SILENT, None, for_s, clear_s)
    at_ms = 0
    for word, seconds in words:
        at_ms += seconds * 1000
        if word == "restart":
            was_open, latch = latch.is_open, Latch(latch.key, latch.for_ms, latch.clear_ms)
            if was_open:
                latch.resume()
        else:
            getattr(latch, word)(at_ms, changes)
    assert [change.opened for change in changes] == [n % 2 == 0 for n in range(len(changes))]
    assert all(before.at <= after.at for before, after in pairwise(changes))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(1, 200), st.sampled_from([0.0, 50.0, 11_000.0]),
                  st.sampled_from([0.0, 11_000.0]), st.sampled_from([*PilotState, None])),
        st.tuples(st.just("fail"), st.integers(1, 100)),
        st.tuples(st.just("jump"), st.integers(-60_000, 60_000)),
        st.tuples(st.just("volts"), st.floats(0, 1_000)),
        st.tuples(st.just("restart"), st.integers(0, 10_000)),
    ),
    max_size=25,
)  # fmt: skip


@given(steps=STEPS)
def test_any_day_opens_and_closes_each_fault_in_turn(steps) -> None:
    day = Day(interval_s=5)
    for kind, *rest in steps:
        match kind:
            case "read":
                seconds, power_w, counted_w, pilot = rest
                day.read(seconds, power_w=power_w, counted_w=counted_w, pilot=pilot)
            case "fail":
                day.fail(*rest)
            case "jump":
                day.wh = max(0.0, day.wh + rest[0])
            case "volts":
                day.read(30, volts=(230.0, rest[0], 230.0))
            case "restart":
                day.skip(rest[0])
                day.restart()
    day.read(600, **CHARGING).read(600)
    assert not any(day.state().values())  # which asserts that they alternate, too
