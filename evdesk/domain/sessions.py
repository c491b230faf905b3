"""Charging sessions: plug-in to unplug, energy as a difference of lifetime registers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from evdesk.domain.corrections import Claim, Decision
from evdesk.domain.meters import StationId
from evdesk.domain.readings import MeterId, PilotState, Reading, Register, Signs
from evdesk.domain.registers import Bounds, Step, Verdict
from evdesk.domain.site import DriverId

SessionId = NewType("SessionId", int)


class SessionState(StrEnum):
    """Open while a car is plugged in; review when a doubt must be settled before billing."""

    OPEN = "open"
    CLOSED = "closed"
    REVIEW = "review"


class Flag(StrEnum):
    """Why a session is not simply what two clean registers say."""

    ESTIMATED_START = "estimated_start"
    ESTIMATED_END = "estimated_end"
    COMM_GAP = "comm_gap"
    INTERRUPTED = "interrupted"
    METER_RESET = "meter_reset"
    METER_CHANGED = "meter_changed"
    METER_REWOUND = "meter_rewound"
    ROLLOVER = "rollover"
    CLOCK_STEP = "clock_step"
    POWER_MISMATCH = "power_mismatch"
    REGISTER_FROZEN = "register_frozen"
    UNSEEN_REPLUG = "unseen_replug"
    FORCED_END = "forced_end"
    NO_REGISTER = "no_register"


# A session with one of these is not billed before somebody looked at it.
DOUBTS = frozenset(
    {
        Flag.METER_RESET,
        Flag.METER_REWOUND,
        Flag.POWER_MISMATCH,
        Flag.REGISTER_FROZEN,
        Flag.UNSEEN_REPLUG,
        Flag.FORCED_END,
        Flag.NO_REGISTER,
    }
)
# What a step of the register says of the session it happens in; an announced one is explained.
STEP_FLAGS: Mapping[Verdict, frozenset[Flag]] = {
    Verdict.RESET: frozenset({Flag.METER_RESET}),
    Verdict.REWIND: frozenset({Flag.METER_REWOUND}),
    Verdict.ROLLOVER: frozenset({Flag.ROLLOVER}),
    Verdict.REPLACED: frozenset({Flag.METER_CHANGED, Flag.METER_RESET}),
    Verdict.ANNOUNCED: frozenset({Flag.METER_CHANGED}),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How a station's sessions are found.

    With ``by_pilot`` a session is plug-in to unplug; without, current above ``threshold_a`` opens
    it and ``idle_ms`` below closes it. ``interval_ms`` is that of the slowest device, ``state_ms``
    that of the one which tells of the car. ``power_step_w`` is how coarsely power is told. Source:
    reference rules of sessions.md section 4.
    """

    by_pilot: bool
    interval_ms: int
    threshold_a: float = 1.0
    threshold_w: float = 100.0
    idle_ms: int = 15 * 60 * 1000
    bounds: Bounds = Bounds()
    power_step_w: float = 1.0
    state_ms: int | None = None

    @property
    def edge_gap_ms(self) -> int:
        """Silence up to which two neighbouring samples still touch each other."""
        return max(60_000, 3 * self.interval_ms)

    @property
    def state_gap_ms(self) -> int:
        """Silence up to which the car was in sight."""
        return max(60_000, 3 * (self.state_ms or self.interval_ms))


@dataclass(frozen=True, slots=True)
class Tag:
    """An RFID card as it is kept: a keyed hash, and its last characters for people."""

    digest: bytes
    shown: str

    def hidden(self) -> "Tag":
        """Return it for who sees pseudonyms: the same card is recognised, not its number."""
        return Tag(self.digest, f"#{self.digest[:2].hex()}")


@dataclass(frozen=True, slots=True)
class CarSigns:
    """What a device said beside state and energy, as far as sessions go by it.

    ``serial`` is of the energy meter; ``drift_ms`` is by how much the stamps ran ahead of the time
    that really passed since the device last said so; ``no_tag`` says that no card is shown.
    """

    serial: str | None = None
    tag: Tag | None = None
    no_tag: bool = False
    connected_s: int | None = None
    session_wh: int | None = None
    drift_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """What one reading says about a station; None where that device does not tell."""

    at: datetime
    pilot: PilotState | None
    register: Register | None
    power_w: float | None
    current_a: float | None
    signs: CarSigns | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What a station takes from a device: its energy, its state, or both.

    One device of a station ``leads``: it says when a car comes, and its clock stands for both.
    """

    energy: bool
    state: bool
    leads: bool

    def signs(self, signs: Signs, tag: Tag | None) -> CarSigns | None:
        """Return what a device's signs say about the station; None where that is nothing."""
        found = CarSigns(
            serial=_serial(signs) if self.energy else None,
            tag=tag if self.leads else None,
            no_tag=self.leads and signs.tag == "",
            connected_s=signs.connected_s if self.leads else None,
            session_wh=signs.session_wh if self.leads else None,
            drift_ms=signs.drift_ms if self.leads else None,
        )
        return None if found == CarSigns() else found


