"""A tracker's state as plain JSON values, so that a restart goes on where the last commit was."""

from datetime import datetime

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.readings import Register
from evdesk.domain.registers import RegisterTrack
from evdesk.domain.sessions import Flag
from evdesk.domain.tracking import Edge, OpenSession, TrackerState


def dump(state: TrackerState) -> dict[str, object]:
    """Return the state as JSON values; instants are milliseconds, raw words are hex."""
    return {
        "track": {
            "last": _register(state.track.last),
            "candidate": _register(state.track.candidate),
            "newest": _register(state.track.newest),
            "reads": state.track.reads,
        },
        "session": None if state.session is None else _session(state.session),
        "ending": _edge(state.ending),
        "rising": _edge(state.rising),
        "unplugged_at": _ms(state.unplugged_at),
        "plugged_at": _ms(state.plugged_at),
    }


def load(data: dict[str, object]) -> TrackerState:
    """Return the state that ``dump`` wrote."""
    track = _dict(data["track"])
    session = data["session"]
    return TrackerState(
        track=RegisterTrack(
            _to_register(track["last"]),
            _to_register(track["candidate"]),
            _to_register(track["newest"]),
            _int(track["reads"]),
        ),
        session=None if session is None else _to_session(_dict(session)),
        ending=_to_edge(data["ending"]),
        rising=_to_edge(data["rising"]),
        unplugged_at=_to_instant(data["unplugged_at"]),
        plugged_at=_to_instant(data["plugged_at"]),
    )


def _session(session: OpenSession) -> dict[str, object]:
    return {
        "plugged_in_at": to_ms(session.plugged_in_at),
        "base": _register(session.base),
        "start": _register(session.start),
        "last": _register(session.last),
        "carried_wh": session.carried_wh,
        "charging": session.charging,
        "measured_at": _ms(session.measured_at),
        "charging_ms": session.charging_ms,
        "peak_w": session.peak_w,
        "flags": sorted(session.flags),
    }


def _to_session(data: dict[str, object]) -> OpenSession:
    peak_w = data["peak_w"]
    return OpenSession(
        plugged_in_at=from_ms(_int(data["plugged_in_at"])),
        base=_to_register(data["base"]),
        start=_to_register(data["start"]),
        last=_to_register(data["last"]),
        carried_wh=_int(data["carried_wh"]),
        charging=bool(data["charging"]),
        measured_at=_to_instant(data["measured_at"]),
        charging_ms=_int(data["charging_ms"]),
        peak_w=float(peak_w) if isinstance(peak_w, int | float) else None,
        flags=_to_flags(data["flags"]),
    )


def _edge(edge: Edge | None) -> dict[str, object] | None:
    if edge is None:
        return None
    return {
        "at": to_ms(edge.at),
        "register": _register(edge.register),
        "flags": sorted(edge.flags),
        "confirmed": edge.confirmed,
    }


def _to_edge(data: object) -> Edge | None:
    if data is None:
        return None
    edge = _dict(data)
    return Edge(
        at=from_ms(_int(edge["at"])),
        register=_to_register(edge["register"]),
        flags=_to_flags(edge["flags"]),
        confirmed=edge.get("confirmed") is True,
    )


def _register(register: Register | None) -> dict[str, object] | None:
    if register is None:
        return None
    return {"wh": register.wh, "at": to_ms(register.at), "raw": register.raw.hex()}


def _to_register(data: object) -> Register | None:
    if data is None:
        return None
    found = _dict(data)
    return Register(_int(found["wh"]), from_ms(_int(found["at"])), bytes.fromhex(str(found["raw"])))


def _to_flags(data: object) -> set[Flag]:
    return {Flag(str(flag)) for flag in data} if isinstance(data, list) else set()


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _to_instant(data: object) -> datetime | None:
    return None if data is None else from_ms(_int(data))


def _dict(data: object) -> dict[str, object]:
    if not isinstance(data, dict):
        msg = f"not an object: {data!r}"
        raise TypeError(msg)
    return data


def _int(data: object) -> int:
    if not isinstance(data, int):
        msg = f"not an integer: {data!r}"
        raise TypeError(msg)
    return data
