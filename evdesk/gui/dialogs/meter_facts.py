"""What is written on a meter: serial number, MID class, seal and calibration."""

from datetime import date

from PySide6.QtWidgets import QWidget

from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.label_form import LabelForm
from evdesk.services.meter_facts import facts_of
from evdesk.services.metering import MeterRow


class MeterFactsDialog(FormDialog):
    """Asks for what stands on the label and the seal of one meter."""

    def __init__(self, context: Context, device: MeterRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Label of {name}").format(name=device.meter.name),
            self.tr("What is written on the meter and its seal. A month before the calibration "
                    "expires there is a reminder on the Faults page."),
            self.tr("Save"),
        )  # fmt: skip
        self._context, self._name = context, device.meter.name
        self.label = LabelForm(_today(context))
        self.label.show_facts(facts_of(device.meter))
        self.label.show_seen(device.status.seen_serial)
        self.form.addWidget(self.label)
        self.setMinimumWidth(500)
        self.label.serial.setFocus()

    def submit(self) -> None:
        self.wait(True)
        service, name = self._context.desk.meter_facts, self._name
        facts = self.label.facts()
        self._context.tasks.run(lambda: service.set(name, facts), self._on_done, self.complain)

    def _on_done(self, _: object) -> None:
        self.accept()


def _today(context: Context) -> date:
    return context.pulse.now().astimezone(context.zone).date()
