"""Devices that are not there: six profiles, and URLs that may be silent."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from evdesk.domain.device_memory import Refusal
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.meters import Meter
from evdesk.domain.readings import Reading
from evdesk.ports import (
    Certainty,
    Decided,
    FoundDevice,
    MeterReader,
    Probe,
    ProbedValue,
    ProfileChoice,
    ProfileInfo,
    ProfileOption,
    Scan,
    ScanStep,
    ScanWatch,
    SerialPort,
)


def profile(name: str, *, state: bool = True, energy: bool = True, sockets: int = 1) -> ProfileInfo:
    return ProfileInfo(
        id=name,
        manufacturer="Acme",
        model=name.title(),
        kind="charger" if state else "meter",
        transports=("tcp",),
        confidence="high",
        has_state=state,
        has_energy=energy,
        sockets=sockets,
        default_unit=7,
        resolution_wh=1,
        notes=(),
    )


UNIT = ProfileChoice(
    key="energy_unit",
    about="Some count in 0.1 Wh.",
    default="wh",
    by_device=False,
    options=(
        ProfileOption("wh", "in Wh", has_energy=True),
        ProfileOption("0.1wh", "in 0.1 Wh", has_energy=True),
    ),
)
INSIDE = ProfileChoice(
    key="meter",
    about="Some have no meter inside.",
    default="inside",
    by_device=False,
    options=(
        ProfileOption("inside", "with a meter", has_energy=True),
        ProfileOption("none", "without", has_energy=False),
    ),
)
LAMP = ProfileChoice(
    key="lamp",
    about="Some have a lamp.",
    default=None,
    by_device=False,
    options=(ProfileOption("on", "on", has_energy=True),),
    on_energy=False,
)
PROFILES = (
    profile("charger"),
    replace(profile("box"), choices=(UNIT, INSIDE, LAMP)),
    replace(profile("apparent"), counts_vah=True),
    profile("lamp", energy=False),
    profile("meter", state=False),
    profile("twin", sockets=2),
)


class FakeReader:
    """Implements ``ports.MeterReader``: answers nothing, or not at all."""

    bus, cycle_ms, requests, errors = "tcp://127.0.0.1:502", 100, 0, 0
    decided: tuple[Decided, ...] = ()
    refusals: frozenset[Refusal] = frozenset()

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent

    async def read(self) -> tuple[Reading, ...]:
        if self._silent:
            raise DeviceError("Nothing answers there.")
        return ()


class FakeDevices:
    """Implements ``ports.Devices``; a URL in ``silent`` never answers."""

    def __init__(self) -> None:
        self.silent: set[str] = set()
        self.is_open = False

    def profiles(self) -> tuple[ProfileInfo, ...]:
        return PROFILES

    def profile(self, profile: str) -> ProfileInfo:
        for known in PROFILES:
            if known.id == profile:
                return known
        raise UserError("There is no profile {profile}.", profile=profile)

    def check_url(self, url: str, *, demo: bool) -> str:
        if not url.startswith("tcp://127." if demo else "tcp://"):
            raise UserError("{url} is no URL here.", url=url)
        return url

    def reader(
        self, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal] = frozenset()
    ) -> MeterReader:
        self.is_open = True
        return FakeReader(silent=meter.url in self.silent)

    async def probe(
        self,
        url: str,
        unit: int,
        profile: str | None,
        choices: Mapping[str, str] | None = None,
        watch: ScanWatch | None = None,
    ) -> Probe:
        self.is_open = True
        if url in self.silent:
            raise DeviceError("Nothing answers at {url}.", url=url)
        value = ProbedValue("energy", 4, "1234", "Wh", "04 d2")
        return Probe(profile or "meter", unit, (value,))

    async def scan(
        self, url: str, units: Sequence[int] | None, watch: ScanWatch, *, thorough: bool
    ) -> Scan:
        self.is_open = True
        if url in self.silent:
            raise DeviceError("Nothing answers at {url}.", url=url)
        asked = tuple(units or (1, 2))
        found = tuple(FoundDevice(unit, Certainty.UNKNOWN) for unit in asked[:1])
        for number, unit in enumerate(asked):
            watch.tell(ScanStep(unit, number, len(asked)))
        return Scan(found, asked)

    def serial_ports(self) -> tuple[SerialPort, ...]:
        return (SerialPort("/dev/ttyUSB0", "USB adapter"),)

    async def tell_instant(self, at: datetime) -> None:
        """There is no depot to tell."""

    async def close(self) -> None:
        self.is_open = False
