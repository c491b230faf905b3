"""The journal of readings, as rows and as sealed hours: the same to whoever asks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.errors import Damaged
from evdesk.domain.meters import Source
from evdesk.domain.readings import Reading

TellDamage = Callable[[datetime, Damaged], object]


@dataclass(frozen=True, slots=True)
class Curve:
    """A plot's points: parallel tuples; a None value marks a gap. Power in W.

    Before ``thinned_until_s`` there are only the lowest and the highest power of each quarter hour.
    """

    at_s: tuple[float, ...]
    power_w: tuple[float | None, ...]
    thinned_until_s: float | None = None


class Readings(Protocol):
    """The journal of readings: append-only."""

    def add(self, readings: Sequence[Reading]) -> None:
        """Append readings (collector only); a meter, socket and instant twice is an error."""

    def latest(self, sources: Iterable[Source]) -> dict[Source, Reading]:
        """Return the newest reading of each source that has one."""

    def between(
        self, source: Source, from_at: datetime, to_at: datetime, damage: TellDamage | None = None
    ) -> Iterable[Reading]:
        """Return readings with from_at <= at < to_at, oldest first, as a lazy iterable.

        ``damage`` is told from when on sealed readings are damaged, which are then left out.

        Raises:
            Damaged: there are such, and nobody to tell.

        """

    def curve(self, source: Source, from_at: datetime, to_at: datetime, points: int) -> Curve:
        """Return power for a plot, with at most about ``points`` points.

        Per bucket the minimum and the maximum stay, so that no peak is lost. A silence longer than
        3 of the usual intervals and 60 s is a gap. A long span is drawn from whole minutes, thinned
        hours from whole quarter hours: also those that only reach into it.
        """

    def curves(
        self, sources: Iterable[Source], from_at: datetime, to_at: datetime, points: int
    ) -> dict[Source, Curve]:
        """Return the curve of each source, for less than one after the other."""

    def sources(self) -> list[Source]:
        """Return every source that was ever read."""

    def thinned(
        self, source: Source, from_at: datetime, to_at: datetime
    ) -> list[tuple[datetime, datetime]]:
        """Return the stretches that reach into from_at <= at < to_at and were thinned out."""

    def count(self) -> int:
        """Return how many readings are kept."""

    def sealed(self) -> int:
        """Return how many of them are sealed."""
