"""What stands in the text of an audit entry, if the text is canonical JSON (RFC 8785)."""

import json
import re
from typing import NamedTuple

from evdesk.storage.json_text import hashed_text

VERSION = 1
STRING = r'[^"\\\x00-\x1f]*+(?:\\(?:["\\bfnrt]|u00[01][0-9a-f])[^"\\\x00-\x1f]*+)*+'
HASH = "([0-9a-f]{64})"
AT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
INSTANT = re.compile(AT, re.ASCII)
# As evdesk writes entries; whatever else is canonical is understood, too, and takes longer.
USUAL = re.compile(
    rf'\{{"action":"({STRING})","actor":"{STRING}","at":"({AT})"(,"clock":"set back")?'
    rf',"object_ref":"{STRING}","object_type":"{STRING}","outcome":"(?:ok|denied|failed)"'
    rf',"payload":"{HASH}","prev":"{HASH}","role":"{STRING}"(?:,"rows":"{HASH}")?'
    rf',"seq":(0|[1-9]\d*),"v":{VERSION}\}}'.encode()
)


class Fields(NamedTuple):
    """What verifying needs of an entry, as bytes of its text."""

    action: bytes
    at: bytes
    clock: bytes | None  # where it says that the clock was set back
    payload: bytes
    prev: bytes
    rows: bytes | None
    seq: bytes


def fields_of(text: object) -> Fields | None:
    """Return the fields of an entry, or None where its text is not canonical."""
    if not isinstance(text, bytes):
        return None
    usual = USUAL.fullmatch(text) if text.isascii() else None
    return _unusual(text) if usual is None else Fields(*usual.groups())


def _unusual(text: bytes) -> Fields | None:
    try:
        data = json.loads(text)
        if not isinstance(data, dict) or hashed_text(data) != text or data["v"] != VERSION:
            return None
        needed = (data["action"], data["at"], data["payload"], data["prev"])
        if not all(isinstance(one, str) for one in needed) or type(data["seq"]) is not int:
            return None
        if INSTANT.fullmatch(data["at"]) is None:
            return None
    except (ValueError, KeyError, RecursionError):
        return None
    action, at, payload, prev = (one.encode() for one in needed)
    clock, rows = data.get("clock"), data.get("rows")
    return Fields(
        action=action,
        at=at,
        clock=None if clock is None else str(clock).encode(),
        payload=payload,
        prev=prev,
        rows=None if rows is None else str(rows).encode(),
        seq=str(data["seq"]).encode(),
    )
