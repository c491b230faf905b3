"""Which steps there are, and at which one we are."""

from collections.abc import Sequence

from PySide6.QtWidgets import QLabel, QWidget

from evdesk.gui.widgets.parts import label, restyle, row


class StepList(QWidget):
    """Numbered names in a row; the present one stands out."""

    def __init__(self, names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names = tuple(names)
        self._labels: list[QLabel] = [
            label(f"{number}  {name}", "step") for number, name in enumerate(names, 1)
        ]
        self.setLayout(row(*self._labels, 0, gap=8))
        self.show_step(0)

    def show_step(self, present: int) -> None:
        """Mark the present step."""
        for number, part in enumerate(self._labels):
            place = "present" if number == present else "done" if number < present else "later"
            part.setProperty("place", place)
            restyle(part)
        total = len(self._names)
        self.setAccessibleName(
            self.tr("Step {number} of {total}: {name}").format(
                number=present + 1, total=total, name=self._names[present]
            )
        )
