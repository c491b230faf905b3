"""What a device's profile leaves open, decided otherwise."""

from PySide6.QtWidgets import QWidget

from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.choice_form import ChoiceForm
from evdesk.gui.widgets.fields import add_field, form, text_field
from evdesk.services.metering import MeterRow


class ChooseOptions(FormDialog):
    """Asks how one device is to be read from now on, and why."""

    def __init__(self, context: Context, device: MeterRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("How is {name} to be read?").format(name=device.meter.name),
            self.tr("It holds for readings from now on; what the device tells by itself goes "
                    "before it. Readings and sessions until now stay as they are: correct those "
                    "that are wrong. If its energy is counted otherwise, a session that is open "
                    "goes to review."),
            self.tr("Read it this way"),
        )  # fmt: skip
        self._context, self._name = context, device.meter.name
        self.choices = ChoiceForm()
        self.choices.offer(() if device.profile is None else device.profile.choices)
        self.choices.choose(device.meter.choices)
        self.reason = text_field(self.tr("For example: compared with its display"))
        fields = form()
        add_field(
            fields, self.tr("Reason"), self.reason,
            self.tr("Kept for ever with your name, and shown to whoever checks."),
        )  # fmt: skip
        self.form.addWidget(self.choices)
        self.form.addLayout(fields)
        self.setMinimumWidth(540)
        self.reason.setFocus()

    def submit(self) -> None:
        self.wait(True)
        meters, name, reason = self._context.desk.meters, self._name, self.reason.text()
        chosen = self.choices.chosen()
        options = {key: chosen.get(key) for key in self.choices.choosers}
        self._context.tasks.run(
            lambda: meters.choose(name, options, reason), self._on_done, self.complain
        )

    def _on_done(self, _: object) -> None:
        self.accept()
