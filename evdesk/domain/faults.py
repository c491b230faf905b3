"""Faults: one catalogue of stable codes, and what opens and closes of them.

What a charger reports itself has the name that EVerest gives it; those that begin with MREC are the
Minimum Required Error Codes of the ChargeX consortium (Idaho National Laboratory, revision 5).
What evdesk finds by itself has a name of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from string import Formatter
from typing import NewType

from evdesk.domain.meters import StationId
from evdesk.domain.readings import MeterId

FaultId = NewType("FaultId", int)


class Severity(StrEnum):
    """Critical: energy is not recorded or cannot be billed; warning: look soon; info: know it."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


class FaultCode(StrEnum):
    """What is wrong; a code never changes its meaning."""

    # as chargers report it
    GROUND_FAILURE = "MREC2GroundFailure"
    HIGH_TEMPERATURE = "MREC3HighTemperature"
    OVER_CURRENT = "MREC4OverCurrentFailure"
    OVER_VOLTAGE = "MREC5OverVoltage"
    UNDER_VOLTAGE = "MREC6UnderVoltage"
    PILOT_FAULT = "MREC14PilotFault"
    CONTACTOR_FAULT = "MREC17EVSEContactorFault"
    PROXIMITY_FAULT = "MREC23ProximityFault"
    VENDOR_ERROR = "VendorError"
    INOPERATIVE = "Inoperative"
    # as evdesk finds it: a device
    DEVICE_SILENT = "device_silent"
    DEVICE_SLOW = "device_slow"
    WRONG_SERIAL = "wrong_serial"
    REGISTER_FROZEN = "register_frozen"
    IMPLAUSIBLE_VALUE = "implausible_value"
    PHASE_LOST = "phase_lost"
    UNBALANCED = "unbalanced"
    CALIBRATION_EXPIRED = "calibration_expired"
    CALIBRATION_EXPIRING = "calibration_expiring"
    # a charging point
    NO_CONSUMPTION = "no_consumption"
    LOW_CONSUMPTION = "low_consumption"
    LONG_IDLE = "long_idle"
    # this computer
    CLOCK_JUMP = "clock_jump"
    CLOCK_NOT_SYNCHRONISED = "clock_not_synchronised"
    COLLECTOR_STOPPED = "collector_stopped"
    DISK_NEARLY_FULL = "disk_nearly_full"
    BACKUP_FAILED = "backup_failed"
    BACKUP_OVERDUE = "backup_overdue"


@dataclass(frozen=True, slots=True)
class Entry:
    """What people are told of a code: a few words, what it means, and what to do about it.

    ``details`` are sentences about the facts of one fault; the first that finds its facts is told.
    """

    severity: Severity
    title: str
    meaning: str
    action: str
    details: tuple[str, ...] = ()


_CRITICAL, _WARNING, _INFO = Severity.CRITICAL, Severity.WARNING, Severity.INFO
_ERROR = ("Error number {error_code}.",)

