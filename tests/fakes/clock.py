"""A clock that tests set."""

from datetime import UTC, datetime

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


class SetClock:
    """Implements ``ports.Clock``: shows what it was set to."""

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at
