"""Opening a link to an address: a socket, a secured socket or a serial port."""

import asyncio
import socket
import ssl
from functools import partial

from evdesk.devices.failures import Unreachable
from evdesk.devices.serial_line import SerialTransport
from evdesk.devices.tls import client_context, explain
from evdesk.devices.urls import Address
from evdesk.devices.wire import CLOSED, Wire, wire_for
from evdesk.domain.errors import UserError

REFUSED = "refused the connection. Check the port, and that Modbus is switched on in the device"
UNPLUGGED = "failed or was unplugged"


async def open_link(address: Address, timeout_s: float) -> Wire:
    """Connect; nothing is sent yet.

    Raises:
        Unreachable: refused, not there, in use, or not to be trusted; the sentence says which.

    """
    try:
        async with asyncio.timeout(timeout_s):
            if address.line is not None:
                return await _serial(address)
            return await _socket(address)
    except TimeoutError as error:
        raise _unreachable(address, _late(address)) from error
    except ConnectionRefusedError as error:
        raise _unreachable(address, REFUSED) from error
    except socket.gaierror as error:
        raise _unreachable(address, "is not a name this network knows") from error
    except ssl.SSLError as error:
        raise _unreachable(address, _why(address, error, has_answered=False)) from error
    except OSError as error:
        raise _unreachable(address, _told(address, error)) from error


async def _serial(address: Address) -> Wire:
    assert address.line is not None  # noqa: S101 - the caller looked
    wire = wire_for(address, partial(_why, address))
    await SerialTransport(address.host, address.line, wire).opened
    return wire


async def _socket(address: Address) -> Wire:
    loop = asyncio.get_running_loop()
    secured = None
    if address.papers is not None:
        try:
            secured = client_context(address.papers)
        except UserError as error:
            raise Unreachable(error.template, **error.facts) from error
    _, wire = await loop.create_connection(
        lambda: wire_for(address, partial(_why, address)),
        address.host,
        address.port,
        ssl=secured,
        server_hostname=address.host if secured is not None else None,
    )
    return wire


def _why(address: Address, error: Exception | None, *, has_answered: bool) -> str:
    """Return why a link ended."""
    if address.papers is not None:
        return explain(error, address.host, address.papers, has_answered=has_answered)
    return UNPLUGGED if address.line is not None else CLOSED


def _late(address: Address) -> str:
    if address.papers is not None:
        return "did not secure the connection in time; it may be a port for plain Modbus (tcp://)"
    return "did not accept the connection in time"


def _told(address: Address, error: OSError) -> str:
    if address.line is not None:
        return str(error)
    if address.papers is not None and isinstance(error, ConnectionResetError):
        return "closed the connection while it was being secured"
    return f"cannot be reached ({error.strerror or error})"


def _unreachable(address: Address, what: str) -> Unreachable:
    return Unreachable("{place} {what}.", place=address.place, what=what)
