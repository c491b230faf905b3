"""The demo: a throw-away site, the simulated depot of ``sample_data`` and a real collector."""

import asyncio
import json
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from evdesk.bootstrap.running import CollectorChild, spawn
from evdesk.bootstrap.sites import Opened, SiteRequest, create_site, open_site
from evdesk.domain.errors import DeviceError
from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Party
from evdesk.settings import shipped

HISTORY_INTERVAL_MS = 30_000  # days of history in seconds; the live part is read every second
PATIENCE_S = 600.0
LOOK_S = 0.5
THURSDAY = 3
ISSUER = Party(
    name="Sample Depot Ltd",
    street="Example Street 1",
    postcode="89073",
    city="Ulm",
    country="DE",
    vat_id="DE999999999",
    contact="Front desk",
    email="desk@depot.example",
    phone="+49 731 0000",
    iban="DE75512108001245126199",
)
DRIVERS = (
    Party("Ada Example", "Sample Road 2", "89075", "Ulm", "DE", email="ada@drivers.example"),
    Party("Ben Muster", "Sample Road 5", "89075", "Ulm", "DE", email="ben@drivers.example"),
    Party("Cleo Specimen", "Sample Lane 9", "89231", "Neu-Ulm", "DE"),
)


def busy_moment(now: datetime) -> datetime:
    """Return the last Thursday half past nine (UTC): the depot is full, cars come and go."""
    days_back = (now.weekday() - THURSDAY) % 7 or 7
    day = now - timedelta(days=days_back)
    return day.replace(hour=9, minute=30, second=0, microsecond=0)


class DemoDepot:
    """Everything the demo starts; ``stop`` ends and removes all of it."""

    def __init__(
        self, tell: Callable[[str], None], progress: Callable[[float], None] = lambda _share: None
    ) -> None:
        self._tell, self._progress = tell, progress
        self._folder = Path(tempfile.mkdtemp(prefix="evdesk-demo-"))
        self._simulator: subprocess.Popen[bytes] | None = None
        self._collector: CollectorChild | None = None
        self.opened: Opened | None = None

    def build(self, days: int) -> Opened:
        """Make the site and let so many days pass; return it opened as its owner."""
        self._tell("Making a throw-away site …")
        password = Secret(secrets.token_urlsafe(24).encode())
        live_at = busy_moment(datetime.now(UTC))
        starts_at = (live_at - timedelta(days=days)).replace(hour=5, minute=0)
        request = SiteRequest(
            name="Sample depot",
            owner="Olivia Owner",
            tz="Europe/Berlin",
            currency="EUR",
            country="DE",
            language="en",
            demo=True,
            starts_at=starts_at,
        )
        folder = self._folder / "site"
        create_site(folder, password, request)
        self.opened = opened = open_site(folder, password)
        self._add_devices(opened)
        self._add_people(opened, starts_at)
        self._tell(f"Letting {days} day(s) of charging pass …")
        self._let_pass(opened, starts_at, live_at)
        for row in opened.services.meters.rows():
            opened.services.meters.set_interval(row.meter.name, None)
        return opened

    def _let_pass(self, opened: Opened, from_at: datetime, to_at: datetime) -> None:
        """Collect as fast as the machine can, and tell how far it is."""
        span = to_at - from_at
        options = ("--speed", "max", "--seconds", str(span.total_seconds()))
        collector = self._collect(opened, options)
        while collector.alive():
            time.sleep(LOOK_S)
            self._progress((opened.services.clock.now() - from_at) / span)

    def run(self) -> CollectorChild:
        """Start the collector at the pace of the wall."""
        assert self.opened is not None  # noqa: S101 - build comes first
        return self._collect(self.opened, ("--speed", "1"))

    def wait(self) -> None:
        """Wait for the collector to end."""
        if self._collector is not None:
            self._collector.wait(PATIENCE_S)

    def halt(self) -> None:
        """Stop the collector, whoever started it."""
        if self.opened is not None and self.opened.services.site.info().running:
            self.opened.services.site.stop_collector()
            self.wait()

    def stop(self) -> None:
        """End every process and remove the folder."""
        if self.opened is not None:
            self.halt()
            self.opened.services.store.close()
        if self._simulator is not None:
            self._simulator.terminate()
            self._simulator.communicate(timeout=PATIENCE_S)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _collect(self, opened: Opened, options: tuple[str, ...]) -> CollectorChild:
        self._collector = CollectorChild(opened, options)
        self._collector.start()
        return self._collector

    def _add_devices(self, opened: Opened) -> None:
        for device in self._start_simulator():
            new = NewMeter(
                name=str(device["name"]),
                profile=str(device["profile"]),
                url=str(device["url"]),
                unit=int(str(device["unit"])),
                phases=str(device.get("phases") or "123"),
                serial=None if device.get("serial") is None else str(device["serial"]),
                interval_ms=HISTORY_INTERVAL_MS,
                role=MeterRole(str(device.get("role") or "station")),
            )
            asyncio.run(opened.services.meters.add(new))

    def _start_simulator(self) -> list[dict[str, object]]:
        self._tell("Starting the simulated depot on loopback ports …")
        scenario = shipped("sample_data") / "depot.toml"
        self._simulator = spawn(["simulate", str(scenario), "--stepped"], output=True)
        assert self._simulator.stdout is not None  # noqa: S101 - asked for above
        line = self._simulator.stdout.readline()
        if not line:
            raise DeviceError(
                "The simulated depot did not start: try evdesk simulate {scenario}",
                scenario=scenario,
            )
        devices: list[dict[str, object]] = json.loads(line)["devices"]
        return devices

    def _add_people(self, opened: Opened, from_at: datetime) -> None:
        services = opened.services
        services.billing.set_issuer(ISSUER)
        tariff = services.tariffs.add(
            (shipped("sample_data") / "tariff.json").read_text(encoding="utf-8")
        )
        services.tariffs.assign(tariff.id, from_at)
        drivers = [services.drivers.add(party) for party in DRIVERS]
        for number, row in enumerate(services.stations.rows()):
            driver = drivers[number % len(drivers)]
            services.stations.set_default_driver(row.station.name, driver.id, from_at)
