"""Where the simulated depot can be reached: loopback ports, secured ones, pseudo-terminals."""

import asyncio
import os
import ssl
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evdesk.devices.simulator.pseudo_line import PseudoLine
from evdesk.devices.simulator.wire import (
    SILENCE,
    Answer,
    Answerer,
    ServedConnection,
    make_framer,
)
from evdesk.devices.tls import server_context
from evdesk.devices.urls import SPEEDS, Address, Line, Papers
from evdesk.domain.errors import DeviceError, UserError

HOST = "127.0.0.1"
FORGET_S = 0.1  # half a request that goes no further is noise


@dataclass(frozen=True, slots=True)
class Links:
    """How a depot is reached: ``pty`` makes every bus a serial line, ``papers`` secures every port.

    ``baud`` lets a serial line carry its bytes at that speed; None is as fast as possible.
    """

    pty: bool = False
    baud: int | None = None
    papers: Papers | None = None

    @classmethod
    def of(cls, *, pty: bool, baud: int | None, files: Sequence[str]) -> "Links":
        """Return the links that were asked for; ``files`` are CA, certificate and key, or none.

        Raises:
            UserError: a speed that serial lines do not have.

        """
        if baud is not None and baud not in SPEEDS:
            raise UserError(
                "{baud} is no speed of a serial line; those are {speeds}.",
                baud=baud,
                speeds=", ".join(str(speed) for speed in SPEEDS),
            )
        papers = Papers(*(Path(name).absolute() for name in files)) if files else None
        return cls(pty, baud, papers)

    def context(self) -> ssl.SSLContext | None:
        """Return what secures the ports, if anything does.

        Raises:
            UserError: a file cannot be read or is not what it should be.

        """
        return None if self.papers is None else server_context(self.papers)


class Listener(Protocol):
    """One bus of the depot as its clients see it."""

    @property
    def address(self) -> Address:
        """Return where it is; a port is known once it is open."""

    @property
    def is_open(self) -> bool:
        """Say whether it takes clients."""

    async def open(self) -> None:
        """Take clients; DeviceError where that cannot be."""

    def refuse(self) -> None:
        """Take none until it is opened again; those it has are dropped."""

    def close(self) -> None:
        """Give everything back."""


class PortListener:
    """A loopback port; its number is kept from one opening to the next."""

    def __init__(
        self, address: Address, answer: Answerer, secured: ssl.SSLContext | None = None
    ) -> None:
        self.address = address
        self._answer = answer
        self._secured = secured
        self._server: asyncio.Server | None = None
        self._clients: set[ServedConnection] = set()

    @property
    def is_open(self) -> bool:
        """Say whether it takes clients."""
        return self._server is not None

    async def open(self) -> None:
        """Listen.

        Raises:
            DeviceError: the port is taken.

        """
        is_rtu, loop = self.address.is_rtu, asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                lambda: ServedConnection(make_framer(is_rtu=is_rtu), self._answer, self._clients),
                HOST,
                self.address.port,
                ssl=self._secured,
            )
        except OSError as error:
            raise DeviceError(
                "Port {port} cannot be opened: {reason}.",
                port=self.address.port,
                reason=error.strerror,
            ) from error
        number = self._server.sockets[0].getsockname()[1]
        self.address = Address(HOST, number, is_rtu, papers=self.address.papers)

    def refuse(self) -> None:
        """Take no client and drop those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for client in tuple(self._clients):
            client.close()

    def close(self) -> None:
        """Close the port and every connection."""
        self.refuse()


class _LineDevices(ServedConnection):
    """All devices of a serial line: a request does not begin with what was left of another."""

    _heard_s = 0.0

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._heard_s > FORGET_S:
            self._buffer = b""
        self._heard_s = now_s
        super().data_received(data)


class LineListener:
    """A serial line that ends in a pseudo-terminal; a line that refuses is deaf."""

    def __init__(self, baud: int | None, answer: Answerer) -> None:
        self.address = Address("", 0, is_rtu=True, line=Line())
        self.is_open = False
        self._baud = baud
        self._answer = answer
        self._line: PseudoLine | None = None

    async def open(self) -> None:
        """Make the pseudo-terminal, the first time.

        Raises:
            DeviceError: the system has none left.

        """
        self.is_open = True
        if self._line is not None:
            return
        devices = _LineDevices(make_framer(is_rtu=True), self._ask, set())
        try:
            self._line = PseudoLine(devices, self._baud)
        except OSError as error:
            raise DeviceError(
                "A pseudo-terminal cannot be made: {reason}.", reason=error.strerror
            ) from error
        line = Line() if self._baud is None else Line(self._baud)
        self.address = Address(self._line.path, 0, is_rtu=True, line=line)

    def refuse(self) -> None:
        """Hear nothing."""
        self.is_open = False

    def close(self) -> None:
        """Remove the pseudo-terminal."""
        self.refuse()
        if self._line is not None:
            self._line.close()
            self._line = None

    def _ask(self, unit: int, pdu: bytes) -> Answer:
        return self._answer(unit, pdu) if self.is_open else SILENCE


def listener_maker(links: Links) -> Callable[[int, bool, Answerer], Listener]:
    """Return what makes the listener of a bus: from a port (0 is any), RTU or not, and its answers.

    Raises:
        UserError: this system has no pseudo-terminals, or a file of the secured links is wrong.

    """
    if links.pty and (sys.platform == "win32" or not hasattr(os, "openpty")):
        raise UserError("This system has no pseudo-terminals: serve TCP ports instead.")
    secured = links.context()

    def make(number: int, is_rtu: bool, answer: Answerer) -> Listener:  # noqa: FBT001 - as typed
        if links.pty:
            return LineListener(links.baud, answer)
        if is_rtu or secured is None:
            return PortListener(Address(HOST, number, is_rtu), answer)
        address = Address(HOST, number, is_rtu=False, papers=links.papers)
        return PortListener(address, answer, secured)

    return make
