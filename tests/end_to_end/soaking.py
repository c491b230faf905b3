"""What a soak plays: twenty devices of different makes, their cars, and faults from a seed."""

import json
import random
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from evdesk.devices.simulator.loads import Session as Visit
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.domain.instants import to_ms

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MAX_W = 22_000
TOO_LATE_MS = 3_500
CHARGERS = (
    *("heidelberg-energy-control", "keba-p30", "goe-gemini", "alfen-eve", "abl-em4"),
    *("amperfied-connect", "bender-cc6xx", "cfos-power-brain", "phoenix-charx", "sungrow-ac011e"),
)
METERS = (
    *("abb-b23-b24", "eastron-sdm54", "eastron-sdm630", "janitza-umg96-b23", "orno-we525-we526"),
    *("sbc-ale3", "sunspec-float", "sunspec-int-sf", "chint-dtsu666", "carlogavazzi-em24-e1"),
)
# Kind, its amount, and how long it may last in seconds: what makes the machine wait is kept short.
PLAGUES = (
    (FaultKind.SILENCE, 0, (20, 60, 300, 1_800)),
    (FaultKind.SLOW, 60, (20, 60)),
    (FaultKind.SLOW, TOO_LATE_MS, (20, 60)),
    (FaultKind.EXCEPTION, 4, (20, 60, 300)),
    (FaultKind.EXCEPTION, 6, (20, 60, 300)),
    (FaultKind.DROP, 0, (20, 60, 300)),
    (FaultKind.CROSSED, 0, (20, 60)),
    (FaultKind.REFUSE, 0, (20, 60, 300)),
    (FaultKind.SENTINEL, 0, (1, 20, 300)),
    (FaultKind.GLITCH, 0, (1, 2, 20)),
    (FaultKind.GLITCH, 2**32, (1, 2, 20)),
    (FaultKind.FLUTTER, 1, (60, 1_800)),
    (FaultKind.FREEZE, 0, (60, 600)),
    (FaultKind.STATE, 250, (1, 20, 300)),
)
LASTING = ((FaultKind.RESET, 0), (FaultKind.REWIND, 3_000), (FaultKind.JUMP, 2**20))
LATE = frozenset({FaultKind.SLOW, FaultKind.CROSSED})


def plagued_depot(seed: int, hours: int, starts_at: datetime) -> Scenario:
    """Return twenty devices with cars and faults for so many hours; the first never refuses."""
    chance = random.Random(seed)
    devices = tuple(
        Device(
            name=profile,
            profile=profile,
            initial_wh=chance.randrange(10**6, 10**7),
            sessions=_visits(chance, hours),
            faults=_faults(chance, hours, may_refuse=bool(number)),
        )
        for number, profile in enumerate((*CHARGERS, *METERS))
    )
    return Scenario(devices=devices, start_at=starts_at)


def _visits(chance: random.Random, hours: int) -> tuple[Visit, ...]:
    visits, at = list[Visit](), chance.randrange(2, 40) * MINUTE_MS
    while at < (hours * 60 - 20) * MINUTE_MS:
        stay_s = chance.randrange(900, 14_400)
        drawing_s = stay_s if chance.random() < 0.5 else stay_s // 2
        wh = chance.randrange(2_000, MAX_W) * drawing_s // 3600
        visits.append(delivering(at, at + drawing_s * 1000, at + stay_s * 1000, wh))
        at += stay_s * 1000 + chance.randrange(20, 180) * MINUTE_MS
    return tuple(visits)


def _faults(chance: random.Random, hours: int, *, may_refuse: bool) -> tuple[Fault, ...]:
    faults = []
    for _ in range(chance.randrange(hours // 3, hours)):
        kind, amount, lasts = chance.choice(PLAGUES)
        if kind is FaultKind.REFUSE and not may_refuse:
            continue
        begins = chance.randrange(hours * HOUR_MS)
        faults.append(Fault(kind, begins, begins + chance.choice(lasts) * 1000, amount))
    if chance.random() < 0.5:
        kind, amount = chance.choice(LASTING)
        faults.append(Fault(kind, chance.randrange(hours * HOUR_MS), None, amount))
    return tuple(faults)


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
