"""From sockets to the month's account: every Wh a meter counted is somewhere, or stands out."""

import random
from pathlib import Path

import pytest

from evdesk.devices.simulator.scenario import Fault, FaultKind
from evdesk.domain.instants import to_ms
from evdesk.domain.reconciling import GapKind, RestKind
from evdesk.services.reconciling import MeterMonth
from tests.end_to_end.plagued import STEPPING, ServedLog, served_logs
from tests.end_to_end.rig import Blank, bay, fault, rig, visit
from tests.end_to_end.test_fault_fuzz import (
    STEP_MS,
    collect_with_restarts,
    join,
    random_devices,
)

MONTH = "2026-03"


def test_a_month_with_silences_restarts_and_a_reset_adds_up(tmp_path: Path, blank: Blank) -> None:
    visits = (visit(5, 25), visit(40, 70), visit(90, 110), visit(130, 140))
    faults = (
        fault(FaultKind.SILENCE, 10, 18),  # the first car charges on
        fault(FaultKind.SILENCE, 100, 120),  # the third one leaves unseen
        fault(FaultKind.RESET, 125),
    )
    with rig(tmp_path, blank, bay(*faults, visits=visits)) as played:
        played.collect(30)
        played.collect(55)
        played.switch_off(62)
        played.collect(150)
        (row,) = played.opened.services.months.month(MONTH).rows
        found, sessions = row.counted, played.sessions()
        before, after = played.between_wh(0, 124), played.served_wh(150)
        assert row.unexplained_wh == 0
        assert found.rests == ()
        assert found.delta_wh == before + after
        assert found.sessions_wh == sum(one.energy_wh or 0 for one in sessions)
        (silence, reset) = found.gaps
        assert (silence.kind, silence.wh) == (GapKind.SILENCE, played.between_wh(99.9, 121))
        assert (reset.kind, reset.complete) == (GapKind.RESET, False)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", [3, 4, 33, 71])
def test_whatever_happens_nothing_is_left_to_explain(
    tmp_path: Path, blank: Blank, seed: int
) -> None:
    chance = random.Random(seed)
    devices = random_devices(chance)
    with rig(tmp_path, blank, *devices, step_ms=STEP_MS) as site:
        join(site)
        collect_with_restarts(site, chance)
        rows = {row.name: row for row in site.opened.services.months.month(MONTH).rows}
        logs = served_logs(site.log)
        for device in devices:
            if device.name in rows:
                check(rows[device.name], logs[device.name], device.faults)
        billing = {device.name for device in devices} - {"box"}  # it tells of cars only
        assert set(rows) - {"keeper"} == billing


def check(row: MeterMonth, log: ServedLog, faults: tuple[Fault, ...]) -> None:
    found = row.counted
    unread = [rest for rest in found.rests if rest.kind is RestKind.NO_REGISTER]
    assert list(found.rests) == unread, row.name
    assert found.rest_wh == sum(rest.wh for rest in unread)
    assert found.start is not None
    assert found.end is not None
    if not any(one.kind in STEPPING for one in faults):
        assert found.start.wh == log.wh_at(to_ms(found.start.at))
        assert found.end.wh == log.wh_at(to_ms(found.end.at))
        assert found.delta_wh == found.end.wh - found.start.wh
        assert all(gap.complete for gap in found.gaps), row.name
