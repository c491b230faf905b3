"""Which sessions: search, period, state, station, driver."""

from collections.abc import Sequence
from datetime import date, timedelta

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from evdesk.domain.instants import midnight
from evdesk.domain.sessions import SessionState
from evdesk.domain.site import Driver
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.widgets.fields import Chooser, DateField, SearchField
from evdesk.gui.widgets.parts import button, label, row
from evdesk.ports import SessionFilter
from evdesk.services.stations import StationRow


class SessionFilters(QWidget):
    """``changed`` asks for another reading, ``searched`` narrows what was read."""

    changed = Signal()
    searched = Signal(str)

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.search = SearchField(context.theme, self.tr("Search sessions"))
        self.period = Chooser(self.tr("Period"))
        self.state = Chooser(self.tr("State"))
        self.station = Chooser(self.tr("Station"))
        self.driver = Chooser(self.tr("Driver"))
        self.first = DateField(self.tr("First day"))
        self.last = DateField(self.tr("Last day"))
        self.dash = label("–", "muted")
        self.clear = button(self.tr("Clear"), self.reset, "quiet")
        self.setLayout(
            row(
                self.search, self.period, self.first, self.dash, self.last, self.state,
                self.station, self.driver, self.clear, 0,
            )
        )  # fmt: skip
        self._offer_fixed()
        self._show_dates()
        self.search.textChanged.connect(self.searched)
        self.search.textChanged.connect(self._show_clear)
        for chooser in (self.period, self.state, self.station, self.driver):
            chooser.currentIndexChanged.connect(self._on_changed)
        for field in (self.first, self.last):
            field.dateChanged.connect(self._on_changed)

    def _offer_fixed(self) -> None:
        self.period.offer(
            [
                ("days30", self.tr("Last 30 days")), ("today", self.tr("Today")),
                ("days7", self.tr("Last 7 days")), ("month", self.tr("This month")),
                ("before", self.tr("Last month")), ("all", self.tr("All time")),
                ("own", self.tr("From – to …")),
            ]
        )  # fmt: skip
        states = [(state, texts.session_state(state)[0]) for state in SessionState]
        self.state.offer([(None, self.tr("All states")), *states])
        self.station.offer([(None, self.tr("All stations"))])
        self.driver.offer([(None, self.tr("All drivers"))])

    def offer(self, stations: Sequence[StationRow], drivers: Sequence[Driver]) -> None:
        """Offer these stations and drivers."""
        names = [(row.station.id, row.station.name) for row in stations]
        people = sorted(
            ((d.id, d.party.name) for d in drivers), key=lambda pair: pair[1].casefold()
        )
        self.station.offer([(None, self.tr("All stations")), *names])
        self.driver.offer([(None, self.tr("All drivers")), *people])

    def reset(self) -> None:
        """Filter nothing but the usual period."""
        self.search.clear()
        for chooser in (self.period, self.state, self.station, self.driver):
            chooser.setCurrentIndex(0)

    def wanted(self) -> SessionFilter:
        """Return the filter, its days local to the site."""
        first, last = self.days()
        tz = self._context.site.tz
        return SessionFilter(
            from_at=None if first is None else midnight(first, tz),
            to_at=None if last is None else midnight(last + timedelta(days=1), tz),
            station=self.station.value(),
            driver=self.driver.value(),
            state=self.state.value(),
        )

    def days(self) -> tuple[date | None, date | None]:
        """Return the first and the last day of the period; None is open."""
        today = self._context.pulse.now().astimezone(self._context.zone).date()
        month = today.replace(day=1)
        before = month - timedelta(days=1)
        periods: dict[str, tuple[date | None, date | None]] = {
            "today": (today, None),
            "days7": (today - timedelta(days=6), None),
            "days30": (today - timedelta(days=29), None),
            "month": (month, None),
            "before": (before.replace(day=1), before),
            "all": (None, None),
            "own": (self.first.day(), self.last.day()),
        }
        return periods[str(self.period.value())]

    def _on_changed(self) -> None:
        own = self.period.value() == "own"
        if own and not self.first.isVisible():
            today = self._context.pulse.now().astimezone(self._context.zone).date()
            for field, day in ((self.first, today.replace(day=1)), (self.last, today)):
                field.blockSignals(True)
                field.set_day(day)
                field.blockSignals(False)
        self._show_dates()
        self.changed.emit()

    def _show_dates(self) -> None:
        own = self.period.value() == "own"
        for part in (self.first, self.dash, self.last):
            part.setVisible(own)
        self._show_clear()

    def _show_clear(self) -> None:
        choosers = (self.period, self.state, self.station, self.driver)
        narrowed = any(chooser.currentIndex() > 0 for chooser in choosers)
        self.clear.setVisible(narrowed or bool(self.search.text()))
