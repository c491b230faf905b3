"""What an account of a register says: sessions, idle, gaps, and what is left to explain."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evdesk.domain.readings import Register
from evdesk.domain.sessions import Replacement, SessionId


@dataclass(frozen=True, slots=True)
class Point:
    """A register that was read; ``unbroken`` since the point before, without a silence."""

    at: datetime
    wh: int
    unbroken: bool = True


class GapKind(StrEnum):
    """Why nobody can say when, or whether, energy was counted outside a session."""

    SILENCE = "silence"
    RESET = "reset"
    REWIND = "rewind"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Gap:
    """Wh counted while nobody watched; without ``complete``, more was counted that is lost."""

    kind: GapKind
    from_at: datetime
    to_at: datetime
    wh: int
    complete: bool = True


class RestKind(StrEnum):
    """What a remainder comes from."""

    CORRECTION = "correction"
    MISMATCH = "mismatch"
    OVERLAP = "overlap"
    NO_REGISTER = "no_register"
    FORCED_END = "forced_end"


@dataclass(frozen=True, slots=True)
class Rest:
    """Wh that the register counted and nothing accounts for; negative: that it did not count."""

    kind: RestKind
    wh: int
    session: SessionId
    from_at: datetime
    to_at: datetime | None


@dataclass(frozen=True, slots=True)
class Account:
    """One register from one instant to another; ``delta_wh`` is what it counted in between.

    Over a reset the delta is not the difference of the two ends: the gap there is not complete.
    """

    start: Register | None
    end: Register | None
    delta_wh: int
    sessions_wh: int
    idle_wh: int
    gap_wh: int
    sessions: int
    gaps: tuple[Gap, ...]
    rests: tuple[Rest, ...]

    @property
    def rest_wh(self) -> int:
        """Return what neither sessions nor idle nor gaps account for."""
        return self.delta_wh - self.sessions_wh - self.idle_wh - self.gap_wh


@dataclass(frozen=True, slots=True)
class Swaps:
    """What is known of meters put in others' places beside what their registers show.

    ``told`` is what people said, ``seen`` when sessions saw the first register of another serial,
    ``counted`` which sessions took in what was told of which instant.
    """

    told: tuple[Replacement, ...] = ()
    seen: frozenset[datetime] = frozenset()
    counted: frozenset[tuple[SessionId, datetime]] = frozenset()

    def instants(self) -> frozenset[datetime]:
        """Return around which instants every read matters."""
        return self.seen | {one.at for one in self.told}


NO_SWAPS = Swaps()
