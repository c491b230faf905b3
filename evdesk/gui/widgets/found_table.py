"""The devices a scan found, and the models one of them may be."""

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from evdesk.gui import finding_texts
from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.table import RowsTable
from evdesk.ports import Candidate, FoundDevice, ProfileInfo

ROW_PX = 34


class FoundTable(RowsTable[FoundDevice]):
    """One row a unit that answered."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._known: dict[str, ProfileInfo] = {}
        columns: list[Column[FoundDevice]] = [
            Column(self.tr("Unit"), lambda d: str(d.unit), sort_key=lambda d: d.unit, width=84),
            Column(self.tr("Device"), self._name, tooltip=self._name, width=300),
            Column(self.tr("How sure"), lambda d: finding_texts.certainty_look(d.certainty)[0],
                   chips=lambda d: [Chip(*finding_texts.certainty_look(d.certainty))], width=128),
            Column(self.tr("Serial number"), lambda d: d.serial or "", width=0),
        ]  # fmt: skip
        self.model_of_rows: RowsModel[FoundDevice] = RowsModel(columns, lambda d: d.unit)
        super().__init__(self.model_of_rows, theme, parent=parent)
        self.model_of_rows.setParent(self)
        self.setProperty("inset", "true")
        self.setSelectionMode(self.SelectionMode.SingleSelection)
        self.setAccessibleName(self.tr("Devices that were found"))
        self.verticalHeader().setDefaultSectionSize(ROW_PX)

    def know(self, profiles: Sequence[ProfileInfo]) -> None:
        """Take the names of models from these profiles."""
        self._known = {profile.id: profile for profile in profiles}

    def show_devices(self, devices: Sequence[FoundDevice]) -> None:
        """Show what was found so far."""
        self.model_of_rows.replace(devices)

    def device(self) -> FoundDevice | None:
        """Return the device that is selected."""
        chosen = self.selected()
        return chosen[0] if chosen else None

    def _name(self, of: FoundDevice) -> str:
        return finding_texts.device_name(of, self._known) or "–"


class CandidateTable(RowsTable[Candidate]):
    """The models one device may be, best first, with what speaks for each."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._known: dict[str, ProfileInfo] = {}
        columns: list[Column[Candidate]] = [
            Column(self.tr("Model"), self._name, tooltip=self._name, width=300),
            Column(self.tr("What speaks for it"), finding_texts.reasons,
                   tooltip=finding_texts.reasons, width=0),
        ]  # fmt: skip
        self.model_of_rows: RowsModel[Candidate] = RowsModel(columns, lambda c: c.profile)
        super().__init__(self.model_of_rows, theme, parent=parent)
        self.model_of_rows.setParent(self)
        self.setProperty("inset", "true")
        self.setSelectionMode(self.SelectionMode.SingleSelection)
        self.setAccessibleName(self.tr("Models that fit"))
        self.verticalHeader().setDefaultSectionSize(ROW_PX)
        self.setSortingEnabled(False)
        self.sorted.sort(-1)  # best first

    def know(self, profiles: Sequence[ProfileInfo]) -> None:
        """Take the names of models from these profiles."""
        self._known = {profile.id: profile for profile in profiles}

    def show_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Show the models of another device."""
        self.model_of_rows.replace(candidates)

    def profile(self) -> ProfileInfo | None:
        """Return the model that is selected."""
        chosen = self.selected()
        return self._known.get(chosen[0].profile) if chosen else None

    def _name(self, of: Candidate) -> str:
        return finding_texts.model_name(self._known.get(of.profile)) or of.profile
