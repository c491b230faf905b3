"""Which faults: search, period, severity."""

from datetime import timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.faults import Severity
from evdesk.gui import fault_texts
from evdesk.gui.context import Context
from evdesk.gui.widgets.fields import Chooser, SearchField
from evdesk.gui.widgets.parts import row
from evdesk.ports import FaultFilter

DAYS = {"days7": 7, "days30": 30}


class FaultFilters(QWidget):
    """``changed`` asks for another reading, ``searched`` narrows what was read."""

    changed = Signal()
    searched = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pulse = context.pulse
        self.search = SearchField(context.theme, self.tr("Search faults"))
        self.period, self.severity = Chooser(self.tr("Period")), Chooser(self.tr("Severity"))
        self.period.offer(
            [
                ("days30", self.tr("Open and last 30 days")), ("open", self.tr("Open now")),
                ("days7", self.tr("Open and last 7 days")), ("all", self.tr("All time")),
            ]
        )  # fmt: skip
        looks = [(each, fault_texts.severity_look(each)[0]) for each in Severity]
        self.severity.offer([(None, self.tr("All severities")), *looks])
        self.setLayout(row(self.search, self.period, self.severity, 0))
        self.search.textChanged.connect(self.searched)
        for chooser in (self.period, self.severity):
            chooser.currentIndexChanged.connect(self.changed)

    def wanted(self) -> FaultFilter:
        """Return which faults the choosers ask for; open ones are in every period."""
        period = str(self.period.value())
        days = DAYS.get(period)
        return FaultFilter(
            open_only=period == "open",
            from_at=None if days is None else self._pulse.now() - timedelta(days=days),
            severity=self.severity.value(),
        )
