"""Saying whose sessions are."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.sessions import Session
from evdesk.domain.site import Driver
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import Chooser, add_field, form


class AssignDriver(FormDialog):
    """``assigned`` tells how many sessions now are whose."""

    assigned = Signal(int, str)

    def __init__(
        self, context: Context, sessions: Sequence[Session], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Assign to driver"),
            self.tr("1 session will be billed to this driver.")
            if len(sessions) == 1
            else self.tr("{count} sessions will be billed to this driver.").format(
                count=len(sessions)
            ),
            self.tr("Assign"),
        )
        self._context = context
        self._sessions = [session.id for session in sessions]
        self.driver = Chooser(self.tr("Driver"), searchable=True)
        fields = form()
        add_field(fields, self.tr("Driver"), self.driver)
        self.form.addLayout(fields)
        self.setMinimumWidth(440)
        self.driver.setFocus()
        self.ok.setEnabled(False)
        context.tasks.run(context.desk.drivers.all, self._offer, self.complain)

    def _offer(self, drivers: list[Driver]) -> None:
        people = [(d.id, f"{d.party.name} ({d.id})") for d in drivers]
        self.driver.offer(sorted(people, key=lambda pair: pair[1].casefold()))
        self.ok.setEnabled(bool(people))
        if not people:
            self.complain(self.tr("There is no driver yet. Add one on the Drivers page first."))
            self.ok.setEnabled(False)

    def submit(self) -> None:
        driver = self.driver.value()
        if driver is None:
            self.complain(self.tr("Choose a driver from the list."))
            return
        self.wait(True)
        sessions = self._context.desk.sessions
        self._context.tasks.run(
            lambda: sessions.assign(self._sessions, driver), self._on_assigned, self.complain
        )

    def _on_assigned(self, _: object) -> None:
        name = self.driver.currentText().rpartition(" (")[0]
        self.assigned.emit(len(self._sessions), name)
        self.accept()
