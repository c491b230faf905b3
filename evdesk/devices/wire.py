"""Our end of a link: requests become frames, and what comes back is the answer or a failure.

A socket is spoilt by anything that was not asked for, so that a late answer can never be taken for
the answer to the next request. A serial line cannot be dropped like a socket: there every byte that
nobody waits for is thrown away, and an answer is known by its unit, function and checksum.
"""

import asyncio
from typing import Protocol

from pymodbus.framer import FramerAscii, FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

from evdesk.devices.urls import Address

EXCEPTION_BIT = 0x80
LAST_TID = 0xFFFF
MBAP_PROTOCOL = slice(2, 4)
MOST_BYTES = 256  # of an RTU frame
CRC_SIZE = 2
EXCEPTION_SIZE = 5  # unit, function, code and checksum
BY_COUNT = range(1, 5)  # functions whose answer says how long it is
DAMAGE_S = 0.3  # a line silent for so long in mid-frame sends no more of it, busy as we may be

CLOSED = "closed the connection"
DAMAGED = "sent a damaged answer (wiring, termination, or another speed or parity)"
FOREIGN = "sent what is no Modbus frame"
UNASKED = "sent what was not asked for"
CROSSED = "sent the answer to another request"


class Why(Protocol):
    """Says why a link ended, for people."""

    def __call__(self, error: Exception | None, /, *, has_answered: bool) -> str:
        """Return the rest of a sentence that begins with the device."""


