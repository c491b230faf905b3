"""What the steps of adding a meter have in common, and what they hand on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.gui.context import Context
from evdesk.ports import Probe, ProfileInfo


@dataclass(slots=True)
class Draft:
    """What is known of the new device so far; each step fills in its part."""

    url: str = ""
    unit: int = 1
    profile: ProfileInfo | None = None
    choices: Mapping[str, str] = field(default_factory=dict)
    probe: Probe | None = None
    serial: str | None = None


class Step(QWidget):
    """One step; ``moved`` asks for the next one, ``missing`` tells what has to be put right.

    ``taken`` tells that the collector has the bus to itself; once it ended, ``retry`` is called.

    ``enter`` is called when it comes into sight, ``leave`` when the person goes on; its fields stay
    as they are when the person goes back.
    """

    moved = Signal()
    taken = Signal()
    missing = Signal(str)

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context, self._draft = context, draft

    def enter(self) -> None:
        """Show what the steps before have found; put the cursor where one begins."""

    def leave(self) -> None:
        """Take what was entered and ask for the next step, or say what is missing."""
        self.moved.emit()

    def retry(self) -> None:
        """Do again what was not possible: that is what entering it does, where nothing is said."""
        self.enter()

    def stop(self) -> None:
        """End what still runs."""
