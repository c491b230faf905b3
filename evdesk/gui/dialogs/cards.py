"""The cards of a driver: give one, say that one was lost or given back."""

from datetime import datetime
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from evdesk.domain.cards import Card, CardEnd
from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.widgets.fields import mark_wrong
from evdesk.gui.widgets.parts import button, label, row
from evdesk.gui.widgets.table import RowsTable


class DriverCards(FormDialog):
    """Lists a driver's cards; every change is kept at once."""

    def __init__(self, context: Context, driver: Driver, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Cards of {name}").format(name=driver.party.name),
            self.tr("Whoever shows a card at a charger that tells its number is billed for the "
                    "visit. Only a fingerprint of the number is kept. Visits of before stay with "
                    "whoever held the card then."),
            self.tr("Close"),
        )  # fmt: skip
        self._context, self._driver = context, driver
        zone = context.zone
        columns: list[Column[Card]] = [
            Column(self.tr("Card"), lambda card: card.tag.shown, width=110),
            Column(self.tr("From"), lambda card: texts.stamp(card.from_at, zone), width=160,
                   sort_key=lambda card: card.from_at),
            Column(self.tr("Until"), lambda card: texts.stamp(_until(card), zone), width=160,
                   sort_key=_until),
            Column(self.tr("State"), self._state, width=0),
        ]  # fmt: skip
        self.model: RowsModel[Card] = RowsModel(columns, lambda card: card.id, self)
        self.table: RowsTable[Card] = RowsTable(self.model, context.theme)
        self.number = QLineEdit()
        self.number.setAccessibleName(self.tr("Card number"))
        self.number.setPlaceholderText(self.tr("Number on the card, such as 04 A2 F3 1B"))
        self.add = button(self.tr("Give card"), self.give, "primary")
        self.lost = button(self.tr("Lost"), partial(self.end, CardEnd.LOST), "danger")
        self.returned = button(self.tr("Given back"), partial(self.end, CardEnd.RETURNED))
        self.none = label(self.tr("No card yet."), "small")
        self._arrange()
        self.table.picked.connect(self._on_picked)
        self.number.returnPressed.connect(self.give)
        self._read()

    def _arrange(self) -> None:
        self.cancel.hide()
        self.ok.setDefault(False)
        self.ok.setAutoDefault(False)
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Cards"))
        self.table.setMinimumHeight(180)
        self.form.addLayout(row(self.number, self.add))
        self.form.addWidget(self.table, 1)
        self.form.addWidget(self.none, 1)
        self.none.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.form.addLayout(row(self.lost, self.returned, 0))
        self.setMinimumSize(600, 420)
        for part in (self.number, self.add, self.lost, self.returned):
            self._context.rights.guard(part, Action.CHANGE_DRIVERS)
        self.number.setFocus()
        self._on_picked()

    def _state(self, card: Card) -> str:
        if card.end is CardEnd.LOST:
            return self.tr("Lost")
        if card.end is CardEnd.RETURNED:
            return self.tr("Given back")
        return self.tr("In use")

    def _read(self) -> None:
        self._context.tasks.run(self._context.desk.cards.all, self._show, self.complain)

    def _show(self, cards: list[Card]) -> None:
        self.wait(False)
        mine = [card for card in cards if card.driver == self._driver.id]
        self.model.replace(mine)
        self.table.setVisible(bool(mine))
        self.none.setVisible(not mine)
        for part in (self.lost, self.returned):
            part.setVisible(bool(mine))
        self._on_picked()

    def _on_picked(self) -> None:
        chosen = self.table.selected()
        held = bool(chosen) and chosen[0].ended_at is None
        self.lost.setEnabled(held)
        self.returned.setEnabled(held)

    def give(self) -> None:
        """Give the driver the card whose number was typed."""
        number, driver = self.number.text(), self._driver.id
        mark_wrong(self.number, not number.strip())
        if not number.strip():
            self.complain(self.tr("Type the number of the card first."))
            return
        self.wait(True)
        cards = self._context.desk.cards
        self._context.tasks.run(lambda: cards.add(driver, number), self._on_given, self.complain)

    def _on_given(self, _: object) -> None:
        self.number.clear()
        self._read()

    def end(self, cause: CardEnd) -> None:
        """Say that the selected card is no longer the driver's."""
        card = self.table.selected()[0].id
        cards = self._context.desk.cards
        self.wait(True)
        self._context.tasks.run(
            lambda: cards.end(card, cause), lambda _: self._read(), self.complain
        )


def _until(card: Card) -> datetime | None:
    return card.ended_at or card.to_at
