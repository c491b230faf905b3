"""Scenario files and traces: what they say, and the line of every mistake."""

from datetime import UTC, datetime

import pytest

from evdesk.devices.simulator import load_scenario
from evdesk.devices.simulator.loads import UNITS_PER_WH, Course
from evdesk.devices.simulator.scenario import FaultKind
from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterRole

GOOD = """schema_version = 1
name = "two bays"
start_at = 2026-03-02T00:00:00+01:00
repeat_days = 1

[[device]]
name = "Bay 1"
profile = "keba-p30"
unit = 255
initial_wh = 1_000

[[device.session]]
plug_in = "07:40"
charge_from = "07:41:30"
unplug = "16:00"
power_w = 11_000
energy_wh = 22_000
taper_minutes = 30
pause = [{ from = "08:00", to = "08:10" }]

[[device.session]]
plug_in = "20:00"
unplug = "1d 06:00"
trace = "trace.csv"
phases = "1"

[[device.fault]]
kind = "slow"
from = "03:00"
to = "03:05"
delay_ms = 800

[[device]]
name = "Grid"
profile = "eastron-sdm630"
role = "grid"
base_w = 500
bus = "A"
framing = "rtu"
"""
TRACE = "offset_s,power_w\n0,0\n10,3700\n3600,3700\n3600.5,0\n"
MINUTE_MS = 60_000


@pytest.fixture
def scenario(tmp_path):
    def write(text=GOOD, trace=TRACE):
        (tmp_path / "trace.csv").write_text(trace, encoding="utf-8")
        path = tmp_path / "depot.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_scenario_says_what_it_says(scenario):
    found = load_scenario(scenario())
    bay, grid = found.devices
    assert found.start_at == datetime(2026, 3, 1, 23, tzinfo=UTC)
    assert (found.repeat_ms, bay.initial_wh, bay.unit) == (86_400_000, 1_000, 255)
    assert (grid.role, grid.is_rtu, grid.bus, grid.base_w) == (MeterRole.GRID, True, "A", 500)
    assert [(f.kind, f.from_ms, f.to_ms, f.amount) for f in bay.faults] == [
        (FaultKind.SLOW, 180 * MINUTE_MS, 185 * MINUTE_MS, 800)
    ]
    course = Course(bay.sessions, found.repeat_ms)
    assert course.at((7 * 60 + 41) * MINUTE_MS).is_waiting
    assert course.at((8 * 60 + 5) * MINUTE_MS).power_mw == 0
    assert course.at((8 * 60 + 15) * MINUTE_MS).power_mw == pytest.approx(11_000_000, rel=1e-3)
    by_noon = (
        course.at(12 * 60 * MINUTE_MS).energy_units - course.at(7 * 60 * MINUTE_MS).energy_units
    )
    assert by_noon == 22_000 * UNITS_PER_WH
    assert course.at((20 * 60 + 30) * MINUTE_MS).power_mw == 3_700_000


