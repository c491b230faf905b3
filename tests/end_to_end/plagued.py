"""Cars and faults from a seed, what was served through them, and what must hold all the same."""

import json
import random
from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from evdesk.devices.simulator.loads import UNITS_PER_WH, delivering
from evdesk.devices.simulator.loads import Session as Car
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind
from evdesk.domain.instants import to_ms
from evdesk.domain.sessions import Flag, SessionState
from evdesk.domain.sessions import Session as Found

MS = timedelta(milliseconds=1)
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MAX_W = 22_000
TOO_LATE_MS = 3_500
IDLE_MINUTES = 20  # between two cars: a bare meter takes a shorter pause for part of a session
CARDS = ("", "04A1B2C3", "04D4E5F6", "04171717")
# Kind, its amount, and how long it may last in seconds: what makes the machine wait is kept short.
PLAGUES = (
    (FaultKind.SILENCE, 0, (20, 60, 300, 2_400)),
    (FaultKind.SLOW, 60, (20, 60)),
    (FaultKind.SLOW, TOO_LATE_MS, (20, 60)),
    (FaultKind.EXCEPTION, 4, (20, 60, 300)),
    (FaultKind.EXCEPTION, 6, (20, 60, 300)),
    (FaultKind.DROP, 0, (20, 60, 300)),
    (FaultKind.CROSSED, 0, (20, 60)),
    (FaultKind.REFUSE, 0, (20, 60, 300)),
    (FaultKind.SENTINEL, 0, (1, 20, 300)),
    (FaultKind.GLITCH, 0, (1, 2, 20, 300)),
    (FaultKind.GLITCH, 2**32, (1, 2, 20)),
    (FaultKind.FLUTTER, 1, (60, 1_800)),
    (FaultKind.FREEZE, 0, (60, 600)),
    (FaultKind.STATE, 250, (1, 20, 300)),
    (FaultKind.POWER, 130, (60, 1_800)),
    (FaultKind.SESSION_RESET, 0, (1,)),
    (FaultKind.SESSION_FREEZE, 0, (300, 1_800)),
    (FaultKind.SESSION_LIFETIME, 0, (300, 1_800)),
)
STEPS = (
    (FaultKind.RESET, 0),
    (FaultKind.REWIND, 3_000),
    (FaultKind.JUMP, 2**20),
    (FaultKind.REPLACE, 70),
)
# After one of these a register may be taken for another one, or for one that began anew.
STEPPING = frozenset({*(kind for kind, _ in STEPS), FaultKind.GLITCH, FaultKind.FREEZE})
STEP_FLAGS = frozenset({Flag.METER_RESET, Flag.METER_REWOUND, Flag.METER_CHANGED, Flag.ROLLOVER})
LATE = frozenset({FaultKind.SLOW, FaultKind.CROSSED})
OLD_SERIAL, NEW_SERIAL = 21_000_111, 21_000_222


def random_cars(chance: random.Random, hours: int) -> tuple[Car, ...]:
    """Return cars for so many hours; half of them are full before they leave."""
    cars, at = list[Car](), chance.randrange(2, 40) * MINUTE_MS
    while at < (hours * 60 - 20) * MINUTE_MS:
        stay_s = chance.randrange(900, 14_400)
        drawing_s = stay_s if chance.random() < 0.5 else stay_s // 2
        wh = chance.randrange(2_000, MAX_W) * drawing_s // 3600
        tag = chance.choice(CARDS)
        cars.append(delivering(at, at + drawing_s * 1000, at + stay_s * 1000, wh, tag=tag))
        at += stay_s * 1000 + chance.randrange(IDLE_MINUTES, 180) * MINUTE_MS
    return tuple(cars)


def random_faults(
    chance: random.Random, hours: int, count: int, *, may_refuse: bool = True
) -> tuple[Fault, ...]:
    """Return so many passing faults, and with luck a step of the register that stays."""
    faults = []
    for _ in range(count):
        kind, amount, lasts = chance.choice(PLAGUES)
        begins = chance.randrange(hours * HOUR_MS)
        if may_refuse or kind is not FaultKind.REFUSE:
            faults.append(Fault(kind, begins, begins + chance.choice(lasts) * 1000, amount))
    if chance.random() < 0.3:
        kind, amount = chance.choice(STEPS)
        begins = chance.randrange(hours * HOUR_MS)
        faults.append(Fault(kind, begins, None, amount, serial=NEW_SERIAL))
    return tuple(faults)


