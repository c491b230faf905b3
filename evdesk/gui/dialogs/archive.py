"""For how long every reading is kept."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QSpinBox, QWidget

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.widgets.fields import SPIN_MARGINS, add_field, form
from evdesk.services.sites import SiteInfo
from evdesk.settings import ARCHIVE


class DaysField(QSpinBox):
    """Days; the lowest value is for ever."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lineEdit().setTextMargins(*SPIN_MARGINS)
        self.setRange(ARCHIVE.fewest_days - 1, ARCHIVE.most_days)
        self.setSuffix(self.tr(" days"))
        self.setSpecialValueText(self.tr("for ever"))
        self.setAccessibleName(self.tr("Every reading is kept"))

    def set_days(self, days: int | None) -> None:
        """Show a number of days, None as for ever."""
        self.setValue(self.minimum() if days is None else days)

    def days(self) -> int | None:
        """Return the number of days, None for ever."""
        return None if self.value() == self.minimum() else self.value()


class ArchiveDialog(FormDialog):
    """Shows what is kept of readings, and asks for how long every one is. ``saved`` tells so."""

    saved = Signal()

    def __init__(self, context: Context, info: SiteInfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.describe(
            self.tr("Kept readings"),
            self.tr(
                "{count} readings are kept. {sealed} of them, of hours that are over, are sealed: "
                "compressed to {size} MB, with a checksum each hour."
            ).format(
                count=texts.number(info.readings, 0),
                sealed=texts.number(info.sealed_readings, 0),
                size=texts.number(info.archive.size_bytes / 1e6, 1),
            ),
            self.tr("Save"),
        )
        self.days = DaysField()
        self.days.set_days(info.archive.thin_after_days)
        fields = form()
        add_field(
            fields, self.tr("Every reading is kept"), self.days,
            self.tr(
                "Older ones are thinned out: of each quarter hour, the registers and the lowest, "
                "mean and highest power stay, and all readings around what happened to a session. "
                "The rest does not come back."
            ),
        )  # fmt: skip
        self.form.addLayout(fields)
        self.setMinimumWidth(480)
        self.days.setFocus()

    def submit(self) -> None:
        self.wait(True)
        site, days = self._context.desk.site, self.days.days()
        self._context.tasks.run(lambda: site.set_thinning(days), self._on_saved, self.complain)

    def _on_saved(self, _: object) -> None:
        self.saved.emit()
        self.accept()
