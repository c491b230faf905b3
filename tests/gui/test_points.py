import numpy as np
import pytest

from evdesk.gui.models.points import EMPTY, Points, nice_top, points_of, total
from evdesk.ports import Curve

CURVE = points_of(Curve((0.0, 10.0, 20.0, 30.0, 40.0), (1000.0, 3000.0, None, 2000.0, 0.0)))


def test_a_missing_value_stays_missing():
    assert np.isnan(CURVE.kw[2])
    assert CURVE.value_at(20) is None


def test_between_two_readings_the_line_is_read_off():
    assert CURVE.value_at(5) == pytest.approx(2)
    assert CURVE.value_at(10) == pytest.approx(3)


@pytest.mark.parametrize("at_s", [-1, 15, 25, 41])
def test_in_a_gap_and_outside_nothing_is_read_off(at_s):
    assert CURVE.value_at(at_s) is None


def test_a_total_is_a_gap_wherever_one_part_is():
    other = Points(np.array([0.0, 40.0]), np.array([1.0, 1.0]))
    summed = total([CURVE, other, EMPTY], 0, 40, 5)
    assert summed.kw[0] == pytest.approx(2)
    assert np.isnan(summed.kw[2])
    assert summed.kw[4] == pytest.approx(1)


def test_nothing_known_has_no_total():
    assert total([EMPTY], 0, 1, 10) is EMPTY


@pytest.mark.parametrize(
    ("highest_kw", "top_kw"), [(0, 1), (0.9, 1), (7.4, 8), (11, 12), (22, 25), (43, 50), (340, 400)]
)
def test_the_axis_ends_at_a_round_number_above_the_curve(highest_kw, top_kw):
    assert nice_top(highest_kw) == top_kw


def test_the_highest_value_is_that_of_the_part_that_is_seen():
    assert CURVE.highest(25, 40) == pytest.approx(2)
    assert CURVE.highest(100, 200) == 0
