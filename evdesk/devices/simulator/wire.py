"""The simulated depot's end of a connection: frames in, answers out, faults in between."""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU

LAST_TID = 0xFFFF

READ_REQUEST = struct.Struct(">BHH")  # function, address, count


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a request: a PDU after a delay, silence (None), or a closed connection.

    ``is_late`` makes it the answer to the request before, by its transaction number.
    """

    pdu: bytes | None
    delay_s: float = 0.0
    closes: bool = False
    is_late: bool = False


SILENCE = Answer(None)
CLOSE = Answer(None, closes=True)

Answerer = Callable[[int, bytes], Answer]


def make_framer(*, is_rtu: bool) -> FramerBase:
    """Return pymodbus's framer for requests."""
    return (FramerRTU if is_rtu else FramerSocket)(DecodePDU(is_server=True))


class ServedConnection(asyncio.Protocol):
    """One client of a port; ``answer`` says what becomes of each request."""

    def __init__(
        self, framer: FramerBase, answer: Answerer, clients: "set[ServedConnection]"
    ) -> None:
        self._framer = framer
        self._answer = answer
        self._clients = clients
        self._transport: asyncio.Transport | None = None
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._clients.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        del exc
        self._transport = None
        self._clients.discard(self)

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while self._buffer:
            if isinstance(self._framer, FramerSocket) and any(self._buffer[2:4]):
                self.close()  # no Modbus client
                return
            used, unit, tid, pdu = self._framer.decode(self._buffer)
            if not used:
                if len(self._buffer) > self._framer.MAX_SIZE:
                    self.close()
                return
            self._buffer = self._buffer[used:]
            if pdu:
                self._act(self._answer(unit, pdu), unit, tid)

    def _act(self, answer: Answer, unit: int, tid: int) -> None:
        if answer.closes:
            self.close()
        elif answer.pdu is not None:
            frame = self._framer.encode(answer.pdu, unit, tid - answer.is_late & LAST_TID)
            if answer.delay_s:
                asyncio.get_running_loop().call_later(answer.delay_s, self._send, frame)
            else:
                self._send(frame)

    def _send(self, frame: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)
