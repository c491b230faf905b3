"""Notices that nobody is here any more, or that the computer slept."""

import time
from collections.abc import Callable
from enum import Enum

from PySide6.QtCore import QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QWindow

LOOK_EVERY_MS = 5_000
SLEPT_S = 30.0  # a timer that is later than this did not run because the computer did not
SIGNS = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseMove,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.Wheel,
        QEvent.Type.TouchBegin,
        QEvent.Type.TabletMove,
    }
)


class Absence(Enum):
    """Why the site is locked."""

    ASKED = "asked"
    IDLE = "idle"
    SLEPT = "slept"


class IdleWatch(QObject):
    """``gone`` tells once why nobody is taken to be here; ``idle_s`` None waits for no one.

    Input reaches a QWindow before anything inside it, so that only windows are watched. One clock
    stands still while a computer sleeps, the other does not; which is which differs by system.
    """

    gone = Signal(object)

    def __init__(
        self,
        idle_s: Callable[[], float | None],
        parent: QObject | None = None,
        clocks: tuple[Callable[[], float], Callable[[], float]] = (time.monotonic, time.time),
    ) -> None:
        super().__init__(parent)
        self._idle_s, self._clocks = idle_s, clocks
        self._active_s = clocks[0]()
        self._looked_s = tuple(clock() for clock in clocks)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_EVERY_MS)
        self._timer.timeout.connect(self.look)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.focusWindowChanged.connect(self._on_focus)

    def start(self) -> None:
        """Begin to watch."""
        self._active_s = self._clocks[0]()
        self._looked_s = tuple(clock() for clock in self._clocks)
        for window in QGuiApplication.topLevelWindows():
            window.installEventFilter(self)
        self._timer.start()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()

    def look(self) -> None:
        """Compare the clocks with what they said last."""
        now_s = tuple(clock() for clock in self._clocks)
        late_s = max(now - then for now, then in zip(now_s, self._looked_s, strict=True))
        self._looked_s = now_s
        limit_s = self._idle_s()
        if late_s > SLEPT_S + LOOK_EVERY_MS / 1000:
            self._tell(Absence.SLEPT)
        elif limit_s is not None and now_s[0] - self._active_s >= limit_s:
            self._tell(Absence.IDLE)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in SIGNS:
            self._active_s = self._clocks[0]()
        return False

    def _on_focus(self, window: QWindow | None) -> None:
        if window is not None:
            window.installEventFilter(self)  # a second time it only moves to the front
            self._active_s = self._clocks[0]()

    def _tell(self, why: Absence) -> None:
        self._timer.stop()
        self.gone.emit(why)
