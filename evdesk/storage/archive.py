"""How the archive stands, and from when on it is thinned out; needs none of the sealed data."""

from datetime import datetime

from evdesk.domain.instants import from_ms
from evdesk.ports import ArchiveState
from evdesk.storage.connection import Connection

THINNED = (
    "SELECT max(until_ms) FROM segment WHERE bucket_ms = 900000 AND from_ms = ("
    "SELECT max(from_ms) FROM segment WHERE bucket_ms = 900000)"
)


class StoredArchive:
    """Implements ``ports.Archive``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def state(self) -> ArchiveState:
        """Return how the archive stands."""
        row = self._db.one("SELECT sealed_to_ms, thin_after_days, bytes FROM archive")
        thinned = self._db.one(THINNED)
        cut_ms, thin_after_days, size_bytes = row or (0, None, 0)
        return ArchiveState(
            sealed_until=from_ms(cut_ms) if cut_ms else None,
            thinned_until=None if not thinned or thinned[0] is None else from_ms(thinned[0]),
            thin_after_days=thin_after_days,
            size_bytes=size_bytes,
        )

    def oldest_row(self) -> datetime | None:
        """Return the instant of the oldest reading that is not sealed."""
        row = self._db.one("SELECT min(at_ms) FROM reading")
        return None if row is None or row[0] is None else from_ms(row[0])

    def set_thinning(self, after_days: int | None) -> None:
        """Thin readings older than so many days; None never does."""
        self._db.run("UPDATE archive SET thin_after_days = ?", (after_days,))
