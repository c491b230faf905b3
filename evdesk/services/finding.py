"""Finding devices and looking at what they say; nothing is kept and nothing written to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from evdesk.domain.errors import NothingFound, UserError
from evdesk.domain.permissions import Action
from evdesk.ports import Clock, Devices, Probe, ProfileInfo, Scan, ScanWatch, SerialPort, Store
from evdesk.services.occupied import Occupancy
from evdesk.services.permitting import permit

FIRST_UNIT, LAST_UNIT = 0, 255
WH_PER_KWH = 1_000
DISPLAY_DRIFT_WH = 1_000  # it goes on counting while somebody walks to the display and back
POWERS = (10, 100, 1_000)
SHARE = Decimal("0.01")  # two numbers are the same but for a power of ten


class FindingService:
    """Use cases of looking for devices and reading them once."""

    def __init__(
        self, store: Store, devices: Devices, clock: Clock, occupancy: Occupancy | None = None
    ) -> None:
        self._store, self._devices, self._clock = store, devices, clock
        self._occupancy = occupancy or Occupancy(store, devices, clock)

    @permit(Action.LOOK)
    def profiles(self) -> tuple[ProfileInfo, ...]:
        """Return every device profile."""
        return self._devices.profiles()

    @permit(Action.LOOK)
    def serial_ports(self) -> tuple[SerialPort, ...]:
        """Return the serial ports of this computer."""
        return self._devices.serial_ports()

    @permit(Action.LOOK)
    def check_url(self, url: str) -> str:
        """Return the bus a URL names.

        Raises:
            UserError: a URL that cannot be; the sentence says what is wrong with it.

        """
        with self._store.read() as unit:
            demo = unit.site.load().demo
        return self._devices.check_url(url, demo=demo)

    @permit(Action.CHANGE_DEVICES)
    async def scan(
        self, url: str, units: str | None, watch: ScanWatch, *, thorough: bool = False
    ) -> Scan:
        """Ask the units of one bus or host what they are; without units, those that are usual.

        Raises:
            UserError: a URL or units that cannot be, or a bus that the collector has to itself.
            DeviceError: the bus or host cannot be reached.

        """
        wanted = None if units is None else parse_units(units)
        self._occupancy.check(url)
        try:
            await tell_depots(self._store, self._devices, self._clock)
            return await self._devices.scan(url, wanted, watch, thorough=thorough)
        finally:
            await self._devices.close()

    @permit(Action.CHANGE_DEVICES)
    async def probe(
        self,
        url: str,
        unit: int | None = None,
        profile: str | None = None,
        choices: Mapping[str, str] | None = None,
        watch: ScanWatch | None = None,
    ) -> Probe:
        """Read every value of a device once, through one profile or the one that fits best.

        Raises:
            UserError: a URL or unit that cannot be, or a bus that the collector has to itself.
            NothingFound: it answers, but no profile fits.
            DeviceError: nothing answers there.

        """
        if unit is None:
            unit = 1 if profile is None else self._devices.profile(profile).default_unit
        self._occupancy.check(url)
        try:
            await tell_depots(self._store, self._devices, self._clock)
            return await self._devices.probe(url, unit, profile, choices, watch)
        finally:
            await self._devices.close()


async def tell_depots(store: Store, devices: Devices, clock: Clock) -> None:
    """Tell simulated depots the time, unless the demo site's collector does."""
    with store.read() as unit:
        demo, collected = unit.site.load().demo, unit.collector.state().pid is not None
    if demo and not collected:
        await devices.tell_instant(clock.now())


def parse_units(text: str) -> tuple[int, ...]:
    """Return the units of a text such as ``1-16`` or ``1,5,7-9``, each once.

    Raises:
        UserError: it is written in another way, or a unit is not within 0 and 255.

    """
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not first.isascii() or not first.isdigit() or (dash and not last.isdigit()):
            raise UserError("'{text}' names no units: write 1-16 or 1,5,7-9.", text=text)
        low, high = int(first), int(last) if dash else int(first)
        if low > high or high > LAST_UNIT:
            raise UserError(
                "'{text}' names no units: they go from {first} to {last}, the smaller one first.",
                text=text,
                first=FIRST_UNIT,
                last=LAST_UNIT,
            )
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))


def check_found(scan: Scan) -> None:
    """Say so where a scan has found nothing that a profile fits.

    Raises:
        NothingFound: no unit answered, or none is known.

    """
    if any(device.candidates for device in scan.devices):
        return
    if scan.devices:
        raise NothingFound(
            "What answered fits no profile. Compare its manual with 'evdesk meter profiles', or"
            " write a profile: resources/meters/README.md says how."
        )
    if scan.left:
        raise NothingFound("Nothing has answered so far.")
    raise NothingFound(
        "Nothing answered. Check: is it powered, are A and B the right way round, do speed and"
        " parity match its menu, is it the right host and port, does the converter speak this"
        " protocol, is its unit among {units}? --thorough asks longer.",
        units=spell_units(scan.asked),
    )


def spell_units(units: tuple[int, ...]) -> str:
    """Return units as they are written, runs as ``1-16``."""
    runs: list[list[int]] = []
    for unit in sorted(units):
        if runs and unit == runs[-1][-1] + 1:
            runs[-1].append(unit)
        else:
            runs.append([unit])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


class DisplayVerdict(StrEnum):
    """How a register compares with what the device's display shows."""

    SAME = "same"
    TOO_LARGE = "too_large"  # the register, by a power of ten
    TOO_SMALL = "too_small"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict; ``factor`` is how many times too large or too small the register is."""

    verdict: DisplayVerdict
    factor: int = 1


def compare_with_display(shown_kwh: Decimal, register_wh: int) -> Comparison:
    """Compare a register with the number that a person reads from the display.

    What counts on between two looks, up to 1 kWh, and what the display rounds is no difference.
    """
    shown_wh = shown_kwh * WH_PER_KWH
    exponent = shown_kwh.as_tuple().exponent
    rounding_wh = Decimal(10) ** (exponent if isinstance(exponent, int) else 0) * WH_PER_KWH
    if abs(register_wh - shown_wh) <= max(Decimal(DISPLAY_DRIFT_WH), rounding_wh):
        return Comparison(DisplayVerdict.SAME)
    if shown_wh > 0:
        for factor in POWERS:
            if abs(Decimal(register_wh) / factor - shown_wh) <= SHARE * shown_wh:
                return Comparison(DisplayVerdict.TOO_LARGE, factor)
            if abs(Decimal(register_wh) * factor - shown_wh) <= SHARE * shown_wh:
                return Comparison(DisplayVerdict.TOO_SMALL, factor)
    return Comparison(DisplayVerdict.DIFFERENT)
