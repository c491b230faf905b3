"""What can be decided about the session that is shown: correct, release, end."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.sessions import Session, SessionState
from evdesk.gui.context import Context
from evdesk.gui.dialogs.review import CorrectSession, DecisionForm, EndSession, ReleaseSession
from evdesk.gui.widgets.parts import button, give_icon, row


class SessionDecisions(QWidget):
    """Buttons, of which those are there that the session's state allows; ``decided`` tells what."""

    decided = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._session: Session | None = None
        self.release = button(
            self.tr("Release …"), self.ask_release, "primary", self.tr("Let it be billed")
        )
        self.correct = button(
            self.tr("Correct …"), self.ask_correct, "", self.tr("Let other registers hold")
        )
        self.end = button(
            self.tr("End now …"), self.ask_end, "danger",
            self.tr("For a device that is gone for good"),
        )  # fmt: skip
        self.setLayout(row(self.release, self.correct, self.end, 0))
        for part in (self.release, self.correct, self.end):
            context.rights.guard(part, Action.DECIDE_SESSIONS)
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()
        self.offer(None)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in ((self.release, "ok"), (self.correct, "edit"), (self.end, "stop")):
            give_icon(part, self._context.theme, name)

    def offer(self, session: Session | None) -> None:
        """Offer what can be decided about a session; nothing about one that is billed."""
        self._session = session
        state = None if session is None or session.invoice is not None else session.state
        self.release.setVisible(state is SessionState.REVIEW)
        self.correct.setVisible(state in {SessionState.REVIEW, SessionState.CLOSED})
        self.end.setVisible(state is SessionState.OPEN)
        self.setVisible(state is not None)

    def ask_correct(self) -> None:
        """Ask for the registers that hold."""
        self._ask(CorrectSession)

    def ask_release(self) -> None:
        """Ask why it may be billed."""
        self._ask(ReleaseSession)

    def ask_end(self) -> None:
        """Ask why it is ended by hand."""
        self._ask(EndSession)

    def _ask(self, kind: type[DecisionForm]) -> None:
        if self._session is None:
            return
        dialog = kind(self._context, self._session, self)
        dialog.decided.connect(self.decided)
        dialog.open()
