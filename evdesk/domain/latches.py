"""A condition that opens a fault once it has lasted and closes it once it has been over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evdesk.domain.faults import FaultChange, FaultCode, FaultKey
from evdesk.domain.instants import from_ms
from evdesk.domain.readings import MeterId

MS_PER_S = 1000
Changes = list[FaultChange]


@dataclass(slots=True)
class Latch:
    """Open or not: opens when told ``bad`` for ``for_ms``, closes when ``good`` for ``clear_ms``.

    A latch that was open when the program ended closes at the first good word: what happened in
    between nobody saw.
    """

    key: FaultKey
    for_ms: int = 0
    clear_ms: int = 0
    is_open: bool = False
    unseen: bool = False
    bad_ms: int | None = None
    good_ms: int | None = None

    def resume(self) -> None:
        """Be open as it was before the program ended."""
        self.is_open = self.unseen = True

    @property
    def idle(self) -> bool:
        """Return whether a good word changes nothing."""
        return self.bad_ms is None and not self.is_open

    def bad(
        self,
        at_ms: int,
        out: Changes,
        facts: Mapping[str, object] | None = None,
        since_ms: int | None = None,
    ) -> None:
        """Take in that it is bad; ``since_ms`` where that is known to be so for longer."""
        self.good_ms, self.unseen = None, False
        if self.is_open:
            return
        if self.bad_ms is None:
            self.bad_ms = at_ms if since_ms is None else since_ms
        if at_ms - self.bad_ms >= self.for_ms:
            self.is_open = True
            out.append(FaultChange(self.key, from_ms(self.bad_ms), dict(facts or {}), opened=True))

    def good(self, at_ms: int, out: Changes) -> None:
        """Take in that it is good."""
        self.bad_ms = None
        if not self.is_open:
            return
        if self.good_ms is None:
            self.good_ms = at_ms
        if self.unseen or at_ms - self.good_ms >= self.clear_ms:
            facts = {"unseen": True} if self.unseen else {}
            out.append(FaultChange(self.key, from_ms(self.good_ms), facts, opened=False))
            self.is_open = self.unseen = False
            self.good_ms = None


@dataclass(slots=True)
class Latches:
    """All latches of a device or of the site."""

    meter_id: MeterId | None = None
    made: dict[FaultKey, Latch] = field(default_factory=dict)

    def make(
        self,
        code: FaultCode,
        socket: int | None = None,
        for_s: float = 0,
        clear_s: float = 0,
    ) -> Latch:
        """Return a new latch."""
        key = FaultKey(code, self.meter_id, socket)
        self.made[key] = latch = Latch(key, round(for_s * MS_PER_S), round(clear_s * MS_PER_S))
        return latch

    def resume(self, keys: Iterable[FaultKey]) -> set[FaultKey]:
        """Open those that were open; return what there is a latch for."""
        known = self.made.keys() & set(keys)
        for key in known:
            self.made[key].resume()
        return known
