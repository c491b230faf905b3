"""What the person who is here may do: the rest can be seen, and says who may."""

from PySide6.QtCore import QCoreApplication, QEvent, QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from evdesk.domain.errors import NotPermitted
from evdesk.domain.permissions import Action, allows, sees_persons
from evdesk.domain.site import Role

translate = QCoreApplication.translate


class Rights:
    """Answers for one role; services ask the same table, and refuse whatever comes through."""

    def __init__(self, role: Role | None) -> None:
        self._role = role

    def may(self, action: Action) -> bool:
        """Return whether the role may do something."""
        return allows(self._role, action)

    def sees_persons(self) -> bool:
        """Return whether names are shown; others see pseudonyms until they reveal one."""
        return sees_persons(self._role)

    def guard(self, part: QWidget | QAction, action: Action) -> None:
        """Keep a control disabled for good where the role may not do what it does; say who may."""
        if self.may(action):
            return
        if isinstance(part, QAction):
            part.setEnabled(False)
            part.setToolTip(who_may(action))
        else:
            Barrier(part, who_may(action))

    def refusal(self, action: Action) -> NotPermitted | None:
        """Return what a person is told who asks by keys for what the role may not do."""
        return None if self.may(action) else NotPermitted(who_may(action))


class Barrier(QObject):
    """Disables a widget again whenever a page enables it, and keeps its tooltip."""

    def __init__(self, part: QWidget, text: str) -> None:
        super().__init__(part)
        self._part, self._text = part, text
        part.installEventFilter(self)
        self._hold()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in {QEvent.Type.EnabledChange, QEvent.Type.ToolTipChange}:
            self._hold()
        return False

    def _hold(self) -> None:
        if self._part.isEnabled():
            self._part.setEnabled(False)
        if self._part.toolTip() != self._text:
            self._part.setToolTip(self._text)
            self._part.setAccessibleDescription(self._text)


def who_may(action: Action) -> str:
    """Return which accounts may do something, as a sentence."""
    may = frozenset(role for role in Role if allows(role, action))
    return {
        frozenset({Role.OWNER}): translate("rights", "Only an owner can do this."),
        frozenset({Role.OWNER, Role.STAFF}): translate(
            "rights", "Only an owner or a staff account can do this."
        ),
        frozenset({Role.OWNER, Role.AUDITOR}): translate(
            "rights", "Only an owner or an auditor can do this."
        ),
    }.get(may, translate("rights", "Your account cannot do this."))


def role_name(role: Role | None) -> str:
    """Return the word for a role."""
    return {
        Role.OWNER: translate("rights", "Owner"),
        Role.STAFF: translate("rights", "Staff"),
        Role.AUDITOR: translate("rights", "Auditor"),
        None: translate("rights", "Program"),
    }[role]


def role_text(role: Role) -> str:
    """Return in a sentence what a role is for."""
    return {
        Role.OWNER: translate(
            "rights",
            "Does everything: devices, tariffs, accounts and keys, the audit log, restoring.",
        ),
        Role.STAFF: translate(
            "rights",
            "Does the daily work: drivers, sessions, invoices, backups. Changes no devices, no "
            "tariffs, no accounts.",
        ),
        Role.AUDITOR: translate(
            "rights",
            "Reads everything and changes nothing. Sees pseudonyms; a name is shown with a reason, "
            "which is logged.",
        ),
    }[role]
