"""Saving to and reading from files that a person names; nothing blocks."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from evdesk.domain.errors import StorageError
from evdesk.gui.context import Context
from evdesk.gui.tasks import Lane


class SaveAs(QObject):
    """Asks for a name, makes the bytes in the worker and writes them; ``saved`` tells where."""

    saved = Signal(str)
    failed = Signal(object)

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context, self._window = context, parent
        self._make: Callable[[str], bytes] | None = None
        self.dialog: QFileDialog | None = None

    def ask(self, title: str, name: str, kinds: str, make: Callable[[str], bytes]) -> None:
        """Ask where to; ``make`` gets the suffix and returns the bytes."""
        self._make = make
        folder = self._context.preferences.folder()
        dialog = QFileDialog(self._window, title, str(Path(folder) / name), kinds)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(Path(name).suffix)
        dialog.selectFile(name)
        dialog.fileSelected.connect(self.save)
        dialog.finished.connect(dialog.deleteLater)
        self.dialog = dialog
        dialog.open()

    def save(self, name: str) -> None:
        """Make the bytes and write them."""
        make = self._make
        if make is None:
            return
        path = Path(name)
        self._context.preferences.set_folder(str(path.parent))
        work = partial(_write, path, make)
        self._context.tasks.run(work, self.saved.emit, self.failed.emit, Lane.OUTSIDE)


def _write(path: Path, make: Callable[[str], bytes]) -> str:
    content = make(path.suffix.lower())
    try:
        path.write_bytes(content)
    except OSError as error:
        raise StorageError(
            "{file} cannot be written: {reason}. Choose another folder or close the file where it "
            "is open.",
            file=str(path),
            reason=error.strerror or str(error),
        ) from error
    return str(path)


def read_path(name: str) -> str:
    """Return the text of a file that a person named.

    Raises:
        StorageError: it cannot be read or is no text.

    """
    path = Path(name)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError("{file} cannot be read as text.", file=str(path)) from error