class Wire(asyncio.Protocol):
    """One link; ``spoilt`` says why it can be used no more, and is empty until then."""

    def __init__(self, why: Why | None = None) -> None:
        self.spoilt = ""
        self.heard_s = 0.0
        self._has_answered = False
        self._why = why
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._buffer = b""

    @property
    def has_noise(self) -> bool:
        """Say whether something has come since the request that is no answer."""
        return False

    def ask(self, unit: int, request: bytes) -> "asyncio.Future[bytes]":
        """Send a request (from the function code on); what is returned becomes its answer.

        It fails with ConnectionError, whose text says what the other end did.
        """
        self._buffer = b""
        self._answer = asyncio.get_running_loop().create_future()
        if self._transport is None or self.spoilt:
            self._answer.set_exception(ConnectionError(self.spoilt or CLOSED))
        else:
            self._transport.write(self._framed(unit, request))
        return self._answer

    def abandon(self) -> None:
        """Wait for the answer no longer; should it come late, it is thrown away."""
        self._answer = None

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that nothing will come."""
        self._spoil(
            CLOSED if self._why is None else self._why(exc, has_answered=self._has_answered)
        )

    def _framed(self, unit: int, request: bytes) -> bytes:
        raise NotImplementedError

    def _spoil(self, reason: str) -> None:
        self.spoilt = self.spoilt or reason
        self.abort()
        self._fail(self.spoilt)

    def _fail(self, reason: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(reason))

    def _done(self, pdu: bytes) -> None:
        if self._answer is not None and not self._answer.done():
            self._has_answered = True
            self._answer.set_result(pdu)


class SocketWire(Wire):
    """A TCP stream of Modbus/TCP frames, or of RTU frames where a converter passes them through."""

    def __init__(self, *, is_rtu: bool, why: Why | None = None) -> None:
        super().__init__(why)
        framer = FramerRTU if is_rtu else FramerSocket
        self._framer: FramerBase = framer(DecodePDU(is_server=False))
        self._has_header = not is_rtu
        self._asked = (0, 0)
        self._abandoned: set[tuple[int, int]] = set()

    def abandon(self) -> None:
        """Wait for the answer no longer; should it come late, it is thrown away."""
        super().abandon()
        self._abandoned.add(self._asked)

    def data_received(self, data: bytes) -> None:
        """Hand a whole frame to who waits for it."""
        if (self._answer is None or self._answer.done()) and not self._abandoned:
            self._spoil(UNASKED)
            return
        self._buffer += data
        while self._buffer and not self.spoilt:
            foreign = self._has_header and any(self._buffer[MBAP_PROTOCOL])
            if foreign or len(self._buffer) > 2 * self._framer.MAX_SIZE:
                self._spoil(FOREIGN)
                return
            used, unit, tid, pdu = self._framer.decode(self._buffer)
            if not used:
                return
            self._buffer = self._buffer[used:]
            if pdu:
                self._take(unit, tid, pdu)
            else:
                self._spoil(FOREIGN)

    def _take(self, unit: int, tid: int, pdu: bytes) -> None:
        if self._answer is not None and not self._answer.done() and (unit, tid) == self._asked:
            if self._buffer:  # one request has one answer
                self._spoil(FOREIGN)
            self._done(pdu)
        elif (unit, tid) in self._abandoned:
            self._abandoned.discard((unit, tid))
        else:
            self._spoil(CROSSED)

    def _framed(self, unit: int, request: bytes) -> bytes:
        self._asked = (unit, self._asked[1] % LAST_TID + 1 if self._has_header else 0)
        self._abandoned.discard(self._asked)
        return self._framer.encode(request, *self._asked)


class LineWire(Wire):
    """A serial line of RTU frames: noise and late answers of other units are no answer."""

    def __init__(self, why: Why | None = None) -> None:
        super().__init__(why)
        self._begins = (b"", b"")
        self._damage: asyncio.TimerHandle | None = None

    @property
    def has_noise(self) -> bool:
        """Say whether something has come since the request that is no answer."""
        return bool(self._buffer)

    def abandon(self) -> None:
        """Wait for the answer no longer; should it come late, it is thrown away."""
        super().abandon()
        self._calm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that nothing will come."""
        self._calm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Look for the answer in what has come since the request."""
        loop = asyncio.get_running_loop()
        self.heard_s = loop.time()
        self._calm()
        if self._answer is None or self._answer.done():
            return
        self._buffer += data
        pdu = self._found()
        if pdu:
            self._done(pdu)
        elif len(self._buffer) > 2 * MOST_BYTES:
            self._fail(DAMAGED)
        else:
            self._damage = loop.call_later(DAMAGE_S, self._fail_damaged)

    def _fail_damaged(self) -> None:
        if any(begin in self._buffer for begin in self._begins):
            self._fail(DAMAGED)

    def _found(self) -> bytes:
        """Return the PDU of the answer, or nothing while it has not come whole."""
        for begin in self._begins:
            at = self._buffer.find(begin)
            while at >= 0:
                end = at + self._size(at)
                if end <= len(self._buffer) and _is_sound(self._buffer[at:end]):
                    return self._buffer[at + 1 : end - CRC_SIZE]
                at = self._buffer.find(begin, at + 1)
        return b""

    def _size(self, at: int) -> int:
        function = self._buffer[at + 1]
        if function & EXCEPTION_BIT:
            return EXCEPTION_SIZE
        if function not in BY_COUNT:
            return len(self._buffer) - at
        count = self._buffer[at + 2] if len(self._buffer) > at + 2 else 0xFF
        return 3 + count + CRC_SIZE

    def _framed(self, unit: int, request: bytes) -> bytes:
        self._calm()
        function = request[0]
        self._begins = (bytes((unit, function)), bytes((unit, function | EXCEPTION_BIT)))
        frame = bytes((unit,)) + request
        return frame + FramerRTU.compute_CRC(frame).to_bytes(CRC_SIZE, "big")

    def _calm(self) -> None:
        if self._damage is not None:
            self._damage.cancel()
            self._damage = None


class TextWire(Wire):
    """A line of ASCII frames, each between a colon and a line break; what is no answer is noise.

    Source: Modbus over Serial Line V1.02, 2.5.2.
    """

    def __init__(self, why: Why | None = None) -> None:
        super().__init__(why)
        self._framer = FramerAscii(DecodePDU(is_server=False))
        self._asked = (0, 0)

    def data_received(self, data: bytes) -> None:
        """Look for the answer in what has come since the request."""
        self.heard_s = asyncio.get_running_loop().time()
        if self._answer is None or self._answer.done():
            return
        self._buffer += data
        while True:
            used, unit, _, pdu = self._decoded()
            if not used:
                break
            self._buffer = self._buffer[used:]
            if pdu and (unit, pdu[0] & ~EXCEPTION_BIT) == self._asked:
                self._done(pdu)
                return
        if len(self._buffer) > 2 * FramerAscii.MAX_SIZE:
            self._fail(DAMAGED)

    def _decoded(self) -> tuple[int, int, int, bytes]:
        try:
            return self._framer.decode(self._buffer)
        except ValueError:  # the unit is no number: the frame is over, whatever it was
            return len(self._buffer), 0, 0, b""

    def _framed(self, unit: int, request: bytes) -> bytes:
        self._asked = (unit, request[0])
        return self._framer.encode(request, unit, 0)


def wire_for(address: Address, why: Why | None = None) -> Wire:
    """Return the wire for what an address speaks."""
    if address.is_ascii:
        return TextWire(why)
    if address.line is not None:
        return LineWire(why)
    return SocketWire(is_rtu=address.is_rtu, why=why)


def _is_sound(frame: bytes) -> bool:
    checksum = int.from_bytes(frame[-CRC_SIZE:], "big")
    return bool(FramerRTU.check_CRC(frame[:-CRC_SIZE], checksum))
