"""Adding a meter in steps: how it is connected, what it is, what it says, what it is called."""

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QStackedWidget, QVBoxLayout, QWidget

from evdesk.domain.errors import EvdeskError
from evdesk.domain.meters import NewMeter
from evdesk.gui import finding_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.desk import Desk
from evdesk.gui.dialogs.add_meter_check import CheckStep
from evdesk.gui.dialogs.add_meter_find import FindStep
from evdesk.gui.dialogs.add_meter_link import LinkStep
from evdesk.gui.dialogs.add_meter_name import NameStep
from evdesk.gui.dialogs.add_meter_pause import ReadingPause
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.widgets.notice_bar import FieldError
from evdesk.gui.widgets.parts import button, label, line, row
from evdesk.gui.widgets.step_list import StepList
from evdesk.services.metering import AddedMeter


@dataclass(frozen=True, slots=True)
class Added:
    """What adding did: ``station`` is made of two devices, ``unpaired`` says why it is not."""

    meter: AddedMeter
    station: str | None = None
    unpaired: EvdeskError | None = None


class AddMeter(QDialog):
    """``added`` tells what adding did, also where the device is silent.

    Enter goes on, Alt+Left goes back and keeps what was entered, Esc ends it.
    """

    added = Signal(object)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModal(True)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Add meter"))
        self._context = context
        self.draft = Draft()
        self.link = LinkStep(context, self.draft)
        self.device = FindStep(context, self.draft)
        self.check = CheckStep(context, self.draft)
        self.name = NameStep(context, self.draft)
        self.steps: tuple[Step, ...] = (self.link, self.device, self.check, self.name)
        names = (self.tr("Connection"), self.tr("Device"), self.tr("Check"), self.tr("Name"))
        self.overview = StepList(names)
        self.pages = QStackedWidget()
        self.error = FieldError()
        self.pause = ReadingPause(context, self)
        self.stop_reading = button(
            self.tr("Stop reading until this window closes"), self._begin_pause
        )
        self.back = button(self.tr("Back"), self.go_back)
        self.next = button(self.tr("Next"), self.go_on, "primary")
        self.cancel = button(self.tr("Cancel"), self.reject, "quiet")
        self._arrange()
        self._connect()
        self.stop_reading.hide()
        self.resize(960, 700)
        self._show(0)

    def _arrange(self) -> None:
        for step in self.steps:
            self.pages.addWidget(step)
        self.next.setDefault(True)
        box = QVBoxLayout(self)
        box.setContentsMargins(24, 20, 24, 20)
        box.setSpacing(14)
        box.addWidget(label(self.tr("Add meter"), "heading"))
        box.addWidget(self.overview)
        box.addWidget(line())
        box.addWidget(self.pages, 1)
        box.addWidget(self.error)
        box.addLayout(row(self.stop_reading, 0))
        box.addLayout(row(self.cancel, 0, self.back, self.next))

    def _connect(self) -> None:
        for step in self.steps:
            step.missing.connect(self._on_missing)
            step.taken.connect(self.stop_reading.show)
        for step in self.steps[:-1]:
            step.moved.connect(self._go_further)
        self.name.moved.connect(self._add)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Back), self, self.go_back)
        self.pause.begun.connect(self._on_paused)
        self.pause.failed.connect(self._on_not_paused)
        self.finished.connect(self._stop)

    # -- steps ----------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Leave the present step for the next one, where nothing is missing."""
        self.error.tell("")
        self.steps[self.pages.currentIndex()].leave()

    def go_back(self) -> None:
        """Return to the step before; what was entered stays."""
        if self.pages.currentIndex() > 0:
            self.error.tell("")
            self._show(self.pages.currentIndex() - 1)

    def _go_further(self) -> None:
        self._show(self.pages.currentIndex() + 1)

    def _show(self, number: int) -> None:
        is_last = number == len(self.steps) - 1
        self.overview.show_step(number)
        self.pages.setCurrentIndex(number)
        self.back.setEnabled(number > 0)
        self.next.setText(self.tr("Add meter") if is_last else self.tr("Next"))
        self._on_missing("")
        self.steps[number].enter()

    def _stop(self, *_: object) -> None:
        for step in self.steps:
            step.stop()
        self.pause.end()

    def _on_missing(self, text: str) -> None:
        self.error.tell(text)
        self.stop_reading.hide()

    # -- a bus that the collector has to itself -------------------------------------------------

    def _begin_pause(self) -> None:
        self.stop_reading.setEnabled(False)
        self.stop_reading.setText(self.tr("Stopping …"))
        self.pause.begin()

    def _on_paused(self) -> None:
        self._on_missing("")
        self.steps[self.pages.currentIndex()].retry()

    def _on_not_paused(self, error: Exception) -> None:
        self.error.tell(texts.sentence(error))
        self.stop_reading.setEnabled(True)

    # -- adding ---------------------------------------------------------------------------------

    def _add(self) -> None:
        self._wait(True)
        desk, new, pair = self._context.desk, self.name.new_meter(), self.name.pair()
        self._context.tasks.run_async(lambda: add(desk, new, pair), self._on_added, self._on_failed)

    def _on_added(self, added: Added) -> None:
        self.added.emit(added)
        self.accept()

    def _on_failed(self, error: Exception) -> None:
        self._wait(False)
        self.error.tell(texts.sentence(error))

    def _wait(self, waits: bool) -> None:
        self.next.setEnabled(not waits)
        self.back.setEnabled(not waits)
        self.next.setText(self.tr("Adding …") if waits else self.tr("Add meter"))


def told(added: Added) -> str:
    """Return what people read when a device was added."""
    meter, name = added.meter, added.meter.meter.name
    if meter.silent is not None:
        said = _tr("{name} is added, but does not answer yet: {why}").format(
            name=name, why=texts.sentence(meter.silent)
        )
    elif added.station is not None:
        said = _tr("{name} is added and answers; station {station} is made of both.").format(
            name=name, station=added.station
        )
    elif meter.needs_meter:
        said = _tr("{name} is added. It needs a meter beside it: add that next.").format(name=name)
    else:
        said = _tr("{name} is added and answers.").format(name=name)
    if added.unpaired is not None:
        said += " " + _tr("No station was made: {why}").format(why=texts.sentence(added.unpaired))
    return " ".join([said, *map(finding_texts.caution, meter.warnings)])


def _tr(text: str) -> str:
    return QCoreApplication.translate("AddMeter", text)


async def add(desk: Desk, new: NewMeter, pair: tuple[str, str] | None) -> Added:
    """Add a device; ``pair`` are the meter and the charger of a station to be made, if any.

    Raises:
        UserError: the device cannot be added as it is described; nothing was added.

    """
    meter = await desk.meters.add(new)
    if pair is None:
        return Added(meter)
    counts, charger = pair
    try:
        station = desk.stations.add(charger, counts, charger)
    except EvdeskError as error:
        return Added(meter, unpaired=error)
    return Added(meter, station.name)
