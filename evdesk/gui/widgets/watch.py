"""Following a scan or a probe from the worker thread it runs in."""

from threading import Event

from PySide6.QtCore import QObject, Signal

from evdesk.ports import ScanStep


class Watch(QObject):
    """Implements ``ports.ScanWatch``: ``stepped`` tells each step on the GUI thread.

    It has no parent, so that it lives as long as the worker that tells it something.
    """

    stepped = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._ended = Event()

    def tell(self, step: ScanStep) -> None:
        """Called in the worker."""
        if not self._ended.is_set():
            self.stepped.emit(step)

    def stopped(self) -> bool:
        """Called in the worker."""
        return self._ended.is_set()

    def stop(self) -> None:
        """End it; what was found so far is kept."""
        self._ended.set()
