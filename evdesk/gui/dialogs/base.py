"""What forms in a window of their own have in common."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget

from evdesk.gui import texts
from evdesk.gui.widgets.notice_bar import FieldError
from evdesk.gui.widgets.parts import button, label, paragraph, row


class FormDialog(QDialog):
    """Heading, form, a line for what has to be put right, and two buttons; Esc cancels.

    A subclass fills ``form`` and overrides ``submit``, which ends in ``accept`` or ``complain``.
    """

    failed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModal(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._heading = label("", "heading")
        self._text = paragraph()
        self.form = QVBoxLayout()
        self.form.setSpacing(12)
        self.error = FieldError()
        self.ok: QPushButton = button("", self.submit, "primary")
        self.ok.setDefault(True)
        self.cancel = button(self.tr("Cancel"), self.reject, "quiet")
        self.foot = row(0, self.cancel, self.ok)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 20, 24, 20)
        box.setSpacing(14)
        box.addWidget(self._heading)
        box.addWidget(self._text)
        box.addLayout(self.form, 1)
        box.addWidget(self.error)
        box.addLayout(self.foot)

    def describe(self, heading: str, text: str, accept: str) -> None:
        """Say what the form is for and what its button does."""
        self.setWindowTitle(heading)
        self._heading.setText(heading)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self._accept_text = accept
        self.ok.setText(accept)

    def submit(self) -> None:
        """Do what the form is for."""
        self.accept()

    def complain(self, error: object) -> None:
        """Say what has to be put right; the form stays as it is."""
        self.wait(False)
        self.error.tell(error if isinstance(error, str) else texts.sentence(error))

    def wait(self, waits: bool, text: str = "") -> None:
        """Say that something is being done; the buttons wait with the person."""
        if waits:
            self.error.tell("")
        self.ok.setEnabled(not waits)
        self.ok.setText(text if waits and text else self._accept_text)
