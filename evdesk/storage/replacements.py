"""Meters put in others' places."""

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.meters import Source
from evdesk.domain.sessions import Replacement
from evdesk.storage.connection import Connection


class StoredReplacements:
    """Implements ``ports.Replacements``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, told: Replacement) -> int:
        """Append a replacement; its id is given by the database."""
        return self._db.insert(
            "INSERT INTO meter_replacement"
            " (meter_id, socket, at_ms, final_wh, first_wh, serial, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                told.meter_id,
                told.socket,
                to_ms(told.at),
                told.final_wh,
                told.first_wh,
                told.serial,
                told.reason,
            ),
        )

    def of(self, source: Source) -> list[Replacement]:
        """Return the replacements of a source, oldest first."""
        rows = self._db.all(
            "SELECT id, at_ms, final_wh, first_wh, serial, reason FROM meter_replacement"
            " WHERE meter_id = ? AND socket = ? ORDER BY id",
            (source.meter_id, source.socket),
        )
        return [
            Replacement(
                id=replacement,
                meter_id=source.meter_id,
                socket=source.socket,
                at=from_ms(at_ms),
                final_wh=final_wh,
                first_wh=first_wh,
                serial=serial,
                reason=reason,
            )
            for replacement, at_ms, final_wh, first_wh, serial, reason in rows
        ]
