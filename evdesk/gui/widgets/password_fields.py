"""A new password, typed twice, and how hard it is to guess."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFormLayout, QLineEdit, QProgressBar, QWidget

from evdesk.gui.tasks import Latest, Tasks
from evdesk.gui.widgets.fields import add_field, mark_wrong, text_field
from evdesk.gui.widgets.parts import column, paragraph
from evdesk.services.passwords import Rating, rate

BEST = 4


class PasswordFields(QObject):
    """Two lines and a meter for a form; rated in the worker, as it takes a while to look up words.

    ``known`` are words that somebody who guesses would try first, such as the name.
    """

    def __init__(self, tasks: Tasks, known: Callable[[], Iterable[str]], parent: QWidget) -> None:
        super().__init__(parent)
        self._known = known
        self.password, self.again = text_field(), text_field()
        self.strength = QProgressBar()
        self.advice = paragraph("", "small")
        self._rated = Latest(tasks, self._begin, self._show, self._on_failed, self)
        for field in (self.password, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
        self.strength.setRange(0, BEST)
        self.strength.setTextVisible(False)
        self.strength.setAccessibleName(self.tr("Password strength"))
        self.password.textChanged.connect(self._on_typed)
        self._on_typed()

    def add_to(self, fields: QFormLayout, caption: str = "") -> None:
        """Put both lines and the meter into a form."""
        add_field(fields, caption or self.tr("Password"), self.password)
        meter = QWidget()
        meter.setLayout(column(self.strength, self.advice, gap=4))
        fields.addRow("", meter)
        add_field(fields, self.tr("Password again"), self.again)

    def complaint(self) -> str | None:
        """Return what has to be put right, marked; how good it is, the service judges."""
        typed, again = self.password.text(), self.again.text()
        mark_wrong(self.password, not typed)
        mark_wrong(self.again, typed != again)
        if not typed:
            return self.tr("Choose a password. Without it nobody reads what is on this PC.")
        return self.tr("The two passwords differ.") if typed != again else None

    def refuse(self) -> None:
        """Mark the password, which the service does not take."""
        mark_wrong(self.password, True)
        self.password.setFocus()
        self.password.selectAll()

    def _on_typed(self) -> None:
        if self.password.text():
            self._rated.ask()
        else:
            self.strength.setValue(0)
            self.advice.setText(
                self.tr("Three or four words that do not belong together are good.")
            )

    def _begin(self) -> Callable[[], Rating]:
        typed, known = self.password.text(), tuple(self._known())
        return lambda: rate(typed, known)

    def _show(self, rating: Rating) -> None:
        if not self.password.text():
            return
        self.strength.setValue(max(rating.score, 1))
        word = (
            self.tr("Too easy to guess."), self.tr("Too easy to guess."),
            self.tr("Still too easy to guess."), self.tr("Good."), self.tr("Very good."),
        )[rating.score]  # fmt: skip
        self.advice.setText(f"{word} {rating.advice}".strip())

    def _on_failed(self, error: Exception) -> None:
        self.advice.setText("")  # the service says what is wrong with it
