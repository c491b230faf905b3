"""A new meter: which model, at which address; tried before it is added."""

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QProgressBar, QWidget

from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.dialogs.interval import IntervalField
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.fields import Chooser, WholeNumber, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import button, column, give_icon, label, paragraph, row
from evdesk.gui.widgets.probe_table import ProbeTable
from evdesk.gui.widgets.profile_picker import ProfilePicker
from evdesk.ports import Probe, ProfileInfo
from evdesk.services.metering import AddedMeter

EXAMPLES = {
    "tcp": "tcp://192.168.1.20:502",
    "rtu_over_tcp": "rtu-tcp://192.168.1.20:4001",
}


class AddMeter(FormDialog):
    """``added`` tells what adding did, also where the device is silent."""

    added = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.describe(self.tr("Add meter"), "", self.tr("Add meter"))
        self._context = context
        self.picker = ProfilePicker(context.theme)
        self.name = text_field(self.tr("Yard 1"))
        self.url = text_field(EXAMPLES["tcp"])
        self.plain = ChipLabel(context.theme)
        self.unit = WholeNumber(0, 255)
        self.phases = Chooser(self.tr("Phases"))
        self.serial = text_field(self.tr("as printed on the meter"))
        self.interval = IntervalField()
        self.role = Chooser(self.tr("Measures"))
        self.test = button(self.tr("Test connection"), self.try_out)
        self.answer = paragraph("")
        self.busy = QProgressBar()
        self.values = ProbeTable(context.theme)
        self._arrange()
        self.picker.picked.connect(self._on_profile)
        self.url.textChanged.connect(self._on_url)
        self.resize(980, 720)
        context.tasks.run(context.desk.meters.profiles, self._on_profiles, self.complain)

    def _arrange(self) -> None:
        self.unit.setValue(1)
        self.phases.offer(
            [
                ("123", self.tr("Three phases")), ("1", self.tr("One phase: L1")),
                ("2", self.tr("One phase: L2")), ("3", self.tr("One phase: L3")),
                ("12", self.tr("Two phases: L1, L2")), ("13", self.tr("Two phases: L1, L3")),
                ("23", self.tr("Two phases: L2, L3")),
            ]
        )  # fmt: skip
        self.role.offer(
            [
                (MeterRole.STATION, self.tr("A charging point (makes its station)")),
                (MeterRole.GRID, self.tr("The grid connection")),
            ]
        )
        self.name.setValidator(
            QRegularExpressionValidator(QRegularExpression("[^:]*"), self.name)
        )  # METER:SOCKET names a socket
        self.busy.setRange(0, 0)
        self.busy.setTextVisible(False)
        give_icon(self.test, self._context.theme, "refresh")
        left = column(label(self.tr("1. Which model?"), "strong"), self.picker)
        left.setStretch(1, 1)
        right = column(
            label(self.tr("2. Where is it?"), "strong"), self._fields(), 4, self._tried(),
            self.values, 0,
        )  # fmt: skip
        both: QHBoxLayout = row(left, right, gap=24)
        both.setStretch(0, 2)
        both.setStretch(1, 3)
        self.form.addLayout(both, 1)
        for part in (self.busy, self.values, self.answer):
            part.hide()

    def _tried(self) -> QHBoxLayout:
        side = column(self.busy, self.answer)
        made = row(self.test, side, gap=12)
        made.setStretch(1, 1)
        made.setAlignment(self.test, Qt.AlignmentFlag.AlignTop)
        return made

    def _fields(self) -> QFormLayout:
        fields = form()
        link = QWidget()
        link.setLayout(row(self.url, self.plain))
        add_field(fields, self.tr("Name"), self.name)
        add_field(fields, self.tr("Address"), link)
        self.examples = label("", "small")
        self.examples.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        fields.addRow("", self.examples)
        add_field(fields, self.tr("Unit"), self.unit)
        add_field(fields, self.tr("Phases"), self.phases)
        add_field(fields, self.tr("Interval"), self.interval)
        add_field(fields, self.tr("Serial number"), self.serial)
        add_field(fields, self.tr("Measures"), self.role)
        return fields

    # -- filling in -----------------------------------------------------------------------------

    def _on_profiles(self, profiles: tuple[ProfileInfo, ...]) -> None:
        self.picker.offer(profiles)
        self.picker.search.setFocus()

    def _on_profile(self, profile: ProfileInfo) -> None:
        self.unit.setValue(profile.default_unit)
        examples = [EXAMPLES[way] for way in profile.transports if way in EXAMPLES]
        self.examples.setText(self.tr("For example {url}").format(url="\n".join(examples)))
        if examples:
            self.url.setPlaceholderText(examples[0])
        self.role.setEnabled(profile.has_energy)

    def _on_url(self, url: str) -> None:
        mark_wrong(self.url, False)
        plain = not url.strip().startswith("tls:")
        self.plain.setVisible("://" in url)
        self.plain.show_chip(
            Chip(self.tr("not encrypted"), Tone.NEUTRAL)
            if plain
            else Chip(self.tr("encrypted"), Tone.POSITIVE, "lock")
        )

    def new_meter(self) -> NewMeter | None:
        """Return what the form says; None, with what is missing marked, where it does not do."""
        profile, name, url = (
            self.picker.profile(),
            self.name.text().strip(),
            self.url.text().strip(),
        )
        mark_wrong(self.name, not name)
        mark_wrong(self.url, not url)
        if profile is None:
            self.complain(self.tr("Choose the model from the list."))
            return None
        if not name or not url:
            self.complain(self.tr("A meter needs a name and an address."))
            (self.url if name else self.name).setFocus()
            return None
        return NewMeter(
            name=name,
            profile=profile.id,
            url=url,
            unit=self.unit.value(),
            phases=self.phases.value(),
            serial=self.serial.text().strip() or None,
            interval_ms=self.interval.ms(),
            role=self.role.value(),
        )

    # -- trying out -----------------------------------------------------------------------------

    def try_out(self) -> None:
        """Read the device once and show what it says."""
        profile, url = self.picker.profile(), self.url.text().strip()
        if not url:
            mark_wrong(self.url, True)
            self.complain(self.tr("Type the address first."))
            return
        self.error.tell("")
        self.values.hide()
        self.answer.hide()
        self.busy.show()
        self.test.setEnabled(False)
        finding, unit = self._context.desk.finding, self.unit.value()
        chosen = None if profile is None else profile.id
        self._context.tasks.run_async(
            lambda: finding.probe(url, unit, chosen), self._on_answer, self._on_silence
        )

    def _on_answer(self, probe: Probe) -> None:
        values = probe.values
        known = sum(value.value is not None for value in values)
        self._say_result(
            self.tr("It answers: {known} of {count} values.").format(
                known=known, count=len(values)
            ),
            Tone.POSITIVE,
        )
        self.values.show_values(values)
        self.values.show()

    def _on_silence(self, error: Exception) -> None:
        self._say_result(texts.sentence(error), Tone.WARNING)

    def _say_result(self, text: str, tone: Tone) -> None:
        self.busy.hide()
        self.test.setEnabled(True)
        self.answer.setText(text)
        self.answer.setStyleSheet(f"color: {self._context.theme.tone(tone)[0]}")
        self.answer.show()

    # -- adding ---------------------------------------------------------------------------------

    def submit(self) -> None:
        new = self.new_meter()
        if new is None:
            return
        self.wait(True, self.tr("Adding …"))
        meters = self._context.desk.meters
        self._context.tasks.run_async(lambda: meters.add(new), self._on_added, self.complain)

    def _on_added(self, added: AddedMeter) -> None:
        self.added.emit(added)
        self.accept()
