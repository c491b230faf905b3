"""The fault matrix, clocks: midnight, summer time, month ends, clocks that are wrong or are set."""

import asyncio
import shutil
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import COLLECTOR, Opened, open_with_key
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.domain.instants import midnight, month_bounds
from evdesk.domain.meters import NewMeter
from evdesk.domain.sessions import Flag, SessionState
from evdesk.domain.sessions import Session as Found
from evdesk.ports import SessionFilter
from evdesk.services.collecting import Collector
from evdesk.services.exporting import session_json
from tests.end_to_end.hurried import SetWallClock, hurried_s, run_hurried
from tests.end_to_end.rig import (
    CHARGER,
    Blank,
    Rig,
    assert_clean,
    bay,
    rig,
    slow,
    visit,
)

ZONE = "Europe/Berlin"
HOUR = timedelta(hours=1)
OVER_AN_HOUR = visit(5, 95, 16_000, 90)


# -- midnight, month's end, summer time -----------------------------------------------------------


@pytest.mark.parametrize(
    "starts_at",
    [
        pytest.param(datetime(2026, 3, 10, 22, 20, tzinfo=UTC), id="midnight"),
        pytest.param(datetime(2026, 3, 31, 21, 20, tzinfo=UTC), id="end of a month"),
        pytest.param(datetime(2026, 12, 31, 22, 20, tzinfo=UTC), id="end of a year"),
        pytest.param(datetime(2026, 3, 29, 0, 20, tzinfo=UTC), id="into summer time"),
        pytest.param(datetime(2026, 10, 25, 0, 20, tzinfo=UTC), id="out of summer time"),
        pytest.param(datetime(2028, 2, 28, 22, 20, tzinfo=UTC), id="into a leap day"),
    ],
)
def test_a_boundary_of_the_calendar_neither_splits_nor_stretches_a_session(
    tmp_path: Path, blank: Blank, starts_at: datetime
) -> None:
    device = bay(visits=(OVER_AN_HOUR,))
    with rig(tmp_path, blank, device, starts_at=starts_at, step_ms=30_000) as site:
        site.collect(until=100)
        found = site.the_session()
        assert_clean(found, 16_000)
        ended = found.figures.unplugged_at
        assert ended is not None
        assert ended - found.figures.plugged_in_at == timedelta(minutes=90)
        assert abs(found.figures.charging_ms - 85 * 60_000) <= 30_000


def test_a_session_over_the_end_of_a_month_is_listed_once(tmp_path: Path, blank: Blank) -> None:
    starts_at = datetime(2026, 3, 31, 21, 20, tzinfo=UTC)
    device = bay(visits=(OVER_AN_HOUR,))
    with rig(tmp_path, blank, device, starts_at=starts_at, step_ms=30_000) as site:
        site.collect(until=100)
        assert starts_at < midnight(date(2026, 4, 1), ZONE) < site.at(95)
        assert [len(listed(site, month)) for month in ("2026-03", "2026-04")] == [1, 0]


def listed(site: Rig, month: str) -> list[Found]:
    begin, end = month_bounds(month, ZONE)
    return site.opened.services.sessions.find(SessionFilter(from_at=begin, to_at=end))


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset(
    tmp_path: Path, blank: Blank
) -> None:
    """Both cars came at 02:10 by the clock on the wall."""
    starts_at = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    device = bay(visits=(visit(10, 30), visit(70, 90)))
    with rig(tmp_path, blank, device, starts_at=starts_at, step_ms=30_000) as site:
        site.collect(until=95)
        rows = [session_json(one) for one in site.sessions()]
        assert [row["plugged_in_at"] for row in rows] == [
            "2026-10-25T00:10:00Z",
            "2026-10-25T01:10:00Z",
        ]


# -- time zone of charger registers ---------------------------------------------------------------


@pytest.mark.parametrize("profile", ["vestel-evc04", *slow("webasto-next")])
def test_what_a_charger_says_of_the_time_is_not_believed(
    tmp_path: Path, blank: Blank, profile: str
) -> None:
    """Its clock and the start of its session read 1970."""
    with rig(tmp_path, blank, bay(profile=profile)) as site:
        site.collect(until=30)
        figures = site.the_session().figures
        assert (figures.plugged_in_at, figures.unplugged_at) == (site.at(5), site.at(25))
        assert figures.energy_wh == site.between_wh(4.9, 25)


# -- host clock step ------------------------------------------------------------------------------

CAME_S, LEFT_S, ENDS_S = 6, 36, 42
DRAWN_WH = 120  # 14.4 kW for 30 s


@dataclass(frozen=True)
class Leap:
    """The clock is set, so many seconds after the simulated depot began."""

    at_s: float
    by: timedelta


