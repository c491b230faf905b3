"""The devices of a site over Modbus: implements ``ports.Devices``."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from evdesk.devices.connection import Connection
from evdesk.devices.probing import Wanted, probe_device
from evdesk.devices.profile_file import load_named, load_profiles
from evdesk.devices.profiles import Profile
from evdesk.devices.reader import ModbusReader
from evdesk.devices.scanning import Scanner
from evdesk.devices.serial_line import serial_ports
from evdesk.devices.stepping import DepotClocks
from evdesk.devices.tempo import Tempo
from evdesk.devices.urls import Address, parse_url
from evdesk.domain.device_memory import Refusal
from evdesk.domain.errors import UserError
from evdesk.domain.instants import to_ms
from evdesk.domain.meters import Meter
from evdesk.ports import Clock, MeterReader, Probe, ProfileInfo, Scan, ScanWatch, SerialPort
from evdesk.settings import POLLING, Polling, shipped

LAST_UNIT = 255


class ModbusDevices:
    """One connection per bus (host and port, or serial port), one queue each; for one event loop.

    In stepped time hosts are loopback only, gaps between requests cost nothing (the interval of a
    device already holds them), back-off counts in the site's time, and every connection must lead
    to a simulated depot.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        stepped: bool,
        profiles_dir: Path | None = None,
        polling: Polling = POLLING,
    ) -> None:
        self._clock = clock
        self._stepped = stepped
        self._folder = profiles_dir or shipped("resources") / "meters"
        self._profiles: dict[str, Profile] = {}
        self._has_all = False
        self._connections: dict[str, Connection] = {}
        self._depots = DepotClocks()
        self._tempo = Tempo(
            now_s=self._site_s if stepped else _loop_s,
            timeout_s=polling.stepped_timeout_s if stepped else polling.timeout_s,
            keeps_gaps=not stepped,
            polling=polling,
        )

    def _site_s(self) -> float:
        return self._clock.now().timestamp()

    def profiles(self) -> tuple[ProfileInfo, ...]:
        """Return every profile, by id.

        Raises:
            UserError: a profile file is wrong; the sentence names the line.

        """
        return tuple(profile.info for _, profile in sorted(self._loaded().items()))

    def profile(self, profile: str) -> ProfileInfo:
        """Return one profile; UserError where there is none of that id."""
        return self._profile(profile).info

    def check_url(self, url: str, *, demo: bool) -> str:
        """Return the bus a URL names; UserError says what is wrong with it."""
        return parse_url(url, demo=demo or self._stepped).bus

    def reader(
        self, meter: Meter, sockets: frozenset[int], refusals: frozenset[Refusal] = frozenset()
    ) -> MeterReader:
        """Return a reader of one device.

        Raises:
            UserError: a profile, URL, unit or socket that cannot be.

        """
        profile = self._profile(meter.profile)
        if not sockets <= set(range(1, profile.info.sockets + 1)):
            raise UserError(
                "{meter}: {profile} has {count} socket(s), not a socket {wanted}.",
                meter=meter.name,
                profile=profile.info.id,
                count=profile.info.sockets,
                wanted=max(sockets),
            )
        address = parse_url(meter.url, demo=self._stepped)
        _check_unit(meter.unit, address)
        connection = self._connection(address)
        if profile.pace.one_client:
            connection.be_gentle()
        if address.line is not None:  # what it really is counts, not what the device left with
            profile = replace(profile, pace=replace(profile.pace, baud=address.line.baud))
        return ModbusReader(meter, profile, connection, self._clock, self._tempo, sockets, refusals)

    async def probe(
        self,
        url: str,
        unit: int,
        profile: str | None,
        choices: Mapping[str, str] | None = None,
        watch: ScanWatch | None = None,
    ) -> Probe:
        """Read every value of a profile once; without one, of the profile that fits best.

        Raises:
            UserError: a profile, URL or unit that cannot be, or no profile that fits.
            DeviceError: nothing answers there.

        """
        address = parse_url(url, demo=self._stepped)
        _check_unit(unit, address)
        named = None if profile is None else self._profile(profile)
        connection = self._connection(address)
        wanted = Wanted(unit, named, choices or {})
        async with connection.lock:
            return await probe_device(connection, wanted, self._loaded().values(), watch)

    async def scan(
        self, url: str, units: Sequence[int] | None, watch: ScanWatch, *, thorough: bool
    ) -> Scan:
        """Ask the units of one bus or host what they are; nothing is written to them.

        Raises:
            UserError: a URL or unit that cannot be.
            DeviceError: the bus or host cannot be reached.

        """
        address = parse_url(url, demo=self._stepped)
        for unit in units or ():
            _check_unit(unit, address)
        connection = self._connection(address)
        async with connection.lock:
            return await Scanner(connection, self._loaded(), watch, thorough=thorough).run(units)

    def serial_ports(self) -> tuple[SerialPort, ...]:
        """Return the serial ports of this computer."""
        return serial_ports()

    async def tell_instant(self, at: datetime) -> None:
        """Tell the simulated depots what time it is; a dead bus is left to its reader to report."""
        await self._depots.tell(to_ms(at), tuple(self._connections.values()))

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.drop()
        await asyncio.sleep(0)  # lets asyncio close the sockets

    def _loaded(self) -> dict[str, Profile]:
        if not self._has_all:
            self._profiles, self._has_all = load_profiles(self._folder), True
        return self._profiles

    def _profile(self, name: str) -> Profile:
        known = self._profiles
        if name not in known and not self._has_all:
            known.update(load_named(self._folder, {name}))
        if name not in known:
            raise UserError(
                "There is no device profile '{profile}'; 'evdesk meter profiles' lists them.",
                profile=name,
            )
        return known[name]

    def _connection(self, address: Address) -> Connection:
        key = _port_of(address)
        if key not in self._connections:
            guard = self._depots if self._stepped else None
            self._connections[key] = Connection(address, self._tempo, guard)
        connection = self._connections[key]
        if replace(connection.address, host=address.host) != address:
            raise UserError(
                "{place} is already read as {known}; one port speaks one way.",
                place=address.place,
                known=connection.address.bus,
            )
        return connection


def _port_of(address: Address) -> str:
    """Return what two addresses of one bus have in common, also where a link leads to the port."""
    if address.line is not None:
        return str(Path(address.host).resolve()) if "/" in address.host else address.host
    return f"{address.host}:{address.port}"


def _loop_s() -> float:
    return asyncio.get_running_loop().time()


def _check_unit(unit: int, address: Address) -> None:
    if not 0 <= unit <= LAST_UNIT:
        raise UserError("The unit {unit} is not within 0 and {last}.", unit=unit, last=LAST_UNIT)
    if unit == 0 and address.is_rtu:
        raise UserError(
            "On a serial line unit 0 speaks to all at once and nobody answers: the units there"
            " begin with 1."
        )
