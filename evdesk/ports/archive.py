"""The reading archive: hours that are over become sealed segments, old ones are thinned out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from evdesk.domain.meters import Source


@dataclass(frozen=True, slots=True)
class ArchiveState:
    """How the archive stands; ``thin_after_days`` None keeps every reading for ever."""

    sealed_until: datetime | None
    thinned_until: datetime | None
    thin_after_days: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """Some segments together; ``digest`` is hex, over their digests in order."""

    segments: int
    readings: int
    digest: str


@dataclass(frozen=True, slots=True)
class Thinned:
    """What became of a day of some sources: the hours that went, and what stands for them."""

    before: Sealed
    after: Sealed


class HourOfRows(Protocol):
    """Rows of one hour in memory, on their way into segments; only the archive looks inside."""

    @property
    def hour(self) -> datetime:
        """The instant at which the hour begins."""

    @property
    def late(self) -> bool:
        """Whether the rows came after their time had been sealed."""

    def whole(self) -> bool:
        """Return whether all rows are gathered."""

    def sealed(self) -> bool:
        """Return whether all gathered rows were compressed."""


class Drafts(Protocol):
    """Segments ready to be written; only the archive looks inside."""


class Archive(Protocol):
    """The sealed readings of a site, as people see them."""

    def state(self) -> ArchiveState:
        """Return how the archive stands."""

    def oldest_row(self) -> datetime | None:
        """Return the instant of the oldest reading that is not sealed."""

    def set_thinning(self, after_days: int | None) -> None:
        """Thin readings older than so many days; None never does."""


class Sealing(Protocol):
    """Seals and thins (collector only).

    An hour is gathered and compressed outside of any write transaction, written as segments that
    do not count yet, and then moved: its rows go as its segments begin to count, piece by piece.
    Killed at any moment, every reading exists once, and the same calls go on where they were.
    """

    def due(self, before: datetime) -> HourOfRows | None:
        """Return the oldest hour that has rows and ends by ``before``, yet to be gathered."""

    def gather(self, hour: HourOfRows, limit: int) -> None:
        """Read on, at most about ``limit`` rows."""

    def compress(self, hour: HourOfRows, limit: int) -> Drafts:
        """Return segments of about ``limit`` gathered rows that no segment holds yet."""

    def write(self, drafts: Drafts) -> None:
        """Write segments of an hour that do not count until it is moved."""

    def write_late(self, drafts: Drafts) -> Sealed | None:
        """Write segments of a late hour in the place of its rows; None where there were none."""

    def move(self, hour: HourOfRows, limit: int) -> bool | None:
        """Let segments count and give up their rows, at most about ``limit`` of them.

        Return True when the hour is done, None when rows have come that no segment holds: then
        nothing was changed, and the hour is to be gathered anew.
        """

    def of_hour(self, hour: HourOfRows) -> Sealed:
        """Return what the hour has become."""

    def of_day(self, day: datetime) -> Sealed:
        """Return what a whole day is: hours, and what stands for those that were thinned out."""

    def thinnable(
        self, after: datetime | None, before: datetime
    ) -> tuple[datetime, list[Source]] | None:
        """Return the oldest UTC day that has hours to thin, and whose; None where there is none.

        It is later than ``after`` and ends by ``before``.
        """

    def thin(self, source: Source, day: datetime) -> Drafts:
        """Return a day with what stands for its quarter hours, and what proves its sessions.

        Raises:
            StorageError: an hour of it is damaged.

        """

    def replace(self, drafts: Sequence[Drafts]) -> Thinned:
        """Write thinned days in the place of their hours."""
