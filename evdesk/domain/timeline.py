"""Time that passed between two stamps, also when somebody set the clock in between."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LEAP = timedelta(seconds=2)  # less than that is a clock being kept in step
REMEMBERED = 8  # leaps that lie far back are compared with by nobody


@dataclass(slots=True)
class Timeline:
    """Stamps that only rise, with the leaps in them; ``drift`` is all that the clock was set by."""

    leaps: list[tuple[datetime, timedelta]] = field(default_factory=list)
    drift: timedelta = timedelta()

    def note(self, at: datetime, drift: timedelta) -> None:
        """Take in that the stamp ``at`` ran ahead of the time that really passed by ``drift``."""
        self.drift += drift
        if drift > LEAP:
            self.leaps = [*self.leaps[1 - REMEMBERED :], (at, drift)]

    def between(self, earlier: datetime, later: datetime) -> timedelta:
        """Return the time that passed, without the leaps of the clock."""
        passed = later - earlier
        for at, leap in self.leaps:
            if earlier < at <= later:
                passed -= leap
        return passed
