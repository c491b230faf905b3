"""A device that cannot be read as it is set up: it leaves the others to be read."""

from evdesk.domain.device_memory import Refusal
from evdesk.domain.errors import DeviceError, UserError
from evdesk.domain.meters import Meter
from evdesk.domain.readings import Reading
from evdesk.ports import Decided


class UnreadableReader:
    """Implements ``ports.MeterReader``: says each time what is wrong with the meter."""

    def __init__(self, meter: Meter, error: UserError) -> None:
        self.bus = f"none of meter {meter.id}"
        self.cycle_ms = self.requests = self.errors = 0
        self.decided: tuple[Decided, ...] = ()
        self.refusals: frozenset[Refusal] = frozenset()
        self._error = error

    async def read(self) -> tuple[Reading, ...]:
        """Raise what is wrong.

        Raises:
            DeviceError: always.

        """
        raise DeviceError(self._error.template, **self._error.facts)
