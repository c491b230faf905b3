"""Watches the site database and tells when something was committed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

from PySide6.QtCore import QObject, QTimer, Signal

from evdesk.gui.desk import Desk
from evdesk.gui.tasks import Tasks
from evdesk.services.live import Overview

LOOK_EVERY_MS = 300
TELL_EVERY_S = 0.5  # 2 Hz
TELL_AT_LEAST_EVERY_S = 3.0  # a collector that died commits nothing


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The site at one moment."""

    version: int
    overview: Overview
    running: bool


class Pulse(QObject):
    """Asks for the database's version in the worker and passes on a snapshot when it moved."""

    beat = Signal(object)
    failed = Signal(object)

    def __init__(self, desk: Desk, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk, self._tasks = desk, tasks
        self._asking = False
        self._version: int | None = None
        self._told_at_s = 0.0
        self.last: Snapshot | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin to watch."""
        self._timer.start()
        self._look()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()

    def now(self) -> datetime:
        """Return the site's time: a demo site's clock is stepped."""
        return datetime.now(UTC) if self.last is None else self.last.overview.at

    def hurry(self) -> None:
        """Look again at once, whatever the version."""
        self._version = None
        self._told_at_s = 0.0
        self._look()

    def _look(self) -> None:
        if self._asking or monotonic() - self._told_at_s < TELL_EVERY_S:
            return
        self._asking = True
        self._tasks.run(self._take, self._tell, self._fail)

    def _take(self) -> Snapshot | None:
        """In the worker: return a snapshot if there is news or the last is old."""
        version = self._desk.live.version()
        silent_s = monotonic() - self._told_at_s
        if version == self._version and silent_s < TELL_AT_LEAST_EVERY_S:
            return None
        return Snapshot(version, self._desk.live.overview(), self._desk.collector.running())

    def _tell(self, snapshot: Snapshot | None) -> None:
        self._asking = False
        if snapshot is None:
            return
        self._version, self._told_at_s, self.last = snapshot.version, monotonic(), snapshot
        self.beat.emit(snapshot)

    def _fail(self, error: Exception) -> None:
        self._asking = False
        self._told_at_s = monotonic()
        self.failed.emit(error)
