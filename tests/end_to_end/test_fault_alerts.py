"""What breaks in a depot is told once when it begins and once when it is over, whoever restarts."""

import asyncio
import shutil
import time
from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from sys import executable

import pytest

from evdesk.bootstrap.sites import COLLECTOR, open_with_key
from evdesk.devices.profile_file import load_profiles
from evdesk.devices.simulator.scenario import Device, FaultKind
from evdesk.domain.faults import Fault, FaultCode
from evdesk.domain.mail import MailState, Security
from evdesk.domain.meters import NewMeter
from evdesk.ports import FaultFilter
from evdesk.settings import shipped
from tests.end_to_end.rig import STEP_MS, Blank, Rig, bay, fault, rig, visit
from tests.fakes.mail_server import mail_server

STEP = timedelta(milliseconds=STEP_MS)
OUT_OF_ORDER = 10  # state register of the Heidelberg: locked, or its watchdog has bitten
DEVICES = (
    bay(name="fine"),
    bay(fault(FaultKind.SILENCE, 5, 10), name="quiet"),
    bay(fault(FaultKind.EXCEPTION, 5, 10, 4), name="refusing"),
    bay(fault(FaultKind.FREEZE, 8, 15), name="frozen"),
    bay(fault(FaultKind.JUMP, 10, None, 500_000), name="jumped"),
    bay(fault(FaultKind.RESET, 30), name="reset"),
    bay(fault(FaultKind.GLITCH, 10, 10.2), name="glitched"),
    bay(fault(FaultKind.STATE, 28, 32, OUT_OF_ORDER), name="broken"),
    bay(name="lopsided", visits=(visit(5, 25, phases="1"),)),
    bay(fault(FaultKind.SILENCE, 40, 50), name="unseen"),
    bay(
        fault(FaultKind.DROP, 30, 30.2),
        fault(FaultKind.SERIAL, 30, 35, serial=99),
        fault(FaultKind.DROP, 35, 35.2),
        name="swapped",
        profile="keba-p30",
        serial=4_711,
    ),
)


def faults(site: Rig) -> list[Fault]:
    return site.opened.services.faults.find(FaultFilter())


def told(site: Rig) -> dict[str, list[tuple[FaultCode, float, float | None]]]:
    """Return per device what began and ended, in minutes."""
    found: dict[str, list[tuple[FaultCode, float, float | None]]] = {}
    for each in sorted(faults(site), key=lambda each: each.since_at):
        began = _minute(site, each.since_at)
        ended = None if each.until_at is None else _minute(site, each.until_at)
        found.setdefault(each.meter or "", []).append((each.code, began, ended))
    return found


def _minute(site: Rig, at: datetime) -> float:
    return (at - site.at(0)) / timedelta(minutes=1)


def near(minute: float) -> object:
    return pytest.approx(minute, abs=3 * STEP / timedelta(minutes=1))


def test_each_fault_opens_and_closes_once_with_a_restart_in_between(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, *DEVICES) as site:
        site.collect(45)
        open_now = {(f.meter, f.code) for f in faults(site) if f.is_open}
        assert open_now == {("unseen", FaultCode.DEVICE_SILENT)}
        site.switch_off(55)
        site.collect(60)
        assert told(site) == {
            "quiet": [(FaultCode.DEVICE_SILENT, near(5), near(10))],
            "refusing": [(FaultCode.DEVICE_SILENT, near(5), near(10))],
            "frozen": [(FaultCode.REGISTER_FROZEN, near(8), near(15))],
            "jumped": [(FaultCode.IMPLAUSIBLE_VALUE, near(10), near(10.5))],
            "reset": [(FaultCode.IMPLAUSIBLE_VALUE, near(30), near(30.5))],
            "broken": [(FaultCode.INOPERATIVE, near(28), near(32))],
            "lopsided": [(FaultCode.UNBALANCED, near(5), near(20))],
            "unseen": [(FaultCode.DEVICE_SILENT, near(40), near(55))],
            "swapped": [(FaultCode.WRONG_SERIAL, near(30), near(35))],
        }
        unseen = next(f for f in faults(site) if f.meter == "unseen")
        assert unseen.unseen_end
        assert unseen.station == "unseen"
        seen = {
            row.meter.name: row.status.seen_serial for row in site.opened.services.meters.rows()
        }
        assert seen["swapped"] == "4711"
        assert Counter(f.unseen_end for f in faults(site)) == {False: 8, True: 1}


