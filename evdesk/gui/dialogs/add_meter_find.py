"""Second step: which device it is, searched on its bus or chosen by hand."""

from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QCheckBox, QProgressBar, QStackedWidget, QWidget

from evdesk.domain.errors import Occupied
from evdesk.gui import finding_texts, texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.widgets.fields import WholeNumber, add_field, form, text_field
from evdesk.gui.widgets.found_view import FoundView
from evdesk.gui.widgets.parts import button, column, give_icon, label, paragraph, row
from evdesk.gui.widgets.profile_picker import ProfilePicker
from evdesk.gui.widgets.watch import Watch
from evdesk.ports import FoundDevice, ProfileInfo, Scan, ScanStep

BY_SEARCH, BY_HAND = 0, 1


class FindStep(Step):
    """Searches only when asked to, and only the bus or host of the first step."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(context, draft, parent)
        self._watch: Watch | None = None
        self._found: list[FoundDevice] = []
        self._url = ""
        self.by_search = button(self.tr("Search for it"), self.show_search, "segment")
        self.by_hand = button(self.tr("Choose the model"), self.show_models, "segment")
        self.units = text_field("1-16", self.tr("Units"))
        self.thorough = QCheckBox(self.tr("Take longer"))
        self.search = button(self.tr("Search"), self.start)
        self.progress = QProgressBar()
        self.status = label("", "small")
        self.found = FoundView(context.theme)
        self.picker = ProfilePicker(context.theme)
        self.unit = WholeNumber(0, 255)
        self.pages = QStackedWidget()
        self._arrange()
        self._connect()
        self.show_search()
        context.tasks.run(context.desk.finding.profiles, self._on_profiles, self._on_failed)

    def _arrange(self) -> None:
        for part, place in ((self.by_search, "first"), (self.by_hand, "last")):
            part.setProperty("place", place)
            part.setCheckable(True)
            part.setMinimumWidth(176)  # the chosen one is bold
        self.thorough.setToolTip(
            self.tr("For devices that say nothing where others refuse, and for slow lines")
        )
        self.search.setMinimumWidth(112)
        self.search.setAutoDefault(True)  # Enter presses it while it has the focus
        self.progress.setTextVisible(False)
        self.unit.setValue(1)
        self.unit.setMaximumWidth(120)
        self.pages.addWidget(self._search_page())
        self.pages.addWidget(self._model_page())
        segments = row(self.by_search, self.by_hand, 0, gap=0)
        self.setLayout(column(segments, self.pages, gap=14))
        self._show_progress(False)

    def _search_page(self) -> QWidget:
        asked = row(label(self.tr("Units")), self.units, self.thorough, 0, self.search, gap=12)
        self.asks = paragraph(
            self.tr("Each unit is asked what it is; nothing is changed in any device. Leave the "
                    "units empty to try the usual ones.")
        )  # fmt: skip
        page = QWidget()
        box = column(self.asks, asked, self.progress, self.status, self.found, gap=10)
        box.setStretch(4, 1)
        page.setLayout(box)
        return page

    def _model_page(self) -> QWidget:
        asked = form()
        add_field(
            asked, self.tr("Unit"), self.unit,
            self.tr("The Modbus address of the device on its bus; it is in its menu."),
        )  # fmt: skip
        box = column(self.picker, asked, gap=12)
        box.setStretch(0, 1)
        page = QWidget()
        page.setLayout(box)
        return page

    def _connect(self) -> None:
        self.found.opened.connect(self.leave)
        self.picker.picked.connect(lambda profile: self.unit.setValue(profile.default_unit))
        self.picker.opened.connect(self.leave)
        self._context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        if self._watch is None:
            give_icon(self.search, self._context.theme, "search")
        else:
            self.search.setIcon(QIcon())

    # -- which way ------------------------------------------------------------------------------

    def show_search(self) -> None:
        """Search for the device."""
        self._show(BY_SEARCH)
        self.search.setFocus()

    def show_models(self) -> None:
        """Choose the model by hand."""
        self._show(BY_HAND)
        self.picker.search.setFocus()

    def _show(self, page: int) -> None:
        self.pages.setCurrentIndex(page)
        self.by_search.setChecked(page == BY_SEARCH)
        self.by_hand.setChecked(page == BY_HAND)

    def _on_profiles(self, profiles: tuple[ProfileInfo, ...]) -> None:
        self.picker.offer(profiles)
        self.found.know(profiles)

    # -- searching ------------------------------------------------------------------------------

    def start(self) -> None:
        """Search, or end the search that runs."""
        if self._watch is not None:
            self._watch.stop()
            self.search.setEnabled(False)
            return
        self._watch = Watch()
        self._watch.stepped.connect(self._on_step)
        self._found, self._url = [], self._draft.url
        self.missing.emit("")
        self.found.show_devices(self._found)
        self._show_progress(True)
        finding, watch, url = self._context.desk.finding, self._watch, self._url
        units, thorough = self.units.text().strip() or None, self.thorough.isChecked()
        self._context.tasks.run_async(
            lambda: finding.scan(url, units, watch, thorough=thorough),
            self._on_done,
            self._on_failed,
        )

    def retry(self) -> None:
        self.start()

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()

    def _on_step(self, step: ScanStep) -> None:
        if self._watch is None:
            return
        self.progress.setMaximum(max(step.total, 1))
        self.progress.setValue(step.done)
        self.status.setText(
            self.tr("Asking unit {unit}; {done} of {total} done, {found} found").format(
                unit=step.unit, done=step.done, total=step.total, found=len(self._found)
            )
        )
        if step.found is not None:
            self._found.append(step.found)
            self.found.show_devices(self._found)

    def _on_done(self, scan: Scan) -> None:
        self._show_progress(False)
        self._found = list(scan.devices)
        self.found.show_devices(self._found)
        if self._found:
            self.found.devices.setFocus()
        self.status.setText(finding_texts.scan_summary(scan))

    def _on_failed(self, error: Exception) -> None:
        self._show_progress(False)
        self.status.setText("")
        self.missing.emit(texts.sentence(error))
        if isinstance(error, Occupied):
            self.taken.emit()

    def _show_progress(self, runs: bool) -> None:
        if not runs:
            self._watch = None
        self.progress.setVisible(runs)
        self.progress.setRange(0, 0)
        self.search.setText(self.tr("Stop") if runs else self.tr("Search"))
        self.search.setEnabled(True)
        for part in (self.units, self.thorough):
            part.setEnabled(not runs)
        self.repaint_icons()

    # -- steps ----------------------------------------------------------------------------------

    def enter(self) -> None:
        if self._url and self._url != self._draft.url:
            self._found, self._url = [], ""
            self.status.setText("")
            self.found.show_devices(self._found)
        (self.search if self.pages.currentIndex() == BY_SEARCH else self.picker.search).setFocus()

    def leave(self) -> None:
        if self.pages.currentIndex() == BY_HAND:
            self._take(self.picker.profile(), self.unit.value(), None)
            return
        device = self.found.device()
        if device is None:
            if self._watch is None:
                self.start()
            return
        profile = self.found.profile()
        if profile is None and not device.candidates:
            self.unit.setValue(device.unit)
            self.show_models()
            self.missing.emit(self.tr("Choose the model that is nearest to it."))
            return
        self._take(profile, device.unit, device.serial)

    def _take(self, profile: ProfileInfo | None, unit: int, serial: str | None) -> None:
        if profile is None:
            self.missing.emit(self.tr("Choose the model from the list."))
            return
        draft = self._draft
        if (draft.profile, draft.unit) != (profile, unit):
            draft.probe, draft.choices = None, {}
        draft.profile, draft.unit, draft.serial = profile, unit, serial
        self.stop()
        self.moved.emit()
