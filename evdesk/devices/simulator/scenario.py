"""A scenario: which devices a simulated depot has, what charges there and what breaks.

Built in Python, or read from TOML by ``scenario_file``.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evdesk.devices.simulator.loads import Session
from evdesk.domain.meters import MeterRole


class FaultKind(StrEnum):
    """What a device does instead of answering well."""

    SILENCE = "silence"  # no answer
    SLOW = "slow"  # the answer comes after delay_ms
    EXCEPTION = "exception"  # Modbus exception of that code
    DROP = "drop"  # closes the connection instead of answering
    CROSSED = "crossed"  # each request gets the answer to the one before
    REFUSE = "refuse"  # its port takes no connection
    RESET = "reset"  # the energy register starts again at 0
    REWIND = "rewind"  # the energy register goes back by wh
    JUMP = "jump"  # the energy register goes forward by wh
    REPLACE = "replace"  # another device: its energy register is at wh, its serial number is serial
    SENTINEL = "sentinel"  # the energy register reads as not available
    GLITCH = "glitch"  # the energy register reads as wh, whatever was counted
    FREEZE = "freeze"  # the energy register stands still; afterwards it shows what was counted
    FLUTTER = "flutter"  # the energy register is wh too low in about every second second
    POWER = "power"  # the power register reads as percent of the power
    SERIAL = "serial"  # the serial number reads as serial
    STATE = "state"  # the state register reads as raw
    SESSION_RESET = "session_reset"  # the charger's session register starts again at 0
    SESSION_FREEZE = "session_freeze"  # the charger's session register stands still
    SESSION_LIFETIME = "session_lifetime"  # the charger's session register shows the lifetime one


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault from one instant to another (milliseconds after the start; None is for ever).

    ``amount`` is the delay in ms, the exception code, the Wh, the percentage or the raw
    state, as the kind needs it. With ``register`` only requests for that register are disturbed.
    """

    kind: FaultKind
    from_ms: int
    to_ms: int | None = None
    amount: int = 0
    serial: int = 0
    register: str | None = None

    def holds(self, at_ms: int) -> bool:
        """Say whether it holds at an instant."""
        return self.from_ms <= at_ms and (self.to_ms is None or at_ms < self.to_ms)


@dataclass(frozen=True, slots=True)
class Device:
    """One simulated device; devices with the same ``bus`` share a port, else each has its own.

    ``initial_wh`` is its register at the scenario's start; ``base_w`` is drawn always, ``export_w``
    is fed back always and only seen by counters of export. A device of role grid counts what all
    others draw, and its own base. Sockets of one charger are devices with one ``bus`` and unit.
    ``choices`` are pairs of a key and an option of its profile.
    """

    name: str
    profile: str
    unit: int | None = None
    phases: str = "123"
    role: MeterRole = MeterRole.STATION
    bus: str | None = None
    is_rtu: bool = False
    initial_wh: int = 0
    base_w: int = 0
    export_w: int = 0
    serial: int = 0
    sessions: tuple[Session, ...] = ()
    faults: tuple[Fault, ...] = ()
    socket: int = 1
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """Devices and their time: ``start_at`` None starts with the first instant that is seen.

    ``repeat_ms`` repeats all sessions for ever with that period; faults do not repeat.
    """

    devices: tuple[Device, ...]
    name: str = "depot"
    start_at: datetime | None = None
    repeat_ms: int | None = None
