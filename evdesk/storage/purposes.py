"""What owners decided of purposes."""

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.purposes import PurposeId, PurposeSetting
from evdesk.storage.connection import Connection, Row

SELECT = """
    SELECT purpose, enabled, validity_months, deletion_days, at_ms, author FROM purpose_setting
"""


class StoredPurposeSettings:
    """Implements ``ports.PurposeSettings``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection

    def add(self, setting: PurposeSetting) -> None:
        """Append a decision; it holds from now on."""
        self._db.insert(
            "INSERT INTO purpose_setting (purpose, enabled, validity_months, deletion_days, at_ms,"
            " author) VALUES (?, ?, ?, ?, ?, ?)",
            (
                setting.purpose,
                int(setting.enabled),
                setting.validity_months,
                setting.deletion_days,
                to_ms(setting.at),
                setting.author,
            ),
        )

    def of(self, purpose: PurposeId) -> list[PurposeSetting]:
        """Return the decisions about a purpose, oldest first."""
        rows = self._db.all(SELECT + "WHERE purpose = ? ORDER BY id", (purpose,))
        return [_setting(row) for row in rows]

    def newest(self) -> dict[PurposeId, PurposeSetting]:
        """Return the decision that holds for each purpose that has one."""
        found = [_setting(row) for row in self._db.all(SELECT + "ORDER BY id")]
        return {one.purpose: one for one in found}


def _setting(row: Row) -> PurposeSetting:
    purpose, enabled, validity_months, deletion_days, at_ms, author = row
    return PurposeSetting(
        purpose=PurposeId(purpose),
        enabled=bool(enabled),
        validity_months=validity_months,
        deletion_days=deletion_days,
        at=from_ms(at_ms),
        author=author,
    )
