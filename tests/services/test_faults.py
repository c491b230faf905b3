"""Faults as use cases: listed, acknowledged, timed, exported; and seen without a collector."""

import json
from datetime import timedelta

import pytest

from evdesk.documents.tables import Tables
from evdesk.domain.errors import UserError
from evdesk.domain.faults import FaultChange, FaultCode, FaultId, FaultKey
from evdesk.domain.meters import MeterState, MeterStatus
from evdesk.domain.surroundings import Surroundings
from evdesk.ports import FaultFilter
from evdesk.services.faults import FaultService
from tests.fakes.clock import START, SetClock
from tests.fakes.computer import SetComputer
from tests.services.desk import OWNER, Desk

EVERYTHING = FaultFilter()
MINUTE = timedelta(minutes=1)


@pytest.fixture
def wall() -> SetClock:
    return SetClock()


@pytest.fixture
def computer() -> SetComputer:
    return SetComputer()


@pytest.fixture
def faults(desk: Desk, wall: SetClock, computer: SetComputer) -> FaultService:
    return FaultService(desk.store, desk.clock, wall, computer, Tables())


def happen(desk: Desk, code: FaultCode, minute: float, *, opened: bool = True, meter=None) -> None:
    change = FaultChange(FaultKey(code, meter), START + minute * MINUTE, {}, opened=opened)
    with desk.store.journal() as unit:
        unit.faults.apply([change], "collector")


def told(faults: FaultService) -> list[tuple[str, bool]]:
    return [(fault.code.value, fault.is_open) for fault in faults.find(EVERYTHING)]


def read_at(desk: Desk, minute: float) -> None:
    """Say that a device was last read then."""
    if not desk.meters.rows():
        desk.add_meter()
    meter = desk.meters.rows()[0].meter.id
    with desk.store.journal() as unit:
        status = MeterStatus(meter, MeterState.OK, START + minute * MINUTE)
        unit.meters.save_statuses([status])


def test_acknowledging_is_audited_with_its_note_and_happens_once(desk, faults) -> None:
    happen(desk, FaultCode.CLOCK_JUMP, 0)
    (fault,) = faults.find(EVERYTHING)
    seen = faults.acknowledge(fault.id, "  the clock battery is new ")
    assert (seen.acknowledged_by, seen.note) == (OWNER.name, "the clock battery is new")
    entry = desk.audit()[-1]
    assert (entry.action, entry.object_ref) == ("fault.acknowledged", str(fault.id))
    assert entry.reason == "the clock battery is new"
    assert json.loads(entry.facts)["code"] == "clock_jump"
    with desk.refused("acknowledged by Ada already"):
        faults.acknowledge(fault.id)


def test_an_unknown_fault_cannot_be_acknowledged(desk, faults) -> None:
    with desk.refused("There is no fault 7"):
        faults.acknowledge(FaultId(7))


def test_time_to_repair_counts_what_ended_in_the_month(desk, faults) -> None:
    meter = desk.add_meter().meter.id
    for begins, ends in ((0, 10), (20, 50)):
        happen(desk, FaultCode.DEVICE_SILENT, begins, meter=meter)
        happen(desk, FaultCode.DEVICE_SILENT, ends, opened=False, meter=meter)
    happen(desk, FaultCode.COLLECTOR_STOPPED, 0)
    happen(desk, FaultCode.COLLECTOR_STOPPED, 5, opened=False)
    happen(desk, FaultCode.PHASE_LOST, 60, meter=meter)
    month = [(r.device, r.faults, r.mean_s, r.longest_s) for r in faults.repairs("2026-03")]
    assert month == [("bay1", 2, 1_200, 1_800), ("", 1, 300, 300)]
    assert faults.repairs("2026-02") == []
    with pytest.raises(UserError, match="March is no month"):
        faults.repairs("March")


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".json"])
def test_faults_are_exported(desk, faults, suffix) -> None:
    happen(desk, FaultCode.CLOCK_JUMP, 0)
    content, rows = faults.export(suffix, EVERYTHING)
    assert rows == 1
    if suffix == ".json":
        assert json.loads(content)[0]["what_to_do"].startswith("Let the computer")
    assert content


def test_a_collector_that_died_is_seen_from_outside_at_once(desk, faults, wall) -> None:
    with desk.store.journal() as unit:
        unit.collector.take(42, "pc", START)
    faults.look()
    assert told(faults) == []
    wall.at = START + MINUTE
    faults.look()
    faults.look()
    (fault,) = faults.find(EVERYTHING)
    assert (fault.code, fault.since_at) == (FaultCode.COLLECTOR_STOPPED, START)


def test_a_collector_that_was_stopped_is_missed_after_a_while(desk, faults, wall) -> None:
    read_at(desk, 0)
    wall.at = START + 10 * MINUTE
    faults.look()
    assert told(faults) == []
    wall.at = START + 16 * MINUTE
    faults.look()
    (fault,) = faults.find(EVERYTHING)
    assert (fault.code, fault.since_at) == (FaultCode.COLLECTOR_STOPPED, START)


def test_a_site_without_devices_misses_no_collector(desk, faults, wall) -> None:
    wall.at = START + 999 * MINUTE
    faults.look()
    assert told(faults) == []


def test_a_disk_that_fills_up_opens_low_and_closes_with_room_to_spare(
    desk, faults, computer
) -> None:
    for free_mb in (2_000, 900, 1_200, 1_600):
        computer.now = Surroundings(free_bytes=free_mb * 1_000_000)
        faults.look()
    assert told(faults) == [("disk_nearly_full", False)]
    computer.now = Surroundings(free_bytes=None)
    faults.look()
    assert told(faults) == [("disk_nearly_full", False)]