CATALOGUE: Mapping[FaultCode, Entry] = {
    FaultCode.GROUND_FAILURE: Entry(
        _CRITICAL, "Ground fault",
        "The charger's residual current protection has tripped.",
        "Keep the charging point out of use until an electrician has measured it.",
        _ERROR,
    ),
    FaultCode.HIGH_TEMPERATURE: Entry(
        _WARNING, "Too hot",
        "The charger is so hot that it gives less power or none.",
        "Give it shade and air; if it comes back, let an electrician check its terminals.",
        ("It measures {temperature_c} °C.", *_ERROR),
    ),
    FaultCode.OVER_CURRENT: Entry(
        _CRITICAL, "Over-current",
        "The charger's over-current protection has tripped.",
        "Try another car; if it trips again, let an electrician look at the charger.",
        _ERROR,
    ),
    FaultCode.OVER_VOLTAGE: Entry(
        _WARNING, "Voltage too high",
        "The charger reports a mains voltage that is too high.",
        "Let an electrician measure the supply; if it is the grid, tell the grid operator.",
        _ERROR,
    ),
    FaultCode.UNDER_VOLTAGE: Entry(
        _WARNING, "Voltage too low",
        "The charger reports a mains voltage that is too low.",
        "Let an electrician measure the supply; long cables and many cars at once lower it.",
        _ERROR,
    ),
    FaultCode.PILOT_FAULT: Entry(
        _CRITICAL, "Pilot fault",
        "The control pilot between charger and car is out of range.",
        "Unplug, look at the connector for dirt and damage, and try another cable or car.",
        _ERROR,
    ),
    FaultCode.CONTACTOR_FAULT: Entry(
        _CRITICAL, "Contactor fault",
        "The charger's contactor does not switch; it may be welded.",
        "Switch the charging point off at its breaker and call an electrician.",
        _ERROR,
    ),
    FaultCode.PROXIMITY_FAULT: Entry(
        _WARNING, "Cable not recognised",
        "The charger cannot tell which cable is plugged in.",
        "Plug the cable in again, all the way; if it stays, try another cable.",
        _ERROR,
    ),
    FaultCode.VENDOR_ERROR: Entry(
        _WARNING, "Charger reports an error",
        "The charger reports an error number that has no common name.",
        "Look the number up in the charger's manual.",
        _ERROR,
    ),
    FaultCode.INOPERATIVE: Entry(
        _CRITICAL, "Charger out of order",
        "The charger says that it is in a fault state and does not charge.",
        "Look at its display or light; unplug the car and switch the charger off and on once.",
        ("Its state is {pilot}.",),
    ),
    FaultCode.DEVICE_SILENT: Entry(
        _CRITICAL, "Device cannot be read",
        "No value comes from the device. Its register goes on counting, so that energy is not lost "
        "as long as it is read again before it is replaced.",
        "Check its power and network cable, then its address under Meters.",
        ("{why}",),
    ),
    FaultCode.DEVICE_SLOW: Entry(
        _WARNING, "Device answers rarely",
        "The device is read much less often than planned; start and end of sessions are vague.",
        "Look for a bad cable, a weak network or a second program that reads the same device.",
        ("It is read every {every_s} s; planned is every {planned_s} s.",),
    ),
    FaultCode.WRONG_SERIAL: Entry(
        _CRITICAL, "Another device answers",
        "The serial number that is read is not the one of this meter.",
        "If the meter was replaced, say so under Meters; if not, check address and unit.",
        ("It should be {expected}; {found} is read.",),
    ),
    FaultCode.REGISTER_FROZEN: Entry(
        _CRITICAL, "Register stands still",
        "Power is drawn, but the energy register does not move.",
        "Compare the register with the meter's display; restart the device or let it be replaced.",
        ("It shows {wh} Wh, and about {drawn_wh} Wh were drawn since it moved.",),
    ),
    FaultCode.IMPLAUSIBLE_VALUE: Entry(
        _WARNING, "Value cannot be true",
        "The device tells a value that cannot be, or its register has jumped.",
        "Compare with the device's display, and check that the right model was chosen.",
        (
            "The register went from {before_wh} Wh to {wh} Wh.",
            "Power: {power_w} W.",
            "Currents: {currents_a} A.",
            "Voltages: {voltages_v} V.",
        ),
    ),
    FaultCode.PHASE_LOST: Entry(
        _WARNING, "Phase missing",
        "A phase that had voltage before has none now.",
        "Check the fuses; where the charger switches phases off by itself, acknowledge it.",
        ("Without voltage: {phases}. Voltages: {voltages_v} V.",),
    ),
    FaultCode.UNBALANCED: Entry(
        _INFO, "Phases unbalanced",
        "One phase carries much more current than another, and has done so for a while.",
        "Spread single-phase cars over the phases; many grid operators set a limit.",
        ("Currents: {currents_a} A.",),
    ),
    FaultCode.CALIBRATION_EXPIRED: Entry(
        _CRITICAL, "Calibration expired",
        "The calibration of this meter is no longer valid; in many countries it may not be "
        "billed by any longer.",
        "Have the meter replaced or calibrated, then enter the new date under Meters.",
        ("It was valid until {until}.",),
    ),
    FaultCode.CALIBRATION_EXPIRING: Entry(
        _INFO, "Calibration expires soon",
        "The calibration of this meter ends within weeks.",
        "Order a calibrated meter now, or have this one calibrated.",
        ("It is valid until {until}.",),
    ),
    FaultCode.NO_CONSUMPTION: Entry(
        _WARNING, "Charging without energy",
        "The charger says that it is charging, but nothing has been drawn since the car came.",
        "Look at the car: it may be full, wait for a timer, or refuse the cable.",
    ),
    FaultCode.LOW_CONSUMPTION: Entry(
        _INFO, "Charging very slowly",
        "The car has drawn very little power since it came.",
        "Check the limit set at the charger and in the car.",
    ),
    FaultCode.LONG_IDLE: Entry(
        _INFO, "Plugged in without charging",
        "A car has been plugged in for hours and draws nothing.",
        "Ask the driver to make room, if others wait.",
    ),
    FaultCode.CLOCK_JUMP: Entry(
        _WARNING, "Clock was set",
        "This computer's clock has jumped. Energy is not affected; times of sessions may be.",
        "Let the computer set its clock by itself from the network.",
        ("By {by_s} s.",),
    ),
    FaultCode.CLOCK_NOT_SYNCHRONISED: Entry(
        _WARNING, "Clock not synchronised",
        "This computer's clock is not kept right by a time server.",
        "Turn on automatic time in the settings of the computer and let it reach the network.",
    ),
    FaultCode.COLLECTOR_STOPPED: Entry(
        _CRITICAL, "Collector stopped",
        "Nobody reads the devices. What is drawn meanwhile is in the registers, but nobody knows "
        "who drew it.",
        "Start the collector: press Start in the window, or run evdesk collect.",
    ),
    FaultCode.DISK_NEARLY_FULL: Entry(
        _CRITICAL, "Disk nearly full",
        "The disk with the site folder has little room left. When it is full, nothing is recorded.",
        "Free some space, or move the site to a larger disk.",
        ("{free_mb} MB are free.",),
    ),
    FaultCode.BACKUP_FAILED: Entry(
        _WARNING, "Backup failed",
        "The backup that was due could not be made, or did not hold when it was restored to check "
        "it.",
        "Look at the folder and the drive of the backups, then make one by hand: evdesk backup "
        "create.",
        ("{why}",),
    ),
    FaultCode.BACKUP_OVERDUE: Entry(
        _WARNING, "No backup for days",
        "No backup of this site has been made for more than three days. If this computer is lost, "
        "so is all that was recorded since.",
        "Set when backups are made, and where: evdesk backup schedule. Use another drive than the "
        "one of the site.",
        ("The last one is from {last}.",),
    ),
}  # fmt: skip

