"""Serving a scenario until somebody stops it: what ``evdesk simulate`` runs."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.listening import Links
from evdesk.devices.simulator.scenario import Scenario
from evdesk.domain.errors import UserError


async def serve(
    scenario: Scenario,
    port: int = 0,
    *,
    links: Links | None = None,
    stepped: bool = False,
    log: Path | None = None,
    on_ready: Callable[[list[dict[str, object]]], None] | None = None,
    stop: asyncio.Event | None = None,
) -> dict[str, Any]:
    """Serve a scenario until SIGTERM, Ctrl-C or ``stop``; return what was served.

    ``on_ready`` gets name, profile, url, unit, phases and role of each device once all ports are
    open. ``links`` makes them serial lines or secures them. ``log`` gets one JSON line per served
    energy register.

    Raises:
        UserError: an unknown profile, two devices with one unit, links that cannot be, or a log
            that cannot be written.
        DeviceError: a port is taken.

    """
    ended = stop or asyncio.Event()
    with _opened(log) as stream, _signals(ended):
        depot = Depot(scenario, stepped=stepped, log=stream, links=links)
        await depot.start(port)
        try:
            if on_ready is not None:
                on_ready(depot.addresses())
            await ended.wait()
        finally:
            await depot.stop()
        return depot.counts()


@contextmanager
def _opened(log: Path | None) -> Iterator[TextIO | None]:
    if log is None:
        yield None
        return
    try:
        stream = log.open("w", encoding="utf-8", buffering=1)  # a line at a time, to be followed
    except OSError as error:
        raise UserError(
            "{file} cannot be written: {reason}.", file=str(log), reason=error.strerror
        ) from error
    with stream:
        yield stream


@contextmanager
def _signals(ended: asyncio.Event) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C end the depot in order, where the platform and thread allow it."""
    loop = asyncio.get_running_loop()
    previous: dict[signal.Signals, Any] = {}
    with suppress(ValueError):  # not the main thread: who started it stops it
        for number in (signal.SIGTERM, signal.SIGINT):
            previous[number] = signal.signal(
                number, lambda *_: loop.call_soon_threadsafe(ended.set)
            )
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
