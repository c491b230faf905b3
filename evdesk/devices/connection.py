"""One connection to one host and port: framed by pymodbus, queued, checked, dropped on doubt.

pymodbus's own client goes on waiting after an answer that does not match and after the other end
has closed; here either drops the socket at once, so that a late answer can never be taken for the
answer to the next request. Framing and checksums are pymodbus's.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

from evdesk.devices.plan import Block
from evdesk.devices.urls import Address
from evdesk.domain.errors import DeviceError
from evdesk.settings import POLLING

EXCEPTION_BIT = 0x80
LAST_TID = 0xFFFF
MBAP_PROTOCOL = slice(2, 4)


class NoAnswer(DeviceError):  # noqa: N818 - the name says all
    """Silent, closed, refused, or an answer that cannot be what was asked for."""


class Unreachable(NoAnswer):
    """There is no connection; the back-off is the connection's own."""


class TooEarly(Unreachable):
    """It failed before and it is too early to try again; says what happened then."""


class ExceptionAnswer(DeviceError):  # noqa: N818
    """The device answered that it will not; ``code`` is the Modbus exception code."""

    def __init__(self, template: str, *, code: int, **facts: object) -> None:
        super().__init__(template, code=code, **facts)
        self.code = code


@dataclass(frozen=True, slots=True)
class Tempo:
    """How time is kept: seconds for back-off, the limit of a request, whether gaps are waited."""

    now_s: Callable[[], float]
    timeout_s: float
    keeps_gaps: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """The silence one device wants between two requests; from the request or from its answer."""

    gap_s: float = 0.0
    from_request: bool = False


class Backoff:
    """Says when something that failed may be tried again: first soon, then ever later.

    In stepped time the wait is over when either clock says so: a site whose clock stands still
    because nothing answers must be able to try again.
    """

    def __init__(self, tempo: Tempo) -> None:
        self._tempo = tempo
        self._delay_s = 0.0
        self._until_s = 0.0
        self._until_wall_s = 0.0
        self._last: DeviceError | None = None

    def check(self) -> None:
        """Raise the last error again while it is too early to try.

        Raises:
            TooEarly: with what happened the last time.

        """
        if self._last is None or self._tempo.now_s() >= self._until_s:
            return
        if asyncio.get_running_loop().time() < self._until_wall_s:
            raise TooEarly(self._last.template, **self._last.facts)

    def failed(self, error: DeviceError) -> None:
        """Wait longer than the last time."""
        self._delay_s = min(self._delay_s * 2 or POLLING.backoff_first_s, POLLING.backoff_last_s)
        self._until_s = self._tempo.now_s() + self._delay_s
        self._until_wall_s = asyncio.get_running_loop().time() + self._delay_s
        self._last = error

    def worked(self) -> None:
        """Forget every failure."""
        self._delay_s = 0.0
        self._last = None


