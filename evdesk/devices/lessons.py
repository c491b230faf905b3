"""What one device refuses, learned by asking and remembered for the next start.

A device that refuses a request (exception 2 or 3) is asked for less at a time from then on, and a
value that it refuses alone is left out. Some devices do not refuse what is too long for them: they
say nothing, or close the connection. So a request that was never answered is tried in smaller
pieces; where those are answered, and the whole still is not, that is remembered, too.
"""

from collections.abc import Collection, Iterable

from evdesk.devices.plan import Block, split_block
from evdesk.devices.profiles import Pace
from evdesk.domain.device_memory import Refusal

STRIKES = 3  # cycles that a request costs before less is tried, or a value left out

Key = tuple[int, int | None, int, int, int]


class Lessons:
    """The lessons of one device; ``version`` moves when something else is to be asked for."""

    def __init__(self, refusals: Iterable[Refusal] = ()) -> None:
        self._known = {_key_of(refusal): refusal for refusal in refusals}
        self._pending: dict[Key, Refusal] = {}
        self._trials: set[Key] = set()
        self._retests: set[Key] = set()
        self._answered: set[Key] = set()
        self._strikes: dict[Key, int] = {}
        self.version = 0

    @property
    def refusals(self) -> frozenset[Refusal]:
        """Return what is worth remembering."""
        return frozenset(self._known.values())

    def pieces(
        self, socket: int, block: Block, pace: Pace, essential: Collection[str] = ()
    ) -> tuple[Block, ...]:
        """Return what to ask for instead of a request: itself, its parts, or nothing."""
        key = _key(socket, block)
        if not (key in self._known or key in self._pending or key in self._trials):
            return (block,)
        if len(block.registers) > 1:
            halves = split_block(block, pace)
            return tuple(
                piece for half in halves for piece in self.pieces(socket, half, pace, essential)
            )
        return (block,) if block.names() & set(essential) else ()

    def answered(self, socket: int, block: Block) -> None:
        """Note that a request was answered: it will not be doubted again."""
        key = _key(socket, block)
        self._answered.add(key)
        self._retests.discard(key)
        self._strikes.pop(key, None)

    def refused(self, socket: int, block: Block) -> None:
        """Note that a request was refused; it is believed when the cycle comes through."""
        self._pending[_key(socket, block)] = _refusal(socket, block)
        self.version += 1

    def failed(self, socket: int, block: Block, *, after_others: bool) -> None:
        """Note that a request had no answer; ``after_others``: others of its cycle had one."""
        key = _key(socket, block)
        if key in self._answered:
            return
        strikes = self._strikes[key] = self._strikes.get(key, 0) + 1
        if len(block.registers) > 1:
            if key in self._retests:
                self._retests.discard(key)
                self.leave_out(socket, block)
            elif self._trials or strikes >= STRIKES:
                self._trials.add(key)
        elif not after_others:
            self._trials.clear()  # it says nothing at all: the length has nothing to do with it
        elif strikes >= STRIKES:
            self.leave_out(socket, block)
        self.version += 1

    def complete(self) -> None:
        """Note that a cycle came through: what was refused in it is believed.

        What came through in pieces is asked for whole once more.
        """
        self._known.update(self._pending)
        self._pending.clear()
        self._retests = self._trials
        if self._trials:
            self._trials = set()
            self.version += 1

    def leave_out(self, socket: int, block: Block) -> None:
        """Remember not to ask for something again."""
        self._known[_key(socket, block)] = _refusal(socket, block)
        self.version += 1

    def undo(self) -> None:
        """Forget what this cycle seemed to teach: the device refuses everything for now."""
        self._pending.clear()
        self.version += 1


def _key(socket: int, block: Block) -> Key:
    return socket, block.unit_id, int(block.function), block.address, block.count


def _key_of(refusal: Refusal) -> Key:
    return refusal.socket, refusal.unit, refusal.function, refusal.address, refusal.count


def _refusal(socket: int, block: Block) -> Refusal:
    names = tuple(sorted(block.names()))
    return Refusal(socket, block.unit_id, int(block.function), block.address, block.count, names)
