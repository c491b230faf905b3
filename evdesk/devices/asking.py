"""Asking an unknown unit: what it said is asked once, what it refused is not asked again.

Nothing is ever written to a device.
"""

import asyncio
from dataclasses import dataclass

from evdesk.devices.connection import (
    Connection,
    ExceptionAnswer,
    NoAnswer,
    Quiet,
    TimedOut,
    Unreachable,
)
from evdesk.devices.plan import Block
from evdesk.devices.profiles import LAST_ADDRESS

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3
NO_SUCH_VALUE = frozenset({ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE})
NOT_NOW = frozenset({5, 6})  # acknowledged, busy: asked once more after a pause
NOBODY_THERE = frozenset({10, 11})  # a gateway says so of a unit behind it
PAUSE_S = 0.5
DEVICE_IDENTIFICATION = b"\x2b\x0e\x01\x00"  # basic objects, from the first on

Key = tuple[int, int, int, int]  # unit, function, first address, count


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a unit may take: for its first answer, and once it is known to be there."""

    first_s: float
    later_s: float


class Asker:
    """One unit of one connection, whose lock the caller holds.

    ``gap_s`` is the quiet that is kept before each request; ``answered`` says whether the unit has
    answered anything, were it with an exception; ``behind_gateway`` whether a gateway answered that
    there is nobody.
    """

    def __init__(self, connection: Connection, unit: int, patience: Patience) -> None:
        self.unit = unit
        self.gap_s = 0.0
        self.requests = 0
        self.answered = False
        self.behind_gateway = False
        self._connection = connection
        self._patience = patience
        self._words: dict[tuple[int, int, int], bytes] = {}
        self._refused: dict[tuple[int, int], dict[tuple[int, int], int]] = {}
        self._is_strict = False
        self._news: Key = (0, 0, 0, 0)
        self._silent: set[Key] = set()

    @property
    def is_strict(self) -> bool:
        """Say whether it refuses what it does not have, so that an answer means something."""
        return self._is_strict

    def knows(self, block: Block, shift: int = 0) -> bool:
        """Say whether the answer to a request is known without asking."""
        key = self._key(block, shift)
        return key in self._silent or self._refusal(block, shift) is not None or self._has(key)

    def is_new(self, block: Block, shift: int = 0) -> bool:
        """Say whether the last request may have settled what a block asks for."""
        unit, function, first, count = self._key(block, shift)
        new_unit, new_function, start, length = self._news
        same = (unit, function) == (new_unit, new_function)
        return same and first < start + length and start < first + count

    async def read(self, block: Block, shift: int = 0) -> bytes:
        """Return the words of a block, from memory where they are known.

        Raises:
            ExceptionAnswer: the unit refuses them, now or before.
            Unreachable: there is no connection (any more).
            NoAnswer: it does not answer this, now or before.

        """
        key = self._key(block, shift)
        if key in self._silent:
            raise NoAnswer("Unit {unit} did not answer.", unit=self.unit)
        code = self._refusal(block, shift)
        if code is not None:
            raise ExceptionAnswer("Unit {unit} refused.", code=code, unit=self.unit)
        if not self._has(key):
            self._keep(key, await self._ask(key, block, shift))
        unit, function, first, count = key
        return b"".join(self._words[unit, function, first + number] for number in range(count))

    async def identification(self) -> dict[int, str]:
        """Return what it calls itself (function 43/14): 0 vendor, 1 product, 2 revision.

        Empty where it does not know this function. Source: Modbus Application Protocol V1.1b3,
        section 6.21.

        Raises:
            Unreachable: there is no connection (any more).

        """
        await self._connection.open()
        await self._connection.keep_quiet(self.unit, Quiet(self.gap_s))
        self.requests += 1
        try:
            answer = await self._connection.exchange(
                self.unit, DEVICE_IDENTIFICATION, self._patience.later_s
            )
        except ExceptionAnswer as error:
            self._note(error)
            return {}
        except Unreachable:
            raise
        except NoAnswer:
            return {}
        self.answered = True
        return _objects(answer)

    def _key(self, block: Block, shift: int) -> Key:
        unit = self.unit if block.unit_id is None else block.unit_id
        return unit, int(block.function), block.address + shift, block.count

    def _has(self, key: Key) -> bool:
        unit, function, first, count = key
        return all((unit, function, first + number) in self._words for number in range(count))

    def _refusal(self, block: Block, shift: int) -> int | None:
        """Return why a request would be refused: it holds whole values that were refused before."""
        unit, function, first, count = self._key(block, shift)
        refused = self._refused.get((unit, function), {})
        if (first, count) in refused:
            return refused[first, count]
        for (start, length), code in refused.items():
            if code == ILLEGAL_FUNCTION:
                return code
            inside = first <= start and start + length <= first + count
            if code == ILLEGAL_ADDRESS and inside and _holds_whole(block, shift, start, length):
                return code
        return None

    def _keep(self, key: Key, data: bytes) -> None:
        unit, function, first, count = key
        for number in range(count):
            self._words[unit, function, first + number] = data[2 * number : 2 * number + 2]

    async def _ask(self, key: Key, block: Block, shift: int) -> bytes:
        self._news = key
        try:
            return await self._twice(block, shift)
        except ExceptionAnswer as error:
            unit, function, first, count = key
            self._refused.setdefault((unit, function), {})[first, count] = error.code
            self._is_strict |= error.code == ILLEGAL_ADDRESS and not block.function.is_bits
            if error.code == ILLEGAL_FUNCTION:
                self._news = (unit, function, 0, LAST_ADDRESS + 1)
            raise
        except Unreachable:
            raise
        except NoAnswer:
            self._silent.add(key)
            raise

    async def _twice(self, block: Block, shift: int) -> bytes:
        """Ask, and once more where the answer was "not now" or garbled; silence is believed."""
        try:
            return await self._once(block, shift)
        except ExceptionAnswer as error:
            if error.code not in NOT_NOW:
                raise
        except (TimedOut, Unreachable):
            raise
        except NoAnswer:
            pass
        await asyncio.sleep(PAUSE_S)
        return await self._once(block, shift)

    async def _once(self, block: Block, shift: int) -> bytes:
        self.requests += 1
        unit = self.unit if block.unit_id is None else block.unit_id
        is_known = self.answered and unit == self.unit
        limit_s = self._patience.later_s if is_known else self._patience.first_s
        try:
            data = await self._connection.read(unit, block, shift, Quiet(self.gap_s), limit_s)
        except ExceptionAnswer as error:
            if unit == self.unit:
                self._note(error)
            raise
        self.answered |= unit == self.unit
        return data

    def _note(self, error: ExceptionAnswer) -> None:
        if error.code in NOBODY_THERE:
            self.behind_gateway = True
        else:
            self.answered = True


def _objects(pdu: bytes) -> dict[int, str]:
    """Return the texts of a device identification answer; what is cut off is left out."""
    found: dict[int, str] = {}
    at = 7  # function, MEI type, code, conformity, more, next, number of objects
    while at + 2 <= len(pdu):
        number, size = pdu[at], pdu[at + 1]
        at += 2 + size
        text = pdu[at - size : at].decode("ascii", "replace").strip("\0 ")
        if at <= len(pdu) and text and text.isascii() and text.isprintable():
            found[number] = text
    return found


def _holds_whole(block: Block, shift: int, start: int, length: int) -> bool:
    """Say whether a range begins and ends with values of a block, and splits none of them."""
    begins = any(register.address + shift == start for register in block.registers)
    return begins and any(register.end + shift == start + length for register in block.registers)
