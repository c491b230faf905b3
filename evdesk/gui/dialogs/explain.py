"""Accounting for what a register counted and nothing else accounts for."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.reconciling import Remainder
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.fields import Chooser, add_field, form, text_field, whole_wh
from evdesk.services.reconciling import MeterMonth


class ExplainMonth(FormDialog):
    """Asks for the amount and the reason; ``explained`` tells what was done.

    Where something is above and below the register, it asks which of them is explained.
    """

    explained = Signal(str)

    def __init__(
        self, context: Context, row: MeterMonth, month: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._context, self._row, self._month = context, row, month
        left = row.remainder or Remainder()
        self.side = Chooser(self.tr("What is explained"))
        self.side.offer(self._sides(left))
        self.side.choose(max(left.above_wh, left.below_wh, key=abs))
        self.side.currentIndexChanged.connect(self._on_side)
        self.amount = text_field()
        self._on_side()
        self.reason = text_field(self.tr("In a few words"))
        fields = form()
        if self.side.count() > 1:
            add_field(fields, self.tr("What is explained"), self.side)
        add_field(fields, self.tr("Amount, kWh"), self.amount)
        add_field(
            fields, self.tr("Reason"), self.reason,
            self.tr("Kept for ever with your name, and shown to whoever checks. Name no driver."),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(500)
        self.reason.setFocus()

    def _sides(self, left: Remainder) -> list[tuple[int, str]]:
        return [
            (wh, words.format(kwh=texts.kwh(abs(wh))))
            for wh, words in (
                (left.above_wh, self.tr("{kwh} kWh counted, but not accounted for")),
                (left.below_wh, self.tr("{kwh} kWh claimed, but not counted")),
            )
            if wh
        ]

    def _left_wh(self) -> int:
        return self.side.value() or 0

    def _on_side(self) -> None:
        """Say what is explained, and offer all of it."""
        left_wh = self._left_wh()
        what = (
            self.tr("{kwh} kWh were claimed at {meter} that its register did not count.")
            if left_wh < 0
            else self.tr("{kwh} kWh were counted at {meter} that nothing accounts for.")
        )
        self.describe(
            self.tr("Explain"),
            what.format(kwh=texts.kwh(abs(left_wh)), meter=self._row.name)
            + " "
            + self.tr("No session and no register is changed by this."),
            self.tr("Explain"),
        )
        self.amount.setText(texts.plain_kwh(abs(left_wh)))

    def submit(self) -> None:
        wh = whole_wh(self.amount)
        if wh is None:
            self.complain(self.tr("Write the amount in kWh, with three decimals at most."))
            return
        self.wait(True, self.tr("Counting again …"))
        months, meter, month = self._context.desk.months, self._row.name, self._month
        signed_wh, reason = -wh if self._left_wh() < 0 else wh, self.reason.text()
        self._context.tasks.run(
            lambda: months.explain(meter, month, signed_wh, reason),
            self._on_explained,
            self.complain,
            Lane.OUTSIDE,
        )

    def _on_explained(self, row: MeterMonth) -> None:
        self.explained.emit(
            self.tr("Explained. Nothing is left at {meter}.").format(meter=row.name)
            if row.is_clear
            else self.tr("Explained; {kwh} kWh are left.").format(kwh=texts.left_kwh(row.remainder))
        )
        self.accept()
