"""What watching costs: a reading folded into faults, against making the reading in the first place.

Aim: 5 us a reading at one a second, on a core of one's own. Measured on 2 cores: 3.2 to 3.4 us
while nobody else worked, up to 6 while others did; 0.7 to 1.1 times what it costs to make a
reading of values that are decoded already. A third of it is the look at voltages, currents and
the car, which is taken every 10 s.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from evdesk.domain.points import PointUse, PointWatch
from evdesk.domain.readings import MeterId, PilotState, Reading, Signs
from evdesk.domain.watching import DeviceWatch, Watched
from evdesk.settings import FAULTS

READINGS, ROUNDS = 50_000, 5
MOST = 2.0  # times making a reading
START = datetime(2026, 3, 2, tzinfo=UTC)
METER = MeterId(1)


def watch() -> DeviceWatch:
    made = DeviceWatch(Watched(METER, "keba-p30", 1000, 1, 50_000.0), FAULTS, [1])
    point = PointWatch(FAULTS, made.latches, 1)
    made.sockets[1].uses.append(PointUse(point, energy=True, state=True))
    return made


def readings() -> list[tuple[Reading]]:
    """A car that charges at 11 kW, with the charger's signs in every tenth cycle."""
    amps, volts = (16.0, 16.1, 15.9), (230.1, 229.8, 230.4)
    signs = Signs(serial="4711", error_code=0, session_wh=9, connected_s=60)
    return [
        (
            Reading(
                METER, 1, START + timedelta(seconds=n), 5_000 + 3 * n, b"\0\0\x13\x88",
                11_041.5, amps, volts, PilotState.C, None if n % 10 else signs,
            ),
        )
        for n in range(READINGS)
    ]  # fmt: skip


def best_us(work: Callable[[], object]) -> float:
    """Return the least CPU time a reading over some rounds."""
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        work()
        found.append((time.process_time() - begun) / READINGS * 1e6)
    return min(found)


def test_watching_costs_little_beside_a_reading() -> None:
    cycles = readings()

    def fold() -> None:
        of = watch()
        for cycle in cycles:
            assert not of.on_readings(cycle)

    watching, making = best_us(fold), best_us(readings)
    print(f"\nwatching: {watching:.2f} us a reading, {watching / making:.2f} times making one")
    assert watching <= MOST * making
