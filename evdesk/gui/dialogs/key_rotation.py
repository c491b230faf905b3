"""A new data key for the site: asked for, made, and how far it is."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.parts import column, label
from evdesk.gui.work import Stopped, Tell, Work

STEPS = 1_000


class KeyRotation(QWidget):
    """Takes no room but while a key is made; ``changed`` tells whether one is."""

    changed = Signal(bool)
    told = Signal(str)
    failed = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._work = Work(context.tasks, self)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How much is done"))
        words = label(self.tr("A new key is made; no device is read meanwhile."), "muted")
        self.setLayout(column(words, self.bar))
        self._work.progressed.connect(self._on_progress)
        self._work.changed.connect(self.setVisible)
        self._work.changed.connect(self.changed)
        self.question: Ask | None = None
        self.hide()

    @property
    def runs(self) -> bool:
        """Return whether a key is being made."""
        return self._work.runs

    def ask(self) -> None:
        """Ask whether the site gets a new data key."""
        ask = Ask(
            self.tr("Make a new data key?"),
            self.tr("Whoever kept a copy of the key can open every later copy of the site, too. "
                    "With a new key that ends; what was copied before, they can read for ever. "
                    "The collector stops for it and the whole site is written anew. Passwords stay "
                    "as they are; backups of before stay under the old key."),
            (
                Choice("rotate", self.tr("Make a new key"), "primary"),
                Choice("keep", self.tr("Not now"), "quiet"),
            ),
            parent=self.window(),
        )  # fmt: skip
        ask.answered.connect(self._on_answered)
        self.question = ask
        ask.open()

    def _on_answered(self, answer: str, _: bool) -> None:
        if answer == "rotate":
            self.bar.setValue(0)
            job = partial(_rotate, self._context.desk.keys.rotate)
            # in the lane of all that reads the site: nobody else may have it open
            self._work.run(job, self._on_made, self._on_failed, Lane.DATABASE)

    def _on_progress(self, _: str, share: float) -> None:
        self.bar.setValue(round(share * STEPS))

    def _on_made(self, stopped: bool) -> None:
        self.told.emit(self.tr("The site has a new data key; every password is as before."))
        if stopped:
            control = self._context.desk.collector
            self._context.tasks.run(control.start, self._on_started, self.failed.emit)

    def _on_started(self, _: object) -> None:
        self._context.pulse.hurry()

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, Stopped):
            self.failed.emit(error)


def _rotate(rotate: Callable[[Callable[[float], None]], bool], tell: Tell) -> bool:
    return rotate(lambda share: tell("", share))
