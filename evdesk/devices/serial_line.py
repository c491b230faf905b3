"""A serial port as an asyncio transport: one thread reads it, the same way on every system.

asyncio cannot wait for a serial port on Windows, and polling it there costs up to 16 ms an answer.
"""

import asyncio
import errno
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import serial

from evdesk.devices.urls import Line
from evdesk.ports import SerialPort

if sys.platform == "win32":
    FAILS = (OSError, ValueError)
else:
    import termios

    FAILS = (OSError, ValueError, termios.error)  # settings that a port does not take

READ_S = 0.5  # how long a read lasts where it cannot be cancelled
RETRY_S, RETRIES = 0.05, 10  # a port that is just being closed is free a moment later
BUSY = (errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK)
FORBIDDEN = (errno.EACCES, errno.EPERM)
MISSING = (errno.ENOENT, errno.ENXIO, errno.ENODEV)


class SerialTransport(asyncio.Transport):
    """Opens a port for this program alone and hands what it hears to the protocol.

    Await ``opened`` before use; it raises OSError with a text for people when the port cannot be
    opened. Afterwards ``connection_lost`` says that the port is gone (unplugged, for one).
    """

    def __init__(self, path: str, line: Line, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._path = path
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._port = serial.Serial()
        self._port.port = path
        self._port.baudrate = line.baud
        self._port.parity = line.parity
        self._port.stopbits = line.stop
        self._port.timeout = READ_S
        self._port.write_timeout = 0
        if sys.platform != "win32":  # Windows always opens a port for one program
            self._port.exclusive = True
        self._closing = False
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.opened.add_done_callback(self._on_opened)
        self._thread = Thread(target=self._listen, name=f"serial {path}", daemon=True)
        self._thread.start()

    # -- asyncio.Transport ----------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send at once; the driver takes the bytes faster than the line does."""
        if self._closing:
            return
        try:
            self._port.write(bytes(data))
        except OSError as error:
            self._lost(error)

    def is_closing(self) -> bool:
        """Say whether nothing is sent or heard any more."""
        return self._closing

    def close(self) -> None:
        """Close the port; the thread does it, as soon as its read ends."""
        if not self._closing:
            self._closing = True
            with suppress(OSError, AttributeError):  # closed meanwhile
                self._port.cancel_read()
            self._loop.call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """Close the port."""
        self.close()

    # -- the thread -----------------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            self._open()
        except FAILS as error:
            self._tell(self._set_opened, OSError(why_not(self._path, error)))
            return
        self._tell(self._set_opened, None)
        failure: Exception | None = None
        try:
            while not self._closing:
                heard = self._port.read(1)
                if heard:
                    self._tell(self._hear, heard + self._port.read(self._port.in_waiting))
        except (OSError, TypeError) as error:  # pyserial: TypeError where it is closed meanwhile
            failure = error
        finally:
            with suppress(OSError):
                self._port.close()
        self._tell(self._lost, failure)

    def _open(self) -> None:
        for _ in range(RETRIES):
            try:
                self._port.open()
            except OSError as error:
                if not _is_busy(error) or self._closing:
                    raise
                time.sleep(RETRY_S)
            else:
                return
        self._port.open()

    def _tell(self, call: Any, argument: Any) -> None:
        with suppress(RuntimeError):  # the loop has ended; nobody is interested any more
            self._loop.call_soon_threadsafe(call, argument)

    # -- back in the loop -----------------------------------------------------------------------

    def _on_opened(self, opened: "asyncio.Future[None]") -> None:
        if opened.cancelled():  # who waited for it has given up
            self.close()

    def _set_opened(self, error: OSError | None) -> None:
        if self.opened.done():
            return
        if error is not None:
            self._closing = True
            self.opened.set_exception(error)
        else:
            self._protocol.connection_made(self)
            self.opened.set_result(None)

    def _hear(self, data: bytes) -> None:
        if not self._closing:
            self._protocol.data_received(data)

    def _lost(self, error: Exception | None) -> None:
        if not self._closing:
            self._protocol.connection_lost(error)
            self.close()


def why_not(path: str, error: Exception) -> str:
    """Return what keeps a port from being opened, as the rest of a sentence that begins with it."""
    number, text = getattr(error, "errno", None), str(error)
    # On Windows pyserial keeps the cause in the text only.
    if number in MISSING or "FileNotFoundError" in text:
        return f"is not there: it is unplugged or has another name ({_others()})"
    if _is_busy(error):
        return (
            "is in use by another program: end that one first (often a monitoring tool or a"
            " second evdesk)"
        )
    if number in FORBIDDEN:
        return (
            f"may not be used by this account: add it to the group {_group(path)}"
            f" (sudo usermod -aG {_group(path)} NAME), then log in anew"
        )
    if isinstance(error, ValueError) or number == errno.EINVAL:
        return "does not take this speed, parity or number of stop bits"
    if number == errno.ENOTTY or "Could not configure port" in text:
        return "is no serial port"
    return f"cannot be opened ({getattr(error, 'strerror', None) or text})"


def _is_busy(error: Exception) -> bool:
    return getattr(error, "errno", None) in BUSY or "PermissionError" in str(error)


def serial_ports() -> tuple[SerialPort, ...]:
    """Return the serial ports of this computer, by name."""
    from serial.tools import list_ports

    found = {str(port.device): str(port.description or "") for port in list_ports.comports()}
    return tuple(
        SerialPort(path, "" if label == "n/a" else label) for path, label in sorted(found.items())
    )


def _others() -> str:
    ports = ", ".join(port.path for port in serial_ports())
    return f"this computer has {ports}" if ports else "this computer has none"


def _group(path: str) -> str:
    """Return the group a port belongs to: dialout on Debian, uucp elsewhere."""
    if sys.platform != "win32":
        import grp

        with suppress(OSError, KeyError):
            return grp.getgrgid(Path(path).stat().st_gid).gr_name
    return "dialout"
