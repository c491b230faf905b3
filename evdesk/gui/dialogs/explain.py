"""Accounting for what a register counted and nothing else accounts for."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.fields import add_field, form, text_field, whole_wh
from evdesk.services.reconciling import MeterMonth


class ExplainMonth(FormDialog):
    """Asks for the amount and the reason; ``explained`` tells what was done."""

    explained = Signal(str)

    def __init__(
        self, context: Context, row: MeterMonth, month: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._row, self._month = context, row, month
        left = row.unexplained_wh or 0
        self._sign = -1 if left < 0 else 1
        what = (
            self.tr("{kwh} kWh were claimed at {meter} that its register did not count.")
            if left < 0
            else self.tr("{kwh} kWh were counted at {meter} that nothing accounts for.")
        )
        self.describe(
            self.tr("Explain"),
            what.format(kwh=texts.kwh(abs(left)), meter=row.name)
            + " "
            + self.tr("No session and no register is changed by this."),
            self.tr("Explain"),
        )
        self.amount = text_field()
        self.amount.setText(texts.plain_kwh(abs(left)))
        self.reason = text_field(self.tr("In a few words"))
        fields = form()
        add_field(fields, self.tr("Amount, kWh"), self.amount)
        add_field(
            fields, self.tr("Reason"), self.reason,
            self.tr("Kept for ever with your name, and shown to whoever checks. Name no driver."),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(500)
        self.reason.setFocus()

    def submit(self) -> None:
        wh = whole_wh(self.amount)
        if wh is None:
            self.complain(self.tr("Write the amount in kWh, with three decimals at most."))
            return
        self.wait(True, self.tr("Counting again …"))
        months, meter, month = self._context.desk.months, self._row.name, self._month
        signed_wh, reason = wh * self._sign, self.reason.text()
        self._context.tasks.run(
            lambda: months.explain(meter, month, signed_wh, reason),
            self._on_explained,
            self.complain,
            Lane.OUTSIDE,
        )

    def _on_explained(self, row: MeterMonth) -> None:
        left = row.unexplained_wh
        self.explained.emit(
            self.tr("Explained; {kwh} kWh are left.").format(kwh=texts.signed_kwh(left))
            if left
            else self.tr("Explained. Nothing is left at {meter}.").format(meter=row.name)
        )
        self.accept()
