"""One purpose of one driver: how they stand to it, and what can be recorded."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.consents import IN_FORCE, Why
from evdesk.domain.permissions import Action
from evdesk.gui import consent_texts
from evdesk.gui.context import Context
from evdesk.gui.models.rows import Chip
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.parts import button, column, paragraph, row
from evdesk.services.consents import Standing


class PurposeRow(QWidget):
    """``answer_wanted`` and ``withdrawal_wanted`` carry the standing that is shown."""

    answer_wanted = Signal(object)
    withdrawal_wanted = Signal(object)

    def __init__(self, context: Context, of: Standing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        told = of.purpose.text(context.site.language)
        in_force = of.decision.state in IN_FORCE
        self.name = paragraph(told.name, "strong")
        self.name.setToolTip(told.description)
        self.state = ChipLabel(context.theme)
        word, tone, icon = consent_texts.look(of)
        self.state.show_chip(Chip(word, tone, icon or None))
        self.since = paragraph(consent_texts.dates(of, context.zone), "small")
        self.meaning = paragraph(consent_texts.meaning(of), "small")
        self.answer = button(
            self.tr("Renew …") if in_force else self.tr("Record …"),
            lambda: self.answer_wanted.emit(of),
            "link",
        )
        self.withdraw = button(
            self.tr("Withdraw …"), lambda: self.withdrawal_wanted.emit(of), "link"
        )
        for part in (self.answer, self.withdraw):
            part.setAccessibleName(f"{part.text()} {told.name}")
            context.rights.guard(part, Action.RECORD_CONSENTS)
        self._arrange()
        self.since.setVisible(of.event is not None)
        self.meaning.setVisible(bool(self.meaning.text()))
        self.withdraw.setVisible(in_force)
        self.answer.setVisible(of.purpose.enabled and of.decision.why is not Why.ERASED)

    def _arrange(self) -> None:
        head = row(self.name, self.state, gap=12)
        head.setStretch(0, 1)
        tools = row(self.answer, self.withdraw, 0, gap=20)
        self.setLayout(column(head, self.since, self.meaning, tools, gap=2))
