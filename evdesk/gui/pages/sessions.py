"""Sessions: find, look at the evidence, say whose they are, export."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from evdesk.domain.permissions import Action
from evdesk.domain.sessions import Session, SessionId, SessionState
from evdesk.domain.site import Driver
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.assign_driver import AssignDriver
from evdesk.gui.models.rows import RowsModel
from evdesk.gui.models.session_columns import SessionColumns
from evdesk.gui.panels.session_decisions import SessionDecisions
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Latest
from evdesk.gui.widgets.beside import Beside
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.files import SaveAs
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, column, give_icon, label
from evdesk.gui.widgets.session_filters import SessionFilters
from evdesk.gui.widgets.session_panel import SessionPanel
from evdesk.gui.widgets.table import RowsTable
from evdesk.ports import SessionFilter
from evdesk.services.stations import StationRow

Found = tuple[list[Session], tuple[StationRow, ...], list[Driver]]


class SessionsPage(Page):
    """A table of sessions; the one that is selected is shown beside it with its evidence."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Sessions"))
        self.columns = SessionColumns(context, self)
        self._found = Latest(context.tasks, self._begin, self._show, self.failed.emit, self)
        self._wanted: SessionId | None = None
        self.model: RowsModel[Session] = RowsModel(self.columns.columns(), lambda s: s.id, self)
        self.table: RowsTable[Session] = RowsTable(
            self.model, context.theme, (1, Qt.SortOrder.DescendingOrder)
        )
        self.filters = SessionFilters(context)
        self.panel = SessionPanel(context)
        self.decisions = SessionDecisions(context)
        self.panel.put_tools(self.decisions)
        self.count = label("", "muted")
        self.assign = button(self.tr("Assign to driver …"), self.ask_driver)
        self.export = button(self.tr("Export …"), self.ask_file)
        self.files = SaveAs(context, self)
        self.empty = EmptyState(context.theme, "sessions", "", "")
        self._arrange()
        self._connect()
        self.repaint_icons()
        self._on_picked()

    def _arrange(self) -> None:
        self.buttons.addWidget(self.assign)
        self.buttons.addWidget(self.export)
        left = QWidget()
        box = column(self.table, self.count, gap=6)
        box.setStretch(0, 1)
        left.setLayout(box)
        self.split = Beside(left, self.panel)
        self.body.addWidget(self.filters)
        self.body.addWidget(self.split, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()
        self.context.rights.guard(self.assign, Action.DECIDE_SESSIONS)
        self.table.setAccessibleName(self.tr("Sessions"))
        self.export.setToolTip(self.tr("Save the sessions of this period as a spreadsheet"))

    def _connect(self) -> None:
        self.filters.changed.connect(self.refresh)
        self.filters.searched.connect(self._on_searched)
        self.table.picked.connect(self._on_picked)
        self.panel.failed.connect(self.failed)
        self.decisions.decided.connect(self._on_decided)
        self.files.saved.connect(self._on_saved)
        self.files.failed.connect(self.failed)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.assign, self.context.theme, "user")
        give_icon(self.export, self.context.theme, "export")

    def focus_search(self) -> None:
        """Put the cursor into the search box."""
        self.filters.search.setFocus()
        self.filters.search.selectAll()

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the sessions of the filters."""
        self._found.ask()

    def _begin(self) -> Callable[[], tuple[SessionFilter, Found]]:
        desk, wanted = self.context.desk, self.filters.wanted()
        return lambda: (
            wanted,
            (
                desk.sessions.find(wanted),
                desk.stations.rows(),
                desk.drivers.all(retired=True),
            ),
        )

    def on_beat(self, snapshot: Snapshot) -> None:
        """Read again: a session may have begun, grown or ended."""
        self.refresh()

    def _show(self, read: tuple[SessionFilter, Found]) -> None:
        wanted, (sessions, stations, drivers) = read
        self.columns.names = {driver.id: driver.party.name for driver in drivers}
        self.filters.offer(stations, drivers)
        self.model.replace(sessions)
        self._count()
        self._show_emptiness(wanted, not stations)
        if self._wanted is not None:
            self.table.clearSelection()
            self.table.select_key(self._wanted)
            self._wanted = None
        self._on_picked()
        self.drawn.emit()

    def _show_emptiness(self, wanted: SessionFilter, no_stations: bool) -> None:
        nothing = not self.model.rows()
        self.split.setVisible(not nothing)
        self.empty.setVisible(nothing)
        if no_stations:
            self.empty.say(
                self.tr("No sessions yet"),
                self.tr("Add a meter on the Meters page and start the collector. A session is "
                        "written here by itself from plug-in to unplug."),
            )  # fmt: skip
        elif nothing:
            self.empty.say(
                self.tr("No session matches"),
                self.tr("Choose a longer period above, or another station, driver or state."),
            )

    def _count(self) -> None:
        shown = self.table.shown()
        known = [s.energy_wh for s in shown if s.energy_wh is not None]
        told = self.tr("{count} sessions, {kwh} kWh").format(
            count=len(shown), kwh=texts.kwh(sum(known))
        )
        in_review = sum(s.state is SessionState.REVIEW for s in shown)
        if in_review:
            told += self.tr(", {count} in review").format(count=in_review)
        self.count.setText(told)

    # -- selecting ------------------------------------------------------------------------------

    def _on_searched(self, text: str) -> None:
        self.table.sorted.search(text)
        self._count()

    def _on_picked(self) -> None:
        chosen = self.table.selected()
        open_to_change = [session for session in chosen if session.invoice is None]
        self.assign.setEnabled(bool(open_to_change))
        self.assign.setToolTip(
            self.tr("Say whose the selected sessions are")
            if open_to_change
            else self.tr("Select one or more sessions that are not billed yet")
        )
        only = chosen[0] if len(chosen) == 1 else None
        self.panel.show_session(only, len(chosen))
        self.split.need_panel(bool(chosen))
        self.decisions.offer(only)

    def ask_driver(self) -> None:
        """Ask whose the selected sessions are."""
        chosen = [session for session in self.table.selected() if session.invoice is None]
        dialog = AssignDriver(self.context, chosen, self)
        dialog.assigned.connect(self._on_assigned)
        dialog.open()

    def _on_assigned(self, count: int, name: str) -> None:
        self.told.emit(
            self.tr("1 session assigned to {name}.").format(name=name)
            if count == 1
            else self.tr("{count} sessions assigned to {name}.").format(count=count, name=name)
        )
        self.panel.forget()
        self.refresh()

    def _on_decided(self, told: str) -> None:
        self.told.emit(told)
        self.panel.forget()
        self.refresh()

    def show_session(self, session_id: SessionId) -> None:
        """Show one session, whatever the filters were."""
        self._wanted = session_id
        self.filters.reset()
        self.filters.period.choose("all")
        self.refresh()

    # -- exporting ------------------------------------------------------------------------------

    def ask_file(self) -> None:
        """Ask where to save the sessions of the filters."""
        exports, wanted = self.context.desk.exports, self.filters.wanted()
        self.files.ask(
            self.tr("Export sessions"),
            self.tr("sessions.xlsx"),
            self.tr("Excel (*.xlsx);;CSV (*.csv);;JSON (*.json)"),
            lambda suffix: exports.sessions(suffix, wanted)[0],
        )

    def _on_saved(self, path: str) -> None:
        self.told.emit(
            self.tr("{count} sessions saved to {path}").format(
                count=len(self.model.rows()), path=path
            )
        )
