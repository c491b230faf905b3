"""A simulated serial line: a pseudo-terminal whose bytes take the time they take on a wire.

POSIX only. A byte is sent in ten bits (8N1), and a device begins to answer after the silence that
ends a request.
"""

import asyncio
import os
from contextlib import suppress

from evdesk.devices.urls import Line

BITS_ON_THE_WIRE = 10  # start, eight, stop
PIECE_S = 0.005  # a serial adapter, too, hands over what has come in pieces
MOST = 4096


class PseudoLine(asyncio.Transport):
    """Carries bytes between a master at ``path`` and a protocol that answers for all devices."""

    def __init__(self, devices: asyncio.Protocol, baud: int | None) -> None:
        super().__init__()
        import tty

        self._loop = asyncio.get_running_loop()
        self._devices = devices
        self._byte_s = 0.0 if baud is None else BITS_ON_THE_WIRE / baud
        self._silence_s = 0.0 if baud is None else Line(baud).silence_s
        self._ours, self._theirs = os.openpty()  # theirs stays open: masters come and go
        tty.setraw(self._theirs)
        self.path = os.ttyname(self._theirs)
        os.set_blocking(self._ours, False)
        self._heard = b""
        self._heard_from_s = 0.0
        self._hearing: asyncio.TimerHandle | None = None
        self._sending = b""
        self._sent, self._began_s = 0, 0.0
        self._pacing: asyncio.TimerHandle | None = None
        self._loop.add_reader(self._ours, self._on_readable)
        devices.connection_made(self)

    # -- what the master sends ------------------------------------------------------------------

    def _on_readable(self) -> None:
        """Take bytes as fast as they come; the devices have them when the wire had carried them."""
        try:
            self._heard += os.read(self._ours, MOST)
        except (BlockingIOError, InterruptedError):
            return
        if not self._byte_s:
            self._hand_over()
            return
        if self._hearing is None:
            self._heard_from_s = self._loop.time()
        else:
            self._hearing.cancel()
        ends_s = self._heard_from_s + len(self._heard) * self._byte_s + self._silence_s
        self._hearing = self._loop.call_at(ends_s, self._hand_over)

    def _hand_over(self) -> None:
        heard, self._heard, self._hearing = self._heard, b"", None
        self._devices.data_received(heard)

    # -- what the devices answer ----------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Answer at the speed of the line; a second answer meanwhile follows the first."""
        if not self._byte_s:
            self._put(bytes(data))
            return
        is_idle = not self._sending
        self._sending += bytes(data)
        if is_idle:
            self._sent, self._began_s = 0, self._loop.time()
            self._wake()

    def _wake(self) -> None:
        ends_s = self._began_s + len(self._sending) * self._byte_s
        soon_s = self._loop.time() + PIECE_S
        self._pacing = self._loop.call_at(min(ends_s, soon_s), self._send_piece)

    def _send_piece(self) -> None:
        elapsed_s = self._loop.time() - self._began_s
        done = min(int(elapsed_s / self._byte_s + 1e-6), len(self._sending))
        self._put(self._sending[self._sent : done])
        self._sent = done
        if done < len(self._sending):
            self._wake()
        else:
            self._sending = b""

    def _put(self, data: bytes) -> None:
        with suppress(BlockingIOError):  # nobody listens: a wire does not wait either
            os.write(self._ours, data)

    # -- asyncio.Transport ----------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Say whether the line is gone."""
        return self._ours < 0

    def abort(self) -> None:
        """Do nothing: a device on a serial line cannot hang up."""

    def close(self) -> None:
        """Remove the pseudo-terminal."""
        if self._ours < 0:
            return
        self._loop.remove_reader(self._ours)
        for timer in (self._hearing, self._pacing):
            if timer is not None:
                timer.cancel()
        os.close(self._ours)
        os.close(self._theirs)
        self._ours = self._theirs = -1
