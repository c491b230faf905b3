"""What a scan found: the devices, and for the one that is chosen the models it may be."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.gui import finding_texts
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.found_table import CandidateTable, FoundTable
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import column, label
from evdesk.ports import FoundDevice, ProfileInfo


class FoundView(QWidget):
    """Shows nothing until something is found; ``opened`` tells that one is chosen for good."""

    opened = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.devices = FoundTable(theme)
        self.hint = Banner(theme)
        self.which = label("", "strong")
        self.candidates = CandidateTable(theme)
        self.devices.setMinimumHeight(132)
        self.candidates.setMinimumHeight(112)
        self.setLayout(column(self.devices, self.hint, self.which, self.candidates, 0, gap=10))
        self.devices.picked.connect(self._on_device)
        self.devices.opened.connect(self.opened)
        self.candidates.opened.connect(self.opened)
        self.show_devices(())

    def know(self, profiles: Sequence[ProfileInfo]) -> None:
        """Take the names of models from these profiles."""
        self.devices.know(profiles)
        self.candidates.know(profiles)

    def show_devices(self, devices: Sequence[FoundDevice]) -> None:
        """Show what was found so far; the first one is chosen until somebody chooses another."""
        self.devices.show_devices(devices)
        self.devices.setVisible(bool(devices))
        if devices and self.device() is None:
            self.devices.selectRow(0)
        self._on_device()

    def device(self) -> FoundDevice | None:
        """Return the device that is chosen."""
        return self.devices.device()

    def profile(self) -> ProfileInfo | None:
        """Return the model that is chosen for it."""
        return self.candidates.profile()

    def _on_device(self) -> None:
        device = self.device()
        several = device is not None and len(device.candidates) > 1
        self.hint.setVisible(device is not None)
        self.which.setVisible(several)
        self.candidates.setVisible(several)
        if device is None:
            return
        tone = finding_texts.certainty_look(device.certainty)[1]
        self.hint.tell(finding_texts.found_hint(device), tone)
        self.which.setText(
            self.tr("These fit, the best first")
            if device.profile is not None
            else self.tr("Which one is it?")
        )
        self.candidates.show_candidates(device.candidates)
        self.candidates.scrollToTop()
        if device.profile is not None:
            self.candidates.select_key(device.profile)
        else:
            self.candidates.clearSelection()
