"""Drivers: people who charge and are billed, and what they agreed to."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.cards import DriverCards
from evdesk.gui.dialogs.driver import EditDriver, NewDriver
from evdesk.gui.dialogs.reveal import RevealDriver
from evdesk.gui.models.driver_columns import DriverRow, driver_columns
from evdesk.gui.models.rows import RowsModel
from evdesk.gui.panels.consents_panel import ConsentsPanel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.beside import Beside
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.fields import SearchField
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, give_icon, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.consents import Glance


class DriversPage(Page):
    """A table of the drivers who charge here."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Drivers"))
        self.model: RowsModel[DriverRow] = RowsModel(
            driver_columns(context.zone), lambda r: r.driver.id, self
        )
        self.table: RowsTable[DriverRow] = RowsTable(self.model, context.theme)
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
        self.panel = ConsentsPanel(context)
        self.empty = EmptyState(
            context.theme, "drivers", self.tr("No driver yet"),
            self.tr("Add the people and companies who charge here. Only what a bill needs is "
                    "asked for; names are encrypted each under a key of their own."),
            self.first,
        )  # fmt: skip
        self._arrange()
        self._connect()
        self.repaint_icons()
        self._on_picked()

    def _connect(self) -> None:
        self.search.textChanged.connect(self.table.sorted.search)
        self.table.picked.connect(self._on_picked)
        self.table.opened.connect(self.ask_edit)
        self.panel.failed.connect(self.failed)
        self.panel.told.connect(self.told)
        self.panel.changed.connect(self.refresh)

    def _arrange(self) -> None:
        self.buttons.addLayout(row(self.retire, self.cards, self.edit, self.reveal, self.add))
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Drivers"))
        self.search.setMaximumWidth(280)
        self.body.addWidget(self.search)
        self.split = Beside(self.table, self.panel)
        self.body.addWidget(self.split, 1)
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
        desk = self.context.desk
        self.context.tasks.run(
            lambda: (desk.drivers.all(), desk.consents.glance()), self._show, self.failed.emit
        )

    def on_beat(self, snapshot: Snapshot) -> None:
        """The collector changes no driver."""

    def _show(self, read: tuple[list[Driver], Glance]) -> None:
        drivers, found = read
        self.model.replace(
            [
                DriverRow(one, found.agreed.get(one.id, 0), found.due.get(one.id, 0),
                          found.purposes)
                for one in drivers
            ]
        )  # fmt: skip
        self.panel.again()
        for part in (self.split, self.search, self.add, self.edit, self.cards, self.retire):
            part.setVisible(bool(drivers))
        self.reveal.setVisible(bool(drivers) and not self.context.rights.sees_persons())
        self.empty.setVisible(not drivers)
        self._on_picked()
        self.drawn.emit()

    def _on_picked(self) -> None:
        for part in (self.edit, self.cards, self.reveal, self.retire):
            part.setEnabled(bool(self.table.selected()))
        chosen = self._chosen()
        self.panel.show_driver(chosen)
        self.split.need_panel(chosen is not None)

    def _chosen(self) -> Driver | None:
        """Return the selected driver."""
        return next((row.driver for row in self.table.selected()), None)

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
        driver = self._chosen()
        if driver is not None:
            dialog = EditDriver(self.context, driver, self)
            dialog.saved.connect(self._on_edited)
            dialog.open()

    def ask_reveal(self) -> None:
        """Ask why the selected driver is to be shown."""
        driver = self._chosen()
        if driver is not None:
            self.dialog = RevealDriver(self.context, driver, self)
            self.dialog.open()

    def show_cards(self) -> None:
        """Show the selected driver's cards."""
        driver = self._chosen()
        if driver is not None:
            DriverCards(self.context, driver, self).open()

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
        driver = self._chosen()
        if driver is None:
            return
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
