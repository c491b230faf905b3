"""A bus that bears one client belongs to the collector while it reads there."""

from collections.abc import Iterable
from dataclasses import dataclass

from evdesk.domain.errors import Occupied
from evdesk.domain.meters import Meter
from evdesk.ports import Clock, Devices, Store
from evdesk.services.sites import is_running

MANY_CLIENTS = ("tcp://", "tls://")  # a network device; what shares a line bears one master


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Says whether a bus may be asked beside the collector; ``wall`` is the real clock."""

    store: Store
    devices: Devices
    wall: Clock

    def check(self, url: str) -> None:
        """Return where the bus may be asked now.

        Raises:
            Occupied: the collector is reading there, and a second client would disturb it.
            UserError: a URL that cannot be.

        """
        with self.store.read() as unit:
            demo, meters = unit.site.load().demo, unit.meters.all()
            runs = is_running(unit.collector.state(), self.wall.now())
        bus = self.devices.check_url(url, demo=demo)
        there = self._on(bus, meters, demo=demo) if runs else []
        if there and self._bears_one(bus, there):
            raise Occupied(
                "The collector is reading {names} at {place}, where a second client would disturb"
                " it. Stop it for the moment (evdesk collect --stop, or Stop in the window), ask"
                " again, then start it: no energy is lost, for it is counted in the meter.",
                names=", ".join(meter.name for meter in there),
                place=bus.partition("?")[0],
            )

    def _on(self, bus: str, meters: Iterable[Meter], *, demo: bool) -> list[Meter]:
        place = _place(bus)
        return [m for m in meters if _place(self.devices.check_url(m.url, demo=demo)) == place]

    def _bears_one(self, bus: str, there: Iterable[Meter]) -> bool:
        if not bus.startswith(MANY_CLIENTS):
            return True
        return any(self.devices.profile(meter.profile).one_client for meter in there)


def _place(bus: str) -> str:
    """Return what two ways to speak on one bus have in common: another speed, another framing."""
    return bus.partition("?")[0].partition("://")[2]
