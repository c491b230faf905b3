"""Meters and chargers, as far as use cases see them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.device_memory import Refusal
from evdesk.domain.meters import (
    Meter,
)
from evdesk.domain.readings import Reading
from evdesk.ports.finding import Decided, Probe, Scan, ScanWatch, SerialPort


@dataclass(frozen=True, slots=True)
class ProfileOption:
    """One way a device may be; ``has_energy`` says whether it then has a lifetime register."""

    id: str
    label: str
    has_energy: bool


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """What differs between devices of one profile.

    ``by_device``: the device itself is asked. Where neither it nor a person decided, ``default`` is
    taken with a warning; without one the device is not read. ``on_energy``: the lifetime register
    is read in another way then.
    """

    key: str
    about: str
    default: str | None
    by_device: bool
    options: tuple[ProfileOption, ...]
    on_energy: bool = True


@dataclass(frozen=True, slots=True)
class ProfileInfo:
    """What people see of a device profile; ``sockets`` is how many charging points it has.

    ``needs_meter`` is a charger whose energy must come from a meter beside it: it has no lifetime
    register, or no energy register at all. ``one_client``: it bears no second connection.
    ``counts_vah``: its register counts apparent energy, so at or above what was drawn.
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
    choices: tuple[ProfileChoice, ...] = ()
    range_wh: int | None = None
    power_step_w: float = 1.0
    one_client: bool = False
    counts_vah: bool = False


class MeterReader(Protocol):
    """Reads one device over its bus; knows what was read last, for the rotation.

    ``decided`` is what its profile leaves open, as it was decided with the newest connection.
    ``refusals`` are requests that lead to nothing and are not made any more.
    """

    bus: str
    cycle_ms: int
    requests: int
    errors: int
    decided: tuple[Decided, ...]

    @property
    def refusals(self) -> frozenset[Refusal]:
        """Return what is worth remembering for the next reader of this device."""

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

    def reader(
        self, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal] = frozenset()
    ) -> MeterReader:
        """Return a reader of one device; ``refusals`` were learned by an earlier one."""

    async def probe(
        self,
        url: str,
        unit: int,
        profile: str | None,
        choices: Mapping[str, str] | None = None,
        watch: ScanWatch | None = None,
    ) -> Probe:
        """Read every value of a profile once; without one, of the profile that fits best.

        ``choices`` are the options that people chose of what the profile leaves open; ``watch`` is
        told how many values are done.

        Raises:
            UserError: a profile, URL or unit that cannot be.
            DeviceError: nothing answers there, or no profile fits what does.

        """

    async def scan(
        self, url: str, units: Sequence[int] | None, watch: ScanWatch, *, thorough: bool
    ) -> Scan:
        """Ask the units of one bus or host what they are; nothing is written to them.

        Raises:
            UserError: a URL or unit that cannot be.
            DeviceError: the bus or host cannot be reached.

        """

    def serial_ports(self) -> tuple[SerialPort, ...]:
        """Return the serial ports of this computer."""

    async def tell_instant(self, at: datetime) -> None:
        """Tell the simulated depots behind these buses what time it is (stepped time only)."""

    async def close(self) -> None:
        """Close every connection."""
