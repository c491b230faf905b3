"""One bus: a link that is opened when needed, queued, checked, and dropped on doubt.

pymodbus's own client goes on waiting after an answer that does not match and after the other end
has closed; here either fails the request at once, so that a late answer can never be taken for the
answer to the next one. Framing and checksums are pymodbus's.
"""

import asyncio
import struct
from typing import Protocol

from evdesk.devices.failures import (
    ExceptionAnswer,
    NoAnswer,
    TimedOut,
    TooEarly,
    Unreachable,
    exception_name,
)
from evdesk.devices.links import open_link
from evdesk.devices.plan import Block
from evdesk.devices.tempo import Backoff, Quiet, Tempo
from evdesk.devices.urls import Address
from evdesk.devices.wire import BY_COUNT, EXCEPTION_BIT, MOST_BYTES, Wire
from evdesk.domain.errors import DeviceError

__all__ = [
    "Backoff",
    "Connection",
    "ExceptionAnswer",
    "Guard",
    "NoAnswer",
    "Quiet",
    "Tempo",
    "TimedOut",
    "TooEarly",
    "Unreachable",
    "exception_name",
]

REQUEST = struct.Struct(">BHH")
FRAME_BYTES = 13  # request of 8 and answer of 5 + data (Modbus over Serial Line V1.02)
TIMER_LATE_S = 0.002
DEAF_AFTER = 3  # unanswered requests in a row after which a link that is kept is opened anew
SILENT = "did not answer within {limit} s"
NOISE = (
    "did not answer within {limit} s, but something did: another speed or parity, or another"
    " master on the line"
)


class Guard(Protocol):
    """Knows what is at the other end; in stepped time, that it is a simulated depot."""

    async def greet(self, connection: "Connection") -> None:
        """Look at a fresh connection before it is used; DeviceError if it is foreign."""

    async def is_silent(self, connection: "Connection", unit: int) -> bool:
        """Say whether a unit that timed out would do so again, so that no time is lost."""