class _Wire(asyncio.Protocol):
    """Cuts the stream into frames; anything that was not asked for spoils it."""

    def __init__(self, framer: FramerBase) -> None:
        self.framer = framer
        self.transport: asyncio.Transport | None = None
        self.answer: asyncio.Future[tuple[int, int, bytes]] | None = None
        self.spoilt = ""
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that nothing will come."""
        del exc
        self._spoil("closed the connection")

    def data_received(self, data: bytes) -> None:
        """Hand a whole frame to who waits for it."""
        if self.answer is None or self.answer.done():
            self._spoil("sent what was not asked for")
            return
        self._buffer += data
        foreign = isinstance(self.framer, FramerSocket) and any(self._buffer[MBAP_PROTOCOL])
        if foreign or len(self._buffer) > self.framer.MAX_SIZE:
            self._spoil("sent what is no Modbus frame")
            return
        used, unit, tid, pdu = self.framer.decode(self._buffer)
        if pdu and used == len(self._buffer):
            self._buffer = b""
            self.answer.set_result((unit, tid, pdu))
        elif used:
            self._spoil("sent what is no Modbus frame")

    def _spoil(self, reason: str) -> None:
        self.spoilt = self.spoilt or reason
        if self.transport is not None:
            self.transport.abort()
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(ConnectionError(self.spoilt))


class Guard(Protocol):
    """Knows what is at the other end; in stepped time, that it is a simulated depot."""

    async def greet(self, connection: "Connection") -> None:
        """Look at a fresh connection before it is used; DeviceError if it is foreign."""

    async def is_silent(self, connection: "Connection", unit: int) -> bool:
        """Say whether a unit that timed out would do so again, so that no time is lost."""


class Connection:
    """One host and port; hold ``lock`` for all requests of a cycle."""

    def __init__(self, address: Address, tempo: Tempo, guard: Guard | None = None) -> None:
        self.address = address
        self.lock = asyncio.Lock()
        self.generation = 0  # moves with every new connection
        self._tempo = tempo
        self._guard = guard
        self._silent: set[int] = set()
        self._backoff = Backoff(tempo)
        self._wire: _Wire | None = None
        self._tid = 0
        self._sent_s = 0.0
        self._answered_s = 0.0
        self._unit: int | None = None
        self._quiet = Quiet()

    @property
    def is_open(self) -> bool:
        """Say whether a request can be sent without connecting first."""
        return self._wire is not None and not self._wire.spoilt

    async def open(self) -> None:
        """Connect where needed.

        Raises:
            Unreachable: refused, not there, not what is wanted here, or too early.

        """
        if self.is_open:
            return
        self.drop()
        self._backoff.check()
        try:
            await self._connect()
            if self._guard is not None:
                await self._guard.greet(self)
        except DeviceError as error:
            self._backoff.failed(error)
            self.drop()
            raise
        self._backoff.worked()

    async def _connect(self) -> None:
        framer_class = FramerRTU if self.address.is_rtu else FramerSocket
        framer = framer_class(DecodePDU(is_server=False))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._tempo.timeout_s):
                _, self._wire = await loop.create_connection(
                    lambda: _Wire(framer), self.address.host, self.address.port
                )
        except TimeoutError as error:
            raise self._unreachable("did not accept the connection in time") from error
        except ConnectionRefusedError as error:
            raise self._unreachable("refused the connection") from error
        except socket.gaierror as error:
            raise self._unreachable("is not a name this network knows") from error
        except OSError as error:
            raise self._unreachable(f"cannot be reached ({error.strerror or error})") from error
        self.generation += 1
        self._unit = None

    def _unreachable(self, what: str) -> Unreachable:
        return Unreachable(
            "{host} port {port} {what}.",
            host=self.address.host,
            port=self.address.port,
            what=what,
        )

    async def read(self, unit: int, block: Block, shift: int, quiet: Quiet) -> bytes:
        """Return the words of a block, 2 bytes each; ``shift`` is added to its address.

        A bit counts as a word of 0 or 1. The caller holds ``lock``.

        Raises:
            ExceptionAnswer: the device answered with a Modbus exception.
            NoAnswer: anything else but the answer; the socket is dropped.

        """
        await self.open()
        if unit in self._silent and self._guard is not None:
            if await self._guard.is_silent(self, unit):
                raise self._error(unit, self._timed_out())
            self._silent.discard(unit)
        if self._tempo.keeps_gaps:
            await self._keep_quiet(unit, quiet)
        request = struct.pack(">BHH", block.function, block.address + shift, block.count)
        pdu = await self.exchange(unit, request)
        size = (block.count + 7) // 8 if block.function.is_bits else 2 * block.count
        if pdu[1] != size or len(pdu) != size + 2:
            raise self._failed(unit, "answered with another length than was asked for")
        return _bits_as_words(pdu[2:], block.count) if block.function.is_bits else pdu[2:]

    async def exchange(self, unit: int, request: bytes) -> bytes:
        """Send one request and return its answer (both from the function code on).

        Raises:
            ExceptionAnswer: the device answered with a Modbus exception.
            NoAnswer: silence, or an answer to something else; the socket is dropped.

        """
        wire = self._wire
        if wire is None or wire.transport is None or wire.spoilt:
            raise self._failed(unit, (wire and wire.spoilt) or "closed the connection")
        self._tid = 0 if self.address.is_rtu else self._tid % LAST_TID + 1
        loop = asyncio.get_running_loop()
        wire.answer = loop.create_future()
        self._unit = unit
        wire.transport.write(wire.framer.encode(request, unit, self._tid))
        timer = loop.call_later(self._tempo.timeout_s, _time_out, wire.answer)
        try:
            from_unit, tid, pdu = await wire.answer
        except TimeoutError as error:
            self._silent.add(unit)
            raise self._failed(unit, self._timed_out()) from error
        except ConnectionError as error:
            raise self._failed(unit, str(error)) from error
        except asyncio.CancelledError:
            self.drop()
            raise
        finally:
            timer.cancel()
        self._answered_s = loop.time()
        return self._checked(unit, request[0], (from_unit, tid, pdu))

    def _checked(self, unit: int, function: int, answer: tuple[int, int, bytes]) -> bytes:
        from_unit, tid, pdu = answer
        if from_unit != unit or tid != self._tid:
            raise self._failed(unit, "sent the answer to another request")
        if pdu[0] == function | EXCEPTION_BIT and len(pdu) == 2:  # noqa: PLR2004 - function, code
            raise ExceptionAnswer(
                "{host} port {port} unit {unit} answered with exception {code} ({name}).",
                host=self.address.host,
                port=self.address.port,
                unit=unit,
                code=pdu[1],
                name=exception_name(pdu[1]),
            )
        if pdu[0] != function or len(pdu) < 2:  # noqa: PLR2004
            raise self._failed(unit, "answered with another function than was asked for")
        return pdu

    def _timed_out(self) -> str:
        return f"did not answer within {self._tempo.timeout_s:g} s"

    def _failed(self, unit: int, what: str) -> NoAnswer:
        self.drop()
        return self._error(unit, what)

    def _error(self, unit: int, what: str) -> NoAnswer:
        return NoAnswer(
            "{host} port {port} unit {unit} {what}.",
            host=self.address.host,
            port=self.address.port,
            unit=unit,
            what=what,
        )

    async def _keep_quiet(self, unit: int, quiet: Quiet) -> None:
        """Wait until the device may be asked; after another unit, as long as either wants.

        A request counts from the instant it was due, so that the few tenths of a millisecond by
        which a timer is late do not add up from request to request.
        """
        since_s = self._sent_s if quiet.from_request else self._answered_s
        gap_s = quiet.gap_s
        if self._unit is not None and unit != self._unit:
            since_s = self._answered_s
            gap_s = max(gap_s, self._quiet.gap_s)
        self._quiet = quiet
        now_s = asyncio.get_running_loop().time()
        self._sent_s = max(since_s + gap_s, now_s)
        if self._sent_s > now_s and self._answered_s:
            await asyncio.sleep(self._sent_s - now_s)

    def drop(self) -> None:
        """Close the socket at once; the next request connects again."""
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.abort()
        self._wire = None


def exception_name(code: int) -> str:
    """Return the name of a Modbus exception code in words."""
    try:
        return ExcCodes(code).name.lower().replace("_", " ").replace("unaviable", "unavailable")
    except ValueError:
        return "unknown code"


def _time_out(answer: "asyncio.Future[tuple[int, int, bytes]]") -> None:
    if not answer.done():
        answer.set_exception(TimeoutError())


def _bits_as_words(packed: bytes, count: int) -> bytes:
    bits = (packed[index // 8] >> index % 8 & 1 for index in range(count))
    return b"".join(bit.to_bytes(2, "big") for bit in bits)
