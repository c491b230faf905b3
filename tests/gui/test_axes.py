from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from evdesk.gui.widgets.power_axis import PowerAxis
from evdesk.gui.widgets.time_axis import STEPS_S, TimeAxis, local_ticks, tick_text

BERLIN = ZoneInfo("Europe/Berlin")


def at_s(year, month, day, hour=0, minute=0, second=0):
    return datetime(year, month, day, hour, minute, second, tzinfo=BERLIN).timestamp()


def texts_of(from_s, to_s, step_s):
    return [tick_text(tick, step_s, BERLIN) for tick in local_ticks(from_s, to_s, step_s, BERLIN)]


def test_ticks_stand_at_round_local_times():
    assert texts_of(at_s(2026, 11, 23, 9, 41, 7), at_s(2026, 11, 23, 10, 42), 600) == [
        "09:50", "10:00", "10:10", "10:20", "10:30", "10:40",
    ]  # fmt: skip


def test_a_day_begins_with_its_date():
    shown = texts_of(at_s(2026, 11, 22, 20), at_s(2026, 11, 23, 5), 10_800)
    assert shown == ["21:00", "Mon 23 Nov", "03:00"]


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 11, 23), 24)]
)
def test_days_of_23_and_25_hours_have_a_midnight_at_each_end(day, hours):
    start = at_s(*day)
    ticks = local_ticks(start, start + hours * 3600, 86_400, BERLIN)
    assert ticks == [start, start + hours * 3600]


def test_a_zone_off_by_a_quarter_of_an_hour_has_round_local_times_too():
    kathmandu = ZoneInfo("Asia/Kathmandu")
    start = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    ticks = local_ticks(start, start + 7200, 1800, kathmandu)
    assert [tick_text(tick, 1800, kathmandu) for tick in ticks] == [
        "06:00",
        "06:30",
        "07:00",
        "07:30",
    ]


@pytest.mark.parametrize("span_s", [10, 300, 3_600, 86_400, 604_800, 45 * 86_400])
@pytest.mark.parametrize("width_px", [200, 900, 3_000])
def test_labels_never_touch(qapp, span_s, width_px):
    axis = TimeAxis(BERLIN)
    step_s = axis.step_s(span_s, width_px)
    start = at_s(2026, 10, 20)
    ticks = local_ticks(start, start + span_s, step_s, BERLIN)
    assert step_s in STEPS_S
    assert len(ticks) <= width_px / 84 + 1.5


@pytest.mark.parametrize("top_kw", [1, 5, 12, 50, 400])
def test_lines_of_kw_are_round_and_not_too_many(qapp, top_kw):
    ((step_kw, lines),) = PowerAxis().tickValues(0, top_kw, 300)
    assert 2 <= len(lines) <= 9
    assert all(abs(line / step_kw - round(line / step_kw)) < 1e-9 for line in lines)
    assert max(lines) <= top_kw
