"""What differs between devices of one model: asked for where the device does not tell."""

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QWidget

from evdesk.gui.widgets.fields import Chooser, add_field, form
from evdesk.gui.widgets.parts import column, paragraph
from evdesk.ports import Decided, ProfileChoice


class ChoiceForm(QWidget):
    """``changed`` tells that a person chose something else."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choosers: dict[str, Chooser] = {}
        self.decided = paragraph("", "small")
        self._choices: Sequence[ProfileChoice] = ()
        self._about: dict[str, QLabel] = {}
        self._fields = form()
        self.setLayout(column(self.decided, self._fields))
        self.offer(())

    def offer(self, choices: Sequence[ProfileChoice]) -> None:
        """Ask for these."""
        while self._fields.rowCount():
            self._fields.removeRow(0)
        self._choices, self.choosers, self._about = choices, {}, {}
        for choice in choices:
            chooser = Chooser(choice.key)
            options = [(option.id, option.label) for option in choice.options]
            chooser.offer([(None, self._nothing_chosen(choice)), *options])
            chooser.currentIndexChanged.connect(self.changed)
            self.choosers[choice.key] = chooser
            self._about[choice.key] = paragraph(choice.about, "small")
            add_field(self._fields, _caption(choice), chooser)
            self._fields.addRow("", self._about[choice.key])
        self.show_decided(())

    def choose(self, options: Mapping[str, str]) -> None:
        """Show what was chosen."""
        for key, chooser in self.choosers.items():
            chooser.choose(options.get(key))

    def chosen(self) -> dict[str, str]:
        """Return what people chose."""
        found = {key: chooser.value() for key, chooser in self.choosers.items()}
        return {key: option for key, option in found.items() if option is not None}

    def has_open(self) -> bool:
        """Say whether something is decided neither by the device nor by people."""
        asked = [one for one in self.choosers.values() if self._fields.isRowVisible(one)]
        return any(chooser.value() is None for chooser in asked)

    def show_decided(self, decided: Iterable[Decided]) -> None:
        """Ask only for what the device does not decide itself."""
        by_device = {one.key: one.option for one in decided if one.by_device}
        said = []
        for choice in self._choices:
            told = by_device.get(choice.key)
            for part in (self.choosers[choice.key], self._about[choice.key]):
                self._fields.setRowVisible(part, told is None)
            if told is not None:
                labels = {option.id: option.label for option in choice.options}
                said.append(f"{_caption(choice)}: {labels.get(told, told)}")
        self.decided.setText(self.tr("The device says: {facts}").format(facts="; ".join(said)))
        self.decided.setVisible(bool(said))
        self.setVisible(bool(self._choices))

    def _nothing_chosen(self, choice: ProfileChoice) -> str:
        if choice.by_device:
            return self.tr("as the device says")
        default = next((o.label for o in choice.options if o.id == choice.default), "")
        return self.tr("not known: taken as “{option}”").format(option=default)


def _caption(choice: ProfileChoice) -> str:
    return choice.key.replace("_", " ").capitalize()