class Connection:
    """One bus; hold ``lock`` for all requests of a cycle."""

    def __init__(self, address: Address, tempo: Tempo, guard: Guard | None = None) -> None:
        self.address = address
        self.lock = asyncio.Lock()
        self.generation = 0  # moves with every new connection
        self._tempo = tempo
        self._limit_s = _limit_s(address, tempo)
        self._silence_s = 0.0 if address.line is None else address.line.silence_s
        self._guard = guard
        self._silent: set[int] = set()
        self._backoff = Backoff(tempo)
        self._is_fragile = False
        self._wire: Wire | None = None
        self._opened_s: float | None = None
        self._unanswered = 0
        self._sent_s = 0.0
        self._answered_s = 0.0
        self._unit: int | None = None
        self._quiet = Quiet()

    @property
    def is_open(self) -> bool:
        """Say whether a request can be sent without connecting first."""
        return self._wire is not None and not self._wire.spoilt

    def be_gentle(self) -> None:
        """Leave a long pause before every new connection: a stack behind it bears no other way."""
        self._is_fragile = True
        self._backoff.wait_at_least(self._tempo.polling.fragile_reconnect_s)

    async def open(self) -> None:
        """Connect where needed.

        Raises:
            Unreachable: refused, not there, not what is wanted here, or too early.

        """
        if self.is_open:
            return
        self.drop()
        self._backoff.check()
        await self._keep_distance()
        try:
            self._wire = await open_link(self.address, self._tempo.timeout_s)
            self.generation += 1
            self._unit = None
            self._unanswered = 0
            if self._guard is not None:
                await self._guard.greet(self)
        except DeviceError as error:
            self._backoff.failed(error)
            self.drop()
            raise
        self._backoff.worked()

    async def _keep_distance(self) -> None:
        """Never connect more often than once a second, where a stack is fragile far less often."""
        loop, polling = asyncio.get_running_loop(), self._tempo.polling
        if self._opened_s is not None and self._tempo.keeps_gaps:
            if self._is_fragile and loop.time() < self._opened_s + polling.fragile_reconnect_s:
                raise TooEarly(
                    "{place} closed the connection and bears no quick return: it is tried again"
                    " {seconds} s after the last time.",
                    place=self.address.place,
                    seconds=f"{polling.fragile_reconnect_s:g}",
                )
            await asyncio.sleep(self._opened_s + polling.reconnect_s - loop.time())
        self._opened_s = loop.time()

    async def read(
        self, unit: int, block: Block, shift: int, quiet: Quiet, timeout_s: float | None = None
    ) -> bytes:
        """Return the words of a block, 2 bytes each; ``shift`` is added to its address.

        A bit counts as a word of 0 or 1. The caller holds ``lock``. With a ``timeout_s`` of its own
        an unanswered request keeps the link, so that a scan can go on to the next unit; its late
        answer is thrown away.

        Raises:
            ExceptionAnswer: the device answered with a Modbus exception.
            NoAnswer: anything else but the answer; the link is dropped.

        """
        await self.open()
        if unit in self._silent and self._guard is not None:
            if await self._guard.is_silent(self, unit):
                raise self._timed_out(unit, timeout_s or self._limit_s)
            self._silent.discard(unit)
        await self.keep_quiet(unit, quiet)
        request = REQUEST.pack(block.function, block.address + shift, block.count)
        pdu = await self.exchange(unit, request, timeout_s)
        size = (block.count + 7) // 8 if block.function.is_bits else 2 * block.count
        if pdu[1] != size or len(pdu) != size + 2:
            raise self._failed(unit, "answered with another length than was asked for")
        return _bits_as_words(pdu[2:], block.count) if block.function.is_bits else pdu[2:]

    async def exchange(self, unit: int, request: bytes, timeout_s: float | None = None) -> bytes:
        """Send one request and return its answer (both from the function code on).

        Raises:
            ExceptionAnswer: the device answered with a Modbus exception.
            NoAnswer: silence, or an answer to something else; the link is dropped.

        """
        wire = self._wire
        if wire is None:
            raise self._failed(unit, "is not connected")
        loop = asyncio.get_running_loop()
        limit_s = timeout_s or self._limit_s
        self._unit = unit
        answer = wire.ask(unit, request)
        timer = loop.call_later(limit_s + self._transfer_s(request), _time_out, answer)
        try:
            pdu = await answer
        except TimeoutError as error:
            raise self._unanswered_by(unit, wire, timeout_s) from error
        except ConnectionError as error:
            raise self._failed(unit, str(error)) from error
        except asyncio.CancelledError:
            self._give_up(wire)
            raise
        finally:
            timer.cancel()
        self._answered_s = loop.time()
        self._unanswered = 0
        return self._checked(unit, request[0], pdu)

    def _checked(self, unit: int, function: int, pdu: bytes) -> bytes:
        if pdu[0] == function | EXCEPTION_BIT and len(pdu) == 2:  # noqa: PLR2004 - function, code
            raise ExceptionAnswer(
                "{place} unit {unit} answered with exception {code} ({name}).",
                place=self.address.place,
                unit=unit,
                code=pdu[1],
                name=exception_name(pdu[1]),
            )
        if pdu[0] != function or len(pdu) < 2:  # noqa: PLR2004
            raise self._failed(unit, "answered with another function than was asked for")
        return pdu

    # -- failures -------------------------------------------------------------------------------

    def _unanswered_by(self, unit: int, wire: Wire, timeout_s: float | None) -> TimedOut:
        self._silent.add(unit)
        self._unanswered += 1
        limit_s = timeout_s or self._limit_s
        error = self._timed_out(unit, limit_s, NOISE if wire.has_noise else SILENT)
        if timeout_s is None:
            self._give_up(wire, error)
        else:
            wire.abandon()
        return error

    def _timed_out(self, unit: int, limit_s: float, what: str = SILENT) -> TimedOut:
        return TimedOut(
            "{place} unit {unit} {what}.",
            place=self.address.place,
            unit=unit,
            what=what.format(limit=f"{limit_s:g}"),
        )

    def _failed(self, unit: int, what: str) -> NoAnswer:
        error = NoAnswer(
            "{place} unit {unit} {what}.", place=self.address.place, unit=unit, what=what
        )
        if self._wire is not None:
            self._give_up(self._wire, error)
        return error

    def _give_up(self, wire: Wire, error: NoAnswer | None = None) -> None:
        """Drop a link in doubt; a serial port is kept, and what comes late thrown away.

        So is a fragile stack's: there transactions have numbers, and a new connection costs more.
        """
        is_slow = isinstance(error, TimedOut) and self._is_fragile and not self.address.is_rtu
        if (self.address.line is not None or is_slow) and self._may_go_on(wire):
            wire.abandon()
            return
        if self._is_fragile and error is not None:
            self._backoff.failed(error)
        self.drop()

    def _may_go_on(self, wire: Wire) -> bool:
        return not wire.spoilt and self._unanswered < DEAF_AFTER

    # -- time -----------------------------------------------------------------------------------

    def _transfer_s(self, request: bytes) -> float:
        """Return how long request and answer are on a serial line."""
        if self.address.line is None:
            return 0.0
        reads = request[0] in BY_COUNT
        size = 2 * REQUEST.unpack(request)[2] if reads else MOST_BYTES
        size += FRAME_BYTES
        return self.address.line.transfer_s(2 * size if self.address.is_ascii else size)

    async def keep_quiet(self, unit: int, quiet: Quiet) -> None:
        """Wait until the device may be asked; after another unit, as long as either wants.

        A request counts from the instant it was due, so that the few tenths of a millisecond by
        which a timer is late do not add up from request to request; one that is later than that
        counts from when it was sent.
        """
        if not self._tempo.keeps_gaps:
            return
        since_s = self._sent_s if quiet.from_request else self._answered_s
        gap_s = quiet.gap_s
        if self._unit is not None and unit != self._unit:
            since_s = self._answered_s
            gap_s = max(gap_s, self._quiet.gap_s)
        self._quiet = quiet
        free_s = since_s + gap_s
        if self._silence_s and self._wire is not None:
            free_s = max(free_s, max(self._answered_s, self._wire.heard_s) + self._silence_s)
        now_s = asyncio.get_running_loop().time()
        self._sent_s = max(free_s, now_s)
        if self._sent_s > now_s and self._answered_s:
            await asyncio.sleep(self._sent_s - now_s)
            late_s = asyncio.get_running_loop().time() - self._sent_s
            self._sent_s += late_s if late_s > TIMER_LATE_S else 0.0

    def drop(self) -> None:
        """Close the link at once; the next request connects again."""
        if self._wire is not None:
            self._wire.abort()
        self._wire = None


def _limit_s(address: Address, tempo: Tempo) -> float:
    """Return how long an answer may take: less on a serial line, where others wait for it."""
    if address.line is None:
        return tempo.timeout_s
    return address.line.timeout_s or min(tempo.timeout_s, tempo.polling.line_timeout_s)


def _time_out(answer: "asyncio.Future[bytes]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


def _bits_as_words(packed: bytes, count: int) -> bytes:
    bits = (packed[index // 8] >> index % 8 & 1 for index in range(count))
    return b"".join(bit.to_bytes(2, "big") for bit in bits)
