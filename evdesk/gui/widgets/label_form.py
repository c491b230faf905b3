"""Fields for what is written on a meter and its seal."""

from datetime import date, timedelta

from PySide6.QtWidgets import QCheckBox, QWidget

from evdesk.domain.meters import MidClass
from evdesk.gui.widgets.fields import Chooser, DateField, add_field, form, text_field
from evdesk.gui.widgets.parts import label, row
from evdesk.services.meter_facts import MeterFacts

YEARS = timedelta(days=8 * 365)  # what a new electronic meter is mostly good for


class LabelForm(QWidget):
    """Serial number, MID class, seal and calibration."""

    def __init__(self, today: date, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.serial, self.seal = text_field(self.tr("as printed on the meter")), text_field()
        self.mid_class = Chooser(self.tr("MID class"))
        self.has_date = QCheckBox(self.tr("until"))
        self.until = DateField(self.tr("Calibration valid until"))
        self.seen = label("", "small")
        self.mid_class.offer([(None, self.tr("none or not known")), *((c, c) for c in MidClass)])
        self.until.set_day(today + YEARS)
        self.until.setEnabled(False)
        self.has_date.toggled.connect(self.until.setEnabled)
        self._arrange()
        self.show_seen(None)

    def _arrange(self) -> None:
        day = QWidget()
        day.setLayout(row(self.has_date, self.until, 0))
        fields = form()
        fields.setContentsMargins(0, 0, 0, 0)
        add_field(fields, self.tr("Serial number"), self.serial)
        fields.addRow("", self.seen)
        add_field(fields, self.tr("MID class"), self.mid_class)
        add_field(fields, self.tr("Seal"), self.seal)
        add_field(fields, self.tr("Calibration valid"), day)
        self.setLayout(fields)
        self._fields = fields

    def show_facts(self, known: MeterFacts) -> None:
        """Show what is known."""
        self.mid_class.choose(known.mid_class)
        self.serial.setText(known.serial or "")
        self.seal.setText(known.seal or "")
        self.has_date.setChecked(known.calibrated_until is not None)
        if known.calibrated_until is not None:
            self.until.set_day(known.calibrated_until)

    def show_seen(self, serial: str | None) -> None:
        """Say which serial number the device tells, if any."""
        if serial is not None:
            self.seen.setText(self.tr("The meter says {serial}.").format(serial=serial))
        self._fields.setRowVisible(self.seen, serial is not None)

    def facts(self) -> MeterFacts:
        """Return what the form says."""
        return MeterFacts(
            serial=self.serial.text().strip() or None,
            mid_class=self.mid_class.value(),
            seal=self.seal.text().strip() or None,
            calibrated_until=self.until.day() if self.has_date.isChecked() else None,
        )