# What the keeper of the backups opens and closes by itself.
OF_BACKUPS = frozenset({FaultCode.BACKUP_FAILED, FaultCode.BACKUP_OVERDUE})


@dataclass(frozen=True, slots=True)
class FaultKey:
    """What can be open once: a code at a socket, a device (socket None) or the site (both None)."""

    code: FaultCode
    meter_id: MeterId | None = None
    socket: int | None = None


@dataclass(frozen=True, slots=True)
class FaultChange:
    """A fault that opened or closed; ``facts`` are JSON values that say more.

    ``at`` is when it began or when it was over, which is known a little later.
    """

    key: FaultKey
    at: datetime
    facts: Mapping[str, object]
    opened: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault as it is kept; ``until_at`` None while it lasts, ``facts`` from its beginning.

    ``unseen_end`` says that nobody watched when it ended: ``until_at`` is the first good read.
    """

    id: FaultId
    key: FaultKey
    severity: Severity
    meter: str | None
    station_id: StationId | None
    station: str | None
    since_at: datetime
    until_at: datetime | None
    unseen_end: bool
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    note: str | None
    facts: Mapping[str, object]

    @property
    def code(self) -> FaultCode:
        """Return the code."""
        return self.key.code

    @property
    def is_open(self) -> bool:
        """Return whether it lasts."""
        return self.until_at is None

    def detail(self) -> tuple[str, dict[str, str]]:
        """Return the sentence about its facts and what to fill into it; "" where there is none."""
        known = {name: _spoken(value) for name, value in self.facts.items() if value is not None}
        for template in CATALOGUE[self.code].details:
            wanted = {name for _, name, _, _ in Formatter().parse(template) if name}
            if wanted <= known.keys():
                return template, known
        return "", {}

    def repair_s(self) -> int | None:
        """Return how long it lasted in seconds; None while it does."""
        if self.until_at is None:
            return None
        return round((self.until_at - self.since_at).total_seconds())


def _spoken(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join("–" if each is None else str(each) for each in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is a fault, and for how long it must be so: one number each.

    ``…_for_s`` is how long it must last before it opens, ``…_clear_s`` how long it must be good
    before it closes.
    """

    look_every_s: float
    silent_for_s: float
    silent_clear_s: float
    slow_factor: float
    slow_extra_s: float
    slow_for_s: float
    max_voltage_v: float
    max_grid_power_w: float
    implausible_clear_s: float
    phase_share: float
    phase_alive_v: float
    phase_for_s: float
    unbalance_a: float
    unbalance_for_s: float
    charger_for_s: float
    max_temperature_c: float
    cool_temperature_c: float
    drawing_w: float
    low_w: float
    no_consumption_for_s: float
    low_consumption_for_s: float
    long_idle_for_s: float
    clock_jump_s: float
    clock_jump_clear_s: float
    clock_sync_for_s: float
    calibration_days: int
    disk_low_bytes: int
    disk_clear_bytes: int
    stopped_for_s: float
