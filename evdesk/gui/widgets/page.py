"""What all pages have in common."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.sessions import SessionId
from evdesk.gui.context import Context
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.parts import label, row


class Page(QWidget):
    """One page: it reads when it is opened or refreshed and writes on explicit buttons.

    ``failed`` carries an error, ``told`` a sentence about what was done; the window shows both.
    ``page_wanted`` names another page to open, ``session_wanted`` a session to show and
    ``restore_wanted`` a backup. ``drawn`` says that the first data is on the screen.
    """

    failed = Signal(object)
    told = Signal(str)
    drawn = Signal()
    page_wanted = Signal(str)
    session_wanted = Signal(int)
    restore_wanted = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.context = context
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(24, 20, 24, 20)
        self.body.setSpacing(16)
        self.buttons: QHBoxLayout = row()
        context.theme.changed.connect(self.repaint_icons)

    def set_title(self, title: str) -> None:
        """Head the page with its name; ``buttons`` stand at the right."""
        self.setAccessibleName(title)
        self.body.insertLayout(0, row(label(title, "title"), 0, self.buttons))

    def lets(self, action: Action) -> bool:
        """Return whether the person may do something; where not, say who may."""
        refusal = self.context.rights.refusal(action)
        if refusal is not None:
            self.failed.emit(refusal)
        return refusal is None

    def refresh(self) -> None:
        """Read everything again."""

    def on_beat(self, snapshot: Snapshot) -> None:
        """Something was committed while the page is visible."""

    def focus_search(self) -> None:
        """Put the cursor where one searches."""

    def add_new(self) -> None:
        """Begin what this page adds."""

    def show_session(self, session_id: SessionId) -> None:
        """Show one session, where the page shows sessions."""

    def print_out(self) -> None:
        """Print what is shown, where that makes sense."""

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
