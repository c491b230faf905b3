"""Faults: what is wrong, what was, what to do, and how long repairs take."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QSplitter, QTabWidget, QWidget

from evdesk.domain.faults import Fault, Severity
from evdesk.domain.mail import MailServer
from evdesk.gui import fault_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.alerts import AlertsDialog
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.tasks import Latest
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.fault_filters import FaultFilters
from evdesk.gui.widgets.fault_panel import FaultPanel
from evdesk.gui.widgets.files import SaveAs
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, column, give_icon, label
from evdesk.gui.widgets.repair_list import RepairList
from evdesk.gui.widgets.table import RowsTable
from evdesk.services.faults import Repair


@dataclass(frozen=True, slots=True)
class _Read:
    """What one refresh reads."""

    faults: tuple[Fault, ...]
    repairs: tuple[Repair, ...]


class FaultsPage(Page):
    """A table, open faults first; the one that is selected is explained beside it."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Faults"))
        self._found = Latest(context.tasks, self._begin, self._show, self.failed.emit, self)
        self.model: RowsModel[Fault] = RowsModel(self._columns(), lambda f: f.id, self)
        self.table: RowsTable[Fault] = RowsTable(
            self.model, context.theme, (0, Qt.SortOrder.AscendingOrder)
        )
        self.filters, self.repairs = FaultFilters(context), RepairList(context)
        self.count = label("", "muted")
        self.panel = FaultPanel(context)
        self.alerts = button(self.tr("Alerts …"), self.ask_alerts)
        self.export = button(self.tr("Export …"), self.ask_file)
        self.files = SaveAs(context, self)
        self.empty = EmptyState(context.theme, "ok", "", "")
        self._arrange()
        self._connect()
        self.repaint_icons()

    def _columns(self) -> list[Column[Fault]]:
        zone, pulse = self.context.zone, self.context.pulse
        return [
            Column(
                self.tr("State"), lambda f: fault_texts.state_look(f)[0],
                chips=lambda f: [Chip(*fault_texts.state_look(f))],
                sort_key=_urgency, tooltip=_seen_by, width=88,
            ),
            Column(
                self.tr("Severity"), lambda f: fault_texts.severity_look(f.severity)[0],
                chips=lambda f: [Chip(*fault_texts.severity_look(f.severity))],
                sort_key=lambda f: list(Severity).index(f.severity), width=114,
            ),
            Column(self.tr("What"), lambda f: fault_texts.title(f.code), width=186, least=106,
                   tooltip=fault_texts.meaning),
            Column(self.tr("Where"), fault_texts.where, width=124, least=80,
                   tooltip=fault_texts.where),
            Column(
                self.tr("Since"), lambda f: texts.short_stamp(f.since_at, pulse.now(), zone),
                sort_key=lambda f: f.since_at, width=156, spare=1,
                tooltip=lambda f: texts.stamp(f.since_at, zone, with_seconds=True),
            ),
            Column(
                self.tr("Lasted"), lambda f: fault_texts.lasted(f, pulse.now()),
                sort_key=lambda f: (f.until_at or pulse.now()) - f.since_at, width=0, spare=2,
            ),
        ]  # fmt: skip

    def _arrange(self) -> None:
        self.buttons.addWidget(self.alerts)
        self.buttons.addWidget(self.export)
        left = QWidget()
        box = column(self.table, self.empty, self.count, gap=6)
        box.setStretch(0, 1)
        box.setStretch(1, 1)
        left.setLayout(box)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(left)
        self.split.addWidget(self.panel)
        self.split.setHandleWidth(16)
        self.split.setStretchFactor(0, 1)
        self.split.setStretchFactor(1, 0)
        self.split.setChildrenCollapsible(False)
        self.split.setSizes([860, 344])
        now = QWidget()
        inside = column(self.filters, self.split, gap=12)
        inside.setContentsMargins(0, 12, 0, 0)
        inside.setStretch(1, 1)
        now.setLayout(inside)
        self.tabs = QTabWidget()
        self.tabs.addTab(now, self.tr("Faults"))
        self.tabs.addTab(self.repairs, self.tr("Time to repair"))
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.body.addWidget(self.tabs, 1)
        self.empty.hide()
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Faults"))
        self.export.setToolTip(self.tr("Save the faults of this period as a spreadsheet"))
        self.alerts.setToolTip(self.tr("Notices on this computer, and e-mail"))

    def _connect(self) -> None:
        self.filters.searched.connect(self._on_searched)
        self.filters.changed.connect(self.refresh)
        self.table.picked.connect(self._on_picked)
        self.panel.acknowledge_wanted.connect(self.acknowledge)
        self.files.saved.connect(self._on_saved)
        self.files.failed.connect(self.failed)
        keys = QShortcut(QKeySequence("Ctrl+Return"), self)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.panel.want_acknowledge)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.alerts, self.context.theme, "faults")
        give_icon(self.export, self.context.theme, "export")

    def focus_search(self) -> None:
        """Put the cursor into the search box."""
        self.tabs.setCurrentIndex(0)
        self.filters.search.setFocus()
        self.filters.search.selectAll()

    # -- reading --------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Read the faults of the period, and this month's repairs."""
        self._found.ask()

    def _begin(self) -> Callable[[], _Read]:
        faults, wanted = self.context.desk.faults, self.filters.wanted()
        month = f"{self.context.pulse.now().astimezone(self.context.zone):%Y-%m}"
        return lambda: _Read(tuple(faults.find(wanted)), tuple(faults.repairs(month)))

    def on_beat(self, snapshot: Snapshot) -> None:
        """Faults come and go with readings."""
        self.refresh()

    def _show(self, read: _Read) -> None:
        self.model.replace(read.faults)
        self.repairs.show_repairs(read.repairs)
        if read.faults and not self.table.selected():
            self.table.selectRow(0)
        self._show_emptiness()
        self._on_picked()
        self.drawn.emit()

    def _show_emptiness(self) -> None:
        shown = self.table.shown()
        self.table.setVisible(bool(shown))
        self.panel.setVisible(bool(shown))
        self.count.setVisible(bool(shown))
        self.empty.setVisible(not shown)
        open_count = sum(fault.is_open for fault in shown)
        self.count.setText(
            self.tr("{open} open, {over} over").format(
                open=open_count, over=len(shown) - open_count
            )
        )
        if self.model.rows():
            self.empty.say(self.tr("No fault matches"), self.tr("Search for something else."))
        else:
            self.empty.say(
                self.tr("Nothing is wrong"),
                self.tr("Silent devices, frozen registers, lost phases, expired calibrations and "
                        "more are shown here by themselves, with what to do about them."),
            )  # fmt: skip

    def _on_searched(self, text: str) -> None:
        self.table.sorted.search(text)
        self._show_emptiness()

    def _on_picked(self) -> None:
        chosen = self.table.selected()
        self.panel.show_fault(chosen[0] if chosen else None)

    # -- acknowledging --------------------------------------------------------------------------

    def acknowledge(self, fault: Fault, note: str) -> None:
        """Say that the fault has been seen."""
        faults = self.context.desk.faults
        self.context.tasks.run(
            lambda: faults.acknowledge(fault.id, note), self._on_acknowledged, self._on_refused
        )

    def _on_acknowledged(self, fault: Fault) -> None:
        self.told.emit(self.tr("{what} is acknowledged.").format(what=fault_texts.headline(fault)))
        self.table.setFocus()
        self.refresh()

    def _on_refused(self, error: Exception) -> None:
        self.panel.let_again()
        self.failed.emit(error)

    # -- alerts and exporting -------------------------------------------------------------------

    def ask_alerts(self) -> None:
        """Ask how the owner wants to be told."""
        mail = self.context.desk.mail
        self.context.tasks.run(mail.server, self._open_alerts, self.failed.emit)

    def _open_alerts(self, server: MailServer | None) -> None:
        dialog = AlertsDialog(self.context, server, self)
        dialog.told.connect(self.told)
        self.dialog = dialog
        dialog.open()

    def ask_file(self) -> None:
        """Ask where to save the faults of the period."""
        faults, wanted = self.context.desk.faults, self.filters.wanted()
        self.files.ask(
            self.tr("Export faults"),
            self.tr("faults.xlsx"),
            self.tr("Excel (*.xlsx);;CSV (*.csv);;JSON (*.json)"),
            lambda suffix: faults.export(suffix, wanted)[0],
        )

    def _on_saved(self, path: str) -> None:
        self.told.emit(self.tr("Faults saved to {path}").format(path=path))


def _urgency(fault: Fault) -> tuple[bool, bool, int, float]:
    """Sort open ones first, those nobody has seen before the rest, then by severity and age."""
    return (
        not fault.is_open,
        fault.is_open and fault.acknowledged_at is not None,
        list(Severity).index(fault.severity) if fault.is_open else 0,
        -fault.since_at.timestamp(),
    )


def _seen_by(fault: Fault) -> str:
    return "" if fault.acknowledged_by is None else fault.acknowledged_by
