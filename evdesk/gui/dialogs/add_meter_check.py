"""Third step: what the device says, and whether that can be right."""

from collections.abc import Iterable
from functools import partial

from PySide6.QtWidgets import QLabel, QProgressBar, QWidget

from evdesk.domain.errors import Occupied
from evdesk.gui import finding_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.fields import Chooser, add_field, form, text_field
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import button, column, give_icon, label, paragraph, row
from evdesk.gui.widgets.probe_table import ProbeTable
from evdesk.gui.widgets.watch import Watch
from evdesk.ports import Decided, Mark, Probe, ProbedValue, ProfileChoice, ScanStep
from evdesk.services.finding import compare_with_display

ENERGY, SERIAL = "energy_import_total", "serial_number"
FIRST = (
    *(ENERGY, "state", "active_power_total", "voltage_l1", "voltage_l2", "voltage_l3"),
    *("current_l1", "current_l2", "current_l3", "frequency", SERIAL),
)


class CheckStep(Step):
    """Reads at once and again on demand; a device that is silent may be added all the same."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(context, draft, parent)
        self._watch: Watch | None = None
        self._shown_for: tuple[object, ...] = ()
        self.choosers: dict[str, Chooser] = {}
        self.verdict = Banner(context.theme)
        self.progress = QProgressBar()
        self.again = button(self.tr("Read again"), self.read)
        self.heading = label("", "strong")
        self.values = ProbeTable(context.theme)
        self.options = form()
        self.option_rows = QWidget()
        self.display = text_field("12345.6", self.tr("Energy on the display"))
        self.compared: QLabel = paragraph("", "")
        self.hints = paragraph("", "")
        self._arrange()
        self.display.textChanged.connect(self._compare)
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def _arrange(self) -> None:
        self.progress.setTextVisible(False)
        self.progress.hide()
        self.verdict.hide()
        self.hints.hide()
        self.option_rows.setLayout(self.options)
        self.option_rows.hide()
        self.display.setMaximumWidth(160)
        self.asks_display = QWidget()
        self.asks_display.setLayout(
            row(label(self.tr("The display of the device shows, in kWh:")), self.display, 8,
                self.compared, gap=8)
        )  # fmt: skip
        self.asks_display.layout().setStretch(3, 1)  # type: ignore[union-attr]
        top = row(self.heading, 0, self.again)
        box = column(
            top, self.progress, self.verdict, self.hints, self.values, self.option_rows,
            self.asks_display, gap=10,
        )  # fmt: skip
        box.setStretch(4, 1)
        self.setLayout(box)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.again, self._context.theme, "refresh")

    # -- reading --------------------------------------------------------------------------------

    def read(self) -> None:
        """Read the device once."""
        draft = self._draft
        if draft.profile is None or self._watch is not None:
            return
        self._watch = Watch()
        self._watch.stepped.connect(self._on_step)
        self._show_progress(True)
        finding, watch = self._context.desk.finding, self._watch
        url, unit, profile, choices = draft.url, draft.unit, draft.profile.id, dict(draft.choices)
        self._context.tasks.run_async(
            lambda: finding.probe(url, unit, profile, choices, watch),
            partial(self._on_read, watch),
            partial(self._on_silence, watch),
        )

    def stop(self) -> None:
        self._watch = None

    def _on_step(self, step: ScanStep) -> None:
        self.progress.setMaximum(max(step.total, 1))
        self.progress.setValue(step.done)

    def _on_read(self, watch: Watch, probe: Probe) -> None:
        if watch is not self._watch:
            return
        self._show_progress(False)
        self._draft.probe = probe
        self._show(probe)

    def _on_silence(self, watch: Watch, error: Exception) -> None:
        if watch is not self._watch:
            return
        self._show_progress(False)
        self._draft.probe = None
        self.values.show_values(())
        self.hints.hide()
        self.verdict.tell(
            texts.sentence(error)
            + self.tr(" You can add it all the same: it is read as soon as it answers."),
            Tone.WARNING,
        )
        if isinstance(error, Occupied):
            self.taken.emit()
        self._compare()

    def _show_progress(self, runs: bool) -> None:
        if not runs:
            self._watch = None
        self.progress.setRange(0, 0)
        self.progress.setVisible(runs)
        self.again.setEnabled(not runs)
        self.again.setText(self.tr("Reading …") if runs else self.tr("Read again"))

    # -- showing --------------------------------------------------------------------------------

    def _show(self, probe: Probe) -> None:
        self.values.show_values(tuple(_in_order(probe.values)))
        self.hints.setText("\n".join(texts.remark(hint) for hint in probe.hints))
        self.hints.setVisible(bool(probe.hints))
        wrong = sum(value.mark is Mark.WRONG for value in probe.values)
        there = sum(value.value is not None for value in probe.values)
        facts = {"count": there, "total": len(probe.values), "wrong": wrong}
        if wrong:
            self.verdict.tell(
                self.tr("{wrong} of {count} values can hardly be right. Is it the right model?")
                .format(**facts),
                Tone.DANGER,
            )  # fmt: skip
        else:
            self.verdict.tell(
                self.tr("It answers: {count} of {total} values, all of them plausible.").format(
                    **facts
                ),
                Tone.POSITIVE,
            )
        self._show_decided(probe.decided)
        self._compare()

    def _energy_wh(self) -> int | None:
        probe = self._draft.probe
        for value in probe.values if probe is not None else ():
            if value.name == ENERGY and value.value is not None:
                return int(value.value)
        return None

    def _compare(self, *_: object) -> None:
        wh, text = self._energy_wh(), self.display.text()
        self.asks_display.setVisible(self._draft.profile is None or self._draft.profile.has_energy)
        if not text.strip() or wh is None:
            shown = "" if wh is None else texts.kwh(wh)
            self.compared.setText(
                self.tr("The register reads {kwh} kWh.").format(kwh=shown) if shown else ""
            )
            self.compared.setStyleSheet("")
            return
        number = finding_texts.display_number(text)
        if number is None:
            self.compared.setText(self.tr("Type the number as the display shows it."))
            return
        said, tone = finding_texts.comparison(compare_with_display(number, wh))
        self.compared.setText(said)
        self.compared.setStyleSheet(f"color: {self._context.theme.tone(tone)[0]}")

    # -- what the profile leaves open -----------------------------------------------------------

    def _offer_choices(self, choices: Iterable[ProfileChoice]) -> None:
        while self.options.rowCount():
            self.options.removeRow(0)
        self.choosers = {}
        for choice in choices:
            chooser = Chooser(choice.key)
            chooser.offer([
                (None, self._open_option(choice)), *((o.id, o.label) for o in choice.options)
            ])  # fmt: skip
            chooser.currentIndexChanged.connect(self._on_choice)
            self.choosers[choice.key] = chooser
            add_field(
                self.options, choice.key.replace("_", " ").capitalize(), chooser, choice.about
            )
        self.option_rows.setVisible(bool(self.choosers))

    def _open_option(self, choice: ProfileChoice) -> str:
        if choice.by_device:
            return self.tr("as the device says")
        default = next((o.label for o in choice.options if o.id == choice.default), "")
        return self.tr("not known: taken as “{option}”").format(option=default)

    def _show_decided(self, decided: Iterable[Decided]) -> None:
        profile = self._draft.profile
        labels = {
            (choice.key, option.id): option.label
            for choice in (profile.choices if profile is not None else ())
            for option in choice.options
        }
        for one in decided:
            if one.by_device and one.key in self.choosers:
                said = labels.get((one.key, one.option), one.option)
                text = self.tr("as the device says: {option}").format(option=said)
                self.choosers[one.key].setItemText(0, text)

    def _on_choice(self, *_: object) -> None:
        chosen = {key: one.value() for key, one in self.choosers.items() if one.value() is not None}
        self._draft.choices = chosen
        self.stop()
        self.read()

    # -- steps ----------------------------------------------------------------------------------

    def enter(self) -> None:
        draft = self._draft
        profile = draft.profile
        shown_for = (draft.url, draft.unit, None if profile is None else profile.id)
        if shown_for == self._shown_for and draft.probe is not None:
            return
        self._shown_for = shown_for
        self.heading.setText(
            self.tr("{model}, unit {unit}").format(
                model=finding_texts.model_name(profile), unit=draft.unit
            )
        )
        self.verdict.hide()
        self.hints.hide()
        self.values.show_values(())
        self.display.clear()
        self._offer_choices(() if profile is None else profile.choices)
        self.stop()
        self.read()
        self.display.setFocus()

    def leave(self) -> None:
        serial = self._serial()
        if serial is not None:
            self._draft.serial = serial
        self.moved.emit()

    def _serial(self) -> str | None:
        probe = self._draft.probe
        for value in probe.values if probe is not None else ():
            if value.name == SERIAL and value.value and value.value.strip("0"):
                return value.value
        return None


def _in_order(values: Iterable[ProbedValue]) -> list[ProbedValue]:
    """Return first what is billed and shown, then what is wrong, then the rest."""
    order = {name: number for number, name in enumerate(FIRST)}
    return sorted(
        values,
        key=lambda v: (order.get(v.name, len(FIRST)), v.mark is not Mark.WRONG, v.address),
    )
