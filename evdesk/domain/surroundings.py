"""Watching what no device tells: this computer, and the calendar of calibrations."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from evdesk.domain.faults import FaultCode, FaultKey, Limits
from evdesk.domain.latches import MS_PER_S, Changes, Latch, Latches
from evdesk.domain.readings import MeterId

BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a computer says of itself; None where it does not tell."""

    clock_synchronised: bool | None = None
    free_bytes: int | None = None


class ComputerWatch:
    """Watches the clock and the disk of this computer."""

    def __init__(self, limits: Limits) -> None:
        self.latches = Latches()
        make = self.latches.make
        self._limits = limits
        self._jump = make(FaultCode.CLOCK_JUMP, None, 0, limits.clock_jump_clear_s)
        self._unsynchronised = make(FaultCode.CLOCK_NOT_SYNCHRONISED, None, limits.clock_sync_for_s)
        self._disk = make(FaultCode.DISK_NEARLY_FULL)
        self._ahead_ms: int | None = None

    def on_clock(self, at_ms: int, uptime_s: float) -> Changes:
        """Compare the clock with the time that passed since the computer started."""
        out: Changes = []
        ahead_ms = at_ms - round(uptime_s * MS_PER_S)
        before_ms, self._ahead_ms = self._ahead_ms, ahead_ms
        jumped_ms = 0 if before_ms is None else ahead_ms - before_ms
        if abs(jumped_ms) > self._limits.clock_jump_s * MS_PER_S:
            self._jump.bad(at_ms, out, {"by_s": jumped_ms / MS_PER_S})
        else:
            self._jump.good(at_ms, out)
        return out

    def on_surroundings(self, at_ms: int, now: Surroundings) -> Changes:
        """Take in what the computer says; what it does not tell changes nothing."""
        out: Changes = []
        if now.clock_synchronised is not None:
            if now.clock_synchronised:
                self._unsynchronised.good(at_ms, out)
            else:
                self._unsynchronised.bad(at_ms, out)
        free_bytes, limits = now.free_bytes, self._limits
        if free_bytes is not None:
            if free_bytes < limits.disk_low_bytes:
                self._disk.bad(at_ms, out, {"free_mb": free_bytes // BYTES_PER_MB})
            elif free_bytes >= limits.disk_clear_bytes:
                self._disk.good(at_ms, out)
        return out


class CalibrationWatch:
    """Watches until when the calibrations of meters are valid."""

    def __init__(self, limits: Limits, until: Mapping[MeterId, date | None]) -> None:
        self._ahead = timedelta(days=limits.calibration_days)
        self._until = until
        self._latches: dict[MeterId, tuple[Latch, Latch]] = {}
        for meter in until:
            make = Latches(meter).make
            self._latches[meter] = (
                make(FaultCode.CALIBRATION_EXPIRED),
                make(FaultCode.CALIBRATION_EXPIRING),
            )

    def resume(self, keys: set[FaultKey]) -> set[FaultKey]:
        """Open those that were open; return what there is a latch for."""
        known = set()
        for pair in self._latches.values():
            for latch in pair:
                if latch.key in keys:
                    latch.is_open = True  # nobody has to watch a date to know that it passed
                    known.add(latch.key)
        return known

    def on_day(self, at_ms: int, today: date) -> Changes:
        """Compare with the day at the site; a meter without a date has nothing to expire."""
        out: Changes = []
        for meter, until in self._until.items():
            expired, expiring = self._latches[meter]
            facts = {} if until is None else {"until": until.isoformat()}
            is_over = until is not None and today > until
            is_near = until is not None and not is_over and until - today <= self._ahead
            for latch, bad in ((expiring, is_near), (expired, is_over)):
                if bad:
                    latch.bad(at_ms, out, facts)
                else:
                    latch.good(at_ms, out)
        return out
