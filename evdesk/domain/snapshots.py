"""A tracker's state as plain JSON values, so that a restart goes on where the last commit was."""

from datetime import datetime, timedelta
from typing import Any

from evdesk.domain.crosscheck import CrossCheck
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.progress import MS, Edge, OpenSession, TrackerState
from evdesk.domain.readings import Register
from evdesk.domain.registers import RegisterTrack, Step, Verdict
from evdesk.domain.sessions import Flag, Tag
from evdesk.domain.timeline import Timeline

Json = dict[str, object]


def dump(state: TrackerState) -> Json:
    """Return the state as JSON values; instants are milliseconds, raw words are hex."""
    return {
        "track": _track(state.track),
        "session": None if state.session is None else _session(state.session),
        "ending": _edge(state.ending),
        "rising": _edge(state.rising),
        "unplugged_at": _ms(state.unplugged_at),
        "plugged_at": _ms(state.plugged_at),
        "free": _register(state.free),
        "serial": state.serial,
        "replaced": state.replaced,
        "frozen": _register(state.frozen),
        "applied": state.applied,
        "shown": _tag(state.shown),
        "stale": _tag(state.stale),
        "drift_ms": state.timeline.drift // MS,
        "drifts": [[to_ms(at), drift // MS] for at, drift in state.timeline.drifts],
    }


def load(data: Json) -> TrackerState:
    """Return the state that ``dump`` wrote; what an older program did not write is not known."""
    session = data["session"]
    return TrackerState(
        track=_to_track(_dict(data["track"])),
        session=None if session is None else _to_session(_dict(session)),
        ending=_to_edge(data["ending"]),
        rising=_to_edge(data["rising"]),
        unplugged_at=_to_instant(data["unplugged_at"]),
        plugged_at=_to_instant(data["plugged_at"]),
        free=_to_register(data.get("free")),
        serial=_to_text(data.get("serial")),
        replaced=data.get("replaced") is True,
        frozen=_to_register(data.get("frozen")),
        applied=_int(data.get("applied", 0)),
        shown=_to_tag(data.get("shown")),
        stale=_to_tag(data.get("stale")),
        timeline=Timeline(
            [(from_ms(_int(at)), _int(ms) * MS) for at, ms in _pairs(data.get("drifts"))],
            _int(data.get("drift_ms", 0)) * MS,
        ),
    )


def _track(track: RegisterTrack) -> Json:
    return {
        "last": _register(track.last),
        "candidate": _register(track.candidate),
        "newest": _register(track.newest),
        "reads": track.reads,
        "ceiling": _register(track.ceiling),
        "marks": [[to_ms(at), wh] for at, wh in track.marks],
        "moved_at": _ms(track.moved_at),
    }


def _to_track(data: Json) -> RegisterTrack:
    return RegisterTrack(
        last=_to_register(data["last"]),
        candidate=_to_register(data["candidate"]),
        newest=_to_register(data["newest"]),
        reads=_int(data["reads"]),
        ceiling=_to_register(data.get("ceiling")),
        marks=[(from_ms(_int(at)), _int(wh)) for at, wh in _pairs(data.get("marks"))],
        moved_at=_to_instant(data.get("moved_at")),
    )


def _session(session: OpenSession) -> Json:
    step = session.unexplained
    return {
        "plugged_in_at": to_ms(session.plugged_in_at),
        "base": _register(session.base),
        "start": _register(session.start),
        "last": _register(session.last),
        "read_at": _ms(session.read_at),
        "seen": _register(session.seen),
        "carried_wh": session.carried_wh,
        "charging": session.charging,
        "paused": session.paused,
        "measured_at": _ms(session.measured_at),
        "charging_ms": session.charging_ms,
        "peak_w": session.peak_w,
        "flags": sorted(session.flags),
        "tag": _tag(session.tag),
        "connected_s": session.connected_s,
        "connected_at": _ms(session.connected_at),
        "session_wh": session.session_wh,
        "session_register": _register(session.session_register),
        "session_at": _ms(session.session_at),
        "silence": session.silence,
        "unsure": session.unsure,
        "unexplained": None if step is None else _step(step),
        "drift_before_ms": session.drift_before // MS,
        "check": _check(session.check),
        "checked_at": _ms(session.checked_at),
    }


def _to_session(data: Json) -> OpenSession:
    last = _to_register(data["last"])
    step, check = data.get("unexplained"), data.get("check")
    return OpenSession(
        plugged_in_at=from_ms(_int(data["plugged_in_at"])),
        base=_to_register(data["base"]),
        start=_to_register(data["start"]),
        last=last,
        read_at=_to_instant(data.get("read_at", None if last is None else to_ms(last.at))),
        seen=_to_register(data.get("seen")),
        carried_wh=_int(data["carried_wh"]),
        charging=bool(data["charging"]),
        paused=data.get("paused") is True,
        measured_at=_to_instant(data["measured_at"]),
        charging_ms=_int(data["charging_ms"]),
        peak_w=_to_float(data["peak_w"]),
        flags=_to_flags(data["flags"]),
        tag=_to_tag(data.get("tag")),
        connected_s=_to_int(data.get("connected_s")),
        connected_at=_to_instant(data.get("connected_at")),
        session_wh=_to_int(data.get("session_wh")),
        session_register=_to_register(data.get("session_register")),
        session_at=_to_instant(data.get("session_at")),
        silence=data.get("silence") is True,
        unsure=data.get("unsure") is True,
        unexplained=None if step is None else _to_step(_dict(step)),
        drift_before=timedelta(milliseconds=_int(data.get("drift_before_ms", 0))),
        check=CrossCheck() if check is None else _to_check(_dict(check)),
        checked_at=_to_instant(data.get("checked_at")),
    )


def _check(check: CrossCheck) -> Json:
    return {
        "power_w": check.power_w,
        "wh": check.wh,
        "counted_wh": check.counted_wh,
        "integrated_wh": check.integrated_wh,
        "spread_wh2": check.spread_wh2,
        "rounded_wh": check.rounded_wh,
        "still_wh": check.still_wh,
        "still_reads": check.still_reads,
        "frozen": check.frozen,
    }


def _to_check(data: Json) -> CrossCheck:
    return CrossCheck(
        power_w=_to_float(data["power_w"]),
        wh=_to_int(data["wh"]),
        counted_wh=_int(data["counted_wh"]),
        integrated_wh=_to_float(data["integrated_wh"]) or 0.0,
        spread_wh2=_to_float(data.get("spread_wh2")) or 0.0,
        rounded_wh=_to_float(data.get("rounded_wh")) or 0.0,
        still_wh=_to_float(data["still_wh"]) or 0.0,
        still_reads=_int(data.get("still_reads", 0)),
        frozen=data["frozen"] is True,
    )


def _step(step: Step) -> Json:
    return {
        "kind": step.kind.value,
        "before": _register(step.before),
        "first": _register(step.first),
        "between_wh": step.between_wh,
    }


def _to_step(data: Json) -> Step | None:
    before, first = _to_register(data["before"]), _to_register(data["first"])
    if before is None or first is None:
        return None
    return Step(Verdict(str(data["kind"])), before, first, _int(data["between_wh"]))


def _edge(edge: Edge | None) -> Json | None:
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


def _register(register: Register | None) -> Json | None:
    if register is None:
        return None
    return {
        "wh": register.wh,
        "at": to_ms(register.at),
        "raw": register.raw.hex(),
        "serial": register.serial,
    }


def _to_register(data: object) -> Register | None:
    if data is None:
        return None
    found = _dict(data)
    raw = bytes.fromhex(str(found["raw"]))
    serial = _to_text(found.get("serial"))
    return Register(_int(found["wh"]), from_ms(_int(found["at"])), raw, serial)


def _tag(tag: Tag | None) -> list[str] | None:
    return None if tag is None else [tag.digest.hex(), tag.shown]


def _to_tag(data: object) -> Tag | None:
    if not isinstance(data, list):
        return None
    digest, shown = data
    return Tag(bytes.fromhex(str(digest)), str(shown))


def _to_flags(data: object) -> set[Flag]:
    return {Flag(str(flag)) for flag in data} if isinstance(data, list) else set()


def _pairs(data: object) -> list[Any]:
    return data if isinstance(data, list) else []


def _ms(at: datetime | None) -> int | None:
    return None if at is None else to_ms(at)


def _to_instant(data: object) -> datetime | None:
    return None if data is None else from_ms(_int(data))


def _to_text(data: object) -> str | None:
    return None if data is None else str(data)


def _to_int(data: object) -> int | None:
    return None if data is None else _int(data)


def _to_float(data: object) -> float | None:
    return float(data) if isinstance(data, int | float) else None


def _dict(data: object) -> Json:
    if not isinstance(data, dict):
        msg = f"not an object: {data!r}"
        raise TypeError(msg)
    return data


def _int(data: object) -> int:
    if not isinstance(data, int):
        msg = f"not an integer: {data!r}"
        raise TypeError(msg)
    return data
