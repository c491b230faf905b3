"""Power integrated beside the register: it is never billed, it only says when to look twice."""

from dataclasses import dataclass
from datetime import timedelta

SHARE = 0.05  # how far register and power may be apart
LEAST_WH = 100.0
STILL_STEPS = 5  # steps of a register that power may wait for
CAUGHT_UP = 0.9  # part of what was drawn that a register must show once it moves again
MS_PER_HOUR = 3_600_000


@dataclass(slots=True)
class CrossCheck:
    """What the register counted and what the power amounts to, over the same spans of time.

    ``slack_wh`` is how far the integral can be off because power changed between two samples;
    ``still_wh`` is what was drawn at the least since the register last moved.
    """

    power_w: float | None = None
    wh: int | None = None
    counted_wh: int = 0
    integrated_wh: float = 0.0
    slack_wh: float = 0.0
    still_wh: float = 0.0
    frozen: bool = False

    def on(self, passed: timedelta | None, power_w: float, wh: int, resolution_wh: int) -> None:
        """Take in a sample; ``passed`` None means that it does not touch the one before."""
        if passed is not None and self.power_w is not None and self.wh is not None:
            before_w, now_w = max(self.power_w, 0.0), max(power_w, 0.0)
            hours = passed / timedelta(milliseconds=MS_PER_HOUR)
            self.integrated_wh += (before_w + now_w) / 2 * hours
            self.slack_wh += abs(now_w - before_w) / 2 * hours
            self.counted_wh += wh - self.wh
            self._watch(wh - self.wh, min(before_w, now_w) * hours, resolution_wh)
        self.power_w, self.wh = power_w, wh

    def interrupt(self) -> None:
        """Forget the last sample: what follows does not touch it."""
        self.power_w = self.wh = None

    def is_frozen(self, resolution_wh: int) -> bool:
        """Return whether the register stood still while power was drawn, and never caught up."""
        return self.frozen or self.still_wh > _patience_wh(resolution_wh)

    def disagrees(self, resolution_wh: int) -> bool:
        """Return whether register and power are too far apart to be the same energy."""
        apart_wh = abs(self.integrated_wh - self.counted_wh)
        allowed_wh = max(SHARE * max(self.integrated_wh, self.counted_wh), LEAST_WH)
        return apart_wh > allowed_wh + self.slack_wh + 2 * resolution_wh

    def _watch(self, rise_wh: int, drawn_wh: float, resolution_wh: int) -> None:
        self.still_wh += drawn_wh
        if rise_wh > 0:
            waited = self.still_wh > _patience_wh(resolution_wh)
            self.frozen |= waited and rise_wh < CAUGHT_UP * self.still_wh
            self.still_wh = 0.0


def _patience_wh(resolution_wh: int) -> float:
    return max(STILL_STEPS * resolution_wh, LEAST_WH)
