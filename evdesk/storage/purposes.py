"""Purposes as they ship, with what owners decided of them."""

from evdesk.domain.instants import from_ms, to_ms
from evdesk.domain.purposes import Purpose, PurposeId, PurposeSetting, with_setting
from evdesk.storage.connection import Connection, Row
from evdesk.storage.purpose_file import privacy_folder, read_purposes

SELECT = """
    SELECT purpose, enabled, validity_months, deletion_days, at_ms, author FROM purpose_setting
"""


class StoredPurposes:
    """Implements ``ports.Purposes``."""

    def __init__(self, connection: Connection) -> None:
        self._db = connection
        self._shipped: dict[PurposeId, Purpose] | None = None

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

    def all(self) -> list[Purpose]:
        """Return every purpose as the owner wants it."""
        rows = [_setting(row) for row in self._db.all(SELECT + "ORDER BY id")]
        newest = {one.purpose: one for one in rows}
        return [with_setting(one, newest.get(one.id)) for one in self._known().values()]

    def get(self, purpose: PurposeId) -> Purpose | None:
        """Return a purpose as the owner wants it."""
        found, settings = self._known().get(purpose), self.settings(purpose)
        return None if found is None else with_setting(found, settings[-1] if settings else None)

    def settings(self, purpose: PurposeId) -> list[PurposeSetting]:
        """Return the decisions about a purpose, oldest first."""
        rows = self._db.all(SELECT + "WHERE purpose = ? ORDER BY id", (purpose,))
        return [_setting(row) for row in rows]

    def _known(self) -> dict[PurposeId, Purpose]:
        if self._shipped is None:
            self._shipped = read_purposes(privacy_folder())
        return self._shipped


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
