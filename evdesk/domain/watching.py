"""Watching devices: a fold over what they say that opens and closes faults, and knows no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evdesk.domain.charger_errors import REPORTED, meaning
from evdesk.domain.crosscheck import LEAST_WH, STILL_STEPS
from evdesk.domain.faults import FaultCode, Limits
from evdesk.domain.instants import to_ms
from evdesk.domain.latches import MS_PER_S, Changes, Latches
from evdesk.domain.points import PointUse
from evdesk.domain.readings import MeterId, Phases, PilotState, Reading, Signs
from evdesk.domain.registers import MARGIN, MS_PER_HOUR, PERSISTS

SMOOTHING = 0.2  # weight of the newest interval
SILENCE = 10  # intervals: what is longer is a silence, not an interval
LOOKS = 2  # looks in a row at which a value must be impossible
LEAST_V = 200.0  # what the largest plausible current is reckoned from
THREE = 3


@dataclass(frozen=True, slots=True)
class Watched:
    """What must be known of a device to judge it; ``serial`` None takes the first one that is read.

    ``max_power_w`` is what can go through it, ``phases`` those connected.
    """

    meter_id: MeterId
    profile: str
    interval_ms: int
    resolution_wh: int
    max_power_w: float
    phases: str = "123"
    serial: str | None = None


class RegisterWatch:
    """Watches a lifetime register: whether it moves while power is drawn, and whether it jumps.

    The bounds are those of the session engine, which decides by itself what is billed.
    """

    def __init__(self, device: Watched, limits: Limits, latches: Latches, socket: int) -> None:
        self.frozen = latches.make(FaultCode.REGISTER_FROZEN, socket)
        self.implausible = latches.make(
            FaultCode.IMPLAUSIBLE_VALUE, socket, clear_s=limits.implausible_clear_s
        )
        self.odd = 0
        self._most_w = MARGIN * device.max_power_w
        self._slack = 2 * device.resolution_wh * MS_PER_HOUR
        self._step_wh = device.resolution_wh
        still_wh = max(STILL_STEPS * device.resolution_wh, LEAST_WH)
        self._patience = still_wh * MS_PER_HOUR
        self._drawing_w = limits.drawing_w
        self._touching_ms = max(THREE * device.interval_ms, 60 * MS_PER_S)
        self._wh: int | None = None
        self._at_ms = self._moved_ms = self._drawn_ms = 0
        self._still = 0.0  # W·ms drawn since the register moved
        self._power_w = 0.0
        self._odd_wh = self._odd_ms = self._odd_since_ms = 0

    def on(self, at_ms: int, wh: int, power_w: float | None, out: Changes) -> None:
        """Take in one valid read."""
        before = self._wh
        if before is None:
            self._believe(at_ms, wh)
            return
        drawn = self._draw(at_ms, power_w)
        rise = (wh - before) * MS_PER_HOUR
        if rise == 0:
            self._stands(at_ms, wh, out)
        elif 0 < rise <= self._most_w * (at_ms - self._at_ms) + self._slack + MARGIN * drawn:
            if self.frozen.is_open:
                self.frozen.good(at_ms, out)
            self._wh, self._at_ms, self._moved_ms = wh, at_ms, at_ms
            self._still, self.odd = 0.0, 0
        elif not -self._step_wh <= wh - before < 0:
            self._on_odd(at_ms, wh, out)

    def _draw(self, at_ms: int, power_w: float | None) -> float:
        """Return W·ms surely drawn since the register moved: the lesser of two powers told.

        What is too little to make every meter count is left out.
        """
        if power_w is not None:
            passed_ms, before_w = at_ms - self._drawn_ms, self._power_w
            self._power_w, self._drawn_ms = power_w, at_ms
            least_w = min(power_w, before_w)
            if least_w >= self._drawing_w and 0 < passed_ms <= self._touching_ms:
                self._still += least_w * passed_ms
        return self._still

    def _stands(self, at_ms: int, wh: int, out: Changes) -> None:
        """Take in that the register did not move; since something is drawn, it should have."""
        self._at_ms, self.odd = at_ms, 0
        if self._still == 0:
            self._moved_ms = at_ms
        elif self._still > self._patience:
            facts = {"wh": wh, "drawn_wh": round(self._still / MS_PER_HOUR)}
            self.frozen.bad(at_ms, out, facts, self._moved_ms)

    def _believe(self, at_ms: int, wh: int) -> None:
        self._wh, self._at_ms, self._moved_ms = wh, at_ms, at_ms
        self._still, self.odd = 0.0, 0

    def _on_odd(self, at_ms: int, wh: int, out: Changes) -> None:
        """Doubt a value that cannot follow the last one; a new level must stand for some reads."""
        rise = (wh - self._odd_wh) * MS_PER_HOUR
        follows = 0 <= rise <= self._most_w * (at_ms - self._odd_ms) + self._slack
        if self.odd == 0:
            self._odd_since_ms = at_ms
        self.odd += 1
        if self.odd >= PERSISTS:
            facts = {"before_wh": self._wh, "wh": wh}
            self.implausible.bad(at_ms, out, facts, self._odd_since_ms)
            if follows:
                self.frozen.good(at_ms, out)
                self._believe(at_ms, wh)
        self._odd_wh, self._odd_ms = wh, at_ms


class SocketWatch:
    """Watches the values of one socket."""

    def __init__(self, device: Watched, limits: Limits, latches: Latches, socket: int) -> None:
        self.uses: list[PointUse] = []
        self._device, self._limits = device, limits
        self._register = RegisterWatch(device, limits, latches, socket)
        self._phase = latches.make(
            FaultCode.PHASE_LOST, socket, limits.phase_for_s, limits.phase_for_s
        )
        self._unbalanced = latches.make(
            FaultCode.UNBALANCED, socket, limits.unbalance_for_s, limits.phase_for_s
        )
        wait_s = limits.charger_for_s
        self._reported = {code: latches.make(code, socket, wait_s, wait_s) for code in REPORTED}
        self._in_trouble = True  # until it was seen that nothing is reported
        self._error_code: int | None = None
        self._alive: set[int] = set()
        self._impossible = 0
        self._most_a = MARGIN * device.max_power_w / LEAST_V
        self._most_w = MARGIN * device.max_power_w

    def on(self, reading: Reading, at_ms: int, out: Changes, *, look: bool) -> None:
        """Take in a reading; ``look`` at what changes slowly, too."""
        if reading.import_wh is not None:
            self._register.on(at_ms, reading.import_wh, reading.power_w, out)
        pilot, signs = reading.pilot, reading.signs
        failed = pilot is PilotState.E or pilot is PilotState.F
        if failed or signs is not None or self._in_trouble:
            self._on_report(reading, at_ms, out, failed=failed)
        if not look:
            return
        self._on_values(reading, at_ms, out)
        self._on_volts(reading.voltages_v, at_ms, out)
        self._on_amps(reading.currents_a, at_ms, out)
        for use in self.uses:
            power_w = reading.power_w if use.energy else None
            use.point.on(at_ms, pilot if use.state else None, power_w, out)

    def _on_report(self, reading: Reading, at_ms: int, out: Changes, *, failed: bool) -> None:
        """Follow what the charger reports; an error number says more than a fault state."""
        signs, pilot = reading.signs, reading.pilot
        if signs is not None and signs.error_code is not None:
            self._error_code = signs.error_code  # some devices tell it in turn with other values
        found = meaning(self._device.profile, self._error_code)
        if found is None and failed:
            found = FaultCode.INOPERATIVE
        if found is None and not self._in_trouble:
            return
        facts = {"error_code": self._error_code, "pilot": pilot and pilot.value}
        self._in_trouble = False
        for code, latch in self._reported.items():
            known = pilot if code is FaultCode.INOPERATIVE else self._error_code
            if code is found:
                latch.bad(at_ms, out, facts)
            elif known is not None and not latch.idle:
                latch.good(at_ms, out)
            self._in_trouble |= not latch.idle

    def _on_values(self, reading: Reading, at_ms: int, out: Changes) -> None:
        found = self._impossible_values(reading)
        self._impossible = self._impossible + 1 if found else 0
        implausible = self._register.implausible
        if self._impossible >= LOOKS:
            implausible.bad(at_ms, out, found)
        elif not found and self._register.odd < PERSISTS and not implausible.idle:
            implausible.good(at_ms, out)

    def _impossible_values(self, reading: Reading) -> dict[str, object]:
        most_v, most_a = self._limits.max_voltage_v, self._most_a
        found: dict[str, object] = {}
        for volts in reading.voltages_v:
            if volts is not None and not 0 <= volts <= most_v:
                found["voltages_v"] = list(reading.voltages_v)
        for amps in reading.currents_a:
            if amps is not None and not -most_a <= amps <= most_a:
                found["currents_a"] = list(reading.currents_a)
        if reading.power_w is not None and reading.power_w > self._most_w:
            found["power_w"] = reading.power_w
        return found

    def _on_volts(self, volts: Phases, at_ms: int, out: Changes) -> None:
        """Follow phases that have had voltage: one that never had is not connected."""
        known = {n: v for n, v in enumerate(volts, 1) if v is not None}
        top = max(known.values(), default=0.0)
        if top < self._limits.phase_alive_v or len(known) <= 1:
            return  # all dark is no lost phase: the contactor may be open
        dark = {n for n, v in known.items() if v < self._limits.phase_share * top}
        self._alive |= known.keys() - dark
        lost = sorted(dark & self._alive)
        if lost:
            self._phase.bad(
                at_ms, out, {"phases": [f"L{n}" for n in lost], "voltages_v": list(volts)}
            )
        elif not self._phase.idle and len(known) == THREE and not dark:
            self._phase.good(at_ms, out)

    def _on_amps(self, amps: Phases, at_ms: int, out: Changes) -> None:
        first, second, third = amps
        if first is None or second is None or third is None or len(self._device.phases) != THREE:
            return
        if max(amps_known := (first, second, third)) - min(amps_known) > self._limits.unbalance_a:
            self._unbalanced.bad(at_ms, out, {"currents_a": list(amps)})
        elif not self._unbalanced.idle:
            self._unbalanced.good(at_ms, out)


class DeviceWatch:
    """Watches one device: how it answers, who it is, and every socket of it."""

    def __init__(self, device: Watched, limits: Limits, sockets: Sequence[int]) -> None:
        self.device = device
        self.latches = Latches(device.meter_id)
        self.serial = device.serial
        self.sockets = {n: SocketWatch(device, limits, self.latches, n) for n in sockets}
        interval_s = device.interval_ms / MS_PER_S
        make = self.latches.make
        self._silent = make(
            FaultCode.DEVICE_SILENT,
            None,
            max(limits.silent_for_s, THREE * interval_s),
            max(limits.silent_clear_s, interval_s),
        )
        self._slow = make(FaultCode.DEVICE_SLOW, None, limits.slow_for_s, limits.slow_for_s)
        self._wrong = make(FaultCode.WRONG_SERIAL)
        self._hot = make(FaultCode.HIGH_TEMPERATURE, None, limits.charger_for_s)
        self._hot_c, self._cool_c = limits.max_temperature_c, limits.cool_temperature_c
        self._reached_ms = float(device.interval_ms)
        slow_ms = device.interval_ms + limits.slow_extra_s * MS_PER_S
        self._slow_ms = max(limits.slow_factor * device.interval_ms, slow_ms)
        self._look_every_ms = round(limits.look_every_s * MS_PER_S)
        self._look_ms = 0
        self._silence_ms = SILENCE * device.interval_ms
        self._last_ms = 0

    def on_readings(self, readings: Sequence[Reading]) -> Changes:
        """Take in one good cycle; return what it opened and closed."""
        out: Changes = []
        if not readings:
            return out
        at_ms = to_ms(readings[0].at)
        silent = self._silent
        if silent.bad_ms is not None or silent.is_open:
            silent.good(at_ms, out)
        apart_ms, self._last_ms = at_ms - self._last_ms, at_ms
        if 0 < apart_ms <= self._silence_ms:
            self._reached_ms += SMOOTHING * (apart_ms - self._reached_ms)
        look = not 0 <= self._look_ms - at_ms < self._look_every_ms  # also after a step back
        for reading in readings:
            socket = self.sockets.get(reading.socket)
            if socket is not None:
                socket.on(reading, at_ms, out, look=look)
        signs = readings[0].signs  # of a device with meters in it, the first one's serial number
        if signs is not None:
            self._on_signs(signs, at_ms, out)
        if look:
            self._look_ms = at_ms + self._look_every_ms - 1
            self._on_pace(at_ms, out)
        return out

    def on_failure(self, at: datetime, why: str) -> Changes:
        """Take in that nothing could be read."""
        out: Changes = []
        self._silent.bad(to_ms(at), out, {"why": why})
        return out

    def _on_pace(self, at_ms: int, out: Changes) -> None:
        if self._reached_ms > self._slow_ms:
            every_s = round(self._reached_ms / MS_PER_S, 1)
            facts = {"every_s": every_s, "planned_s": self.device.interval_ms / MS_PER_S}
            self._slow.bad(at_ms, out, facts)
        elif not self._slow.idle:
            self._slow.good(at_ms, out)

    def _on_signs(self, signs: Signs, at_ms: int, out: Changes) -> None:
        if signs.serial:
            self._on_serial(signs.serial, at_ms, out)
        temperature_c = signs.temperature_c
        if temperature_c is None:
            return
        if temperature_c >= self._hot_c:
            self._hot.bad(at_ms, out, {"temperature_c": temperature_c})
        elif temperature_c < self._cool_c:
            self._hot.good(at_ms, out)

    def _on_serial(self, serial: str, at_ms: int, out: Changes) -> None:
        if serial == self.serial and self._wrong.idle:
            return
        if self.serial is None:
            self.serial = serial
        if same_serial(self.serial, serial):
            if not self._wrong.idle:
                self._wrong.good(at_ms, out)
        else:
            self._wrong.bad(at_ms, out, {"expected": self.serial, "found": serial})


def same_serial(one: str, other: str) -> bool:
    """Return whether two serial numbers are one: zeros in front and letter case do not count."""
    return _plain(one) == _plain(other)


def _plain(serial: str) -> str:
    return "".join(serial.split()).lstrip("0").casefold()
