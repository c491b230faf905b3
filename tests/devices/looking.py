"""Devices to be found and probed: each profile as its simulator shows it in a charge."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from evdesk.devices.asking import Asker, Patience
from evdesk.devices.profile_file import load_profiles
from evdesk.devices.recognising import Recognised, Recogniser, effort_for
from evdesk.devices.simulator.loads import delivering
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.ports import FoundDevice, ScanStep
from tests.devices.support import METERS
from tests.fakes.link import DirectLink, depot_link

KNOWN = load_profiles(METERS)
HOUR_MS = 3_600_000
HALF_HOUR_MS = HOUR_MS // 2


def charging(name: str, **changes: Any) -> Device:
    """Return a device of a profile at which a car draws 11 kW on three phases, or 3 on one."""
    phases, watts = ("123", 11_000) if KNOWN[name].phases == 3 else ("1", 3_000)
    visit = delivering(0, HOUR_MS, HOUR_MS, watts, phases)
    plain = Device("bay", name, sessions=(visit,), initial_wh=5_000_000, phases=phases)
    return replace(plain, **changes)


def link_to(name: str, url: str = "tcp://127.0.0.1:502") -> DirectLink:
    """Return a link to a device of a profile in the middle of a charge."""
    return depot_link(Scenario((charging(name),)), HALF_HOUR_MS, url)


def asker(link: DirectLink, unit: int) -> Asker:
    return Asker(link, unit, Patience(1.0, 1.0))


def recognised(link: DirectLink, unit: int, *, is_bus: bool = False) -> Recognised:
    """Return what a unit is taken for."""
    effort, profiles = effort_for(is_bus=is_bus), KNOWN.values()
    return asyncio.run(Recogniser(asker(link, unit), profiles, effort, lambda: False).run())


class Watcher:
    """Implements ``ports.ScanWatch``; stops after so many devices."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.steps: list[ScanStep] = []
        self.stop_after = stop_after

    def tell(self, step: ScanStep) -> None:
        self.steps.append(step)

    def stopped(self) -> bool:
        return self.stop_after is not None and len(self.found) >= self.stop_after

    @property
    def found(self) -> Sequence[FoundDevice]:
        return [step.found for step in self.steps if step.found is not None]
