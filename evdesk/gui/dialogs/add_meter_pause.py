"""Leaving a bus to the search: the collector stops meanwhile, and starts again afterwards."""

import time
from functools import partial

from PySide6.QtCore import QObject, Signal

from evdesk.domain.errors import UserError
from evdesk.gui.context import Context
from evdesk.gui.desk import CollectorControl
from evdesk.gui.tasks import Lane

LOOK_S, LOOKS = 0.1, 150


class ReadingPause(QObject):
    """``begun`` tells that the bus is free; ``end`` starts the collector that was stopped."""

    begun = Signal()
    failed = Signal(object)

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._is_on = False

    def begin(self) -> None:
        """Stop the collector and wait for it to end."""
        self._is_on = True
        work = partial(_stop, self._context.desk.collector)
        self._context.tasks.run(work, self._on_stopped, self.failed.emit, Lane.OUTSIDE)

    def _on_stopped(self, _: object) -> None:
        self._context.pulse.hurry()
        self.begun.emit()

    def end(self) -> None:
        """Start the collector again."""
        if self._is_on:
            self._is_on = False
            self._context.tasks.run(self._context.desk.collector.start, self._on_started)

    def _on_started(self, _: object) -> None:
        self._context.pulse.hurry()


def _stop(collector: CollectorControl) -> None:
    collector.stop()
    for _ in range(LOOKS):
        if not collector.running():
            return
        time.sleep(LOOK_S)
    raise UserError("The collector has not ended yet: try again in a moment.")
