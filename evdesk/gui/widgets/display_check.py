"""Comparing a register with what the display of the device shows."""

from PySide6.QtWidgets import QWidget

from evdesk.gui import finding_texts, texts
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.fields import text_field
from evdesk.gui.widgets.parts import label, paragraph, row
from evdesk.services.finding import compare_with_display


class DisplayCheck(QWidget):
    """A field for the number on the display, and what comparing it says."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._register_wh: int | None = None
        self.number = text_field("12345.6", self.tr("Energy on the display"))
        self.number.setMaximumWidth(160)
        self.said = paragraph("", "")
        words = label(self.tr("The display of the device shows, in kWh:"))
        box = row(words, self.number, self.said, gap=12)
        box.setStretch(2, 1)
        self.setLayout(box)
        self.number.textChanged.connect(self._compare)

    def show_register(self, register_wh: int | None) -> None:
        """Compare with another register; None where none was read."""
        self._register_wh = register_wh
        self._compare()

    def _compare(self, *_: object) -> None:
        wh, text = self._register_wh, self.number.text().strip()
        colour = ""
        if wh is None:
            said = ""
        elif not text:
            said = self.tr("The register reads {kwh} kWh.").format(kwh=texts.kwh(wh))
        elif (number := finding_texts.display_number(text)) is None:
            said = self.tr("Type the number as the display shows it.")
        else:
            said, tone = finding_texts.comparison(compare_with_display(number, wh))
            colour = f"color: {self._theme.tone(tone)[0]}"
        self.said.setText(said)
        self.said.setStyleSheet(colour)
