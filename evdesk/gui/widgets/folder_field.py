"""A folder or a file that is chosen, and can be typed."""

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from evdesk.gui.widgets.fields import text_field
from evdesk.gui.widgets.parts import button, row


class PathField(QWidget):
    """A line with a button beside it; ``changed`` tells that another path stands there.

    A file that is dropped on the line is chosen. ``kinds`` filters files, such as
    ``Backups (*.evb)``; without it a folder is asked for.
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
        self.line.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take a dropped file as its path; as text, a line would show its URL."""
        if not isinstance(event, QDropEvent):  # entering and moving are drops, too
            return super().eventFilter(watched, event)
        files = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if len(files) != 1:
            return super().eventFilter(watched, event)
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self.set_text(files[0])
        return True

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
