"""Which device of one bus is read next, and when: nobody waits for ever, the bus never idles."""

from collections.abc import Sequence

from evdesk.services.polling import SILENT_AFTER, Plan
from evdesk.settings import POLLING

SLACK = 1.01  # a bus that is planned to its last millisecond is always late
SMOOTHING = 0.2  # weight of the newest cycle in what a cycle takes
SPREAD_S = 1.0  # all devices of a site are begun within this time, not in one instant


class BusQueue:
    """Devices of one bus, the one due first comes first.

    A device is due at the interval that was asked for, or as soon as the bus can: by how long the
    cycles of its answering devices really take. What is late is read at once, and its next turn
    stays where it was; whole turns that have passed are left out. Seconds are the event loop's.
    """

    def __init__(self, plans: Sequence[Plan]) -> None:
        self._plans = list(plans)
        self._busy_s = {plan.meter.id: plan.reader.cycle_ms / 1_000 for plan in plans}

    def next(self) -> Plan:
        """Return the device that is due first."""
        return min(self._plans, key=_due)

    def pause_s(self, plan: Plan) -> float:
        """Return the time from one turn of a device to its next."""
        asked_s = (plan.meter.interval_ms or POLLING.default_interval_ms) / 1_000
        if len(self._plans) == 1:
            return max(asked_s, self._busy_s[plan.meter.id])
        answering = [each for each in self._plans if each.failures < SILENT_AFTER]
        return max(asked_s, SLACK * sum(self._busy_s[each.meter.id] for each in answering))

    def done(self, plan: Plan, began_s: float, ended_s: float) -> float:
        """Set the next turn of a device that was read; return by how many seconds that is late."""
        if not plan.failures:
            busy_s = self._busy_s[plan.meter.id]
            self._busy_s[plan.meter.id] += SMOOTHING * (ended_s - began_s - busy_s)
        pause_s = self.pause_s(plan)
        plan.due += pause_s
        late_s = ended_s - plan.due
        if late_s > pause_s:
            plan.due += late_s // pause_s * pause_s
        return max(late_s, 0.0)


def spread(plans: Sequence[Plan], now_s: float) -> None:
    """Let the first turns of all devices follow one another instead of coming at once."""
    for number, plan in enumerate(plans):
        plan.due = now_s + SPREAD_S * number / len(plans)


def _due(plan: Plan) -> float:
    return plan.due