def on_the_wall(
    folder: Path, real: Blank, *leaps: Leap, starts: timedelta = HOUR, wh: int = DRAWN_WH
) -> Found:
    """Play one visit of 30 s to a collector on the wall clock; return the session it found.

    The clock shows a time that is off by ``starts`` when the collector begins.
    """
    site = Path(shutil.copytree(real.folder, folder / "real"))
    opened = open_with_key(site, real.data_key, COLLECTOR)
    with closing(opened.services.store):
        clock = SetWallClock(datetime.now(UTC) + starts)
        run_hurried(lambda: _play(opened, clock, leaps, wh))
        (found,) = opened.services.sessions.find(SessionFilter())
        return found


async def _play(opened: Opened, clock: SetWallClock, leaps: tuple[Leap, ...], wh: int) -> None:
    car = delivering(CAME_S * 1000, LEFT_S * 1000, LEFT_S * 1000, wh)
    device = Device("bay", CHARGER, initial_wh=1_000_000, sessions=(car,))
    depot = Depot(Scenario((device,)), wall_ms=lambda: round(hurried_s() * 1000))
    await depot.start()
    (row,) = depot.addresses()
    try:
        await opened.services.meters.add(
            NewMeter("bay", CHARGER, str(row["url"]), 1, interval_ms=1000)
        )
        begun_s = hurried_s()
        devices = ModbusDevices(clock, stepped=False)
        collector = Collector(opened.services.store, devices, clock, hurried_s)
        await asyncio.gather(collector.run(ENDS_S), *(_set(clock, begun_s, leap) for leap in leaps))
    finally:
        await depot.stop()


async def _set(clock: SetWallClock, begun_s: float, leap: Leap) -> None:
    await asyncio.sleep(leap.at_s - (hurried_s() - begun_s))
    clock.leap(leap.by)


def assert_stepped(found: Found, *, flagged: bool = True, wh: int = DRAWN_WH) -> None:
    """Exact energy, real durations, and the flag."""
    figures = found.figures
    assert (found.state, figures.energy_wh) == (SessionState.CLOSED, wh)
    assert figures.flags == ({Flag.CLOCK_STEP} if flagged else set())
    assert figures.unplugged_at is not None
    lasted = figures.unplugged_at - figures.plugged_in_at
    really = lasted - timedelta(milliseconds=figures.drift_ms)
    assert abs(really - timedelta(seconds=LEFT_S - CAME_S)) <= timedelta(seconds=3)
    assert abs(figures.charging_ms - 30_000) <= 3_000


@pytest.mark.parametrize(
    "by",
    [
        pytest.param(HOUR, id="an hour forward"),
        pytest.param(timedelta(days=20_000), id="from 1971, when NTP answers"),
        pytest.param(timedelta(seconds=20), id="twenty seconds forward"),
    ],
)
def test_a_clock_that_is_set_in_a_session_costs_no_wh_and_stretches_no_duration(
    tmp_path: Path, real_blank: Blank, by: timedelta
) -> None:
    starts = -by if by > timedelta(days=1) else timedelta()
    assert_stepped(on_the_wall(tmp_path, real_blank, Leap(10, by), starts=starts))


@pytest.mark.parametrize("wh", [3 * DRAWN_WH, *slow(DRAWN_WH)])
@pytest.mark.parametrize(
    "by",
    [
        pytest.param(-HOUR, id="an hour back"),
        pytest.param(-timedelta(days=20_000), id="to 1971, as after a flat battery"),
        pytest.param(-timedelta(seconds=20), id="twenty seconds back"),
    ],
)
def test_a_clock_that_is_set_back_in_a_session_costs_no_wh_and_stretches_no_duration(
    tmp_path: Path, real_blank: Blank, by: timedelta, wh: int
) -> None:
    """Also at 43 kW: by stamps that go at half the pace it would be 86."""
    assert_stepped(on_the_wall(tmp_path, real_blank, Leap(10, by), wh=wh), wh=wh)


@pytest.mark.parametrize("by", [-HOUR, *slow(HOUR)])
def test_a_clock_that_is_set_before_a_session_leaves_it_exact(
    tmp_path: Path, real_blank: Blank, by: timedelta
) -> None:
    found = on_the_wall(tmp_path, real_blank, Leap(3, by))
    assert found.figures.energy_wh == DRAWN_WH
    assert found.state is SessionState.CLOSED
    assert found.figures.flags <= {Flag.CLOCK_STEP}


def test_a_clock_that_is_kept_in_step_is_nothing_to_speak_of(
    tmp_path: Path, real_blank: Blank
) -> None:
    nudge = timedelta(milliseconds=300)
    assert_stepped(
        on_the_wall(tmp_path, real_blank, Leap(12, nudge), Leap(20, -nudge)), flagged=False
    )
