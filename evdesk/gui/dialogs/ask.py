"""A question with named answers."""

from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QDialog, QPushButton, QWidget

from evdesk.gui.widgets.parts import column, label, paragraph, row


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer; the first is the default, the last is what Esc means."""

    answer: str
    text: str
    kind: str = ""


class Ask(QDialog):
    """Asks once; ``answered`` tells the answer and whether the box was ticked."""

    answered = Signal(str, bool)

    def __init__(
        self,
        heading: str,
        text: str,
        choices: tuple[Choice, ...],
        check: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(heading)
        self.setModal(True)
        self._choices = choices
        self.check = QCheckBox(check)
        self.check.setVisible(bool(check))
        self.buttons: dict[str, QPushButton] = {}
        self.words = paragraph(text, "")
        self.words.setMinimumWidth(420)
        box = column(label(heading, "heading"), self.words, self.check, 8, self._answers(), gap=12)
        box.setContentsMargins(24, 20, 24, 20)
        self.setLayout(box)
        self._answer = choices[-1].answer
        self.finished.connect(self._tell)

    def _answers(self) -> QWidget:
        holder = QWidget()
        made = []
        for choice in reversed(self._choices):
            part = QPushButton(choice.text)
            part.setProperty("kind", choice.kind)
            part.setProperty("answer", choice.answer)
            part.setAutoDefault(True)  # Enter presses the button that has the focus
            part.clicked.connect(self._on_clicked)
            self.buttons[choice.answer] = part
            made.append(part)
        made[-1].setDefault(True)
        self._first = made[-1]
        box = row(0, *made)
        holder.setLayout(box)
        return holder

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._first.setFocus()

    def _on_clicked(self) -> None:
        self._answer = str(self.sender().property("answer"))
        self.accept()

    def _tell(self) -> None:
        self.answered.emit(self._answer, self.check.isChecked())
        self.deleteLater()
