"""Meters: devices as they are read, and the stations made of them."""

from PySide6.QtWidgets import QTabWidget, QWidget

from evdesk.gui.context import Context
from evdesk.gui.panels.devices_panel import DevicesPanel
from evdesk.gui.panels.stations_panel import StationsPanel
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.page import Page


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
        self.body.addWidget(self.tabs, 1)
        for part in (self.devices, self.stations):
            part.failed.connect(self.failed)
            part.told.connect(self.told)
        self.devices.drawn.connect(self.drawn)
        self.devices.changed.connect(self.stations.refresh)
        self.stations.changed.connect(self.devices.refresh)

    def refresh(self) -> None:
        """Read both lists."""
        self.devices.refresh()
        self.stations.refresh()

    def on_beat(self, snapshot: Snapshot) -> None:
        """Figures of the devices moved."""
        self.devices.refresh()

    def focus_search(self) -> None:
        """Put the cursor into the search box of the list that is open."""
        self.tabs.setCurrentWidget(self.devices)
        self.devices.search.setFocus()

    def add_new(self) -> None:
        """Add to the list that is open."""
        shown = self.tabs.currentWidget()
        (self.stations if shown is self.stations else self.devices).add_new()
