"""Reading a device once, to see what it says."""

from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.domain.meters import Meter
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.parts import paragraph
from evdesk.gui.widgets.probe_table import ProbeTable
from evdesk.ports import Probe


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
        self.hints = paragraph("", "strong")
        self.hints.hide()
        self.form.addWidget(self.hints)
        self.form.addWidget(self.values, 1)
        self.cancel.setText(self.tr("Close"))
        self.resize(700, 520)
        self.submit()

    def submit(self) -> None:
        finding, meter = self._context.desk.finding, self._meter
        self.wait(True, self.tr("Reading …"))
        self.busy.show()
        self._context.tasks.run_async(
            lambda: finding.probe(meter.url, meter.unit, meter.profile, meter.choices),
            self._show,
            self._on_failed,
        )

    def _show(self, probe: Probe) -> None:
        self.wait(False)
        self.busy.hide()
        self.values.show_values(probe.values)
        self.hints.setText("\n".join(texts.remark(hint) for hint in probe.hints))
        self.hints.setVisible(bool(probe.hints))

    def _on_failed(self, error: Exception) -> None:
        self.busy.hide()
        self.complain(error)
