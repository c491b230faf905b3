"""A Modbus TCP server in a thread of this process, for whoever runs an event loop of its own."""

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Answer = Callable[[int, bytes], bytes | None]
HEAD = struct.Struct(">HHHB")


@contextmanager
def served(answer: Answer) -> Iterator[str]:
    """Hand requests (from the function code on) to a function; yields the URL."""

    class Client(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while head := self.rfile.read(HEAD.size):
                tid, _, length, unit = HEAD.unpack(head)
                pdu = answer(unit, self.rfile.read(length - 1))
                if pdu is not None:
                    self.wfile.write(HEAD.pack(tid, 0, len(pdu) + 1, unit) + pdu)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Client) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="modbus server")
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
