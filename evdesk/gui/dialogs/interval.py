"""How often a device shall be read."""

from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import SPIN_MARGINS, add_field, form
from evdesk.services.metering import MeterRow
from evdesk.settings import POLLING


class IntervalField(QDoubleSpinBox):
    """Seconds; the lowest value leaves the interval to the program."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lineEdit().setTextMargins(*SPIN_MARGINS)
        self.setDecimals(1)
        self.setRange(0, POLLING.max_interval_ms / 1000)
        self.setSingleStep(0.5)
        self.setSuffix(self.tr(" s"))
        self.setSpecialValueText(self.tr("as fast as the device allows"))
        self.setAccessibleName(self.tr("Interval"))

    def set_ms(self, interval_ms: int | None) -> None:
        """Show an interval."""
        self.setValue(0 if interval_ms is None else interval_ms / 1000)

    def ms(self) -> int | None:
        """Return the interval, None where it is left to the program."""
        return round(self.value() * 1000) or None


class IntervalDialog(FormDialog):
    """Asks for the interval of one device."""

    def __init__(self, context: Context, row: MeterRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Read {name} how often?").format(name=row.meter.name),
            self.tr("It is read every {interval} now. Where several devices share a bus, they "
                    "take turns.").format(interval=texts.seconds(row.status.interval_ms)),
            self.tr("Save"),
        )  # fmt: skip
        self._context, self._name = context, row.meter.name
        self.seconds = IntervalField()
        self.seconds.set_ms(row.meter.interval_ms)
        fields = form()
        add_field(fields, self.tr("Interval"), self.seconds)
        self.form.addLayout(fields)
        self.setMinimumWidth(440)
        self.seconds.setFocus()

    def submit(self) -> None:
        self.wait(True)
        meters, name, interval_ms = self._context.desk.meters, self._name, self.seconds.ms()
        self._context.tasks.run(
            lambda: meters.set_interval(name, interval_ms), self._on_done, self.complain
        )

    def _on_done(self, _: object) -> None:
        self.accept()
