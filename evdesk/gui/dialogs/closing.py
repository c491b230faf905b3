"""Starting and stopping the collector, and what a person is told when the window closes."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice


class CollectorSwitch(QObject):
    """Starts and stops the collector; ``busy`` says what goes on meanwhile."""

    busy = Signal(str)
    failed = Signal(object)
    stopped = Signal()

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context

    def start(self) -> None:
        """Start reading the devices."""
        self.busy.emit(self.tr("Starting …"))
        self._context.tasks.run(
            self._context.desk.collector.start, self._on_started, self._on_failed
        )

    def stop(self) -> None:
        """Stop reading the devices."""
        self.busy.emit(self.tr("Stopping …"))
        self._context.tasks.run(
            self._context.desk.collector.stop, self._on_stopped, self._on_failed
        )

    def _on_started(self, _: object) -> None:
        self._context.pulse.hurry()

    def _on_stopped(self, _: object) -> None:
        self._context.pulse.hurry()
        self.stopped.emit()

    def _on_failed(self, error: Exception) -> None:
        self.failed.emit(error)
        self._context.pulse.hurry()


class Closing(QObject):
    """Lets the window close once the person knows that the collector goes on."""

    def __init__(self, context: Context, collector: CollectorSwitch, window: QWidget) -> None:
        super().__init__(window)
        self._context, self._collector, self._window = context, collector, window
        self._agreed = False
        self.question: Ask | None = None
        collector.failed.connect(self._on_failed)

    def may_close(self) -> bool:
        """Return whether to close now; otherwise ask, and close by itself when that is settled."""
        last = self._context.pulse.last
        asks = self._context.preferences.says_collector_goes_on()
        if self._agreed or not asks or last is None or not last.running:
            return True
        self.question = self._ask()
        self.question.open()
        return False

    def _ask(self) -> Ask:
        ask = Ask(
            self.tr("The devices are still being read"),
            self.tr(
                "Closing this window does not stop that: the collector goes on in the background, "
                "so that no kWh is missing when you come back."
            ),
            (
                Choice("close", self.tr("Close the window"), "primary"),
                Choice("stop", self.tr("Stop the collector too")),
                Choice("stay", self.tr("Cancel"), "quiet"),
            ),
            check=self.tr("Don't show this again"),
            parent=self._window,
        )
        self._context.rights.guard(ask.buttons["stop"], Action.RUN_COLLECTOR)
        ask.answered.connect(self._on_answered)
        return ask

    def _on_answered(self, answer: str, dont_show: bool) -> None:
        self.question = None
        if answer == "stay":
            return
        if dont_show:
            self._context.preferences.set_says_collector_goes_on(False)
        self._agreed = True
        if answer == "stop":
            self._collector.stopped.connect(self._window.close)
            self._collector.stop()
        else:
            self._window.close()

    def _on_failed(self, _: Exception) -> None:
        self._agreed = False
