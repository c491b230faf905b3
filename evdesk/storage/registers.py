"""Registers for following a counter through a month; what needs numpy is imported when asked."""

from collections.abc import Iterator
from datetime import datetime

from evdesk.domain.meters import Source
from evdesk.domain.reconciling import Point
from evdesk.ports import Watch
from evdesk.storage.connection import Connection


class StoredRegisters:
    """Implements ``ports.Registers``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def follow(
        self, source: Source, from_at: datetime, to_at: datetime, watch: Watch
    ) -> Iterator[Point]:
        """Yield as few points with from_at <= at < to_at as tell all: see ``register_points``."""
        from evdesk.storage.register_points import points_between

        return points_between(self._db, source, (from_at, to_at), watch)
