"""A month's account is the same from rows, from sealed hours and from thinned days.

Random days with random faults go through the journal; then the hours are sealed, then the days
thinned out. Nothing of the account may move: no Wh from a gap to idle time, no session, no rest.
"""

import asyncio
import random
import shutil
import struct
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import COLLECTOR, Opened, open_with_key
from evdesk.domain.errors import UserError
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import NewMeter
from evdesk.domain.readings import PilotState, Reading
from evdesk.domain.reconciling import Account
from evdesk.ports import Store
from evdesk.services.journaling import Journal, Reach
from evdesk.services.replacing import Told
from evdesk.services.sealing import Archivist
from tests.end_to_end.rig import Blank

STARTS_AT = datetime(2026, 3, 31, 6, tzinfo=UTC)  # the month ends 16 hours later in Berlin
MONTHS = ("2026-03", "2026-04")
S, MINUTE, HOUR = 1_000, 60_000, 3_600_000  # in ms, like all instants here
QUICK_HOURS, HOURS = 42, 96
KINDS = (
    *("silence", "silence", "silence", "off", "unread", "frozen", "flutter", "zero", "glitch"),
    *("reset", "rewound", "jump", "replaced", "announced"),
)
STEPS = frozenset({"reset", "rewound", "jump", "replaced", "announced"})
LASTS = (30 * S, 70 * S, 5 * MINUTE, HOUR, 4 * HOUR)


@dataclass(frozen=True)
class Fault:
    """What goes wrong from one instant to another; ``wh`` is by how much, or a first register."""

    kind: str
    from_ms: int
    to_ms: int
    wh: int