def test_a_session_may_come_on_several_days(scenario):
    text = GOOD.replace("repeat_days = 1", "repeat_days = 7").replace(
        'unplug = "16:00"', 'unplug = "16:00"\ndays = [0, 2, 4]'
    )
    sessions = load_scenario(scenario(text)).devices[0].sessions
    assert [session.plug_in_ms // (24 * 60 * MINUTE_MS) for session in sessions] == [0, 2, 4, 0]


def test_a_car_that_leaves_early_gets_what_it_got(scenario):
    text = GOOD.replace('unplug = "16:00"', 'unplug = "08:41:30"')
    course = Course(load_scenario(scenario(text)).devices[0].sessions, None)
    delivered = course.at(9 * 60 * MINUTE_MS).energy_units / UNITS_PER_WH
    assert delivered == pytest.approx(11_000 * 50 / 60, rel=1e-6)


MISTAKES = [
    ('plug_in = "07:40"', 'plug_in = "7.40"', "plug_in = '7.40' is no time such as 07:40"),
    ('plug_in = "07:40"', 'plug_in = "07:60"', "plug_in = '07:60' is no time"),
    ('unplug = "16:00"', 'unplug = "07:00"', "not after the plug-in"),
    ('charge_from = "07:41:30"', 'charge_from = "17:00"', "not between plug-in and unplug"),
    ("power_w = 11_000\n", "power_w = 0\n", "power_w = 0 is not within 1 and 1000000"),
    ("energy_wh = 22_000", "energy_wh = -1", "energy_wh = -1 is not above 0"),
    ('phases = "1"', 'phases = "4"', "phases '4' is not one of"),
    ('to = "03:05"', 'to = "02:00"', "not after the beginning of the fault"),
    ("delay_ms = 800", "delay = 800", "'delay_ms' is missing"),
    ('kind = "slow"', 'kind = "sloth"', "kind 'sloth' is not one of silence"),
    ('name = "Grid"', 'name = "Bay 1"', "another device is named 'Bay 1'"),
    ('role = "grid"', 'role = "gird"', "role 'gird' is not one of station, grid"),
    ('plug_in = "20:00"', 'plug_in = "15:00"', "the car before it is still plugged in"),
    ('unplug = "1d 06:00"', 'unplug = "1d 08:00"', "later than the first car of the next round"),
    ('plug_in = "20:00"', 'plug_in = "1d 05:00"', "later than the scenario repeats"),
    ("start_at = 2026-03-02T00:00:00+01:00", "start_at = 2026-03-02", "a date and time with an"),
    ("repeat_days = 1", "repeat_days = 1.5", "must be a whole number, not Decimal('1.5')"),
    ("base_w = 500", "base_w = 500\nwatts = 3", "unknown key 'watts'"),
]


@pytest.mark.parametrize(("right", "wrong", "sentence"), MISTAKES)
def test_a_mistake_in_a_scenario_is_named_with_its_line(scenario, right, wrong, sentence):
    assert right in GOOD
    path = scenario(GOOD.replace(right, wrong, 1))
    with pytest.raises(UserError) as caught:
        load_scenario(path)
    said = str(caught.value)
    assert sentence in said
    assert said.startswith(f"{path} line ")


def test_the_line_is_that_of_the_mistake(scenario):
    path = scenario(GOOD.replace('to = "08:10"', 'to = "07:10"'))
    with pytest.raises(UserError, match="line 19: device 'Bay 1', session 1, pause 1: not after"):
        load_scenario(path)


def test_a_scenario_has_devices(scenario):
    with pytest.raises(UserError, match="at least one"):
        load_scenario(scenario("schema_version = 1\n"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"depot\.toml cannot be read: No such file"):
        load_scenario(tmp_path / "depot.toml")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("20,x", "line 4: power_w 'x' is not a number from 0 to 1000000"),
        ("20,-1", "line 4: power_w '-1' is not a number"),
        ("20", "line 4: 1 values instead of 2"),
        ("20,1,2", "line 4: 3 values instead of 2"),
        ("5,100", "line 4: the offset goes back"),
        ("nan,100", "line 4: offset_s 'nan' is not a number"),
        ("", "line 4: 0 values instead of 2"),
    ],
)
def test_a_broken_line_of_a_trace_is_named(scenario, tmp_path, line, sentence):
    path = scenario(trace=f"offset_s,power_w\n0,0\n10,3700\n{line}\n")
    with pytest.raises(UserError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{tmp_path / 'trace.csv'} {sentence}")


@pytest.mark.parametrize(
    ("trace", "sentence"),
    [
        ("offset,power\n0,0\n", "line 1: the columns are not offset_s,power_w"),
        ("", "line 1: a trace needs at least two points"),
        ("offset_s,power_w\n0,0\n", "line 2: a trace needs at least two points"),
    ],
)
def test_a_trace_that_is_none_is_named(scenario, trace, sentence):
    with pytest.raises(UserError, match=sentence):
        load_scenario(scenario(trace=trace))


def test_a_trace_that_is_not_there_is_named(scenario):
    with pytest.raises(UserError, match=r"trace2\.csv cannot be read"):
        load_scenario(scenario(GOOD.replace("trace.csv", "trace2.csv")))
