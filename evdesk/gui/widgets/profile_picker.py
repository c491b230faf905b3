"""Choosing the model of a device: searched by maker and model, with what is known of it."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.gui.models.rows import Chip, Column, RowsModel
from evdesk.gui.theme import Theme, Tone
from evdesk.gui.widgets.fields import SearchField
from evdesk.gui.widgets.parts import column, paragraph
from evdesk.gui.widgets.table import RowsTable
from evdesk.ports import ProfileInfo

MOST_NOTES = 3


class ProfilePicker(QWidget):
    """``picked`` tells the profile that is chosen, ``opened`` that it is chosen for good."""

    picked = Signal(object)
    opened = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        columns: list[Column[ProfileInfo]] = [
            Column(self.tr("Maker"), lambda p: p.manufacturer, width=150),
            Column(self.tr("Model"), lambda p: p.model, tooltip=lambda p: p.id, width=330),
            Column(self.tr("Counts energy"), self._energy, chips=self._chips, width=150),
            Column(self.tr("Known to fit as well"), _covered, tooltip=_covered, width=0),
        ]
        self.model: RowsModel[ProfileInfo] = RowsModel(columns, lambda p: p.id, self)
        self.table: RowsTable[ProfileInfo] = RowsTable(self.model, theme)
        self.table.setProperty("inset", "true")
        self.table.setSelectionMode(RowsTable.SelectionMode.SingleSelection)
        self.table.setAccessibleName(self.tr("Models"))
        self.table.verticalHeader().setDefaultSectionSize(32)
        self.search = SearchField(theme, self.tr("Search maker, model or type"))
        self.hint = paragraph("")
        self.hint.setMinimumHeight(84)
        box = column(self.search, self.table, self.hint)
        box.setStretch(1, 1)
        self.setLayout(box)
        self.search.textChanged.connect(self._on_searched)
        self.table.picked.connect(self._on_picked)
        self.table.opened.connect(self._on_opened)
        self._on_picked()

    def offer(self, profiles: Sequence[ProfileInfo]) -> None:
        """Offer these models."""
        self.model.replace(profiles)

    def profile(self) -> ProfileInfo | None:
        """Return the model that is chosen."""
        chosen = self.table.selected()
        return chosen[0] if chosen else None

    def _on_searched(self, text: str) -> None:
        self.table.sorted.search(text)
        if self.table.sorted.rowCount() == 1:
            self.table.selectRow(0)

    def _on_opened(self) -> None:
        if self.profile() is not None:
            self.opened.emit()

    def _on_picked(self) -> None:
        profile = self.profile()
        if profile is None:
            self.hint.setText(
                self.tr("Not in the list? Choose the model that is nearest and look at its values.")
            )
            return
        self.hint.setText("\n".join(self._hints(profile)))
        self.picked.emit(profile)

    def _energy(self, profile: ProfileInfo) -> str:
        counts = self.tr("in VAh") if profile.counts_vah else self.tr("yes")
        return self.tr("needs a meter") if _lacks(profile) else counts

    def _chips(self, profile: ProfileInfo) -> list[Chip]:
        warns = _lacks(profile) or profile.counts_vah
        tone = Tone.WARNING if warns else Tone.POSITIVE
        return [Chip(self._energy(profile), tone, "warning" if warns else "ok")]

    def _hints(self, profile: ProfileInfo) -> list[str]:
        counts = self.tr("counts VAh, not Wh") if profile.counts_vah else self.tr("counts energy")
        tells = [
            counts
            if profile.has_energy
            else self.tr("has no register that can be billed: it needs a meter beside it"),
            self.tr("tells the plug state") if profile.has_state else self.tr("no plug state"),
        ]
        if profile.sockets > 1:
            tells.append(self.tr("{count} sockets").format(count=profile.sockets))
        known = {
            "high": self.tr("Its registers are well known."),
            "medium": self.tr("Compare the first readings with the display of the device."),
            "low": self.tr("Its registers are uncertain: compare with the display before you rely "
                           "on it."),
        }.get(profile.confidence, profile.confidence)  # fmt: skip
        said = ", ".join(tells)
        return [said[:1].upper() + said[1:] + ".", known, *profile.notes[:MOST_NOTES]]


def _lacks(profile: ProfileInfo) -> bool:
    """Say whether it cannot be billed from."""
    return profile.needs_meter or not profile.has_energy


def _covered(profile: ProfileInfo) -> str:
    return ", ".join(profile.models_covered)
