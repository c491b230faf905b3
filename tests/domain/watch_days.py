"""A device whose readings are written by hand, and what a watch makes of them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from evdesk.domain.faults import FaultChange, FaultCode, FaultKey
from evdesk.domain.points import PointUse, PointWatch
from evdesk.domain.readings import MeterId, Phases, PilotState, Reading, Signs
from evdesk.domain.watching import DeviceWatch, Watched
from evdesk.settings import FAULTS

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
METER = MeterId(7)
VOLTS: Phases = (230.0, 230.5, 229.5)


@dataclass
class Day:
    """Reads a device every second; ``changes`` is what opened and closed so far."""

    interval_s: float = 1.0
    profile: str = "keba-p30"
    serial: str | None = None
    phases: str = "123"
    resolution_wh: int = 1
    at_s: float = 0.0
    wh: float = 50_000.0
    changes: list[FaultChange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Be watched anew, as after a restart of the collector."""
        watched = Watched(
            METER,
            self.profile,
            round(self.interval_s * 1000),
            self.resolution_wh,
            50_000.0,
            self.phases,
            self.serial,
        )
        self.watch = DeviceWatch(watched, FAULTS, [1])
        point = PointWatch(FAULTS, self.watch.latches, 1)
        self.watch.sockets[1].uses.append(PointUse(point, energy=True, state=True))
        open_keys = {key for key, is_open in self.state().items() if is_open}
        assert self.watch.latches.resume(open_keys) == open_keys

    def at(self) -> datetime:
        return START + timedelta(seconds=self.at_s)

    def read(
        self,
        seconds: float,
        power_w: float | None = 0.0,
        *,
        counted_w: float | None = None,
        amps: Phases = (0.0, 0.0, 0.0),
        volts: Phases = VOLTS,
        pilot: PilotState | None = PilotState.A,
        signs: Signs | None = None,
    ) -> "Day":
        """Read well for so long; ``counted_w`` is what the register goes by."""
        pace_w = (power_w or 0.0) if counted_w is None else counted_w
        for _ in range(round(seconds / self.interval_s)):
            self.at_s += self.interval_s
            self.wh += pace_w * self.interval_s / 3600
            one = Reading(
                METER, 1, self.at(), int(self.wh), b"", power_w, amps, volts, pilot, signs
            )
            self.changes += self.watch.on_readings((one,))
        return self

    def fail(self, seconds: float, why: str = "silent") -> "Day":
        for _ in range(round(seconds / self.interval_s)):
            self.at_s += self.interval_s
            self.changes += self.watch.on_failure(self.at(), why)
        return self

    def skip(self, seconds: float) -> "Day":
        """Let time pass in which nobody reads."""
        self.at_s += seconds
        return self

    def state(self) -> dict[FaultKey, bool]:
        """Return what is open now; a key that opens twice or closes unopened is an error."""
        found: dict[FaultKey, bool] = {}
        for change in self.changes:
            assert found.get(change.key, False) is not change.opened, change
            found[change.key] = change.opened
        return found

    def told(self) -> list[tuple[str, str, float]]:
        """Return code, what happened and the second at which it did."""
        self.state()
        return [
            (
                change.key.code.value,
                "opened" if change.opened else "closed",
                (change.at - START).total_seconds(),
            )
            for change in self.changes
        ]

    def codes(self) -> list[FaultCode]:
        return [change.key.code for change in self.changes if change.opened]