# -- what was served ------------------------------------------------------------------------------


@dataclass
class ServedLog:
    """Instants and Wh that one device served, in order; -1 Wh where it said "not available"."""

    at_ms: "array[int]" = field(default_factory=lambda: array("q"), repr=False)
    wh: "array[int]" = field(default_factory=lambda: array("q"), repr=False)

    def add(self, at_ms: int, wh: int | None) -> None:
        """Take in a line; what was served twice for one instant must be the same."""
        shown = -1 if wh is None else wh
        if self.at_ms and self.at_ms[-1] == at_ms:
            assert self.wh[-1] == shown
            return
        assert not self.at_ms or self.at_ms[-1] < at_ms
        self.at_ms.append(at_ms)
        self.wh.append(shown)

    def wh_at(self, at_ms: int) -> int | None:
        """Return what was served at an instant; None where nothing was."""
        index = bisect_left(self.at_ms, at_ms)
        found = index < len(self.at_ms) and self.at_ms[index] == at_ms
        return self.wh[index] if found else None


def served_logs(log: Path) -> dict[str, ServedLog]:
    """Return what each device served; line by line, as the log of a day is large."""
    found: dict[str, ServedLog] = {}
    with log.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            at_ms = to_ms(datetime.fromisoformat(row["at"]))
            found.setdefault(row["device"], ServedLog()).add(at_ms, row["register_wh"])
    return found


def could_be_late(device: Device, since_start_ms: int) -> bool:
    """Say whether an answer of that instant may have come too late to be taken."""
    return any(fault.kind in LATE and fault.holds(since_start_ms) for fault in device.faults)


# -- what must hold -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """What a device really did: its cars, what it served, the resolution of its register."""

    device: Device
    log: ServedLog
    starts_at: datetime
    resolution_wh: int

    def check(self, found: Sequence[Found]) -> None:
        """Hold sessions against it: what is billed without a doubt is right, and never too much."""
        for one in found:
            self._check_registers(one)
        billed = [one for one in found if one.state is SessionState.CLOSED]
        for one in billed:
            if not one.figures.flags:
                self._check_sure(one)
        taken_wh = sum(_wh(car) for car in self.device.sessions)
        assert sum(one.figures.energy_wh or 0 for one in billed) <= taken_wh + self.resolution_wh

    def _check_registers(self, one: Found) -> None:
        """Both registers are what was served at that instant, and make the energy."""
        start, end = one.figures.start, one.figures.end
        for register in (start, end):
            assert register is None or self.log.wh_at(to_ms(register.at)) == register.wh, one
        if start and end and not one.figures.flags & STEP_FLAGS:
            assert one.figures.energy_wh == end.wh - start.wh, one

    def _check_sure(self, one: Found) -> None:
        """A session without a flag is one car's, with all that it took and nothing else."""
        assert one.figures.unplugged_at is not None
        begun = (one.figures.plugged_in_at - self.starts_at) // MS
        ended = (one.figures.unplugged_at - self.starts_at) // MS
        cars = [
            car for car in self.device.sessions if car.plug_in_ms < ended and car.unplug_ms > begun
        ]
        assert len(cars) == 1, (one, cars)
        apart_wh = abs((one.figures.energy_wh or 0) - _wh(cars[0]))
        assert apart_wh <= self._unnoticed_wh(), (one, _wh(cars[0]))

    def _unnoticed_wh(self) -> int:
        """Return what may be missing unnoticed: a step, or what a register may stand still for."""
        freezes = any(fault.kind is FaultKind.FREEZE for fault in self.device.faults)
        return max(5 * self.resolution_wh, 100) if freezes else self.resolution_wh + 1


def _wh(car: Car) -> int:
    return (car.energy_units or 0) // UNITS_PER_WH
