"""What an account of a register says: sessions, idle, gaps, and what is left to explain."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    CAUGHT_UP = "caught_up"


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
class Remainder:
    """Wh to explain, apart: counted and not accounted for (>= 0), claimed and not counted (<= 0).

    Nothing above ever makes up for something below.
    """

    above_wh: int = 0
    below_wh: int = 0

    @property
    def sum_wh(self) -> int:
        """Return both as one; 0 does not mean that nothing is left."""
        return self.above_wh + self.below_wh

    @property
    def amount_wh(self) -> int:
        """Return how much there is to explain, whatever its sign."""
        return self.above_wh - self.below_wh

    def takes(self, wh: int) -> bool:
        """Return whether that much of its sign is left."""
        return 0 < wh <= self.above_wh or self.below_wh <= wh < 0

    def without(self, explained: Iterable[int]) -> "Remainder":
        """Return what is left; what was explained and is no longer there must be taken back.

        Explanations that take each other back are worth nothing.
        """
        given = list(explained)
        above_wh = self.above_wh - sum(wh for wh in given if wh > 0)
        below_wh = self.below_wh - sum(wh for wh in given if wh < 0)
        taken_back_wh = max(0, min(-above_wh, below_wh))
        return remainder_of((above_wh + taken_back_wh, below_wh - taken_back_wh))


def remainder_of(amounts: Iterable[int]) -> Remainder:
    """Return amounts in Wh, those above 0 apart from those below."""
    known = list(amounts)
    return Remainder(sum(wh for wh in known if wh > 0), sum(wh for wh in known if wh < 0))


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

    @property
    def remainder(self) -> Remainder:
        """Return ``rest_wh`` as what is above and what is below the register.

        Rests of one session are one, so that a correction settles what it was made for; those of
        two sessions never make up for each other, but where both had the same energy.
        """
        of_sessions = _by_session(self.rests)
        unsaid_wh = self.rest_wh - sum(of_sessions)
        return remainder_of((*of_sessions, unsaid_wh))


def _by_session(rests: Sequence[Rest]) -> list[int]:
    """Return what is left of each session's rests, where one has what another was given, once."""
    left: Counter[SessionId] = Counter()
    for rest in rests:
        left[rest.session] += rest.wh
    for overlap in (rest for rest in rests if rest.kind is RestKind.OVERLAP):
        room_wh = -overlap.wh
        for other in _corrected_beside(overlap, rests):
            settled_wh = max(0, min(room_wh, -left[overlap.session], left[other]))
            left[overlap.session] += settled_wh
            left[other] -= settled_wh
            room_wh -= settled_wh
    return list(left.values())


def _corrected_beside(overlap: Rest, rests: Sequence[Rest]) -> Iterator[SessionId]:
    """Yield which other sessions of that time were corrected."""
    for rest in rests:
        begins_in_time = overlap.to_at is None or rest.from_at <= overlap.to_at
        ends_in_time = rest.to_at is None or overlap.from_at <= rest.to_at
        is_other = rest.kind is RestKind.CORRECTION and rest.session != overlap.session
        if is_other and begins_in_time and ends_in_time:
            yield rest.session


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
