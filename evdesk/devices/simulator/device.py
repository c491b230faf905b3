"""One simulated device: what it measures at an instant."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evdesk.devices.profiles import Profile
from evdesk.devices.simulator.faults import Faults
from evdesk.devices.simulator.loads import MW_PER_W, UNITS_PER_WH, Course, Moment
from evdesk.devices.simulator.scenario import Device, FaultKind
from evdesk.domain.meters import MeterRole
from evdesk.domain.readings import PilotState

NOMINAL_V = 230.0
SWING_V = 1.5  # the mains breathe a little
SWING_PERIOD_MS = 600_000
SOURCE_OHM = 0.08
CHARGING_MW = 1_000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A device at one instant: energy in half microjoules, as its registers should show it.

    ``resettable_units`` were counted since the scenario's start, ``plugged_ms`` since the plug-in;
    ``state_raw`` is what the state register shows whatever the pilot is.
    """

    at_ms: int
    energy_units: int
    session_units: int
    resettable_units: int
    export_units: int
    power_w: float
    phase_w: tuple[float, float, float]
    volts: tuple[float, float, float]
    pilot: PilotState
    is_waiting: bool
    has_energy: bool
    plugged_ms: int
    tag: str
    serial: int
    state_raw: int | None


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
        self.faults = Faults(device)

    def refuses(self, at_ms: int) -> bool:
        """Say whether its port takes no connection at an instant."""
        return self.faults.holds(FaultKind.REFUSE, at_ms)

    def at(self, at_ms: int) -> Snapshot:
        """Return what it measures at an instant (milliseconds after the start)."""
        if self._cached is None or self._cached.at_ms != at_ms:
            self._cached = self._measure(at_ms)
        return self._cached

    def _measure(self, at_ms: int) -> Snapshot:
        moment = self._course.at(at_ms)
        phase_w = self._phase_power_w(moment, at_ms)
        drawn_units = moment.energy_units + self._around_units(at_ms)
        energy_units = self.device.initial_wh * UNITS_PER_WH + drawn_units
        session_units = moment.session_units
        if self.device.faults:
            energy_units = self.faults.register_units(at_ms, self._counted)
            session_units = self._session(at_ms, moment, energy_units)
        return Snapshot(
            at_ms=at_ms,
            energy_units=max(energy_units, 0),
            session_units=session_units,
            resettable_units=max(drawn_units, 0),
            export_units=2 * MW_PER_W * self.device.export_w * at_ms,
            power_w=self.faults.shown_power_w(at_ms, sum(phase_w)),
            phase_w=phase_w,
            volts=self._volts(at_ms, phase_w),
            pilot=_pilot(moment),
            is_waiting=moment.is_waiting,
            has_energy=not self.faults.holds(FaultKind.SENTINEL, at_ms),
            plugged_ms=moment.plugged_ms,
            tag=moment.tag,
            serial=self.faults.serial(at_ms),
            state_raw=self.faults.state_raw(at_ms),
        )

    def drawn_units(self, at_ms: int) -> int:
        """Return the energy that went through it since the start, in half microjoules."""
        return self._course.at(at_ms).energy_units + self._around_units(at_ms)

    def _around_units(self, at_ms: int) -> int:
        """Return what it draws itself and what the devices behind it drew."""
        fed = sum(device.drawn_units(at_ms) for device in self._fed)
        return self._base_units_per_ms * at_ms + fed

    def _counted(self, at_ms: int) -> int:
        return self.device.initial_wh * UNITS_PER_WH + self.drawn_units(at_ms)

    def _session(self, at_ms: int, moment: Moment, lifetime_units: int) -> int:
        if not moment.plugged:
            return 0
        return self.faults.session_units(
            at_ms, moment.plugged_ms, self._course_units, lifetime_units
        )

    def _course_units(self, at_ms: int) -> int:
        return self._course.at(at_ms).energy_units

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
