"""Drivers: people who charge and are billed."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver, Party
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.cards import DriverCards
from evdesk.gui.dialogs.driver import EditDriver, NewDriver
from evdesk.gui.dialogs.reveal import RevealDriver
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.fields import SearchField
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, give_icon, row
from evdesk.gui.widgets.table import RowsTable


class DriversPage(Page):
    """A table of the drivers who charge here."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Drivers"))
        zone = context.zone
        columns: list[Column[Driver]] = [
            Column(self.tr("Name"), lambda d: d.party.name,
                   tooltip=lambda d: d.party.name, width=220, least=130),
            Column(self.tr("Pseudonym"), lambda d: d.id, width=140,
                   tooltip=lambda _: self.tr("What stands in files and the log for the name")),
            Column(self.tr("E-mail"), lambda d: d.party.email or texts.NONE,
                   tooltip=lambda d: d.party.email, width=230, least=130),
            Column(self.tr("Address"), lambda d: address(d.party) or texts.NONE,
                   tooltip=lambda d: address(d.party), width=300, least=150),
            Column(self.tr("Language"), lambda d: d.language, width=96),
            Column(self.tr("Since"), lambda d: texts.day(d.created_at, zone),
                   sort_key=lambda d: d.created_at, width=0),
        ]  # fmt: skip
        self.model: RowsModel[Driver] = RowsModel(columns, lambda d: d.id, self)
        self.table: RowsTable[Driver] = RowsTable(self.model, context.theme)
        self.search = SearchField(context.theme, self.tr("Search drivers"))
        self.add = button(
            self.tr("Add driver …"), self.add_new, "primary", self.tr("Add driver (Ctrl+N)")
        )
        self.first = button(self.tr("Add driver …"), self.add_new, "primary")
        self.edit = button(self.tr("Edit …"), self.ask_edit)
        self.cards = button(self.tr("Cards …"), self.show_cards)
        self.reveal = button(
            self.tr("Reveal …"), self.ask_reveal, "", self.tr("Show who this is; the log says why")
        )
        self.retire = button(self.tr("Retire …"), self.ask_retire, "danger")
        self.empty = EmptyState(
            context.theme, "drivers", self.tr("No driver yet"),
            self.tr("Add the people and companies who charge here. Only what a bill needs is "
                    "asked for; names are encrypted each under a key of their own."),
            self.first,
        )  # fmt: skip
        self._arrange()
        self.search.textChanged.connect(self.table.sorted.search)
        self.table.picked.connect(self._on_picked)
        self.table.opened.connect(self.ask_edit)
        self.repaint_icons()
        self._on_picked()

    def _arrange(self) -> None:
        self.buttons.addLayout(row(self.retire, self.cards, self.edit, self.reveal, self.add))
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Drivers"))
        self.search.setMaximumWidth(280)
        self.body.addWidget(self.search)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        for part in (self.retire, self.edit, self.add, self.first):
            self.context.rights.guard(part, Action.CHANGE_DRIVERS)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in ((self.add, "add"), (self.first, "add"), (self.retire, "remove")):
            give_icon(part, self.context.theme, name)
        give_icon(self.reveal, self.context.theme, "user")

    def focus_search(self) -> None:
        """Put the cursor into the search box."""
        self.search.setFocus()

    def refresh(self) -> None:
        """Read the drivers."""
        self.context.tasks.run(self.context.desk.drivers.all, self._show, self.failed.emit)

    def on_beat(self, snapshot: Snapshot) -> None:
        """The collector changes no driver."""

    def _show(self, drivers: list[Driver]) -> None:
        self.model.replace(drivers)
        for part in (self.table, self.search, self.add, self.edit, self.cards, self.retire):
            part.setVisible(bool(drivers))
        self.reveal.setVisible(bool(drivers) and not self.context.rights.sees_persons())
        self.empty.setVisible(not drivers)
        self._on_picked()
        self.drawn.emit()

    def _on_picked(self) -> None:
        for part in (self.edit, self.cards, self.reveal, self.retire):
            part.setEnabled(bool(self.table.selected()))

    def add_new(self) -> None:
        """Ask for a new driver."""
        if not self.lets(Action.CHANGE_DRIVERS):
            return
        dialog = NewDriver(self.context, self)
        dialog.saved.connect(self._on_added)
        dialog.open()

    def ask_edit(self) -> None:
        """Ask what to correct of the selected driver."""
        if not self.context.rights.sees_persons():
            self.ask_reveal()
            return
        if not self.lets(Action.CHANGE_DRIVERS):
            return
        for driver in self.table.selected():
            dialog = EditDriver(self.context, driver, self)
            dialog.saved.connect(self._on_edited)
            dialog.open()

    def ask_reveal(self) -> None:
        """Ask why the selected driver is to be shown."""
        for driver in self.table.selected():
            self.dialog = RevealDriver(self.context, driver, self)
            self.dialog.open()

    def show_cards(self) -> None:
        """Show the selected driver's cards."""
        DriverCards(self.context, self.table.selected()[0], self).open()

    def _on_added(self, driver: Driver) -> None:
        self.told.emit(
            self.tr("{name} is added as {id}.").format(name=driver.party.name, id=driver.id)
        )
        self.refresh()

    def _on_edited(self, driver: Driver) -> None:
        self.told.emit(self.tr("{name} is corrected.").format(name=driver.party.name))
        self.refresh()

    def ask_retire(self) -> None:
        """Ask whether the selected driver no longer charges here."""
        driver = self.table.selected()[0]
        ask = Ask(
            self.tr("Retire {name}?").format(name=driver.party.name),
            self.tr("The driver no longer charges here. Sessions and invoices stay."),
            (
                Choice("retire", self.tr("Retire"), "danger"),
                Choice("keep", self.tr("Keep"), "quiet"),
            ),
            parent=self,
        )
        ask.answered.connect(partial(self._on_retire_answered, driver))
        self.question = ask
        ask.open()

    def _on_retire_answered(self, driver: Driver, answer: str, _: bool) -> None:
        if answer == "retire":
            drivers = self.context.desk.drivers
            self.context.tasks.run(
                lambda: drivers.retire(driver.id), self._on_retired, self.failed.emit
            )

    def _on_retired(self, _: object) -> None:
        self.told.emit(self.tr("Retired. Sessions and invoices stay."))
        self.refresh()


def address(party: Party) -> str:
    """Return an address in one line."""
    place = f"{party.postcode} {party.city}".strip()
    return ", ".join(part for part in (party.street, place, party.country) if part)
