"""Charging points: where energy and state come from, and whose they are by default."""

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.ask import Ask, Choice
from evdesk.gui.dialogs.station import DefaultDriver, NewStation, RenameStation
from evdesk.gui.models.rows import Column, RowsModel
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.parts import button, column, give_icon, paragraph, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.stations import StationRow


class StationsPanel(QWidget):
    """A table of the points in use."""

    failed = Signal(object)
    told = Signal(str)
    changed = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._names: dict[str, str] = {}
        columns: list[Column[StationRow]] = [
            Column(self.tr("Station"), lambda r: r.station.name, width=180, least=110),
            Column(self.tr("Energy from"), lambda r: r.energy_from, width=180, least=110),
            Column(self.tr("State from"), self._state_from, width=220, least=110),
            Column(self.tr("Sessions belong to"), self._owner, width=200, least=110),
            Column(self.tr("Since"), lambda r: texts.day(r.station.created_at, context.zone),
                   sort_key=lambda r: r.station.created_at, width=0),
        ]  # fmt: skip
        self.model: RowsModel[StationRow] = RowsModel(columns, lambda r: r.station.id, self)
        self.table: RowsTable[StationRow] = RowsTable(self.model, context.theme)
        self.add = button(self.tr("New station …"), self.add_new, "primary")
        self.rename = button(self.tr("Rename …"), self.ask_name)
        self.driver = button(self.tr("Default driver …"), self.ask_driver)
        self.retire = button(self.tr("Retire …"), self.ask_retire, "danger")
        self.empty = EmptyState(
            context.theme, "station", self.tr("No station yet"),
            self.tr("Adding a meter makes the station of the same name. Make one here only where "
                    "energy and state come from two devices, or for a second socket."),
        )  # fmt: skip
        self._arrange()
        self.table.picked.connect(self._on_picked)
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()
        self._on_picked()

    def _arrange(self) -> None:
        hint = paragraph(self.tr("A station is one place to plug in."))
        tools = row(hint, self.rename, self.driver, self.retire, self.add)
        tools.setStretch(0, 1)
        box = column(tools, self.table, self.empty, gap=12)
        box.setContentsMargins(0, 12, 0, 0)
        self.setLayout(box)
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Stations"))
        self.empty.hide()
        for part in (self.add, self.rename, self.retire):
            self._context.rights.guard(part, Action.CHANGE_DEVICES)
        self._context.rights.guard(self.driver, Action.CHANGE_DRIVERS)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in (
            (self.add, "add"), (self.rename, "settings"), (self.driver, "user"),
            (self.retire, "remove"),
        ):  # fmt: skip
            give_icon(part, self._context.theme, name)

    def refresh(self) -> None:
        """Read the stations."""
        desk = self._context.desk
        self._context.tasks.run(
            lambda: (desk.stations.rows(), desk.drivers.all()), self._show, self.failed.emit
        )

    def _show(self, read: tuple[tuple[StationRow, ...], list[Driver]]) -> None:
        rows, drivers = read
        self._names = {driver.id: driver.party.name for driver in drivers}
        self.model.replace(rows)
        self.table.setVisible(bool(rows))
        self.empty.setVisible(not rows)
        self._on_picked()

    def _on_picked(self) -> None:
        chosen = bool(self.table.selected())
        for part in (self.rename, self.driver, self.retire):
            part.setEnabled(chosen)

    def _chosen(self) -> StationRow:
        return self.table.selected()[0]

    # -- what can be done -----------------------------------------------------------------------

    def add_new(self) -> None:
        """Ask for a new station."""
        dialog = NewStation(self._context, self)
        dialog.accepted.connect(self._after)
        dialog.open()

    def ask_name(self) -> None:
        """Ask for another name."""
        dialog = RenameStation(self._context, self._chosen().station.name, self)
        dialog.accepted.connect(self._after)
        dialog.open()

    def ask_driver(self) -> None:
        """Ask whose the sessions here are."""
        dialog = DefaultDriver(self._context, self._chosen(), self)
        dialog.accepted.connect(self._after)
        dialog.open()

    def ask_retire(self) -> None:
        """Ask whether the station may go out of use."""
        name = self._chosen().station.name
        ask = Ask(
            self.tr("Retire {name}?").format(name=name),
            self.tr("It goes out of use. Its sessions stay and can still be billed."),
            (
                Choice("retire", self.tr("Retire"), "danger"),
                Choice("keep", self.tr("Keep it"), "quiet"),
            ),
            parent=self,
        )
        ask.answered.connect(partial(self._on_retire_answered, name))
        self.question = ask
        ask.open()

    def _on_retire_answered(self, name: str, answer: str, _: bool) -> None:
        if answer == "retire":
            stations = self._context.desk.stations
            self._context.tasks.run(
                lambda: stations.retire(name), self._on_retired, self.failed.emit
            )

    def _on_retired(self, _: object) -> None:
        self.told.emit(self.tr("Retired. Its sessions stay."))
        self._after()

    def _after(self) -> None:
        self.refresh()
        self.changed.emit()

    # -- cells ----------------------------------------------------------------------------------

    def _state_from(self, of: StationRow) -> str:
        return of.state_from or self.tr("current (no plug state)")

    def _owner(self, of: StationRow) -> str:
        if of.default_driver is None:
            return self.tr("whoever is assigned")
        return self._names.get(of.default_driver, of.default_driver)
