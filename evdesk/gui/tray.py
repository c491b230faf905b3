"""Notices beside the clock of the desktop, where the desktop has such a place."""

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QSystemTrayIcon

from evdesk.gui.preferences import Preferences
from evdesk.gui.theme import Theme

SHOWN_MS = 12_000


class Tray(QObject):
    """Shows a notice unless the person has turned them off; ``opened`` tells that one was clicked.

    ``icon`` None: this desktop has no place for it, and nothing is shown.
    """

    opened = Signal()

    def __init__(
        self,
        theme: Theme,
        preferences: Preferences,
        parent: QObject,
        icon: QSystemTrayIcon | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._icon = icon or made(theme, self)
        if self._icon is not None:
            self._icon.messageClicked.connect(self.opened)
            self._icon.activated.connect(self._on_activated)

    def tell(self, title: str, text: str) -> None:
        """Show a notice."""
        if self._icon is None or not self._preferences.shows_notices():
            return
        self._icon.show()
        self._icon.showMessage(title, text, QSystemTrayIcon.MessageIcon.Warning, SHOWN_MS)

    def hide(self) -> None:
        """Leave the desktop."""
        if self._icon is not None:
            self._icon.hide()

    def _on_activated(self, _: object) -> None:
        self.opened.emit()


def made(theme: Theme, parent: QObject) -> QSystemTrayIcon | None:
    """Return an icon where the desktop has a place for it."""
    if not QSystemTrayIcon.isSystemTrayAvailable():
        return None
    icon = QSystemTrayIcon(theme.icon("evdesk"), parent)
    icon.setToolTip("evdesk")
    return icon
