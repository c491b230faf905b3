"""Third step: what the device says, and whether that can be right."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from PySide6.QtWidgets import QProgressBar, QWidget

from evdesk.domain.errors import Occupied
from evdesk.gui import finding_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.choice_form import ChoiceForm
from evdesk.gui.widgets.display_check import DisplayCheck
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import button, column, give_icon, label, paragraph, row
from evdesk.gui.widgets.probe_table import ProbeTable
from evdesk.gui.widgets.watch import Watch
from evdesk.ports import Mark, Probe, ProbedValue, ProfileInfo, Remark, ScanStep

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
        self._models: dict[str, str] = {}
        self.verdict = Banner(context.theme)
        self.progress = QProgressBar()
        self.again = button(self.tr("Read again"), self.read)
        self.heading = label("", "strong")
        self.values = ProbeTable(context.theme)
        self.choices = ChoiceForm()
        self.display = DisplayCheck(context.theme)
        self.hints = paragraph("", "")
        self._arrange()
        self.choices.changed.connect(self._on_choice)
        context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()
        context.tasks.run(context.desk.finding.profiles, self._on_profiles)

    def _arrange(self) -> None:
        self.progress.setTextVisible(False)
        for part in (self.progress, self.verdict, self.hints):
            part.hide()
        box = column(
            row(self.heading, 0, self.again), self.progress, self.verdict, self.hints, self.values,
            self.choices, self.display, gap=10,
        )  # fmt: skip
        box.setStretch(4, 1)
        self.setLayout(box)

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.again, self._context.theme, "refresh")

    def _on_profiles(self, profiles: tuple[ProfileInfo, ...]) -> None:
        self._models = {each.id: finding_texts.model_name(each) for each in profiles}

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
        self.values.show_values(tuple(_in_order(probe.values)))
        self.hints.setText("\n".join(map(self._hint, probe.hints)))
        self.hints.setVisible(bool(probe.hints))
        self.choices.show_decided(probe.decided)
        self.verdict.tell(*self._verdict(probe))
        energy = self._value(ENERGY)
        self.display.show_register(None if energy is None else int(energy))

    def _on_silence(self, watch: Watch, error: Exception) -> None:
        if watch is not self._watch:
            return
        self._show_progress(False)
        self._draft.probe = None
        self.values.show_values(())
        self.hints.hide()
        self.display.show_register(None)
        all_the_same = self.tr("You can add it all the same: it is read as soon as it answers.")
        self.verdict.tell(f"{texts.sentence(error)} {all_the_same}", Tone.WARNING)
        if isinstance(error, Occupied):
            self.taken.emit()

    def _hint(self, hint: Remark) -> str:
        """Return a hint with the model as it is called, not as its profile is."""
        profile = str(hint.facts.get("profile"))
        if profile not in self._models:
            return texts.remark(hint)
        return texts.remark(replace(hint, facts={**hint.facts, "profile": self._models[profile]}))

    def _show_progress(self, runs: bool) -> None:
        if not runs:
            self._watch = None
        self.progress.setRange(0, 0)
        self.progress.setVisible(runs)
        self.again.setEnabled(not runs)
        self.again.setText(self.tr("Reading …") if runs else self.tr("Read again"))

    def _verdict(self, probe: Probe) -> tuple[str, Tone]:
        wrong = sum(value.mark is Mark.WRONG for value in probe.values)
        there = sum(value.value is not None for value in probe.values)
        facts = {"count": there, "total": len(probe.values), "wrong": wrong}
        if not there:
            said = self.tr("It answers, but with none of the values of this model. Is it the right "
                           "model?")  # fmt: skip
            return said, Tone.DANGER
        if wrong:
            said = self.tr("{wrong} of {count} values can hardly be right. Is it the right model?")
            return said.format(**facts), Tone.DANGER
        if self._lacks_energy(probe):
            said = self.tr("It answers with {count} of {total} values, but not with its energy: "
                           "nothing can be billed from it. Is it the right model?")  # fmt: skip
            return said.format(**facts), Tone.DANGER
        said = self.tr("It answers: {count} of {total} values, all of them plausible.")
        if not self.choices.has_open():
            return said.format(**facts), Tone.POSITIVE
        said += " " + self.tr("One thing it does not tell: choose below, or compare the energy.")
        return said.format(**facts), Tone.WARNING

    def _lacks_energy(self, probe: Probe) -> bool:
        profile = self._draft.profile
        unread = any(value.name == ENERGY and value.value is None for value in probe.values)
        return unread and profile is not None and profile.has_energy

    def _on_choice(self) -> None:
        self._draft.choices = self.choices.chosen()
        self.stop()
        self.read()

    # -- steps ----------------------------------------------------------------------------------

    def enter(self) -> None:
        draft = self._draft
        profile = draft.profile
        shown_for = (draft.url, draft.unit, None if profile is None else profile.id)
        if shown_for == self._shown_for and draft.probe is not None:
            return
        if shown_for != self._shown_for:
            self._shown_for = shown_for
            model = finding_texts.model_name(profile)
            self.heading.setText(
                self.tr("{model}, unit {unit}").format(model=model, unit=draft.unit)
            )
            self.display.number.clear()
            self.choices.offer(() if profile is None else profile.choices)
            self.display.setVisible(profile is None or profile.has_energy)
        self.verdict.hide()
        self.hints.hide()
        self.values.show_values(())
        self.stop()
        self.read()
        self.display.number.setFocus()

    def leave(self) -> None:
        serial = self._value(SERIAL)
        if serial is not None and serial.strip("0"):
            self._draft.serial = serial
        self.moved.emit()

    def _value(self, name: str) -> str | None:
        probe = self._draft.probe
        values = probe.values if probe is not None else ()
        return next((value.value for value in values if value.name == name), None)


def _in_order(values: Iterable[ProbedValue]) -> list[ProbedValue]:
    """Return first what is billed and shown, then what is wrong, then the rest."""
    order = {name: number for number, name in enumerate(FIRST)}
    return sorted(
        values,
        key=lambda v: (order.get(v.name, len(FIRST)), v.mark is not Mark.WRONG, v.address),
    )
