import numpy as np
import pytest

from evdesk.gui.widgets.raster import Frame, Stroke, column_runs, draw

FRAME = Frame(0, 100, 10, width_px=100, height_px=50)


def stroke(x, y, **looks):
    return Stroke(np.array(x, dtype=float), np.array(y, dtype=float), (255, 0, 0), 2, **looks)


def painted(picture):
    return picture[..., 3].max(axis=0) > 0


def test_a_gap_is_drawn_as_a_gap():
    picture = draw([stroke([0, 30, 31, 69, 70, 100], [5, 5, np.nan, np.nan, 5, 5])], FRAME)
    columns = painted(picture)
    assert columns[:30].all()
    assert not columns[31:69].any()
    assert columns[71:].all()


def test_before_the_first_and_after_the_last_reading_nothing_is_drawn():
    columns = painted(draw([stroke([20, 60], [5, 5])], FRAME))
    assert not columns[:19].any()
    assert columns[20:60].all()
    assert not columns[61:].any()


def test_no_peak_is_lost_between_two_pixels():
    x = np.linspace(0, 100, 100_000)
    y = np.ones(100_000)
    y[54_321] = 9.5
    low, high = column_runs(x, y, FRAME)
    assert high.max() == pytest.approx(9.5)
    assert low.min() == pytest.approx(1)


def test_neighbouring_runs_touch():
    x = np.linspace(0, 100, 57)
    low, high = column_runs(x, 5 + 4 * np.sin(x / 7), FRAME)
    assert (low[1:] <= high[:-1] + 1e-9).all()
    assert (low[:-1] <= high[1:] + 1e-9).all()


def test_a_line_lies_at_its_value_and_is_as_thick_as_it_should_be():
    picture = draw([stroke([0, 100], [5, 5])], FRAME)
    coverage = picture[..., 3].astype(float).sum(axis=0) / 255
    rows = np.flatnonzero(picture[:, 50, 3])
    assert coverage[50] == pytest.approx(2, abs=0.02)
    assert rows.mean() == pytest.approx(24.5)


def test_dashes_leave_room_and_a_fill_reaches_the_floor():
    dashed = painted(draw([stroke([0, 100], [5, 5], dash_px=5)], FRAME))
    assert 40 <= dashed.sum() <= 60
    filled = draw([stroke([0, 100], [5, 5], fill_alpha=0.5)], FRAME)
    assert filled[-1, 50, 3] == pytest.approx(128, abs=1)


@pytest.mark.parametrize("x", [[], [50], [200, 300], [-20, -10]])
def test_a_curve_outside_of_the_view_or_without_points_is_no_trouble(x):
    assert draw([stroke(x, [5] * len(x))], FRAME).shape == (50, 100, 4)
