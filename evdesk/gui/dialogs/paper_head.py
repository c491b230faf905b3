"""A head of the audit log from paper or a file, to compare the log with."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QWidget

from evdesk.domain.notes import Head, head_in
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.parts import button

MOST_BYTES = 1 << 20


class PaperHead(FormDialog):
    """Takes any text with a head in it; ``wanted`` carries the head."""

    wanted = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.describe(
            self.tr("Compare with paper"),
            self.tr("Type the head as it is printed on an invoice or an export, such as "
                    "120:XcnaeacG…=, or choose a file that holds one: a checkpoint, or a copy of "
                    "anchor.json from another place. Every letter counts."),
            self.tr("Verify"),
        )  # fmt: skip
        self.text = QPlainTextEdit()
        self.text.setAccessibleName(self.tr("Head"))
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(110)
        self.form.addWidget(self.text)
        self.file = button(self.tr("From a file …"), self.ask_file)
        self.foot.insertWidget(0, self.file)
        self.setMinimumWidth(560)
        self.text.setFocus()

    def ask_file(self) -> None:
        """Ask which file holds a head."""
        self.chooser = QFileDialog(
            self, self.tr("A file with a head"), self._context.preferences.folder()
        )
        self.chooser.fileSelected.connect(self.take_file)
        self.chooser.finished.connect(self.chooser.deleteLater)
        self.chooser.open()

    def take_file(self, name: str) -> None:
        """Show what is in a file."""
        try:
            with Path(name).open("rb") as file:
                content = file.read(MOST_BYTES).decode()
        except (OSError, UnicodeDecodeError):
            self.complain(self.tr("{name} cannot be read as text.").format(name=name))
            return
        self.text.setPlainText(content)

    def submit(self) -> None:
        head: Head | None = head_in(self.text.toPlainText())
        if head is None:
            self.complain(
                self.tr("There is no head in it: a number, a colon, and 44 letters and digits.")
            )
            self.text.setFocus()
            return
        self.wanted.emit(head)
        self.accept()
