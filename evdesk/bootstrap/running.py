"""Running things: the collector in this process or as a child, and the simulated depot."""

import asyncio
import ctypes
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from wakepy import keep

from evdesk.bootstrap.backing_up import keeping_backups
from evdesk.bootstrap.computer import ThisComputer
from evdesk.bootstrap.logbook import logbook
from evdesk.bootstrap.posting import posting
from evdesk.bootstrap.retaining import keeping_retention
from evdesk.bootstrap.services import WallClock
from evdesk.bootstrap.sites import Opened
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.listening import Links
from evdesk.domain.errors import UserError
from evdesk.ports import ProfileInfo, Store
from evdesk.services.collecting import Collector, Tally
from evdesk.services.expiring import ConsentKeeper
from evdesk.services.faults import died
from evdesk.services.sites import is_running
from evdesk.services.stepping import SteppedClock, SteppedCollector
from evdesk.storage import keys, site_folder

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast stepped time may go; ``times`` None is as fast as the machine allows."""

    given: bool
    times: float | None


def collect(opened: Opened, seconds: float | None, speed: Speed) -> Tally:
    """Be the site's collector until stopped, or for so many seconds of the site's time.

    Raises:
        UserError: another collector runs, or stepped time was asked of a real site.

    """
    site, store = opened.services.info, opened.services.store
    if speed.given and not site.demo:
        raise UserError("--speed is for demo sites: a real site lives on the wall clock.")
    lock: AbstractContextManager[object] = site_folder.collector_lock(opened.folder)
    with lock, logbook(opened.folder), awake():
        _take_lease(store)
        try:
            return asyncio.run(_collect(opened, seconds, speed))
        finally:
            with store.journal() as unit:
                unit.collector.release()


def give_memory_back() -> None:
    """Have what was freed go back to the system, where that can be asked.

    The C library of most Linuxes keeps what the sealing of an hour needed for a moment, and a
    little more with each hour; a process that runs for months must not grow.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none, and needs none
        if trim is not None:
            trim(0)


@contextmanager
def awake() -> Iterator[None]:
    """Keep the PC from sleeping while this lasts, where it can be asked; the screen may go off."""
    with keep.running(on_fail="pass") as mode:
        if not mode.active:
            LOG.info(
                "This computer cannot be kept awake from here: see to it that it never sleeps."
            )
        yield


def _take_lease(store: Store) -> None:
    """Take the lease; the file lock is held, so a stale one belongs to a process that died."""
    now, host = datetime.now(UTC), socket.gethostname()
    with store.journal() as unit:
        state = unit.collector.state()
        if state.host not in {"", host} and is_running(state, now):
            raise UserError(
                "The collector runs on {host} (process {pid}). One site has one collector.",
                host=state.host,
                pid=state.pid,
            )
        if state.pid is not None:
            at = unit.site.stepped_at() or now
            unit.faults.apply([died(unit, state, at)], store.actor.ref)
        unit.collector.take(os.getpid(), host, now)


async def _collect(opened: Opened, seconds: float | None, speed: Speed) -> Tally:
    store, site = opened.services.store, opened.services.info

    keeper = ConsentKeeper(store, opened.services.clock)

    def rested() -> None:
        give_memory_back()
        keeper.step()
        opened.services.audit.sign_if_possible()

    collector: Collector | SteppedCollector
    if site.demo:
        clock = SteppedClock(opened.services.clock.now())
        devices = ModbusDevices(clock, stepped=True)
        collector = SteppedCollector(store, devices, clock, WallClock(), speed.times, rested)
    else:
        devices = ModbusDevices(WallClock(), stepped=False)
        computer = ThisComputer(opened.folder)
        collector = Collector(store, devices, WallClock(), since_boot_s, computer, rested)
    _stop_on_signals(collector.stopping.set)
    mailing = posting(opened.services.mail)
    with mailing, keeping_backups(opened), keeping_retention(opened):
        return await collector.run(seconds)


def since_boot_s() -> float:
    """Return seconds that nobody can set, with those in which the computer slept."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    if sys.platform == "darwin":
        boot = time.CLOCK_MONOTONIC
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def _stop_on_signals(stop: Callable[[], None]) -> None:
    """End cleanly on SIGTERM and Ctrl-C, also where the loop takes no signal handlers."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


def device_profiles() -> tuple[ProfileInfo, ...]:
    """Return every device profile; needs no site."""
    return ModbusDevices(WallClock(), stepped=False).profiles()


async def simulate(
    scenario: Path,
    port: int,
    on_ready: Callable[[list[dict[str, object]]], None],
    *,
    stepped: bool,
    log: Path | None = None,
    links: Links | None = None,
) -> dict[str, object]:
    """Serve a simulated depot until stopped; return what was served."""
    from evdesk.devices.simulator.scenario_file import load_scenario
    from evdesk.devices.simulator.serving import serve

    return await serve(
        load_scenario(scenario), port, links=links, stepped=stepped, log=log, on_ready=on_ready
    )


class CollectorChild:
    """The collector as a child process that outlives the window."""

    def __init__(self, opened: Opened, options: tuple[str, ...] = ()) -> None:
        self._opened, self._options = opened, options
        self._child: subprocess.Popen[bytes] | None = None

    def running(self) -> bool:
        """Return whether a collector works for this site, whoever started it."""
        return self._opened.services.site.info().running

    def start(self) -> None:
        """Start one; the data key goes through its standard input, and the key that signs."""
        self._opened.services.site.demand_collecting()
        arguments = ["--site", str(self._opened.folder), "collect", "--key-stdin", *self._options]
        self._child = spawn(arguments, detached=True)
        given = [self._opened.data_key, self._opened.signing_key]
        if self._child.stdin is not None:
            words = [key.reveal().hex() for key in given if key is not None]
            self._child.stdin.write(f"{' '.join(words)}\n".encode())
            self._child.stdin.close()

    def stop(self) -> None:
        """Ask it to end."""
        self._opened.services.site.stop_collector()

    def alive(self) -> bool:
        """Return whether the child that was started here still works."""
        return self._child is not None and self._child.poll() is None

    def wait(self, seconds: float) -> None:
        """Wait for the child to end; end it if it does not."""
        if self._child is None:
            return
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.terminate()
            self._child.wait(seconds)


def spawn(
    arguments: list[str], *, detached: bool = False, output: bool = False
) -> subprocess.Popen[bytes]:
    """Start evdesk once more; a detached child goes on when this process ends."""
    flags = 0
    if sys.platform == "win32" and detached:
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    return subprocess.Popen(
        [sys.executable, "-m", "evdesk", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if output else subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=flags,
        start_new_session=detached and sys.platform != "win32",
    )


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        UserError: the folder does not exist, cannot be written to, or is that of a site.

    """
    with saving(path) as file:
        file.write(data)


@contextmanager
def saving(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write to, that takes its place when the block ends; a failure leaves nothing.

    Raises:
        UserError: the folder does not exist, cannot be written to, or is that of a site.

    """
    if (path.parent / keys.KEYS).exists() or (path.parent / keys.SECOND).exists():
        raise UserError(
            "{folder} is the folder of a site, where a file could take the place of its keys. "
            "Nothing was saved: choose another folder.",
            folder=path.parent,
        )
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(path)
    except OSError as error:
        raise UserError(
            "{path} cannot be written: {why}. Nothing was saved.", path=path, why=error.strerror
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink()  # renamed by now, unless something failed or Ctrl-C came
