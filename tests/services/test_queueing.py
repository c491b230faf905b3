"""Whose turn it is on a bus, in a time of its own: nobody starves, and the bus is used up."""

from dataclasses import dataclass
from itertools import pairwise

import hypothesis.strategies as st
import pytest
from hypothesis import given

from evdesk.domain.device_memory import Refusal
from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import Meter, MeterRole, MeterState, MeterStatus
from evdesk.domain.readings import MeterId, Reading
from evdesk.ports import Decided
from evdesk.services.polling import Plan
from evdesk.services.queueing import SLACK, BusQueue, spread
from tests.fakes.clock import START

TIMEOUT_S = 1.0


@dataclass
class StillReader:
    """Implements ``ports.MeterReader`` as far as a queue looks at it."""

    cycle_ms: int
    bus: str = "rtu:///dev/line"
    requests: int = 0
    errors: int = 0
    decided: tuple[Decided, ...] = ()
    refusals: frozenset[Refusal] = frozenset()

    async def read(self) -> tuple[Reading, ...]:
        return ()


def plan(number: int, cycle_ms: int, interval_ms: int | None = None) -> Plan:
    meter = Meter(
        MeterId(number), f"meter {number}", "x", "rtu:///dev/line", number, "123", None,
        interval_ms, MeterRole.STATION, START,
    )  # fmt: skip
    return Plan(
        meter=meter,
        reader=StillReader(cycle_ms),
        interval_ms=interval_ms or 1_000,
        before=MeterStatus(meter.id),
        state=MeterState.OK,
        written=MeterState.OK,
        last_at=None,
        last_error=None,
    )


@dataclass
class Bus:
    """A bus in a time of its own: each device's cycle takes so long, a dead one its timeout."""

    plans: list[Plan]
    cycle_s: list[float]
    dead: frozenset[int] = frozenset()
    wait_s: float = 30.0  # the longest a reader keeps its tries apart

    def run(self, seconds: float) -> list[list[float]]:
        """Return when each device was answered."""
        queue, now = BusQueue(self.plans), 0.0
        spread(self.plans, now)
        answered: list[list[float]] = [[] for _ in self.plans]
        tried_s = dict.fromkeys(range(len(self.plans)), -self.wait_s)
        while now < seconds:
            chosen = queue.next()
            index = self.plans.index(chosen)
            began = now = max(now, chosen.due)
            if index not in self.dead:
                now += self.cycle_s[index]
                chosen.failures = 0
                answered[index].append(now)
            else:
                if now - tried_s[index] >= self.wait_s:
                    tried_s[index] = now
                    now += TIMEOUT_S
                chosen.failed(DeviceError("Silence."))
            self.late_s = queue.done(chosen, began, now)
        return answered


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_a_bus_with_time_to_spare_is_read_at_the_interval_asked_for():
    bus = Bus([plan(n, 100) for n in range(4)], [0.1] * 4)
    for times in bus.run(60):
        assert len(times) in {60, 61}
        assert max(gaps(times)) == pytest.approx(1.0, abs=0.11)


def test_a_bus_that_is_full_never_idles_and_all_have_the_same_share():
    bus = Bus([plan(n, 300) for n in range(8)], [0.2] * 8)  # planned slower than it is
    counts = [len(times) for times in bus.run(600)]
    assert sum(counts) >= 0.98 * 600 / 0.2
    assert max(counts) - min(counts) <= 2


def test_a_device_slower_than_planned_makes_the_round_longer_not_late():
    bus = Bus([plan(n, 100) for n in range(8)], [0.1] * 7 + [1.5])
    counts = [len(times) for times in bus.run(600)]
    assert bus.late_s < 0.1
    assert max(counts) - min(counts) <= 2


def test_devices_with_intervals_of_their_own_keep_them_beside_a_hurried_one():
    bus = Bus([plan(1, 200, 200), plan(2, 200, 5_000)], [0.15, 0.15])
    fast, slow = bus.run(100)
    assert len(slow) == 20
    assert len(fast) >= 300


def test_a_dead_device_costs_the_others_its_timeout_and_no_more():
    alive = Bus([plan(n, 100) for n in range(8)], [0.25] * 8).run(300)
    bus = Bus([plan(n, 100) for n in range(8)], [0.25] * 8, dead=frozenset({3}))
    found = bus.run(300)
    others = [times for number, times in enumerate(found) if number != 3]
    # A seventh of the bus is given back, a second in thirty is lost to the tries.
    assert min(map(len, others)) >= len(alive[0]) * 8 / 7 * 29 / 30 * 0.97
    usual = 7 * 0.25 * SLACK
    assert max(max(gaps(times)) for times in others) <= 2 * usual + TIMEOUT_S


def test_a_turn_that_is_late_is_taken_at_once_and_the_next_one_where_it_was():
    one = plan(1, 10)
    queue = BusQueue([one])
    one.due = 10.0
    assert queue.done(one, 10.0, 11.4) == pytest.approx(0.4)
    assert one.due == 11.0
    assert queue.done(one, 11.4, 11.45) == 0
    assert one.due == pytest.approx(12.0)


def test_whole_turns_that_have_passed_are_left_out():
    one = plan(1, 10)
    queue = BusQueue([one])
    one.due, one.failures = 10.0, 1
    assert queue.done(one, 10.0, 73.4) == pytest.approx(62.4)
    assert one.due == pytest.approx(73.0)


def test_a_site_of_many_devices_is_not_asked_in_one_instant():
    plans = [plan(n, 10) for n in range(200)]
    spread(plans, 5.0)
    dues = sorted(each.due for each in plans)
    assert dues[0] == 5.0
    assert dues[-1] < 6.0
    assert max(gaps(dues)) == pytest.approx(0.005)


@given(
    st.lists(
        st.tuples(st.integers(20, 400), st.sampled_from([None, 200, 1_000, 7_000])),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_nobody_starves_and_the_bus_never_idles_while_somebody_is_due(devices, data):
    plans = [plan(n, 50, interval_ms) for n, (_, interval_ms) in enumerate(devices)]
    cycle_s = [took_ms / 1_000 for took_ms, _ in devices]
    dead = data.draw(st.sets(st.integers(0, len(plans) - 1), max_size=len(plans) - 1))
    found = Bus(plans, cycle_s, frozenset(dead)).run(120)
    alive = [number for number in range(len(plans)) if number not in dead]
    round_s = SLACK * sum(cycle_s[number] for number in alive)
    for number in alive:
        wanted_s = max((devices[number][1] or 1_000) / 1_000, round_s)
        # Those that are dead are tried now and then, all of them once in thirty seconds.
        lost_s = len(dead) * TIMEOUT_S * 5
        assert len(found[number]) >= (120 - lost_s) / wanted_s * 0.9 - 2
        assert max(gaps(found[number]), default=0) <= 2 * wanted_s + round_s + len(dead) * TIMEOUT_S
