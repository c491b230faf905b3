"""Tariffs: what a kWh costs, where, for whom, from when on."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from evdesk.domain.meters import StationId
from evdesk.domain.permissions import Action
from evdesk.domain.site import Driver
from evdesk.domain.tariffs import Assignment, Dimension, Tariff
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.tariff import AssignTariff, NewTariff
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Lane
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.files import read_path
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, give_icon, paragraph, row
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.stations import StationRow

Row = tuple[Tariff, list[Assignment]]
Read = tuple[list[Row], tuple[StationRow, ...], list[Driver]]


class TariffsPage(Page):
    """A table of tariffs with where they hold."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Tariffs"))
        self._stations: dict[StationId, str] = {}
        self._people: dict[str, str] = {}
        self.model: RowsModel[Row] = RowsModel(self._columns(), lambda r: r[0].id, self)
        self.table: RowsTable[Row] = RowsTable(self.model, context.theme)
        self.new = button(
            self.tr("New tariff …"), self.add_new, "primary", self.tr("New tariff (Ctrl+N)")
        )
        self.first = button(self.tr("New tariff …"), self.add_new, "primary")
        self.load = button(self.tr("From file …"), self.ask_file)
        self.assign = button(self.tr("Assign …"), self.ask_assign)
        self.empty = EmptyState(
            context.theme, "tariffs", self.tr("No tariff yet"),
            self.tr("Say what a kWh costs. A tariff is never edited: a new price is a new tariff, "
                    "assigned from a date on."),
            self.first,
        )  # fmt: skip
        self._arrange()
        self.table.picked.connect(self._on_picked)
        self.repaint_icons()
        self._on_picked()

    def _columns(self) -> list[Column[Row]]:
        return [
            Column(self.tr("Tariff"), lambda r: r[0].id, width=180),
            Column(
                self.tr("Per kWh"), lambda r: _price(r[0], Dimension.ENERGY),
                numeric=True, width=130,
            ),
            Column(
                self.tr("Per session"), lambda r: _price(r[0], Dimension.FLAT),
                numeric=True, width=130,
            ),
            Column(self.tr("VAT"), lambda r: _vat(r[0]), numeric=True, width=90),
            Column(
                self.tr("Holds for"), self._where_text, chips=self._where_chips,
                tooltip=self._where_text, width=0,
            ),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.buttons.addLayout(row(self.load, self.assign, self.new))
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Tariffs"))
        self.table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.hint = paragraph(
            self.tr(
                "A session is billed by the tariff that held when the car was plugged in: the "
                "driver's before the station's before the site's. Prices are without VAT."
            )
        )
        self.body.addWidget(self.hint)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()
        for part in (self.load, self.assign, self.new, self.first):
            self.context.rights.guard(part, Action.CHANGE_TARIFFS)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        for part, name in (
            (self.new, "add"), (self.first, "add"), (self.load, "save"), (self.assign, "calendar"),
        ):  # fmt: skip
            give_icon(part, self.context.theme, name)

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read tariffs and the names of where they hold."""
        desk = self.context.desk
        self.context.tasks.run(
            lambda: (desk.tariffs.all(), desk.stations.rows(), desk.drivers.all()),
            self._show,
            self.failed.emit,
        )

    def on_beat(self, snapshot: Snapshot) -> None:
        """The collector changes no tariff."""

    def _show(self, read: Read) -> None:
        rows, stations, drivers = read
        self._stations = {each.station.id: each.station.name for each in stations}
        self._people = {driver.id: driver.party.name for driver in drivers}
        self.model.replace(rows)
        for part in (self.table, self.new, self.assign, self.hint):
            part.setVisible(bool(rows))
        self.empty.setVisible(not rows)
        self._on_picked()
        self.drawn.emit()

    def _on_picked(self) -> None:
        self.assign.setEnabled(bool(self.table.selected()))

    # -- what can be done -----------------------------------------------------------------------

    def add_new(self) -> None:
        """Ask for a new tariff."""
        if not self.lets(Action.CHANGE_TARIFFS):
            return
        dialog = NewTariff(self.context, self)
        dialog.added.connect(self._on_added)
        dialog.open()

    def _on_added(self, tariff: Tariff) -> None:
        self.told.emit(
            self.tr("Tariff {name} is added. It holds where you assign it.").format(name=tariff.id)
        )
        self.refresh()

    def ask_file(self) -> None:
        """Ask for a file with an OCPI 2.2.1 tariff object."""
        dialog = QFileDialog(
            self, self.tr("Tariff from file"), self.context.preferences.folder(),
            self.tr("OCPI tariff (*.json)"),
        )  # fmt: skip
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.load_file)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def load_file(self, name: str) -> None:
        """Add the tariff of a file."""
        tariffs = self.context.desk.tariffs
        self.context.tasks.run(
            lambda: tariffs.add(read_path(name)), self._on_added, self.failed.emit, Lane.DATABASE
        )

    def ask_assign(self) -> None:
        """Ask where the selected tariff holds, from when on."""
        tariff, assigned = self.table.selected()[0]
        dialog = AssignTariff(self.context, tariff, first=not assigned, parent=self)
        dialog.assigned.connect(self._on_assigned)
        dialog.open()

    def _on_assigned(self) -> None:
        self.told.emit(self.tr("Assigned. Issued invoices keep their prices."))
        self.refresh()

    # -- cells ----------------------------------------------------------------------------------

    def _where(self, assignment: Assignment) -> str:
        since = texts.day(assignment.from_at, self.context.zone)
        parts = []
        if assignment.driver is not None:
            parts.append(self._people.get(assignment.driver, assignment.driver))
        if assignment.station is not None:
            parts.append(self._stations.get(assignment.station, str(assignment.station)))
        where = self.tr(" at ").join(parts) or self.tr("whole site")
        return self.tr("{where} from {day}").format(where=where, day=since)

    def _where_text(self, of: Row) -> str:
        return "\n".join(self._where(each) for each in of[1]) or self.tr("assigned nowhere yet")

    def _where_chips(self, of: Row) -> list[Chip]:
        if not of[1]:
            return [Chip(self.tr("assigned nowhere yet"), Tone.WARNING)]
        newest = sorted(of[1], key=lambda each: each.from_at, reverse=True)
        return [Chip(self._where(each), Tone.NEUTRAL) for each in newest]


def _price(tariff: Tariff, dimension: Dimension) -> str:
    for component in tariff.components:
        if component.dimension is dimension:
            return f"{texts.plain(component.price)} {tariff.currency}"
    return texts.NONE


def _vat(tariff: Tariff) -> str:
    rates = sorted({component.vat_percent for component in tariff.components})
    return ", ".join(f"{texts.plain(rate)} %" for rate in rates)
