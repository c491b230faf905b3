"""Last step: what it is called, what it measures, what is written on it."""

from datetime import date
from enum import Enum

from PySide6.QtCore import QRegularExpression
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QWidget

from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.dialogs.interval import IntervalField
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.fields import Chooser, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.label_form import LabelForm
from evdesk.gui.widgets.notice_bar import Banner
from evdesk.gui.widgets.parts import column, label, row
from evdesk.services.metering import MeterRow
from evdesk.services.stations import StationRow


class Use(Enum):
    """What a device is there for."""

    STATION = "station"
    BESIDE = "beside"  # it counts for a charger that cannot be billed from, or has such a meter
    GRID = "grid"
    LATER = "later"


class NameStep(Step):
    """Asks for the name and the use; everything else has a value that mostly fits."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(context, draft, parent)
        self._chargers: list[str] = []
        self._meters: list[str] = []
        self.name = text_field(self.tr("Yard 1"))
        self.use = Chooser(self.tr("Measures"))
        self.partner = Chooser(self.tr("Together with"))
        self.phases = Chooser(self.tr("Phases"))
        self.interval = IntervalField()
        self.label = LabelForm(_today(context))
        self.note = Banner(context.theme)
        self._fields = form()
        self._arrange()
        self.name.textEdited.connect(self._on_typed)
        self.use.currentIndexChanged.connect(self._show_use)
        self.partner.currentIndexChanged.connect(self._show_use)

    def _arrange(self) -> None:
        self.name.setValidator(
            QRegularExpressionValidator(QRegularExpression("[^:]*"), self.name)
        )  # METER:SOCKET names a socket
        add_field(self._fields, self.tr("Name"), self.name)
        add_field(self._fields, self.tr("Measures"), self.use)
        add_field(self._fields, self.tr("Together with"), self.partner)
        add_field(self._fields, self.tr("Phases"), self.phases)
        add_field(self._fields, self.tr("Interval"), self.interval)
        here = label(self.tr("At this site"), "strong")
        left = column(here, self._fields, self.note, 0, gap=14)
        right = column(label(self.tr("On the label"), "strong"), self.label, 0, gap=14)
        both = row(left, right, gap=32)
        both.setStretch(0, 1)
        both.setStretch(1, 1)
        self.setLayout(both)
        self.note.hide()

    # -- filling in -----------------------------------------------------------------------------

    def enter(self) -> None:
        draft = self._draft
        profile = draft.profile
        if profile is None:
            return
        self.phases.offer(self._phases(profile.phases))
        if draft.serial and not self.label.serial.text():
            self.label.serial.setText(draft.serial)
        self.label.show_seen(draft.serial)
        self._offer_uses()
        desk = self._context.desk
        self._context.tasks.run(
            lambda: (desk.meters.rows(), desk.stations.rows()), self._on_rows, self._on_failed
        )
        self.name.setFocus()

    def _phases(self, count: int) -> list[tuple[str, str]]:
        three = [
            ("123", self.tr("Three phases")), ("12", self.tr("Two phases: L1, L2")),
            ("13", self.tr("Two phases: L1, L3")), ("23", self.tr("Two phases: L2, L3")),
        ]  # fmt: skip
        one = [
            ("1", self.tr("One phase: L1")), ("2", self.tr("One phase: L2")),
            ("3", self.tr("One phase: L3")),
        ]  # fmt: skip
        return [three[0], *one, *three[1:]] if count > 1 else one

    def _offer_uses(self) -> None:
        profile = self._draft.profile
        if profile is None:
            return
        if self._counts():
            options = [
                (Use.STATION, self.tr("A charging point (makes its station)")),
                (Use.GRID, self.tr("The grid connection")),
            ]
            if not profile.has_state:
                options.insert(1, (Use.BESIDE, self.tr("A charger that has no meter of its own")))
        else:
            options = [
                (Use.BESIDE, self.tr("A charging point, counted by a meter beside it")),
                (Use.LATER, self.tr("A charging point; its meter is added later")),
            ]
        self.use.offer(options)
        self._show_use()

    def _counts(self) -> bool:
        """Say whether the device can be billed from, with the options that are chosen."""
        draft = self._draft
        if draft.profile is None or not draft.profile.has_energy:
            return False
        decided = {one.key: one.option for one in (draft.probe.decided if draft.probe else ())}
        options = {**decided, **draft.choices}
        return not any(
            options.get(choice.key) == option.id and not option.has_energy
            for choice in draft.profile.choices
            for option in choice.options
        )

    def _on_rows(self, rows: tuple[tuple[MeterRow, ...], tuple[StationRow, ...]]) -> None:
        devices, stations = rows
        with_state = [row.station for row in stations if row.station.state is not None]
        states = {station.state.meter_id for station in with_state if station.state is not None}
        billed = {station.energy.meter_id for station in with_state}
        self._chargers = [
            row.meter.name
            for row in devices
            if row.profile is not None and row.profile.needs_meter and row.meter.id not in states
        ]
        self._meters = [
            row.meter.name
            for row in devices
            if row.profile is not None
            and row.profile.has_energy
            and not row.profile.has_state
            and row.meter.role is MeterRole.STATION
            and row.meter.id not in billed
        ]
        self._show_use()

    def _on_failed(self, error: Exception) -> None:
        self.missing.emit(texts.sentence(error))

    def _show_use(self, *_: object) -> None:
        use = self.use.value()
        partners = self._chargers if self._counts() else self._meters
        self.partner.offer([(name, name) for name in partners])
        self._fields.setRowVisible(self.partner, use is Use.BESIDE)
        said = self._said(use, bool(partners))
        self.note.setVisible(bool(said))
        if said:
            self.note.tell(said, Tone.WARNING if use is Use.BESIDE else Tone.INFO)

    def _said(self, use: Use | None, has_partner: bool) -> str:
        if use is Use.BESIDE and not has_partner:
            return (
                self.tr("There is no charger yet that lacks a meter: add the charger first.")
                if self._counts()
                else self.tr("There is no free meter yet. Choose that it is added later, then add "
                             "the meter that counts for this charger.")
            )  # fmt: skip
        if use is Use.LATER:
            return self.tr(
                "This model has no register that can be billed. Add the meter beside it next and "
                "choose there that it counts for this charger."
            )
        return ""

    def _on_typed(self) -> None:
        mark_wrong(self.name, False)
        self.missing.emit("")

    # -- leaving --------------------------------------------------------------------------------

    def leave(self) -> None:
        name = self.name.text().strip()
        mark_wrong(self.name, not name)
        if not name:
            self.missing.emit(self.tr("A meter needs a name."))
            self.name.setFocus()
            return
        if self.use.value() is Use.BESIDE and self.partner.value() is None:
            self.missing.emit(self._said(Use.BESIDE, has_partner=False))
            return
        self.moved.emit()

    def new_meter(self) -> NewMeter:
        """Return the device as all steps together describe it."""
        draft, facts = self._draft, self.label.facts()
        return NewMeter(
            name=self.name.text().strip(),
            profile="" if draft.profile is None else draft.profile.id,
            url=draft.url,
            unit=draft.unit,
            phases=self.phases.value(),
            serial=facts.serial,
            interval_ms=self.interval.ms(),
            role=MeterRole.GRID if self.use.value() is Use.GRID else MeterRole.STATION,
            mid_class=facts.mid_class,
            seal=facts.seal,
            calibrated_until=facts.calibrated_until,
            choices=dict(draft.choices),
        )

    def pair(self) -> tuple[str, str] | None:
        """Return the meter and the charger that make a station together; None where they do not."""
        partner, name = self.partner.value(), self.name.text().strip()
        if self.use.value() is not Use.BESIDE or partner is None:
            return None
        return (name, partner) if self._counts() else (partner, name)


def _today(context: Context) -> date:
    return context.pulse.now().astimezone(context.zone).date()
