"""What people decided about a session: when, what, who and why."""

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QWidget

from evdesk.domain.corrections import Decision
from evdesk.gui import texts
from evdesk.gui.widgets.parts import column, label, paragraph, row


class DecisionList(QWidget):
    """Hidden while nothing was decided."""

    def __init__(self, zone: ZoneInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._zone = zone
        self._box = column(gap=10)
        self.setLayout(self._box)
        self.hide()

    def show_decisions(self, decisions: Sequence[Decision], names: Mapping[str, str]) -> None:
        """Show them, oldest first."""
        while self._box.count():
            item = self._box.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        for decision in decisions:
            author = names.get(decision.author, decision.author)
            self._box.addWidget(self._entry(decision, author))
        self.setVisible(bool(decisions))

    def _entry(self, decision: Decision, author: str) -> QWidget:
        at = texts.stamp(decision.at, self._zone)
        box = column(row(label(texts.event(decision.kind.value)), 0, label(at, "small")), gap=2)
        before, after = decision.before, decision.after
        if before is not None and after is not None:
            change = self.tr("{before} to {after} kWh").format(
                before=texts.kwh(before.energy_wh), after=texts.kwh(after.energy_wh)
            )
            box.addWidget(label(change, "muted"))
        box.addWidget(paragraph(f"{decision.reason} ({author})"))
        entry = QWidget()
        entry.setLayout(box)
        return entry
