"""One simulated device: what it measures at an instant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evdesk.devices.profiles import Profile
from evdesk.devices.simulator.loads import MW_PER_W, UNITS_PER_WH, Course, Moment
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind
from evdesk.domain.meters import MeterRole
from evdesk.domain.readings import PilotState

NOMINAL_V = 230.0
SWING_V = 1.5  # the mains breathe a little
SWING_PERIOD_MS = 600_000
SOURCE_OHM = 0.08
CHARGING_MW = 1_000
UNIT_FAULTS = (FaultKind.SILENCE, FaultKind.SLOW, FaultKind.EXCEPTION, FaultKind.DROP)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A device at one instant: energy in half microjoules, as its register should show it."""

    at_ms: int
    energy_units: int
    session_units: int
    power_w: float
    phase_w: tuple[float, float, float]
    volts: tuple[float, float, float]
    pilot: PilotState
    is_waiting: bool
    has_energy: bool


class SimulatedDevice:
    """A device of a scenario; equal instants give equal values, also after a restart."""

    def __init__(
        self,
        device: Device,
        profile: Profile,
        repeat_ms: int | None,
        fed: "Sequence[SimulatedDevice]" = (),
    ) -> None:
        self.device = device
        self.profile = profile
        self.unit = profile.info.default_unit if device.unit is None else device.unit
        self._course = Course(device.sessions, repeat_ms)
        self._fed = fed
        self._base_units_per_ms = 2 * MW_PER_W * device.base_w
        self._cached: Snapshot | None = None
        self._unit_faults = [f for f in device.faults if f.kind in UNIT_FAULTS]
        self._register_faults = [
            f
            for f in device.faults
            if f.kind in {FaultKind.RESET, FaultKind.REWIND, FaultKind.SENTINEL}
        ]

    def fault(self, at_ms: int) -> Fault | None:
        """Return what keeps it from answering well at an instant, if anything does."""
        for fault in self._unit_faults:
            if fault.holds(at_ms):
                return fault
        return None

    def refuses(self, at_ms: int) -> bool:
        """Say whether its port takes no connection at an instant."""
        return any(f.kind is FaultKind.REFUSE and f.holds(at_ms) for f in self.device.faults)

    def at(self, at_ms: int) -> Snapshot:
        """Return what it measures at an instant (milliseconds after the start)."""
        if self._cached is None or self._cached.at_ms != at_ms:
            self._cached = self._measure(at_ms)
        return self._cached

    def _measure(self, at_ms: int) -> Snapshot:
        moment = self._course.at(at_ms)
        phase_w = self._phase_power_w(moment, at_ms)
        return Snapshot(
            at_ms=at_ms,
            energy_units=self._register(at_ms, moment),
            session_units=moment.session_units,
            power_w=sum(phase_w),
            phase_w=phase_w,
            volts=self._volts(at_ms, phase_w),
            pilot=_pilot(moment),
            is_waiting=moment.is_waiting,
            has_energy=not any(
                f.kind is FaultKind.SENTINEL and f.holds(at_ms) for f in self._register_faults
            ),
        )

    def drawn_units(self, at_ms: int) -> int:
        """Return the energy that went through it since the start, in half microjoules."""
        own = self._course.at(at_ms).energy_units + self._base_units_per_ms * at_ms
        return own + sum(device.drawn_units(at_ms) for device in self._fed)

    def _register(self, at_ms: int, moment: Moment) -> int:
        units = self.device.initial_wh * UNITS_PER_WH + self._base_units_per_ms * at_ms
        units += moment.energy_units + sum(device.drawn_units(at_ms) for device in self._fed)
        for fault in self._register_faults:
            if fault.holds(at_ms) and fault.kind is FaultKind.RESET:
                units -= self.device.initial_wh * UNITS_PER_WH + self.drawn_units(fault.from_ms)
            elif fault.holds(at_ms) and fault.kind is FaultKind.REWIND:
                units -= fault.amount * UNITS_PER_WH
        return max(units, 0)

    def _phase_power_w(self, moment: Moment, at_ms: int) -> tuple[float, float, float]:
        wired = self.device.phases
        session = [phase for phase in moment.phases if phase in wired] or list(wired)
        loads = {phase: self.device.base_w / len(wired) for phase in wired}
        for phase in session:
            loads[phase] += moment.power_mw / MW_PER_W / len(session)
        sums = [loads.get(phase, 0.0) for phase in "123"]
        for device in self._fed:
            for index, watts in enumerate(device.at(at_ms).phase_w):
                sums[index] += watts
        return (sums[0], sums[1], sums[2])

    def _volts(self, at_ms: int, phase_w: Sequence[float]) -> tuple[float, float, float]:
        """Return phase voltages: they swing, and sag a little under load."""
        volts = [0.0, 0.0, 0.0]
        for index, phase in enumerate("123"):
            if phase in self.device.phases:
                angle = math.tau * (at_ms % SWING_PERIOD_MS) / SWING_PERIOD_MS + index
                sag = 0.0
                if self.device.role is MeterRole.STATION:
                    sag = SOURCE_OHM * phase_w[index] / NOMINAL_V
                volts[index] = NOMINAL_V + SWING_V * math.sin(angle) - sag
        return (volts[0], volts[1], volts[2])


def _pilot(moment: Moment) -> PilotState:
    if not moment.plugged:
        return PilotState.A
    return PilotState.C if moment.power_mw >= CHARGING_MW else PilotState.B
