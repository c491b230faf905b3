"""A new draft: which driver, which month."""

from datetime import timedelta

from PySide6.QtCore import QDate, QLocale, Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.site import Driver
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import Chooser, add_field, form
from evdesk.services.billing import Drafted

MONTHS_BACK = 24
LATE_IN_MONTH = 25  # from this day on, the month that ends is more likely meant


class NewDraft(FormDialog):
    """``drafted`` tells the draft that was made."""

    drafted = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("New draft"),
            self.tr("Takes up the driver's sessions of the month that are not billed yet."),
            self.tr("Make draft"),
        )
        self._context = context
        self.driver = Chooser(self.tr("Driver"), searchable=True)
        self.month = Chooser(self.tr("Month"))
        self.month.offer(self._months())
        fields = form()
        add_field(fields, self.tr("Driver"), self.driver)
        add_field(
            fields, self.tr("Month"), self.month,
            self.tr("A session belongs to the month in which the car was plugged in."),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(460)
        self.driver.setFocus()
        self.ok.setEnabled(False)
        context.tasks.run(context.desk.drivers.all, self._offer, self.complain)

    def _months(self) -> list[tuple[str, str]]:
        today = self._context.pulse.now().astimezone(self._context.zone).date()
        first = today.replace(day=1)
        months = []
        for _ in range(MONTHS_BACK):
            text = QLocale().toString(QDate(first.year, first.month, 1), "MMMM yyyy")
            months.append((f"{first.year:04d}-{first.month:02d}", text))
            first = (first - timedelta(days=1)).replace(day=1)
        if today.day < LATE_IN_MONTH:
            months[0], months[1] = months[1], months[0]
        return months

    def _offer(self, drivers: list[Driver]) -> None:
        people = [(d.id, f"{d.party.name} ({d.id})") for d in drivers]
        self.driver.offer(sorted(people, key=lambda pair: pair[1].casefold()))
        self.ok.setEnabled(bool(people))
        if not people:
            self.complain(self.tr("There is no driver yet. Add one on the Drivers page first."))
            self.ok.setEnabled(False)

    def submit(self) -> None:
        driver, month = self.driver.value(), self.month.value()
        if driver is None:
            self.complain(self.tr("Choose a driver from the list."))
            return
        self.wait(True, self.tr("Making the draft …"))
        billing = self._context.desk.billing
        self._context.tasks.run(
            lambda: billing.draft(driver, month), self._on_drafted, self.complain
        )

    def _on_drafted(self, drafted: Drafted) -> None:
        self.drafted.emit(drafted)
        self.accept()
