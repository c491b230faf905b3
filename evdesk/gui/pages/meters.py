"""Meters: devices as they are read, and the stations made of them."""

from PySide6.QtWidgets import QTabWidget, QWidget

from evdesk.domain.permissions import Action
from evdesk.gui.context import Context
from evdesk.gui.dialogs.archive import ArchiveDialog
from evdesk.gui.panels.devices_panel import DevicesPanel
from evdesk.gui.panels.stations_panel import StationsPanel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, give_icon
from evdesk.services.sites import SiteInfo


class MetersPage(Page):
    """Two lists: devices and stations."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.set_title(self.tr("Meters"))
        self.devices = DevicesPanel(context)
        self.stations = StationsPanel(context)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.devices, self.tr("Devices"))
        self.tabs.addTab(self.stations, self.tr("Stations"))
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.kept = button(self.tr("Kept readings …"), self.ask_kept)
        self.buttons.addWidget(self.kept)
        context.rights.guard(self.kept, Action.CHANGE_SETTINGS)
        self.body.addWidget(self.tabs, 1)
        for part in (self.devices, self.stations):
            part.failed.connect(self.failed)
            part.told.connect(self.told)
        self.devices.drawn.connect(self.drawn)
        self.devices.changed.connect(self.stations.refresh)
        self.stations.changed.connect(self.devices.refresh)

        self.repaint_icons()

    def repaint_icons(self) -> None:
        give_icon(self.kept, self.context.theme, "settings")

    def refresh(self) -> None:
        """Read both lists."""
        self.devices.refresh()
        self.stations.refresh()

    def on_beat(self, snapshot: Snapshot) -> None:
        """Figures of the devices moved."""
        self.devices.refresh()

    def ask_kept(self) -> None:
        """Show what is kept of readings, and ask for how long."""
        self.context.tasks.run(self.context.desk.site.info, self._on_info, self.failed.emit)

    def _on_info(self, info: SiteInfo) -> None:
        dialog = ArchiveDialog(self.context, info, self)
        dialog.saved.connect(self._on_kept_saved)
        dialog.open()

    def _on_kept_saved(self) -> None:
        self.told.emit(self.tr("Saved. The collector sees to it with the next hour."))

    def focus_search(self) -> None:
        """Put the cursor into the search box of the list that is open."""
        self.tabs.setCurrentWidget(self.devices)
        self.devices.search.setFocus()

    def add_new(self) -> None:
        """Add to the list that is open."""
        if not self.lets(Action.CHANGE_DEVICES):
            return
        shown = self.tabs.currentWidget()
        (self.stations if shown is self.stations else self.devices).add_new()