def _serial(signs: Signs) -> str | None:
    """Return the serial number, unless the device shows zeros, as some do while they start."""
    return signs.serial if signs.serial and signs.serial.strip(" 0") else None


def sample_of(reading: Reading, part: Part, signs: CarSigns | None = None) -> Sample:
    """Return the part of a reading that a station takes from this device."""
    energy = part.energy
    wh = reading.import_wh if energy else None
    return Sample(
        at=reading.at,
        pilot=reading.pilot if part.state else None,
        register=None if wh is None else Register(wh, reading.at, reading.import_raw),
        power_w=reading.power_w if energy else None,
        current_a=reading.peak_current_a() if energy else None,
        signs=signs,
    )


@dataclass(frozen=True, slots=True)
class Replacement:
    """A meter put in another's place: the old one's last and the new one's first register.

    Ids rise, so that each is taken in once; ``at`` is when the new one began to count.
    """

    id: int
    meter_id: MeterId
    socket: int
    at: datetime
    final_wh: int
    first_wh: int
    serial: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a session amounts to so far; energy is None until a first register is known.

    ``drift_ms`` is by how much the clock was set while it lasted: stamps minus it is real time.
    """

    plugged_in_at: datetime
    unplugged_at: datetime | None
    start: Register | None
    end: Register | None
    energy_wh: int | None
    charging_ms: int
    peak_w: float | None
    flags: frozenset[Flag]
    drift_ms: int = 0
    tag: Tag | None = None

    def state(self) -> SessionState:
        """Return the state these figures give the session."""
        if self.unplugged_at is None:
            return SessionState.OPEN
        return SessionState.REVIEW if self.flags & DOUBTS else SessionState.CLOSED


@dataclass(frozen=True, slots=True)
class Opened:
    """A car was plugged in (or began to draw, on a bare meter)."""

    at: datetime
    register: Register | None
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True)
class Based:
    """The first valid register came after the start."""

    at: datetime
    register: Register


@dataclass(frozen=True, slots=True)
class ChargingStarted:
    """The car began to draw power: a segment begins."""

    at: datetime
    register: Register | None


@dataclass(frozen=True, slots=True)
class ChargingStopped:
    """The car stopped drawing: a segment ends; the session goes on."""

    at: datetime
    register: Register | None


@dataclass(frozen=True, slots=True)
class EpochBegan:
    """The counter went on elsewhere: began anew, rolled over, was restored or replaced."""

    at: datetime
    step: Step

    @property
    def register(self) -> Register:
        """Return the first register of the new level."""
        return self.step.first


@dataclass(frozen=True, slots=True)
class Tagged:
    """The charger showed an RFID card."""

    at: datetime
    tag: Tag
    register: Register | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The car was unplugged; ``register`` is the last of the session, ``figures`` its account."""

    at: datetime
    register: Register | None
    figures: Figures


SessionEvent = Opened | Based | ChargingStarted | ChargingStopped | EpochBegan | Tagged | Closed


@dataclass(frozen=True, slots=True)
class Session:
    """A session as it is kept; ``invoice`` is the id of the invoice that bills it.

    ``figures`` are what was measured, for ever; ``correction`` is the newest, where there is one.
    """

    id: SessionId
    station_id: StationId
    station: str
    driver: DriverId | None
    state: SessionState
    figures: Figures
    invoice: str | None = None
    correction: Decision | None = None

    def measured(self) -> Claim:
        """Return what was measured."""
        start, end = self.figures.start, self.figures.end
        return Claim(
            None if start is None else start.wh,
            None if end is None else end.wh,
            self.figures.energy_wh,
        )

    def claim(self) -> Claim:
        """Return what holds, and is billed: the newest correction, else what was measured."""
        correction = self.correction
        if correction is None or correction.after is None:
            return self.measured()
        return correction.after

    @property
    def energy_wh(self) -> int | None:
        """Return the energy that holds; None where there is no register for it."""
        return self.claim().energy_wh
