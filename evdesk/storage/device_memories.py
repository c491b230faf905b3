"""What was learned of devices."""

import json

from evdesk.domain.device_memory import DeviceMemory, Refusal
from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.readings import MeterId
from evdesk.storage.connection import Connection
from evdesk.storage.json_text import canonical


class StoredDeviceMemories:
    """Implements ``ports.DeviceMemories``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def all(self) -> dict[MeterId, DeviceMemory]:
        """Return what is known of each device; one of which nothing was learned is left out."""
        rows = self._db.all("SELECT meter_id, device, learned_at_ms, refusals FROM meter_memory")
        return {
            MeterId(meter): DeviceMemory(
                MeterId(meter), device, from_ms(learned_at_ms), _refusals(text)
            )
            for meter, device, learned_at_ms, text in rows
        }

    def save(self, memory: DeviceMemory) -> None:
        """Replace what is known of a device."""
        self._db.run(
            "INSERT INTO meter_memory (meter_id, device, learned_at_ms, refusals)"
            " VALUES (?, ?, ?, ?) ON CONFLICT (meter_id) DO UPDATE SET device = excluded.device,"
            " learned_at_ms = excluded.learned_at_ms, refusals = excluded.refusals",
            (memory.meter_id, memory.device, to_ms(memory.learned_at), _text(memory.refusals)),
        )


def _text(refusals: frozenset[Refusal]) -> str:
    rows = [
        [r.socket, -1 if r.unit is None else r.unit, r.function, r.address, r.count, *r.names]
        for r in refusals
    ]
    return canonical(sorted(rows))


def _refusals(text: str) -> frozenset[Refusal]:
    return frozenset(
        Refusal(socket, None if unit < 0 else unit, function, address, count, tuple(names))
        for socket, unit, function, address, count, *names in json.loads(text)
    )
