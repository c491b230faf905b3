"""A meter that was replaced: what both displays showed."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import QDate, QDateTime, QTime, Signal
from PySide6.QtWidgets import QDateTimeEdit, QLineEdit, QWidget

from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import add_field, form, mark_wrong, text_field
from evdesk.services.metering import MeterRow
from evdesk.services.replacing import Told

WH_PER_KWH = 1_000


class ReplaceMeter(FormDialog):
    """``replaced`` tells the name of the meter."""

    replaced = Signal(str)

    def __init__(self, context: Context, device: MeterRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("{name} was replaced").format(name=device.meter.name),
            self.tr("Say this once the new meter is connected. Sessions and the monthly account "
                    "go on over both registers. It cannot be taken back."),
            self.tr("Keep both registers"),
        )  # fmt: skip
        self._context, self._name = context, device.meter.name
        self.final = text_field("8 123.456")
        self.first = text_field("0.012")
        self.serial = text_field()
        self.when = QDateTimeEdit()
        self.when.setDisplayFormat("d MMM yyyy  HH:mm")
        self.when.setCalendarPopup(True)
        self._shown = self._now()
        self.when.setDateTime(self._shown)
        self.reason = text_field(self.tr("For example: calibration expired"))
        fields = form()
        add_field(fields, self.tr("Old meter ended at, kWh *"), self.final,
                  self.tr("What its display showed when it was taken away."))  # fmt: skip
        add_field(fields, self.tr("New meter began at, kWh *"), self.first,
                  self.tr("What its display showed when it was put in."))  # fmt: skip
        add_field(fields, self.tr("Put in at"), self.when)
        add_field(fields, self.tr("New serial number"), self.serial)
        add_field(fields, self.tr("Reason"), self.reason)
        self.form.addLayout(fields)
        self.setMinimumWidth(520)
        self.final.setFocus()

    def _now(self) -> QDateTime:
        now = datetime.now(self._context.zone)
        return QDateTime(QDate(now.year, now.month, now.day), QTime(now.hour, now.minute))

    def at(self) -> datetime | None:
        """Return when the new meter was put in; None, where nobody changed it, is now."""
        shown = self.when.dateTime()
        if shown == self._shown:
            return None
        day, time = shown.date(), shown.time()
        parts = (day.year(), day.month(), day.day(), time.hour(), time.minute())
        return datetime(*parts, tzinfo=self._context.zone).astimezone(UTC)

    def submit(self) -> None:
        final_wh, first_wh = watt_hours(self.final), watt_hours(self.first)
        if final_wh is None or first_wh is None:
            self.complain(self.tr("Both registers are needed, in kWh, such as 8123.456."))
            return
        self.wait(True)
        told = Told(final_wh, first_wh, self.serial.text().strip() or None,
                    self.reason.text().strip(), at=self.at())  # fmt: skip
        replacements = self._context.desk.replacements
        self._context.tasks.run(
            lambda: replacements.replace(self._name, told), self._on_kept, self.complain
        )

    def _on_kept(self, _: object) -> None:
        self.replaced.emit(self._name)
        self.accept()


def watt_hours(field: QLineEdit) -> int | None:
    """Return the whole Wh of a field in kWh; None, framed in red, where it is no register."""
    text = "".join(field.text().split()).replace(",", ".")
    try:
        wh = Decimal(text) * WH_PER_KWH
    except InvalidOperation:
        wh = Decimal(-1)
    wrong = not wh.is_finite() or wh < 0
    mark_wrong(field, wrong)
    return None if wrong else int(wh)
