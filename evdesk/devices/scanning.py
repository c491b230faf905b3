"""Looking for devices on one bus or host that somebody named: unit by unit, reading only."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from evdesk.devices.asking import Asker, Patience
from evdesk.devices.connection import Connection, Unreachable
from evdesk.devices.profiles import Profile
from evdesk.devices.recognising import Recogniser, certainty_of, effort_for
from evdesk.devices.self_description import Names
from evdesk.devices.twins import Twin, read_sign
from evdesk.devices.urls import Address
from evdesk.ports import FoundDevice, Remark, Scan, ScanStep, ScanWatch
from evdesk.settings import FINDING

BUS_UNITS = tuple(range(1, 17))
HOST_UNITS = (255, 1, 0)  # what a device with a network port of its own answers to
RECONNECT_S = 1.2
OUT_OF_TIME = Remark("out-of-time", "it answers so slowly that not every profile was tried")
NOTHING_FITS = Remark("nothing-fits", "it answers, but no profile fits")
GATEWAY = Remark(
    "gateway", "A gateway answered: the devices behind it have units of their own, mostly 1 to 16."
)
LOST = Remark("lost", "The connection was lost on the way: what comes after was not asked.")


class Scanner:
    """Scans the units of one connection, whose lock the caller holds."""

    def __init__(
        self,
        connection: Connection,
        profiles: Mapping[str, Profile],
        watch: ScanWatch,
        *,
        thorough: bool,
    ) -> None:
        self._connection = connection
        self._is_bus = connection.address.is_rtu
        self._profiles = {
            name: profile
            for name, profile in profiles.items()
            if _may_be_at(connection.address, profile)
        }
        self._watch = watch
        self._effort = effort_for(is_bus=self._is_bus, thorough=thorough)
        silence_s = FINDING.bus_silence_s if self._is_bus else FINDING.network_silence_s
        self._patience = Patience(silence_s, FINDING.patience_s)
        self._pending: list[int] = []
        self._asked: list[int] = []
        self._found: list[FoundDevice] = []
        self._twins: list[Twin] = []
        self._notes: list[Remark] = []

    async def run(self, units: Sequence[int] | None) -> Scan:
        """Ask unit after unit; without ``units`` those that such devices usually have.

        On a host the usual units end with the first device that has a network port of its own: it
        is the only one there, and some of these bear no client that comes and goes.

        Raises:
            Unreachable: there is no connection to begin with.

        """
        await self._connection.open()
        self._pending = list(self._usual() if units is None else units)
        while self._pending and not self._watch.stopped():
            try:
                await self._next(usual=units is None)
            except Unreachable:
                self._notes.append(LOST)
                break
        return Scan(
            tuple(self._found), tuple(self._asked), tuple(self._pending), tuple(self._notes)
        )

    async def _next(self, *, usual: bool) -> None:
        unit = self._pending[0]
        self._tell(unit)
        asker, found = await self._look_at(unit)
        if self._watch.stopped() and found is None:
            return  # it counts as not asked
        self._pending.pop(0)
        self._asked.append(unit)
        if found is not None:
            self._found.append(found)
        self._tell(unit, found)
        if asker.behind_gateway and GATEWAY not in self._notes:
            self._notes.append(GATEWAY)
        if usual and not self._is_bus:
            self._still_usual(found)

    def _tell(self, unit: int, found: FoundDevice | None = None) -> None:
        done = len(self._asked)
        self._watch.tell(ScanStep(unit, done, done + len(self._pending), found))

    # -- which units ----------------------------------------------------------------------------

    def _usual(self) -> list[int]:
        first = BUS_UNITS if self._is_bus else HOST_UNITS
        own = {
            profile.info.default_unit
            for profile in self._profiles.values()
            if _has_own_network(profile) is not self._is_bus
        }
        return [*first, *sorted(own - set(first))]

    def _still_usual(self, found: FoundDevice | None) -> None:
        """Drop what is not worth asking on a host any more, or add what is behind a gateway."""
        if found is not None and self._is_alone(found):
            self._pending.clear()
        elif found is not None or GATEWAY in self._notes:
            known = {*self._pending, *self._asked}
            self._pending += [unit for unit in BUS_UNITS if unit not in known]

    def _is_alone(self, found: FoundDevice) -> bool:
        profile = found.profile
        return profile is not None and _has_own_network(self._profiles[profile])

    # -- one unit -------------------------------------------------------------------------------

    async def _look_at(self, unit: int) -> tuple[Asker, FoundDevice | None]:
        """Return what was found; a connection that breaks off is opened once more."""
        asker = Asker(self._connection, unit, self._patience)
        try:
            return asker, await self._recognise(asker)
        except Unreachable:
            await asyncio.sleep(RECONNECT_S)
            return asker, await self._recognise(asker)

    async def _recognise(self, asker: Asker) -> FoundDevice | None:
        asker.gap_s = self._effort.gap_s
        for twin in self._twins:
            if await twin.is_at(asker):
                return replace(twin.device, unit=asker.unit, same_as=twin.device.unit)
        profiles = self._profiles.values()
        known = await Recogniser(asker, profiles, self._effort, self._watch.stopped).run()
        if not asker.answered:
            return None
        notes = [OUT_OF_TIME] if known.out_of_time else []
        if not known.candidates:
            notes.append(NOTHING_FITS)
        sign = await read_sign(asker, known.leader)
        names = known.names.or_else(Names(serial=None if sign is None else sign.serial))
        found = FoundDevice(
            asker.unit, certainty_of(known.candidates), known.candidates,
            names.maker, names.model, names.serial, None, tuple(notes),
        )  # fmt: skip
        if sign is not None and not self._is_bus:
            self._twins.append(Twin(found, sign))
        return found


def _may_be_at(address: Address, profile: Profile) -> bool:
    """Say whether such a device can be there: a gateway may bring any of them to a host."""
    ways = {"rtu", "ascii"} if address.is_ascii else {"rtu", "rtu_over_tcp"}
    return not address.is_rtu or not ways.isdisjoint(profile.info.transports)


def _has_own_network(profile: Profile) -> bool:
    return profile.info.transports[:1] == ("tcp",)
