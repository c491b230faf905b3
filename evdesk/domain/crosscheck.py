"""Power integrated beside the register: it is never billed, it only says when to look twice."""

from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

SHARE = 0.05  # how far register and power may be apart
LEAST_WH = 100.0
STILL_STEPS = 5  # steps of a register that power may wait for
STILL_READS = 2  # and reads: one alone may lie in a pause
CAUGHT_UP = 0.9  # part of what was drawn that a register must show once it moves again
SIGMAS = 3.0
MS_PER_HOUR = 3_600_000


@dataclass(slots=True)
class CrossCheck:
    """What the register counted and what the power amounts to, over the same spans of time.

    Between two samples power may have changed at any moment: ``spread_wh2`` is the sum of the
    squares of how far each step of the integral can be off. ``rounded_wh`` is by how much power
    that is told in steps can be off all the while. ``still_wh`` is what was drawn at the least
    since the register last moved, ``still_reads`` how often it was read since.
    """

    power_w: float | None = None
    wh: int | None = None
    counted_wh: int = 0
    integrated_wh: float = 0.0
    spread_wh2: float = 0.0
    rounded_wh: float = 0.0
    still_wh: float = 0.0
    still_reads: int = 0
    frozen: bool = False

    def on(
        self, passed: timedelta | None, power_w: float, wh: int, resolution_wh: int, step_w: float
    ) -> None:
        """Take in a sample; ``passed`` None means that it does not touch the one before."""
        if passed is not None and self.power_w is not None and self.wh is not None:
            before_w, now_w = max(self.power_w, 0.0), max(power_w, 0.0)
            hours = passed / timedelta(milliseconds=MS_PER_HOUR)
            self.integrated_wh += (before_w + now_w) / 2 * hours
            self.spread_wh2 += ((now_w - before_w) / 2 * hours) ** 2
            self.rounded_wh += step_w / 2 * hours
            self.counted_wh += wh - self.wh
            self._watch(wh - self.wh, min(before_w, now_w) * hours, resolution_wh)
        self.power_w, self.wh = power_w, wh

    def interrupt(self) -> None:
        """Forget the last sample: what follows does not touch it."""
        self.power_w = self.wh = None

    def is_frozen(self, resolution_wh: int) -> bool:
        """Return whether the register stood still while power was drawn, and never caught up."""
        return self.frozen or self._stands_still(resolution_wh)

    def disagrees(self, resolution_wh: int) -> bool:
        """Return whether register and power are too far apart to be the same energy."""
        apart_wh = abs(self.integrated_wh - self.counted_wh)
        allowed_wh = max(SHARE * max(self.integrated_wh, self.counted_wh), LEAST_WH)
        unsure_wh = SIGMAS * sqrt(self.spread_wh2) + self.rounded_wh + 2 * resolution_wh
        return apart_wh > allowed_wh + unsure_wh

    def _watch(self, rise_wh: int, drawn_wh: float, resolution_wh: int) -> None:
        if rise_wh == 0:
            self.still_wh += drawn_wh
            self.still_reads += 1
            return
        waited = self._stands_still(resolution_wh)
        self.frozen |= waited and rise_wh < CAUGHT_UP * self.still_wh
        self.still_wh, self.still_reads = 0.0, 0

    def _stands_still(self, resolution_wh: int) -> bool:
        patience_wh = max(STILL_STEPS * resolution_wh, LEAST_WH)
        return self.still_reads >= STILL_READS and self.still_wh > patience_wh
