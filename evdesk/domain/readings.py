"""What a meter said, and when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

MeterId = NewType("MeterId", int)

Phases = tuple[float | None, float | None, float | None]
NO_PHASES: Phases = (None, None, None)


class PilotState(StrEnum):
    """Control pilot (IEC 61851-1): A no car, B connected, C charging, D ventilated, E/F fault."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"


@dataclass(frozen=True, slots=True)
class Signs:
    """What else a device said in a cycle: for sessions and faults, never journaled as a reading.

    ``tag`` is what the charger shows of an RFID card, in plain text (empty: it shows none); it is
    hashed before it is kept. ``connected_s`` is how long the car has been plugged in,
    ``session_wh`` the charger's own session counter, ``error_code`` its error register as it came,
    ``temperature_c`` the highest it measures. ``drift_ms`` is by how much the stamps ran ahead of
    the time that really passed (below 0: behind) since the device last said so.
    """

    serial: str | None = None
    tag: str | None = None
    connected_s: int | None = None
    session_wh: int | None = None
    error_code: int | None = None
    temperature_c: float | None = None
    drift_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """One cycle of one socket of one device; what was not read is None, never 0.

    ``import_wh`` is the lifetime register floored to Wh once; ``import_raw`` are its register words
    as they came over the wire (2 bytes each, empty where the register was not read).
    ``power_w`` is kept to 0.1 W, ``currents_a`` to 0.001 A, ``voltages_v`` to 0.1 V.
    """

    meter_id: MeterId
    socket: int
    at: datetime
    import_wh: int | None
    import_raw: bytes = b""
    power_w: float | None = None
    currents_a: Phases = NO_PHASES
    voltages_v: Phases = NO_PHASES
    pilot: PilotState | None = None
    signs: Signs | None = None

    def peak_current_a(self) -> float | None:
        """Return the largest phase current that was read, or None."""
        known = [amps for amps in self.currents_a if amps is not None]
        return max(known) if known else None


@dataclass(frozen=True, slots=True)
class Register:
    """A lifetime import register at one instant, with the raw words behind it.

    ``serial`` is the meter's own serial number, where its map has one.
    """

    wh: int
    at: datetime
    raw: bytes = b""
    serial: str | None = None
