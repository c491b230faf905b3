"""Time that passed between two stamps, also when somebody set the clock in between."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

REMEMBERED = 16  # drifts that lie further back are compared with by nobody


@dataclass(slots=True)
class Timeline:
    """Stamps that only rise, and by how much they ran ahead of time, or behind, at each.

    ``drift`` is all that they ran ahead by, since the beginning.
    """

    drifts: list[tuple[datetime, timedelta]] = field(default_factory=list)
    drift: timedelta = timedelta()

    def note(self, at: datetime, drift: timedelta) -> None:
        """Take in that the stamp ``at`` ran ahead of the time that really passed by ``drift``."""
        self.drift += drift
        self.drifts = [*self.drifts[1 - REMEMBERED :], (at, drift)]

    def between(self, earlier: datetime, later: datetime) -> timedelta:
        """Return the time that really passed."""
        passed = later - earlier
        for at, drift in self.drifts:
            if earlier < at <= later:
                passed -= drift
        return passed
