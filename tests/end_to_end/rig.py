"""A simulated depot with a site that reads it: plays a script, keeps what was really served."""

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.running import Speed
from evdesk.bootstrap.running import collect as run_collector
from evdesk.bootstrap.sites import COLLECTOR, Opened, open_with_key
from evdesk.devices.simulator.loads import Session as Visit
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.domain.instants import rfc3339
from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.domain.secrets import Secret
from evdesk.domain.sessions import Flag, SessionState
from evdesk.domain.sessions import Session as Found
from evdesk.ports import SessionFilter
from evdesk.services.replacing import Told
from tests.end_to_end.places import PATIENCE_S, Served, depot, start_collector

STARTS_AT = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
MINUTE_MS = 60_000
STEP_MS = 10_000
CHARGER = "heidelberg-energy-control"
FULL_SPEED = Speed(given=True, times=None)
WH = 2_750  # what a car takes in the plain visit: 11 kW for a quarter of an hour


@dataclass(frozen=True)
class Blank:
    """A site without devices, to be copied."""

    folder: Path
    data_key: Secret


def _ms(minutes: float) -> int:
    return round(minutes * MINUTE_MS)


def visit(came: float, left: float, wh: int = WH, done: float | None = None, **more: str) -> Visit:
    """Return a car that came, was full and left at these minutes."""
    full = min(came + 15, left) if done is None else done
    return delivering(_ms(came), _ms(full), _ms(left), wh, **more)


PLAIN = visit(5, 25)


def slow(*cases: object) -> list[object]:
    """Return further cases of a row that run with the slow tests."""
    return [
        pytest.param(*(case if isinstance(case, tuple) else (case,)), marks=pytest.mark.slow)
        for case in cases
    ]


def bay(
    *faults: Fault, profile: str = CHARGER, visits: tuple[Visit, ...] = (PLAIN,), **more: object
) -> Device:
    """Return a charging point; its register begins at a number that is nobody's default."""
    plain: dict[str, object] = {"name": "bay", "initial_wh": 4_812_347, **more}
    return Device(profile=profile, sessions=visits, faults=faults, **plain)  # type: ignore[arg-type]


def box(*faults: Fault, **more: object) -> Device:
    """Return the charger of a point whose energy comes from the meter beside it."""
    return bay(*faults, **{"name": "box", **more})  # type: ignore[arg-type]


def fault(
    kind: FaultKind, begins: float, ends: float | None = None, amount: int = 0, **more: object
) -> Fault:
    """Return a fault between two minutes."""
    until = None if ends is None else _ms(ends)
    return Fault(kind, _ms(begins), until, amount, **more)  # type: ignore[arg-type]


