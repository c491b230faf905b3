"""Watching one charging point: what its pilot says beside what is drawn there."""

from dataclasses import dataclass

from evdesk.domain.faults import FaultCode, Limits
from evdesk.domain.latches import Changes, Latch, Latches
from evdesk.domain.readings import PilotState

TOUCHING_MS = 60_000  # a power read longer ago is not that of now
CHARGING = frozenset({PilotState.C, PilotState.D})
PLUGGED = frozenset({PilotState.B, PilotState.C, PilotState.D})


class PointWatch:
    """Opens faults of a car that is plugged in and draws nothing, or next to nothing.

    How much a car has drawn is only judged where its plug-in was seen.
    """

    def __init__(self, limits: Limits, latches: Latches, socket: int) -> None:
        self._drawing_w, self._low_w = limits.drawing_w, limits.low_w
        make = latches.make
        self._nothing = make(FaultCode.NO_CONSUMPTION, socket, limits.no_consumption_for_s)
        self._little = make(FaultCode.LOW_CONSUMPTION, socket, limits.low_consumption_for_s)
        self._idle = make(FaultCode.LONG_IDLE, socket, limits.long_idle_for_s)
        self._power_w: float | None = None
        self._power_ms = 0
        self._free = False
        self._peak_w: float | None = None

    def on(self, at_ms: int, pilot: PilotState | None, power_w: float | None, out: Changes) -> None:
        """Take in what was read of the state, of the power or of both."""
        if power_w is not None:
            self._power_w, self._power_ms = power_w, at_ms
        if pilot is PilotState.A:
            self._free, self._peak_w = True, None
            for latch in (self._nothing, self._little, self._idle):
                latch.good(at_ms, out)
        elif pilot in PLUGGED:
            if self._free:
                self._free, self._peak_w = False, 0.0
            if self._power_w is not None and at_ms - self._power_ms <= TOUCHING_MS:
                self._plugged(at_ms, self._power_w, out, charging=pilot in CHARGING)

    def _plugged(self, at_ms: int, power_w: float, out: Changes, *, charging: bool) -> None:
        draws = power_w >= self._drawing_w
        _tell(self._idle, at_ms, out, bad=not draws)
        if self._peak_w is None:
            if draws:
                self._nothing.good(at_ms, out)
            if power_w >= self._low_w:
                self._little.good(at_ms, out)
            return
        self._peak_w = peak_w = max(self._peak_w, power_w)
        drew = peak_w >= self._drawing_w
        _tell(self._nothing, at_ms, out, bad=charging and not drew)
        _tell(self._little, at_ms, out, bad=charging and drew and peak_w < self._low_w)


@dataclass(frozen=True, slots=True)
class PointUse:
    """What a charging point takes from a socket."""

    point: PointWatch
    energy: bool
    state: bool


def _tell(latch: Latch, at_ms: int, out: Changes, *, bad: bool) -> None:
    if bad:
        latch.bad(at_ms, out)
    else:
        latch.good(at_ms, out)
