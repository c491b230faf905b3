"""What the watchman found, on its way into the transaction of the readings it was found in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from evdesk.domain.faults import FaultChange
from evdesk.domain.readings import MeterId
from evdesk.ports import Unit


@dataclass(frozen=True, slots=True)
class Findings:
    """What the watchman found and is not written yet."""

    changes: tuple[FaultChange, ...] = ()
    serials: Mapping[MeterId, str] = field(default_factory=dict)

    def write(self, unit: Unit, actor: str) -> None:
        """Write it in the transaction of the readings."""
        if self.changes:
            unit.faults.apply(self.changes, actor)
        for meter, serial in self.serials.items():
            unit.meters.note_serial(meter, serial)