class Days:
    """Cars that come and go, what they draw, and a counter that suffers faults."""

    def __init__(self, chance: random.Random, hours: int) -> None:
        self.initial_wh = chance.randrange(10**5, 9 * 10**6)
        self.base_w = chance.choice([0, 0, 5, 30])
        self.visits: list[tuple[int, int]] = []
        self.pieces: list[tuple[int, int]] = [(0, 0)]
        self._add_visits(chance, hours * HOUR)
        self.counted = [0]
        for (begin, power_w), (end, _) in zip(self.pieces, self.pieces[1:], strict=False):
            self.counted.append(self.counted[-1] + power_w * (end - begin))
        self.faults = sorted(_faults(chance, hours), key=lambda one: one.from_ms)

    def _add_visits(self, chance: random.Random, end_ms: int) -> None:
        at_ms = chance.randrange(30) * MINUTE
        while True:
            leaves_ms = (
                at_ms + chance.choice([chance.randrange(60), chance.randrange(240)]) * MINUTE
            )
            if leaves_ms > end_ms - 20 * MINUTE:
                return
            self.visits.append((at_ms, leaves_ms))
            full_w = chance.choice([1_400, 3_700, 7_400, 11_000, 22_000])
            while at_ms < leaves_ms:
                self.pieces.append((at_ms, chance.choice([0, 60, 150, full_w, full_w])))
                at_ms += chance.randrange(20, 2_400) * S
            self.pieces.append((leaves_ms, 0))
            self.pieces.sort()
            at_ms = leaves_ms + chance.randrange(1, 120) * MINUTE

    def has(self, kind: str, at_ms: int) -> bool:
        return any(one.kind == kind and one.from_ms <= at_ms < one.to_ms for one in self.faults)

    def power_w(self, at_ms: int) -> int:
        return self.base_w + self.pieces[bisect_right(self.pieces, (at_ms, 10**9)) - 1][1]

    def pilot(self, at_ms: int) -> PilotState:
        if not any(begin <= at_ms < end for begin, end in self.visits):
            return PilotState.A
        return PilotState.C if self.power_w(at_ms) > 100 else PilotState.B

    def true_wh(self, at_ms: int) -> int:
        """What the counter would show that nothing happens to."""
        piece = bisect_right(self.pieces, (at_ms, 10**9)) - 1
        begin_ms, power_w = self.pieces[piece]
        counted = self.counted[piece] + power_w * (at_ms - begin_ms) + self.base_w * at_ms
        return self.initial_wh + counted // HOUR

    def shown_wh(self, at_ms: int) -> int:
        """What it shows after its steps."""
        shift_wh = 0
        for fault in self.faults:
            if fault.from_ms > at_ms or fault.kind not in STEPS:
                continue
            true_wh = self.true_wh(fault.from_ms)
            match fault.kind:
                case "reset":
                    shift_wh = -true_wh
                case "rewound":
                    shift_wh -= fault.wh
                case "jump":
                    shift_wh += fault.wh
                case _:
                    shift_wh = self.first_wh(fault) - true_wh
        return max(self.true_wh(at_ms) + shift_wh, 0)

    def first_wh(self, fault: Fault) -> int:
        """The first register of the meter that was put in this one's place."""
        return 7_919 * fault.wh

    def register_wh(self, at_ms: int) -> int | None:
        """What is read."""
        if self.has("unread", at_ms):
            return None
        if self.has("zero", at_ms):
            return 0
        if self.has("glitch", at_ms):
            return 2**31
        frozen = [one.from_ms for one in self.faults if one.kind == "frozen" and one.to_ms > at_ms]
        wh = self.shown_wh(min([at_ms, *frozen]))
        return max(wh - (self.has("flutter", at_ms) and at_ms // S % 3 == 0), 0)


def _faults(chance: random.Random, hours: int) -> Iterator[Fault]:
    midnight_ms = 16 * HOUR
    for _ in range(chance.randrange(9)):
        from_ms_ = chance.randrange(hours * HOUR)
        if chance.random() < 0.3:
            from_ms_ = midnight_ms + chance.randrange(-30, 30) * MINUTE
        to_ms_ = from_ms_ + chance.choice(LASTS)
        yield Fault(chance.choice(KINDS), from_ms_, to_ms_, chance.choice([1, 50, 300, 3_000]))


class Played:
    """One bay of a site whose readings a test writes into the journal."""

    def __init__(self, opened: Opened, chance: random.Random, hours: int, every_ms: int) -> None:
        self.opened, self.chance, self.hours, self.every_ms = opened, chance, hours, every_ms
        self.bare = chance.random() < 0.35  # a meter that knows nothing of cars
        self.days = Days(chance, hours)
        profile = "eastron-sdm630" if self.bare else "heidelberg-energy-control"
        new = NewMeter(
            name="bay", profile=profile, url="tcp://127.0.0.1:1", unit=1, interval_ms=every_ms
        )
        asyncio.run(opened.services.meters.add(new))
        with self.store.journal() as unit:
            unit.archive.set_thinning(1)
            self.meter = unit.meters.all()[0].id
        self.journal = self.started()

    @property
    def store(self) -> Store:
        return self.opened.services.store

    def started(self) -> Journal:
        return Journal(self.store, {self.meter: Reach(self.every_ms, 1, 2**32)})

    def play(self) -> None:
        """Journal all days, in commits of some, with a restart now and then."""
        waiting: list[Reading] = []
        most = 20
        told = [one for one in self.days.faults if one.kind == "announced"]
        for at_ms in range(0, self.hours * HOUR, self.every_ms):
            while told and told[0].from_ms <= at_ms:
                self.commit(waiting)
                self.announce(told.pop(0))
            if self.days.has("off", at_ms):
                self.commit(waiting)
                self.journal = self.started()
            elif not self.days.has("silence", at_ms):
                waiting.append(self.reading(at_ms))
            if len(waiting) >= most:
                self.commit(waiting)
                most = self.chance.randrange(1, 300)
        self.commit(waiting)
        self.set_clock(self.hours * HOUR)

    def commit(self, waiting: list[Reading]) -> None:
        if waiting:
            self.journal.commit(waiting)
            waiting.clear()

    def announce(self, fault: Fault) -> None:
        """Say that the meter is replaced; what cannot be is refused."""
        self.set_clock(fault.from_ms)
        at, final_wh = self.at(fault.from_ms), self.days.shown_wh(fault.from_ms - 1)
        told = Told(final_wh, self.days.first_wh(fault), None, "it was old", at=at)
        try:
            self.opened.services.replacements.replace("bay", told)
        except UserError:
            return
        self.journal = self.started()
        self.journal.settle()

    def reading(self, at_ms: int) -> Reading:
        wh, power_w = self.days.register_wh(at_ms), float(self.days.power_w(at_ms))
        return Reading(
            *(self.meter, 1, self.at(at_ms), wh, b"" if wh is None else struct.pack(">I", wh)),
            power_w,
            (round(power_w / 690, 3),) * 3,
            (230.0,) * 3,
            None if self.bare else self.days.pilot(at_ms),
        )

    def at(self, ms: int) -> datetime:
        return from_ms(to_ms(STARTS_AT) + ms)

    def set_clock(self, ms: int) -> None:
        with self.store.journal() as unit:
            unit.site.set_stepped(self.at(ms))

    def accounts(self) -> dict[str, list[Account | None]]:
        months = self.opened.services.months
        return {month: [row.account for row in months.month(month).rows] for month in MONTHS}

    def kept(self) -> int:
        with self.store.read() as unit:
            return unit.readings.count()

    def archive(self, *after: timedelta) -> None:
        """Seal what is over by then; thin out from the second run on."""
        archivist = Archivist(self.store)
        for later in after:
            while archivist.step(self.at(self.hours * HOUR) + later):
                pass


@contextmanager
def played(
    folder: Path, blank: Blank, seed: int, hours: int, every_s: tuple[int, ...]
) -> Iterator[Played]:
    chance = random.Random(seed)
    site = Path(shutil.copytree(blank.folder, folder / "site"))
    opened = open_with_key(site, blank.data_key, COLLECTOR)
    with closing(opened.services.store):
        found = Played(opened, chance, hours, S * chance.choice(every_s))
        found.play()
        yield found


def check(site: Played) -> None:
    as_rows, readings = site.accounts(), site.kept()
    assert any(as_rows.values())
    site.archive(timedelta(hours=2))
    assert site.accounts() == as_rows
    assert site.kept() == readings
    site.archive(timedelta(days=30), timedelta(days=30, hours=2))
    assert site.accounts() == as_rows
    assert site.kept() < readings


@pytest.mark.parametrize("seed", [2, 26, 43])
def test_sealing_and_thinning_move_nothing(tmp_path: Path, blank: Blank, seed: int) -> None:
    with played(tmp_path, blank, seed, QUICK_HOURS, (60,)) as site:
        check(site)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("seed", range(100, 160))
def test_sealing_and_thinning_move_nothing_of_more_days(
    tmp_path: Path, blank: Blank, seed: int
) -> None:
    with played(tmp_path, blank, seed, HOURS, (10, 20, 60, 60, 120)) as site:
        check(site)
