"""Meters and chargers, as far as use cases see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.meters import (
    Meter,
)
from evdesk.domain.readings import Reading


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """What people see of a device profile; ``sockets`` is how many charging points it has.

    ``needs_meter`` is a charger whose energy must come from a meter beside it: it has no lifetime
    register, or no energy register at all.
    """

    id: str
    manufacturer: str
    model: str
    kind: str
    transports: tuple[str, ...]
    confidence: str
    has_state: bool
    has_energy: bool
    sockets: int
    default_unit: int
    resolution_wh: int
    notes: tuple[str, ...]
    models_covered: tuple[str, ...] = ()
    needs_meter: bool = False
    has_session_energy: bool = False
    has_serial: bool = False
    has_tag: bool = False
    phases: int = 3


@dataclass(frozen=True, slots=True)
class ProbedValue:
    """One value of a probe: the text of the value or why there is none."""

    name: str
    address: int
    value: str | None
    unit: str
    raw: str
    remark: str


class MeterReader(Protocol):
    """Reads one device over its bus; knows what was read last, for the rotation."""

    bus: str
    cycle_ms: int
    requests: int
    errors: int

    async def read(self) -> tuple[Reading, ...]:
        """Read one cycle: one reading per socket in use, stamped by the clock when it came.

        Raises:
            DeviceError: silent, refused, or an answer that cannot be what was asked for.

        """


class Devices(Protocol):
    """The devices of a site: one connection per host and port, one queue each."""

    def profiles(self) -> tuple[ProfileInfo, ...]:
        """Return every profile, by id."""

    def profile(self, profile: str) -> ProfileInfo:
        """Return one profile.

        Raises:
            UserError: unknown id; the sentence says how to list them.

        """

    def check_url(self, url: str, *, demo: bool) -> str:
        """Return the bus a URL names.

        Raises:
            UserError: a typo, an unknown scheme, or a host that is not loopback on a demo site.

        """

    def reader(self, meter: Meter, sockets: frozenset[int]) -> MeterReader:
        """Return a reader of one device."""

    async def probe(self, url: str, unit: int, profile: str | None) -> tuple[ProbedValue, ...]:
        """Read every value of a profile once; without one, try each and keep the plausible.

        Raises:
            DeviceError: nothing answers there.

        """

    async def tell_instant(self, at: datetime) -> None:
        """Tell the simulated depots behind these buses what time it is (stepped time only)."""

    async def close(self) -> None:
        """Close every connection."""