def test_a_collector_that_is_killed_is_told_when_the_next_one_starts(
    tmp_path: Path, blank: Blank
) -> None:
    with rig(tmp_path, blank, bay(fault(FaultKind.SILENCE, 2, 30))) as site:
        site.kill_after(6)
        assert [f.code for f in faults(site)] == [FaultCode.DEVICE_SILENT]
        site.collect(12)
        codes = {f.code: f.is_open for f in faults(site)}
        assert codes == {FaultCode.DEVICE_SILENT: True, FaultCode.COLLECTOR_STOPPED: False}
        site.collect(40)
        assert len(faults(site)) == 2
        assert not any(f.is_open for f in faults(site))


def test_faults_of_a_device_that_is_taken_away_are_over(tmp_path: Path, blank: Blank) -> None:
    with rig(tmp_path, blank, bay(), Device("spare", "abb-b23-b24",
             faults=(fault(FaultKind.SILENCE, 1),))) as site:  # fmt: skip
        site.collect(5)
        services = site.opened.services
        assert [(f.meter, f.is_open) for f in faults(site)] == [("spare", True)]
        services.stations.retire("spare")
        services.meters.remove("spare")
        site.collect(6)
        assert [(f.meter, f.is_open) for f in faults(site)] == [("spare", False)]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_no_device_there_is_a_profile_of_has_a_fault_on_a_plain_day(
    tmp_path: Path, blank: Blank
) -> None:
    known = load_profiles(shipped("resources") / "meters")
    devices = [bay(name=name, profile=name, serial=4_711) for name in sorted(known)]
    with rig(tmp_path, blank, *devices, step_ms=30_000) as site:
        site.collect(60)
        assert told(site) == {}


@pytest.mark.slow
def test_a_car_that_stays_or_draws_nothing_is_told_once(tmp_path: Path, blank: Blank) -> None:
    devices = (
        bay(name="stays", visits=(visit(5, 360),)),
        bay(name="trickles", visits=(visit(5, 360, 1_500, done=355),)),
    )
    with rig(tmp_path, blank, *devices) as site:
        site.collect(400)
        assert told(site) == {
            "stays": [(FaultCode.LONG_IDLE, near(20), near(360))],
            "trickles": [(FaultCode.LOW_CONSUMPTION, near(5), near(355))],
        }


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_the_owner_is_written_to_while_nobody_is_at_the_computer(
    tmp_path: Path, real_blank: Blank
) -> None:
    site = Path(shutil.copytree(real_blank.folder, tmp_path / "site"))
    opened = open_with_key(site, real_blank.data_key, COLLECTOR)
    dead = NewMeter("bay1", "keba-p30", "tcp://127.0.0.1:9", 255)
    with closing(opened.services.store), mail_server(Security.PLAIN) as box:
        asyncio.run(opened.services.meters.add(dead))
        opened.services.mail.set_server(box.server(Security.PLAIN))
        command = [executable, "-m", "evdesk", "--site", str(site), "collect", "--key-stdin"]
        with Popen(command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL) as child:
            assert child.stdin is not None
            child.stdin.write(real_blank.data_key.reveal().hex().encode() + b"\n")
            child.stdin.flush()
            ends = time.monotonic() + 180
            while not box.messages and time.monotonic() < ends:
                time.sleep(0.5)
            opened.services.site.stop_collector()
            child.wait(30)
        (posted,) = opened.services.mail.newest()
    (message,) = box.messages
    assert message["To"] == "owner@depot.example"
    assert message["Subject"] == "Test depot: bay1: Device cannot be read"
    assert "What to do: Check its power" in message.get_content()
    assert (posted.state, posted.attempts) == (MailState.SENT, 1)
