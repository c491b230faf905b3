"""A demo site, a simulated depot and real collector processes, for tests from socket to invoice."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from subprocess import PIPE, Popen
from sys import executable

from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.devices.simulator.scenario import Scenario
from evdesk.devices.simulator.serving import serve
from evdesk.domain.errors import EvdeskError
from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.domain.secrets import Secret
from evdesk.ports import SessionFilter

PASSWORD = Secret(b"end to end to end")
PATIENCE_S = 300


@dataclass
class Served:
    """A running depot: its addresses while it runs, its counts afterwards."""

    devices: list[dict[str, object]]
    log: Path
    counts: dict[str, object]

    def registers(self) -> dict[str, dict[str, int]]:
        """Return what was served: device -> instant -> Wh; an instant served twice must agree."""
        found: dict[str, dict[str, int]] = {}
        for line in self.log.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            known = found.setdefault(row["device"], {})
            assert known.setdefault(row["at"], row["register_wh"]) == row["register_wh"]
        return found


@contextmanager
def depot(scenario: Scenario, folder: Path) -> Iterator[Served]:
    """Serve a scenario in stepped time from a thread of its own."""
    served = Served([], folder / "served.jsonl", {})
    ready, begun = threading.Event(), dict[str, object]()

    def listening(devices: list[dict[str, object]]) -> None:
        served.devices.extend(devices)
        ready.set()

    async def run() -> dict[str, object]:
        begun["loop"], begun["stop"] = asyncio.get_running_loop(), (stop := asyncio.Event())
        return await serve(scenario, 0, stepped=True, log=served.log, on_ready=listening, stop=stop)

    def work() -> None:
        try:
            served.counts.update(asyncio.run(run()))
        except EvdeskError as error:
            begun["error"] = error
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert ready.wait(20)
        assert "error" not in begun, begun["error"]
        yield served
    finally:
        loop, stop = begun["loop"], begun["stop"]
        assert isinstance(loop, asyncio.AbstractEventLoop)
        assert isinstance(stop, asyncio.Event)
        with suppress(RuntimeError):  # it has ended already
            loop.call_soon_threadsafe(stop.set)
        thread.join()


def make_site(
    folder: Path, starts_at: datetime, served: Served, interval_ms: int = 1000, tz: str = "UTC"
) -> Opened:
    """Make a demo site that reads every device of the depot; close its store afterwards."""
    request = SiteRequest(
        name="Test depot",
        owner="Ada",
        tz=tz,
        currency="EUR",
        country="DE",
        language="en",
        demo=True,
        starts_at=starts_at,
    )
    create_site(folder, PASSWORD, request)
    opened = open_site(folder, PASSWORD)
    for device in served.devices:
        new = NewMeter(
            name=str(device["name"]),
            profile=str(device["profile"]),
            url=str(device["url"]),
            unit=int(str(device["unit"])),
            interval_ms=interval_ms,
            role=MeterRole(str(device["role"])),
        )
        asyncio.run(opened.services.meters.add(new))
    return opened


def start_collector(opened: Opened, *options: str) -> "Popen[bytes]":
    """Start a real collector process, at full speed where nothing else is said."""
    command = [executable, "-m", "evdesk", "--site", str(opened.folder), "--json"]
    speed = () if "--speed" in options else ("--speed", "max")
    child = Popen(
        [*command, "collect", "--key-stdin", *speed, *options],
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
    )
    assert child.stdin is not None
    child.stdin.write(opened.data_key.reveal().hex().encode() + b"\n")
    child.stdin.flush()
    return child


def collect(opened: Opened, seconds: float) -> dict[str, object]:
    """Let a collector process collect so many seconds of the site's time; return its counts."""
    child = start_collector(opened, "--seconds", str(seconds))
    out, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, err.decode()
    counts: dict[str, object] = json.loads(out)
    return counts


def sessions(opened: Opened) -> list[dict[str, object]]:
    """Return sessions, oldest first, as the command line shows them."""
    from evdesk.services.exporting import session_json

    found = opened.services.sessions.find(SessionFilter())
    return [session_json(session) for session in reversed(found)]
