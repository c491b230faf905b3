"""Which device of a scenario answers behind which port, unit and socket."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from evdesk.devices.profiles import Profile
from evdesk.devices.simulator.device import SimulatedDevice
from evdesk.devices.simulator.encode import Encoder, Span
from evdesk.devices.simulator.listening import Listener
from evdesk.devices.simulator.scenario import Device, Fault, FaultKind, Scenario
from evdesk.devices.simulator.wire import READ_REQUEST, SILENCE, Answer
from evdesk.devices.stepping import CONTROL_UNIT
from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterRole


@dataclass(slots=True)
class Unit:
    """One device as a unit shows it, and how often it was read."""

    device: SimulatedDevice
    encoder: Encoder
    reads: int = 0
    faults: int = 0
    before: Answer = SILENCE

    def fault(self, at_ms: int, pdu: bytes) -> Fault | None:
        """Return what keeps it from answering a request well."""
        if len(pdu) != READ_REQUEST.size:
            return self.device.faults.answering(at_ms, lambda _: False)
        read = READ_REQUEST.unpack(pdu)
        return self.device.faults.answering(at_ms, partial(self.encoder.touches, read))

    def holds(self, pdu: bytes) -> bool:
        """Say whether it can answer a read."""
        if len(pdu) != READ_REQUEST.size:
            return False
        return isinstance(self.encoder.span(*READ_REQUEST.unpack(pdu)), Span)


@dataclass(slots=True)
class Port:
    """One bus and the units on it, each with its sockets; ``stations`` stand for whole chargers."""

    is_rtu: bool
    units: dict[int, list[Unit]] = field(default_factory=dict)
    stations: dict[int, Unit] = field(default_factory=dict)
    listener: Listener | None = None

    def every(self) -> Iterator[Unit]:
        """Yield the units of all sockets."""
        for sockets in self.units.values():
            yield from sockets

    def first(self, unit_id: int) -> Unit | None:
        """Return the first socket of a unit."""
        sockets = self.units.get(unit_id)
        return sockets[0] if sockets else self.stations.get(unit_id)

    def asked(self, unit_id: int, pdu: bytes) -> Unit | None:
        """Return who answers a request: of several sockets, the one that has what it asks for."""
        sockets = self.units.get(unit_id, ())
        if len(sockets) > 1:
            return next((unit for unit in sockets if unit.holds(pdu)), sockets[0])
        return self.first(unit_id)

    def refuses(self, at_ms: int) -> bool:
        """Say whether it takes no connection at an instant."""
        return any(unit.device.refuses(at_ms) for unit in self.every())

    def may_refuse(self) -> bool:
        """Say whether it ever takes no connection."""
        faults = (fault for unit in self.every() for fault in unit.device.device.faults)
        return any(fault.kind is FaultKind.REFUSE for fault in faults)


def lay_out(scenario: Scenario, profiles: Mapping[str, Profile]) -> list[Port]:
    """Return the ports of a scenario: one per device, or one per named bus.

    Raises:
        UserError: a profile, option or socket that is not there, or two devices in one place.

    """
    devices: dict[str, SimulatedDevice] = {}
    for device in sorted(scenario.devices, key=lambda device: device.role is MeterRole.GRID):
        fed = tuple(devices.values()) if device.role is MeterRole.GRID else ()
        profile = _profile(device, profiles)
        devices[device.name] = SimulatedDevice(device, profile, scenario.repeat_ms, fed)
    ports: dict[str, Port] = {}
    for device in scenario.devices:
        key = device.bus or f"device {device.name}"
        _put(ports.setdefault(key, Port(device.is_rtu)), devices[device.name])
    return list(ports.values())


def _profile(device: Device, profiles: Mapping[str, Profile]) -> Profile:
    """Return the profile of a device as its choices make it."""
    profile = profiles.get(device.profile)
    if profile is None:
        raise UserError(
            "{device}: there is no profile '{profile}'.",
            device=device.name,
            profile=device.profile,
        )
    if device.socket > profile.info.sockets:
        raise UserError(
            "{device}: {profile} has {count} socket(s), not a socket {socket}.",
            device=device.name,
            profile=device.profile,
            count=profile.info.sockets,
            socket=device.socket,
        )
    known = {choice.key: [option.id for option in choice.options] for choice in profile.choices}
    for key, option in device.choices:
        if option not in known.get(key, ()):
            raise UserError(
                "{device}: {profile} has no choice {key}={option}.",
                device=device.name,
                profile=device.profile,
                key=key,
                option=option,
            )
    return profile.variant(dict(device.choices)).wired(device.phases)


def _put(port: Port, simulated: SimulatedDevice) -> None:
    device, profile = simulated.device, simulated.profile
    sockets = port.units.setdefault(simulated.unit, [])
    taken = any(unit.device.device.socket == device.socket for unit in sockets)
    other = any(unit.device.device.profile != device.profile for unit in sockets)
    if taken or other or simulated.unit == CONTROL_UNIT:
        raise UserError(
            "{device}: the unit {unit} is already taken on its bus.",
            device=device.name,
            unit=simulated.unit,
        )
    sockets.append(Unit(simulated, Encoder(profile, device.phases, device.socket)))
    for unit_id in {one.unit_id for one in profile.registers.values()} - {None}:
        station = Unit(simulated, Encoder(profile, device.phases, unit_id=unit_id))
        port.stations.setdefault(unit_id or 0, station)