class Rig:
    """A site and its depot; instants are minutes after the scenario's start."""

    def __init__(self, opened: Opened, served: Served, starts_at: datetime) -> None:
        self.opened, self._served, self._starts_at = opened, served, starts_at

    @property
    def log(self) -> Path:
        """Return the file of what was served."""
        return self._served.log

    def at(self, minute: float) -> datetime:
        """Return the instant of a minute."""
        return self._starts_at + timedelta(minutes=minute)

    def collect(self, until: float) -> None:
        """Let a collector work from where the last one stopped."""
        seconds = (self.at(until) - self.opened.services.clock.now()).total_seconds()
        run_collector(self.opened, seconds, FULL_SPEED)

    def switch_off(self, until: float) -> None:
        """Let time pass while no collector runs."""
        with self.opened.services.store.journal() as unit:
            unit.site.set_stepped(self.at(until))

    def kill_after(self, minute: float) -> None:
        """Let a collector process work until a minute is past, and end it as a power cut would."""
        child = start_collector(self.opened, "--speed", "600")
        ends = time.monotonic() + PATIENCE_S
        while self.minute() < minute:
            assert child.poll() is None
            assert time.monotonic() < ends
            time.sleep(0.01)
        child.kill()
        child.communicate()

    def minute(self) -> float:
        """Return how far the site's clock has come."""
        return (self.opened.services.clock.now() - self._starts_at) / timedelta(minutes=1)

    def join(self, energy: str, state: str, name: str = "joined") -> None:
        """Make one charging point of two devices."""
        stations = self.opened.services.stations
        for device in {energy, state} & self.stations():
            stations.retire(device)
        stations.add(name, energy, state)

    def announce(self, minute: float, final_wh: int, first_wh: int, serial: int) -> None:
        """Say, as a person does, that the meter was replaced; both registers were read off."""
        told = Told(final_wh, first_wh, str(serial), "Defective display", at=self.at(minute))
        self.opened.services.replacements.replace("bay", told)

    def check_accounts(self) -> None:
        """Whatever was played: each Wh a register counted is a session's, idle or in a gap."""
        instants = self._starts_at, self.opened.services.clock.now()
        for month in sorted({f"{instant:%Y-%m}" for instant in instants}):
            for row in self.opened.services.months.month(month).rows:
                assert row.counted.remainder.amount_wh == 0, (row.name, row.account)

    def stations(self) -> set[str]:
        """Return the names of the charging points in use."""
        return {row.station.name for row in self.opened.services.stations.rows()}

    def sessions(self, station: str | None = None) -> list[Found]:
        """Return all sessions, or those of a charging point, oldest first."""
        services = self.opened.services
        wanted = None if station is None else services.stations.find(station)
        return list(reversed(services.sessions.find(SessionFilter(station=wanted))))

    def the_session(self) -> Found:
        """Return the one session there is."""
        (found,) = self.sessions()
        return found

    def served_wh(self, minute: float, device: str = "bay") -> int:
        """Return the register as it was served at the last read up to a minute."""
        known = self._served.registers()[device]
        return known[max(at for at in known if at <= rfc3339(self.at(minute)))]

    def highest_wh(self, minute: float, device: str = "bay") -> int:
        """Return the highest register that was served up to a minute."""
        known = self._served.registers()[device]
        return max(wh for at, wh in known.items() if at <= rfc3339(self.at(minute)))

    def between_wh(self, begin: float, end: float, device: str = "bay") -> int:
        """Return what the served register rose by between the reads at two minutes."""
        return self.served_wh(end, device) - self.served_wh(begin, device)


@contextmanager
def rig(
    folder: Path,
    blank: Blank,
    *devices: Device,
    starts_at: datetime = STARTS_AT,
    step_ms: int = STEP_MS,
) -> Iterator[Rig]:
    """Serve devices and make a site that reads them every ``step_ms``."""
    refusing = any(f.kind is FaultKind.REFUSE for device in devices for f in device.faults)
    keeper = (Device("keeper", CHARGER),) if refusing else ()  # somebody must hear the time
    with depot(Scenario((*devices, *keeper), start_at=starts_at), folder) as served:
        site = Path(shutil.copytree(blank.folder, folder / "site"))
        opened = open_with_key(site, blank.data_key, COLLECTOR)
        with closing(opened.services.store) as store:
            with store.journal() as unit:
                unit.site.set_stepped(starts_at)
            choices = {device.name: dict(device.choices) for device in devices}
            for row in served.devices:
                _add(opened, row, step_ms, choices.get(str(row["name"]), {}))
            played = Rig(opened, served, starts_at)
            yield played
            played.check_accounts()


def _add(opened: Opened, row: dict[str, object], step_ms: int, choices: dict[str, str]) -> None:
    new = NewMeter(
        name=str(row["name"]),
        profile=str(row["profile"]),
        url=str(row["url"]),
        unit=int(str(row["unit"])),
        phases=str(row["phases"]),
        interval_ms=step_ms,
        role=MeterRole(str(row["role"])),
        choices=choices,
    )
    asyncio.run(opened.services.meters.add(new))


def assert_clean(found: Found, wh: int, *flags: Flag) -> None:
    """Closed, exact to the Wh, and flagged with just these."""
    wanted = (SessionState.CLOSED, wh, sorted(flags))
    assert _verdict(found) == wanted, f"{_verdict(found)} and not {wanted}"


def assert_doubted(found: Found, flag: Flag, wh: int | None = None) -> None:
    """In review for this reason; the energy, where it can be said, exact to the Wh."""
    state, energy_wh, flags = _verdict(found)
    assert state is SessionState.REVIEW, f"{_verdict(found)} and not in review"
    assert flag in flags, f"{flags} and not {flag}"
    assert wh is None or energy_wh == wh, f"{energy_wh} Wh and not {wh} Wh"


def _verdict(found: Found) -> tuple[SessionState, int | None, list[Flag]]:
    return found.state, found.figures.energy_wh, sorted(found.figures.flags)
