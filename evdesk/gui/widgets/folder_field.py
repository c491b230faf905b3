"""A folder or a file that is chosen, and can be typed."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from evdesk.gui.widgets.fields import text_field
from evdesk.gui.widgets.parts import button, row


class PathField(QWidget):
    """A line with a button beside it; ``changed`` tells that another path stands there.

    ``kinds`` filters files, such as ``Backups (*.evb)``; without it a folder is asked for.
    """

    changed = Signal()

    def __init__(
        self, name: str, start: str = "", kinds: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._kinds, self._start = name, kinds, start
        self.line = text_field(name=name)
        self.choose = button(self.tr("Choose …"), self.ask)
        box = row(self.line, self.choose)
        box.setStretch(0, 1)
        self.setLayout(box)
        self.setAccessibleName(name)
        self.setFocusProxy(self.line)
        self.line.textChanged.connect(self.changed)
        self.dialog: QFileDialog | None = None

    def text(self) -> str:
        """Return the path."""
        return self.line.text().strip()

    def set_text(self, path: str) -> None:
        """Show another path."""
        self.line.setText(path)

    def ask(self) -> None:
        """Ask for it with the dialog of the desktop."""
        dialog = QFileDialog(self, self._name, self.text() or self._start, self._kinds)
        modes = QFileDialog.FileMode
        dialog.setFileMode(modes.ExistingFile if self._kinds else modes.Directory)
        dialog.fileSelected.connect(self.line.setText)
        dialog.finished.connect(dialog.deleteLater)
        self.dialog = dialog
        dialog.open()
