"""Reading a device once, to see what it says."""

from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.domain.meters import Meter
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.probe_table import ProbeTable
from evdesk.ports import ProbedValue


class ProbeDialog(FormDialog):
    """Reads at once and again on demand; nothing is kept."""

    def __init__(self, context: Context, meter: Meter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("What {name} says").format(name=meter.name),
            self.tr("Read once from {url}, unit {unit}. Nothing of it is kept.").format(
                url=meter.url, unit=meter.unit
            ),
            self.tr("Read again"),
        )
        self._context, self._meter = context, meter
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        self.values = ProbeTable(context.theme)
        self.form.addWidget(self.busy)
        self.form.addWidget(self.values, 1)
        self.cancel.setText(self.tr("Close"))
        self.resize(700, 520)
        self.submit()

    def submit(self) -> None:
        meters, meter = self._context.desk.meters, self._meter
        self.wait(True, self.tr("Reading …"))
        self.busy.show()
        self._context.tasks.run_async(
            lambda: meters.probe(meter.url, meter.unit, meter.profile), self._show, self._on_failed
        )

    def _show(self, values: tuple[ProbedValue, ...]) -> None:
        self.wait(False)
        self.busy.hide()
        self.values.show_values(values)

    def _on_failed(self, error: Exception) -> None:
        self.busy.hide()
        self.complain(error)
