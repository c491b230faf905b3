"""What was learned of a device by asking it: the requests it refuses or never answers."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evdesk.domain.meters import Meter
from evdesk.domain.readings import MeterId

KEPT_FOR = timedelta(days=30)  # then it is asked again: its firmware may have changed


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that leads to nothing: registers ``address`` up of a Modbus function, one socket's.

    With one name that value is not supported; with several the request is only too long. ``unit``
    is set where it goes to another unit than the meter's own.
    """

    socket: int
    unit: int | None
    function: int
    address: int
    count: int
    names: tuple[str, ...]

    @property
    def missing(self) -> str | None:
        """Return the value that the device does not have; None where less at a time will do."""
        return self.names[0] if len(self.names) == 1 else None


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """What is known of one device; ``device`` says of which, as a meter may be replaced."""

    meter_id: MeterId
    device: str
    learned_at: datetime
    refusals: frozenset[Refusal]

    def holds_for(self, meter: Meter, now: datetime) -> bool:
        """Say whether it is of the device that is there now, and not too old."""
        return self.device == device_of(meter) and now - self.learned_at < KEPT_FOR

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the values that the device does not have, by name."""
        return tuple(sorted({r.missing for r in self.refusals if r.missing is not None}))


def device_of(meter: Meter) -> str:
    """Return by what one device is told from another one at the same meter."""
    return f"{meter.profile} {meter.url} {meter.unit} {meter.serial or ''}".strip()
