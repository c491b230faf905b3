"""Time and chance: asked for, never taken."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; a demo site's clock is stepped."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""


class Pseudonyms(Protocol):
    """Makes ids that say nothing about whom they name."""

    def make(self, prefix: str) -> str:
        """Return a new random id such as ``D-7KQ2M9XF``."""
