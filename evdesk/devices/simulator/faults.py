"""What is wrong with a simulated device at an instant, as a function of the instant alone."""

from collections.abc import Callable

from evdesk.devices.simulator.loads import UNITS_PER_WH
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind

ANSWERS = frozenset(
    {
        FaultKind.SILENCE,
        FaultKind.SLOW,
        FaultKind.EXCEPTION,
        FaultKind.DROP,
        FaultKind.CROSSED,
    }
)
LEVELS = frozenset({FaultKind.RESET, FaultKind.REWIND, FaultKind.JUMP, FaultKind.REPLACE})
MS_PER_S = 1_000
_SCATTER = 2_654_435_761  # spreads seconds over what looks like chance (Knuth's multiplier)


class Faults:
    """The faults of one device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._all = sorted(device.faults, key=lambda fault: fault.from_ms)
        self._answers = [fault for fault in self._all if fault.kind in ANSWERS]

    def answering(self, at_ms: int, touches: Callable[[str], bool]) -> Fault | None:
        """Return what keeps it from answering a request well; ``touches`` names its registers."""
        for fault in self._answers:
            if fault.holds(at_ms) and (fault.register is None or touches(fault.register)):
                return fault
        return None

    def holds(self, kind: FaultKind, at_ms: int) -> bool:
        """Say whether a fault of a kind holds at an instant."""
        return self._find(kind, at_ms) is not None

    def register_units(self, at_ms: int, counted: Callable[[int], int]) -> int:
        """Return what the lifetime register shows; ``counted`` is what it would without faults."""
        glitch = self._find(FaultKind.GLITCH, at_ms)
        if glitch is not None:
            return glitch.amount * UNITS_PER_WH
        freeze = self._find(FaultKind.FREEZE, at_ms)
        if freeze is not None:
            at_ms = freeze.from_ms
        units = counted(at_ms) + self._shift(at_ms, counted)
        flutter = self._find(FaultKind.FLUTTER, at_ms)
        if flutter is not None and _odd(at_ms):
            units -= flutter.amount * UNITS_PER_WH
        return max(units, 0)

    def _shift(self, at_ms: int, counted: Callable[[int], int]) -> int:
        """Return by how much the level of the register is off, all its steps one after another."""
        shift = 0
        for fault in self._all:
            if fault.kind not in LEVELS or not fault.holds(at_ms):
                continue
            step = fault.amount * UNITS_PER_WH
            if fault.kind in {FaultKind.RESET, FaultKind.REPLACE}:
                shift = step - counted(fault.from_ms)
            else:
                shift += step if fault.kind is FaultKind.JUMP else -step
        return shift

    def serial(self, at_ms: int) -> int:
        """Return the serial number it shows."""
        shown = self._device.serial
        for fault in self._all:
            if fault.kind in {FaultKind.REPLACE, FaultKind.SERIAL} and fault.holds(at_ms):
                shown = fault.serial
        return shown

    def state_raw(self, at_ms: int) -> int | None:
        """Return what the state register shows instead of the state, if a fault says so."""
        fault = self._find(FaultKind.STATE, at_ms)
        return None if fault is None else fault.amount

    def shown_power_w(self, at_ms: int, power_w: float) -> float:
        """Return what the power register shows."""
        fault = self._find(FaultKind.POWER, at_ms)
        return power_w if fault is None else power_w * fault.amount / 100

    def session_units(
        self, at_ms: int, plugged_ms: int, counted: Callable[[int], int], lifetime: int
    ) -> int:
        """Return what the charger's own session register shows; ``counted`` is the true energy."""
        if self.holds(FaultKind.SESSION_LIFETIME, at_ms):
            return lifetime
        since_ms = at_ms - plugged_ms
        freeze = self._find(FaultKind.SESSION_FREEZE, at_ms)
        if freeze is not None:
            at_ms = max(freeze.from_ms, since_ms)
        resets = [
            fault.from_ms
            for fault in self._all
            if fault.kind is FaultKind.SESSION_RESET and since_ms <= fault.from_ms <= at_ms
        ]
        return counted(at_ms) - counted(max(resets, default=since_ms))

    def _find(self, kind: FaultKind, at_ms: int) -> Fault | None:
        for fault in self._all:
            if fault.kind is kind and fault.holds(at_ms):
                return fault
        return None


def _odd(at_ms: int) -> bool:
    """Say yes at about every second second, the same ones each time."""
    return bool((at_ms // MS_PER_S * _SCATTER >> 16) & 1)
