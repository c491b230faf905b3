"""Session events as rows of the session's log: kind, register, raw words and what else they say."""

from evdesk.domain.instants import rfc3339, to_ms
from evdesk.domain.readings import Register
from evdesk.domain.sessions import (
    Based,
    ChargingStarted,
    ChargingStopped,
    Closed,
    EpochBegan,
    Figures,
    Opened,
    SessionEvent,
    Tagged,
)
from evdesk.storage.connection import Value
from evdesk.storage.json_text import canonical

KINDS: dict[type[SessionEvent], str] = {
    Opened: "opened",
    Based: "based",
    ChargingStarted: "charging_started",
    ChargingStopped: "charging_stopped",
    EpochBegan: "epoch_began",
    Tagged: "tagged",
    Closed: "closed",
}


def event_values(event: SessionEvent) -> tuple[Value, ...]:
    """Return at_ms, kind, wh, raw and detail of a row of session_event."""
    register = event.register
    return (
        to_ms(event.at),
        KINDS[type(event)],
        None if register is None else register.wh,
        b"" if register is None else register.raw,
        canonical(_detail(event)),
    )


def _detail(event: SessionEvent) -> dict[str, object]:
    detail: dict[str, object] = {}
    if event.register is not None and event.register.at != event.at:
        detail["register_at"] = rfc3339(event.register.at)
    if event.register is not None and event.register.serial is not None:
        detail["serial"] = event.register.serial
    match event:
        case Opened():
            detail["flags"] = sorted(event.flags)
        case EpochBegan():
            detail["before"] = _register(event.step.before)
            detail["step"] = event.step.kind.value
            detail["between_wh"] = event.step.between_wh
        case Tagged():
            detail["tag"] = event.tag.shown
        case Closed():
            detail["figures"] = _figures(event.figures)
    return detail


def _figures(figures: Figures) -> dict[str, object]:
    return {
        "plugged_in_at": rfc3339(figures.plugged_in_at),
        "unplugged_at": None if figures.unplugged_at is None else rfc3339(figures.unplugged_at),
        "start": None if figures.start is None else _register(figures.start),
        "end": None if figures.end is None else _register(figures.end),
        "energy_wh": figures.energy_wh,
        "charging_ms": figures.charging_ms,
        "peak_w": figures.peak_w,
        "flags": sorted(figures.flags),
        "drift_ms": figures.drift_ms,
        "tag": None if figures.tag is None else figures.tag.shown,
    }


def _register(register: Register) -> dict[str, object]:
    found = {"wh": register.wh, "at": rfc3339(register.at), "raw": register.raw.hex()}
    return found if register.serial is None else {**found, "serial": register.serial}
