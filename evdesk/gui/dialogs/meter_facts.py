"""What is written on a meter: serial number, MID class, seal and calibration."""

from datetime import date, timedelta

from PySide6.QtWidgets import QCheckBox, QWidget

from evdesk.domain.meters import MidClass
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import Chooser, DateField, add_field, form, text_field
from evdesk.gui.widgets.parts import row
from evdesk.services.meter_facts import MeterFacts, facts_of
from evdesk.services.metering import MeterRow

YEARS = timedelta(days=8 * 365)  # what a new electronic meter is mostly good for


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
        known = facts_of(device.meter)
        self.serial, self.seal = text_field(), text_field()
        self.mid_class = Chooser(self.tr("MID class"))
        self.has_date = QCheckBox(self.tr("until"))
        self.until = DateField(self.tr("Calibration valid until"))
        self.mid_class.offer([(None, self.tr("none or not known")), *((c, c) for c in MidClass)])
        self.mid_class.choose(known.mid_class)
        self.serial.setText(known.serial or "")
        self.seal.setText(known.seal or "")
        self.has_date.setChecked(known.calibrated_until is not None)
        self.until.set_day(known.calibrated_until or _today(context) + YEARS)
        self.until.setEnabled(self.has_date.isChecked())
        self.has_date.toggled.connect(self.until.setEnabled)
        self._arrange(device.status.seen_serial)
        self.setMinimumWidth(500)
        self.serial.setFocus()

    def _arrange(self, seen: str | None) -> None:
        hint = "" if seen is None else self.tr("The meter says {serial}.").format(serial=seen)
        day = QWidget()
        day.setLayout(row(self.has_date, self.until, 0))
        fields = form()
        add_field(fields, self.tr("Serial number"), self.serial, hint)
        add_field(fields, self.tr("MID class"), self.mid_class)
        add_field(fields, self.tr("Seal"), self.seal)
        add_field(fields, self.tr("Calibration valid"), day)
        self.form.addLayout(fields)

    def facts(self) -> MeterFacts:
        """Return what the form says."""
        return MeterFacts(
            serial=self.serial.text().strip() or None,
            mid_class=self.mid_class.value(),
            seal=self.seal.text().strip() or None,
            calibrated_until=self.until.day() if self.has_date.isChecked() else None,
        )

    def submit(self) -> None:
        self.wait(True)
        service, name, facts = self._context.desk.meter_facts, self._name, self.facts()
        self._context.tasks.run(lambda: service.set(name, facts), self._on_done, self.complain)

    def _on_done(self, _: object) -> None:
        self.accept()


def _today(context: Context) -> date:
    return context.pulse.now().astimezone(context.zone).date()
