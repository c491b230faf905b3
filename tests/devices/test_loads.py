"""Simulated loads: closed form, exact, and the same at every asking."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evdesk.devices.simulator.loads import (
    UNITS_PER_WH,
    Course,
    Session,
    constant_then_taper,
    delivering,
    with_pause,
)

HOUR_MS = 3_600_000


def integrated_wh(course: Course, from_ms: int, to_ms: int, step_ms: int = 500) -> float:
    """The middle rule, which is exact on straight pieces that end on the steps."""
    powers = (course.at(at + step_ms // 2).power_mw for at in range(from_ms, to_ms, step_ms))
    return sum(powers) / 1_000 * step_ms / HOUR_MS


def wh(course: Course, at_ms: int) -> float:
    return course.at(at_ms).energy_units / UNITS_PER_WH


@settings(max_examples=30)
@given(
    steps=st.lists(st.integers(1, 600), min_size=1, max_size=8),
    powers=st.lists(st.integers(0, 22_000_000), min_size=9, max_size=9),
    scale=st.none() | st.integers(1, 80_000),
)
def test_energy_is_the_integral_of_power(steps, powers, scale):
    points, at = [(0, powers[0])], 0
    for step, power in zip(steps, powers[1:], strict=False):
        at += 1_000 * step
        points.append((at, power))
    units = None if scale is None or not any(p for _, p in points) else scale * UNITS_PER_WH
    course = Course([Session(60_000, 60_000 + at + 5_000, tuple(points), energy_units=units)], None)
    total = integrated_wh(course, 0, at + 65_000)
    assert wh(course, at + 65_000) == pytest.approx(total, rel=1e-6, abs=1e-3)
    half = 60_000 + 1_000 * (at // 2_000)
    assert wh(course, half) == pytest.approx(integrated_wh(course, 0, half), rel=1e-6, abs=1e-3)


@given(
    energy_wh=st.integers(1, 100_000),
    arrive=st.integers(0, HOUR_MS),
    charging=st.integers(1, 10 * HOUR_MS),
    idle=st.integers(0, HOUR_MS),
)
def test_a_session_delivers_exactly_what_it_is_given(energy_wh, arrive, charging, idle):
    done = arrive + charging
    course = Course([delivering(arrive, done, done + idle, energy_wh)], None)
    assert course.at(arrive).energy_units == 0
    assert course.at(done).energy_units == energy_wh * UNITS_PER_WH
    assert course.at(done + idle + HOUR_MS).energy_units == energy_wh * UNITS_PER_WH


def test_fractions_of_a_wh_are_delivered_too():
    course = Course([delivering(0, 1_000, 2_000, Fraction(1, 3))], None)
    assert course.at(1_000).energy_units == UNITS_PER_WH // 3


@given(st.lists(st.integers(0, 30 * HOUR_MS), min_size=2, max_size=40))
def test_a_register_never_goes_back(instants):
    points = constant_then_taper(60_000, 11_000_000, 20_000 * UNITS_PER_WH, 4 * HOUR_MS, 1_800_000)
    points = with_pause(points, HOUR_MS, HOUR_MS + 600_000)
    sessions = [
        Session(HOUR_MS, 6 * HOUR_MS, points, energy_units=20_000 * UNITS_PER_WH),
        delivering(7 * HOUR_MS, 8 * HOUR_MS, 9 * HOUR_MS, 7_777),
    ]
    course = Course(sessions, 10 * HOUR_MS)
    counted = [course.at(at).energy_units for at in sorted(instants)]
    assert counted == sorted(counted)


def test_sessions_repeat_into_the_future_and_the_past():
    night = delivering(20 * HOUR_MS, 23 * HOUR_MS, 26 * HOUR_MS, 9_000)  # leaves at two
    course = Course([night], 24 * HOUR_MS)
    assert course.at(0).plugged
    assert course.at(0).energy_units == 0
    assert not course.at(3 * HOUR_MS).plugged
    for day in (0, 1, 400):
        assert wh(course, day * 24 * HOUR_MS) == day * 9_000
        assert wh(course, (day * 24 + 21) * HOUR_MS) == day * 9_000 + 3_000
    assert wh(course, -24 * HOUR_MS) == -9_000


def test_a_taper_ends_with_the_energy_that_was_asked_for():
    points = constant_then_taper(0, 11_000_000, 20_000 * UNITS_PER_WH, 9 * HOUR_MS, 1_800_000)
    course = Course([Session(0, 9 * HOUR_MS, points, energy_units=20_000 * UNITS_PER_WH)], None)
    end_ms = points[-1][0]
    assert course.at(end_ms).energy_units == 20_000 * UNITS_PER_WH
    assert course.at(10_000).power_mw == pytest.approx(11_000_000, rel=1e-4)
    assert course.at(end_ms - 1_000).power_mw < 1_000_000
    assert course.at(end_ms + 1).power_mw == 0
    assert course.at(end_ms + 1).plugged


def test_a_nearly_full_car_only_tapers():
    points = constant_then_taper(0, 11_000_000, 500 * UNITS_PER_WH, 9 * HOUR_MS, 1_800_000)
    course = Course([Session(0, HOUR_MS, points, energy_units=500 * UNITS_PER_WH)], None)
    assert points[-1][0] < 1_800_000
    assert wh(course, HOUR_MS) == 500


def test_a_pause_moves_what_would_have_come_behind_it():
    points = with_pause(((0, 6_000), (HOUR_MS, 6_000)), 600_000, 1_200_000)
    course = Course([Session(0, 2 * HOUR_MS, points)], None)
    assert course.at(700_000).power_mw == 0
    assert course.at(1_300_000).power_mw == 6_000
    assert wh(course, 2 * HOUR_MS) == 6


def test_a_session_has_its_order():
    with pytest.raises(ValueError, match="arrives before"):
        delivering(10, 10, 20, 1)
