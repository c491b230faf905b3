"""Scripted days at one charging point: what a tracker is fed, written short."""

from datetime import UTC, datetime, timedelta

from evdesk.domain.readings import PilotState, Register
from evdesk.domain.sessions import CarSigns, Closed, Rules, Sample, SessionEvent, Tag
from evdesk.domain.tracking import Tracker

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
BY_PILOT = Rules(by_pilot=True, interval_ms=1000)
BY_LOAD = Rules(by_pilot=False, interval_ms=1000, idle_ms=60_000)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def sample(
    seconds: float,
    pilot: str | None = None,
    wh: int | None = None,
    power_w: float | None = None,
    signs: CarSigns | None = None,
) -> Sample:
    current_a = None if power_w is None else power_w / 230
    register = None if wh is None else Register(wh, at(seconds), wh.to_bytes(8, "big"))
    state = None if pilot is None else PilotState(pilot)
    return Sample(at(seconds), state, register, power_w, current_a, signs)


def card(number: str) -> Tag:
    return Tag(number.encode().ljust(32), number[-4:])


def play(tracker: Tracker, *samples: Sample) -> list[SessionEvent]:
    return [event for one in samples for event in tracker.on(one)]


def closed(events: list[SessionEvent]) -> list[Closed]:
    return [event for event in events if isinstance(event, Closed)]
