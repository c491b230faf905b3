"""Long work off the GUI thread: how far it is, and how it is stopped."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from evdesk.domain.errors import UserError
from evdesk.gui.tasks import Failed, Lane, Tasks

T = TypeVar("T")
Tell = Callable[[str, float], None]
TELL_EVERY_S = 0.05


class Stopped(UserError):  # noqa: N818 - the name says all
    """Somebody stopped it, or closed the window."""


class Work(QObject):
    """One thing at a time; ``progressed`` carries what is done at the moment, and its share.

    What is told of its progress is told between two steps: that is where it can be stopped.
    """

    progressed = Signal(str, float)
    changed = Signal(bool)

    def __init__(self, tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._ended = Event()
        self._done: Callable[[Any], object] | None = None
        self._failed: Failed | None = None
        self.runs = False
        self.destroyed.connect(self._ended.set)

    def run(
        self,
        job: Callable[[Tell], T],
        done: Callable[[T], object],
        failed: Failed,
        lane: Lane = Lane.OUTSIDE,
    ) -> None:
        """Begin, unless something runs; then ``done`` with its result or ``failed``."""
        if self.runs:
            return
        self._ended.clear()
        self._done, self._failed = done, failed
        self._set(True)
        self._tasks.run(lambda: job(self._teller()), self._on_done, self._on_failed, lane)

    def stop(self) -> None:
        """End it at its next step; it fails with ``Stopped``."""
        self._ended.set()

    def _teller(self) -> Tell:
        ended, tasks, emit = self._ended, self._tasks, self.progressed.emit
        told_s = -TELL_EVERY_S

        def tell(what: str, share: float) -> None:
            nonlocal told_s
            if ended.is_set() or tasks.stopped:
                raise Stopped("Stopped.")
            if monotonic() - told_s >= TELL_EVERY_S:
                told_s = monotonic()
                emit(what, share)

        return tell

    def _set(self, runs: bool) -> None:
        self.runs = runs
        self.changed.emit(runs)

    def _on_done(self, found: object) -> None:
        self._set(False)
        if self._done is not None:
            self._done(found)

    def _on_failed(self, error: Exception) -> None:
        self._set(False)
        if self._failed is not None:
            self._failed(error)
