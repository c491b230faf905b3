"""A month of a site: what every register counted, and where it went."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.documents.tables import HEAD_COLUMN
from evdesk.domain.errors import Damaged
from evdesk.domain.meters import MeterRole, Source
from evdesk.domain.readings import PilotState, Reading
from evdesk.domain.reconciling import GapKind, Remainder, RestKind
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import SessionId
from evdesk.ports import SessionFilter
from evdesk.services.journaling import Journal, Reach
from evdesk.services.reconciling import MeterMonth
from evdesk.services.sealing import Archivist
from tests.services.desk import Desk
from tests.storage.archives import spoil

MARCH = datetime(2026, 2, 28, 23, tzinfo=UTC)  # midnight in Berlin
APRIL = datetime(2026, 3, 31, 22, tzinfo=UTC)  # summer time
WHY = "read off the display"


class Bay:
    """One charging point, read every minute by a journal."""

    def __init__(self, desk: Desk, name: str = "bay1") -> None:
        self.desk, self.name = desk, name
        with desk.store.read() as unit:
            station = unit.stations.by_name(name)
            assert station is not None
            self.source = station.energy
            reaches = {meter.id: Reach(20_000, 1) for meter in unit.meters.all()}
        self.journal = Journal(desk.store, reaches)

    def read(self, at: datetime, pilot: str, wh: int, minutes: int = 0, per_minute: int = 0) -> int:
        """Read every minute from an instant on, while the register rises; return where it ends."""
        readings = []
        for minute in range(minutes + 1):
            here = at + timedelta(minutes=minute)
            register = wh + minute * per_minute
            state = PilotState(pilot)
            readings.append(
                Reading(self.source.meter_id, self.source.socket, here, register, b"", 1.0,
                        pilot=state)
            )  # fmt: skip
        self.journal.commit(readings)
        return wh + minutes * per_minute


@pytest.fixture
def bay(desk: Desk) -> Bay:
    desk.add_meter()
    desk.meters.set_interval("bay1", 60_000)
    desk.clock.at = APRIL + timedelta(days=2)
    return Bay(desk)


def a_month(bay: Bay) -> None:
    """A car over the beginning of March, one in the middle, a silence, one over the end."""
    hour = timedelta(hours=1)
    wh = bay.read(MARCH - 3 * hour, "A", 10_000, 60)
    wh = bay.read(MARCH - hour, "C", wh, 119, 10)
    wh = bay.read(MARCH + hour, "A", wh, 60, 1)
    wh = bay.read(MARCH + 300 * hour, "A", wh + 700, 60, 1)
    wh = bay.read(MARCH + 302 * hour, "C", wh, 59, 30)
    wh = bay.read(MARCH + 303 * hour, "A", wh, 30)
    wh = bay.read(APRIL - hour, "A", wh, 10)
    wh = bay.read(APRIL - 48 * timedelta(minutes=1), "C", wh, 100, 20)
    bay.read(APRIL + timedelta(minutes=60), "A", wh, 10)


def march(desk: Desk, station: str | None = None) -> MeterMonth:
    month = desk.months.month("2026-03", station)
    assert not month.so_far
    return month.rows[0]


def figures_of(row: MeterMonth) -> tuple[int, int, int, int, int]:
    found = row.counted
    left_wh = found.rest_wh - row.explained_wh
    return found.delta_wh, found.sessions_wh, found.idle_wh, found.gap_wh, left_wh


def test_a_month_adds_up_by_the_register_at_its_local_ends(bay: Bay) -> None:
    a_month(bay)
    row = march(bay.desk)
    start, end = row.counted.start, row.counted.end
    assert start is not None
    assert end is not None
    assert (start.at, end.at) == (MARCH, APRIL)
    assert figures_of(row) == (end.wh - start.wh, 590 + 1_770 + 960, 120, 700, 0)
    assert row.counted.sessions == 3
    assert [(gap.kind, gap.wh) for gap in row.counted.gaps] == [(GapKind.SILENCE, 700)]
    months = [bay.desk.months.month(name).rows[0].counted for name in ("2026-02", "2026-04")]
    assert months[0].end == start
    assert months[1].start == end


def sessions(desk: Desk) -> list[SessionId]:
    return [session.id for session in reversed(desk.sessions.find(SessionFilter()))]


def test_a_correction_is_left_to_explain_and_then_explained_for_ever(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    _, middle, _ = sessions(desk)
    desk.reviews.correct(middle, 0, 2_270, WHY)
    row = march(desk)
    assert (row.counted.sessions_wh, row.unexplained_wh) == (590 + 2_270 + 960, -500)
    assert [(rest.kind, rest.session) for rest in row.counted.rests] == [
        (RestKind.CORRECTION, middle)
    ]
    assert not desk.months.month("2026-03").is_clear
    part = desk.months.explain("bay1", "2026-03", -200, "  a loop\n of wire ")
    assert part.unexplained_wh == -300
    desk.months.explain("bay1", "2026-03", -300, "the rest")
    row = march(desk)
    assert (row.unexplained_wh, row.explained_wh, row.counted.rest_wh) == (0, -500, -500)
    assert [one.reason for one in row.explained] == ["a loop of wire", "the rest"]
    assert desk.months.month("2026-03").is_clear
    entry = desk.audit()[-1]
    assert (entry.action, entry.reason) == ("month.explained", "the rest")
    assert json.loads(entry.facts) == {"month": "2026-03", "socket": 1, "wh": -300}


def test_two_corrections_that_cancel_are_explained_one_by_one(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    _, middle, last = sessions(desk)
    desk.reviews.correct(middle, 0, 270, WHY)
    desk.reviews.correct(last, 0, 3_500, WHY)
    row = march(desk)
    assert (row.counted.rest_wh, row.unexplained_wh) == (0, 0)
    assert row.remainder == Remainder(1_500, -1_500)
    assert not desk.months.month("2026-03").is_clear
    for wh in (0, 1_501, -1_501):
        with desk.refused(rf"has \+1500 Wh and -1500 Wh to explain in 2026-03, not {wh}: name"):
            desk.months.explain("bay1", "2026-03", wh, WHY)
    assert desk.months.explain("bay1", "2026-03", -500, WHY).remainder == Remainder(1_500, -1_000)
    assert desk.months.explain("bay1", "2026-03", 1_500, WHY).remainder == Remainder(0, -1_000)
    assert not desk.months.month("2026-03").is_clear
    with desk.refused("bay1 has -1000 Wh to explain"):
        desk.months.explain("bay1", "2026-03", 1, WHY)
    assert desk.months.explain("bay1", "2026-03", -1_000, WHY).is_clear
    assert desk.months.month("2026-03").is_clear


def test_a_correction_that_is_put_right_leaves_its_explanation_to_be_taken_back(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    middle = sessions(desk)[1]
    desk.reviews.correct(middle, 0, 2_270, WHY)
    desk.months.explain("bay1", "2026-03", -500, WHY)
    desk.reviews.correct(middle, 0, 1_770, "misread")
    assert march(desk).remainder == Remainder(500, 0)
    desk.months.explain("bay1", "2026-03", 500, "misread")
    assert desk.months.month("2026-03").is_clear


@pytest.mark.parametrize("wh", [0, 500, -501, 1])
def test_only_what_is_left_is_explained(bay: Bay, wh: int) -> None:
    desk = bay.desk
    a_month(bay)
    desk.reviews.correct(sessions(desk)[1], 0, 2_270, WHY)
    with desk.refused("bay1 has -500 Wh to explain in 2026-03, not"):
        desk.months.explain("bay1", "2026-03", wh, WHY)
    with desk.refused("Say why"):
        desk.months.explain("bay1", "2026-03", -500, " ")
    with desk.refused("No register of 2026-03 is called nix"):
        desk.months.explain("nix", "2026-03", -500, WHY)


def test_a_month_that_is_not_over_counts_so_far_and_one_to_come_is_refused(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    desk.clock.at = MARCH + timedelta(minutes=30)
    month = desk.months.month("2026-03")
    assert (month.so_far, month.to_at) == (True, desk.clock.at)
    assert figures_of(month.rows[0]) == (300, 300, 0, 0, 0)
    with desk.refused("2026-04 has not begun"):
        desk.months.month("2026-04")
    for wrong in ("2026-13", "March", "", "0001-01"):
        with desk.refused("is not a month"):
            desk.months.month(wrong)


def test_every_register_that_is_billed_from_and_the_grid_has_its_row(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    desk.clock.at = MARCH
    desk.add_meter("twin", "twin", MeterRole.GRID)
    desk.add_meter("grid", "meter", MeterRole.GRID)
    desk.add_meter("lamp", "lamp")
    for socket in ("1", "2"):
        desk.stations.add(f"left {socket}", f"twin:{socket}", f"twin:{socket}")
    with desk.store.journal() as unit:
        meters = {meter.name: meter.id for meter in unit.meters.all()}
        for name, number, wh in (("twin", 1, 5), ("twin", 2, 6), ("grid", 1, 7)):
            source = Source(meters[name], number)
            for n in range(3):
                at = MARCH + timedelta(seconds=n)
                unit.readings.add([Reading(source.meter_id, number, at, wh * (n + 1))])
    desk.clock.at = APRIL + timedelta(days=2)
    month = desk.months.month("2026-03")
    assert [(row.name, row.stations) for row in month.rows] == [
        ("bay1", ("bay1",)),
        ("grid", ()),
        ("twin", ("left 1",)),
        ("twin:2", ("left 2",)),
    ]
    assert figures_of(month.rows[1]) == (14, 0, 14, 0, 0)
    only = desk.months.month("2026-03", "left 2")
    assert [row.name for row in only.rows] == ["twin:2"]
    with desk.refused("no station named nix"):
        desk.months.month("2026-03", "nix")


def test_a_grid_meter_may_rise_faster_than_any_charging_point(desk: Desk) -> None:
    desk.add_meter("grid", "meter", MeterRole.GRID)
    desk.clock.at = APRIL
    with desk.store.journal() as unit:
        meter = unit.meters.all()[0].id
        for minute in range(10):
            at = MARCH + timedelta(minutes=minute)
            unit.readings.add([Reading(meter, 1, at, 10**6 + minute * 10_000)])
    assert figures_of(march(desk)) == (90_000, 0, 90_000, 0, 0)


def test_a_register_of_a_removed_meter_stays_in_the_months_it_was_there(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    desk.stations.retire("bay1")
    desk.meters.remove("bay1")
    assert figures_of(march(desk))[0] == 4_140
    desk.clock.at = APRIL + timedelta(days=40)
    assert desk.months.month("2026-05").rows == ()


def test_a_month_is_computed_register_by_register(bay: Bay) -> None:
    a_month(bay)
    told: list[float] = []
    bay.desk.months.month("2026-03", progress=told.append)
    assert told == [1.0]


def test_a_month_is_exported_with_all_its_figures(bay: Bay) -> None:
    desk = bay.desk
    a_month(bay)
    data, rows = desk.exports.month(".json", desk.months.month("2026-03"))
    (row,) = json.loads(data)
    assert rows == 1
    assert (row["meter"], row["stations"], row["register_delta_wh"]) == ("bay1", "bay1", 4_140)
    assert row["register_start_at"] == "2026-02-28T23:00:00Z"
    assert (row["gap_wh"], row["unexplained_wh"]) == (700, 0)
    assert (row["unexplained_above_wh"], row["unexplained_below_wh"]) == (0, 0)
    desk.reviews.correct(sessions(desk)[1], 0, 2_270, WHY)
    (row,) = json.loads(desk.exports.month(".json", desk.months.month("2026-03"))[0])
    assert (row["unexplained_above_wh"], row["unexplained_below_wh"]) == (0, -500)
    with desk.refused("A month is exported to"):
        desk.exports.month(".pdf", desk.months.month("2026-03"))


def test_one_damaged_hour_costs_one_register_its_account_and_no_other(
    bay: Bay, folder: Path, new_site: tuple[Path, Secret]
) -> None:
    desk = bay.desk
    a_month(bay)
    desk.add_meter("grid", "meter", MeterRole.GRID)
    with desk.store.journal() as unit:
        grid = next(one.id for one in unit.meters.all() if one.name == "grid")
        unit.readings.add([Reading(grid, 1, MARCH + timedelta(minutes=n), 7 * n) for n in range(3)])
    archivist = Archivist(desk.store)
    while archivist.step(APRIL + timedelta(days=1)):
        pass
    before = desk.months.month("2026-03")
    assert before.is_clear
    spoil(folder, new_site[1], "register")
    month = desk.months.month("2026-03")
    row, grid_row = month.rows
    assert grid_row == before.rows[1]
    assert desk.months.month("2026-04").rows[0].counted.start == before.rows[0].counted.end
    assert (row.account, row.unexplained_wh, row.stations) == (None, None, ("bay1",))
    assert "meter bay1, socket 1, from 2026-02-28T20:00:00Z to 2026-02-28T21:" in str(row.damage)
    assert not month.is_clear
    with desk.refused("The sealed readings of meter bay1", Damaged):
        desk.months.explain("bay1", "2026-03", 5, WHY)
    data, count = desk.exports.month(".json", month)
    exported, other = json.loads(data)
    assert (count, other["damage"]) == (2, None)
    assert exported["damage"] == str(row.damage)
    named = ("month", "meter", "stations", "damage")
    known = {name for name, value in exported.items() if value is not None}
    assert known == {*named, HEAD_COLUMN}
