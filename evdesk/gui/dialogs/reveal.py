"""Showing who a person is to somebody who sees pseudonyms: with a reason, which is logged."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QWidget

from evdesk.domain.site import Driver
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import label, selectable


class Reveal(FormDialog):
    """Asks for the reason; ``revealed`` carries what ``work`` returns for it."""

    revealed = Signal(object)

    def __init__(
        self,
        context: Context,
        what: str,
        work: Callable[[str], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._context, self._work = context, work
        self.describe(
            self.tr("Reveal {what}?").format(what=what),
            self.tr("You see pseudonyms, because most checks need no names. Showing this one is "
                    "written in the audit log with your account and your reason."),
            self.tr("Reveal"),
        )  # fmt: skip
        self.reason = text_field(self.tr("Such as: compare invoice and contract"))
        self.fields = form()
        add_field(
            self.fields, self.tr("Reason"), self.reason,
            self.tr("Kept with the entry. Name no person in it."),
        )  # fmt: skip
        self.form.addLayout(self.fields)
        self.setMinimumWidth(500)
        self.reason.setFocus()

    def submit(self) -> None:
        reason = self.reason.text().strip()
        mark_wrong(self.reason, not reason)
        if not reason:
            self.complain(self.tr("Say why: some words are enough."))
            self.reason.setFocus()
            return
        self.wait(True, self.tr("Revealing …"))
        self._context.tasks.run(lambda: self._work(reason), self._on_revealed, self.complain)

    def _on_revealed(self, found: object) -> None:
        self.revealed.emit(found)
        self.accept()


class RevealDriver(Reveal):
    """Shows the person in place of the question; nothing of it is left when it is closed."""

    def __init__(self, context: Context, driver: Driver, parent: QWidget | None = None) -> None:
        drivers = context.desk.drivers
        super().__init__(
            context, driver.id, lambda reason: drivers.reveal(driver.id, reason), parent
        )
        self._driver = driver.id
        self.person = QFrame()
        self.person.setProperty("role", "code")
        self.person.hide()
        self.form.addWidget(self.person)
        self._shown = False

    def submit(self) -> None:
        if self._shown:
            self.accept()
        else:
            super().submit()

    def _on_revealed(self, found: object) -> None:
        if not isinstance(found, Driver):
            raise TypeError(type(found))
        self.revealed.emit(found)
        self._shown = True
        self.describe(
            self._driver,
            self.tr("The log says that you looked, and why. This window forgets it when it is "
                    "closed."),
            self.tr("Close"),
        )  # fmt: skip
        self.wait(False)
        self.cancel.hide()
        while self.fields.rowCount():
            self.fields.removeRow(0)
        self.person.setLayout(self._lines(found))
        self.person.show()

    def _lines(self, driver: Driver) -> QFormLayout:
        party = driver.party
        place = f"{party.postcode} {party.city}".strip()
        box = form()
        box.setContentsMargins(16, 12, 16, 12)
        for caption, text in (
            (self.tr("Name"), party.name),
            (self.tr("Address"), ", ".join(t for t in (party.street, place, party.country) if t)),
            (self.tr("E-mail"), party.email),
            (self.tr("Phone"), party.phone),
            (self.tr("VAT id"), party.vat_id),
            (self.tr("IBAN"), party.iban),
        ):
            if text:
                shown = selectable(text, "strong")
                shown.setWordWrap(True)
                box.addRow(label(caption, "muted"), shown)
        return box
