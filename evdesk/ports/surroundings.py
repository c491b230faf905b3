"""Time and chance: asked for, never taken."""

from datetime import datetime
from typing import Protocol

from evdesk.domain.surroundings import Surroundings


class Clock(Protocol):
    """Tells the time; a demo site's clock is stepped."""

    def now(self) -> datetime:
        """Return the instant, aware, UTC."""


class Computer(Protocol):
    """Tells of the computer it runs on."""

    def surroundings(self) -> Surroundings:
        """Return what it says of its clock and of the disk of the site; may take a second."""


class Pseudonyms(Protocol):
    """Makes ids that say nothing about whom they name."""

    def make(self, prefix: str) -> str:
        """Return a new random id such as ``D-7KQ2M9XF``."""
