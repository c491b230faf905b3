"""One station now: state, power, currents, session."""

from datetime import datetime
from zoneinfo import ZoneInfo

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from evdesk.domain.meters import StationId
from evdesk.gui import texts
from evdesk.gui.models.points import Points
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.parts import ElidedLabel, column, label, restyle, row
from evdesk.gui.widgets.sparkline import Sparkline
from evdesk.services.live import UNKNOWN, Card


class StationCard(QFrame):
    """Shows a card; a click or Space chooses its station in the plot."""

    chosen = Signal(object)

    def __init__(
        self, station: StationId, theme: Theme, zone: ZoneInfo, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.station = station
        self._zone = zone
        self._name = ElidedLabel(role="strong")
        self._state = ChipLabel(theme)
        self._power = label()
        self._power.setObjectName("power")
        self._unit = label(self.tr("kW"), "muted")
        self._spark = Sparkline()
        self._amps = ElidedLabel(role="muted")
        self._energy = label(role="strong")
        self._since = ElidedLabel(role="muted")
        self._driver = ElidedLabel(role="muted")
        self._arrange()
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def _arrange(self) -> None:
        head = row(self._name, self._state)
        head.setStretch(0, 1)
        power = row(self._power, self._unit, 8, self._spark, 0, gap=4)
        power.setStretch(3, 100)
        power.setAlignment(self._unit, Qt.AlignmentFlag.AlignBottom)
        self._unit.setContentsMargins(0, 0, 0, 3)
        session = row(self._energy, self._since)
        session.setStretch(1, 1)
        self._lines = (self._amps, self._driver)
        box = column(head, power, self._amps, 4, session, self._driver, gap=4)
        box.setContentsMargins(16, 12, 12, 12)
        self.setLayout(box)

    def show_card(self, card: Card, now: datetime) -> None:
        """Show what is known of the station; a figure that was not read is a dash."""
        word, tone, icon = texts.station_look(card.state)
        self._name.set_text(card.station.name)
        self._state.show_chip(Chip(word, tone, icon))
        known = card.state not in UNKNOWN
        _set(self._power, texts.kilowatts(card.power_w if known else None))
        self._amps.set_text(self._currents(card) if known else self._last_heard(card))
        self._show_session(card, now)
        self.setAccessibleName(
            f"{card.station.name}: {word}, {self._power.text()} {self._unit.text()}"
        )

    def _show_session(self, card: Card, now: datetime) -> None:
        session = card.session
        if session is None:
            self._energy.hide()
            self._since.set_text(self._without_session(card))
            self._driver.set_text("")
            return
        self._energy.show()
        _set(self._energy, self.tr("{kwh} kWh").format(kwh=texts.kwh(session.figures.energy_wh)))
        self._since.set_text(self._since_when(session.figures.plugged_in_at, now))
        self._driver.set_text(card.driver or session.driver or self.tr("Driver not known yet"))

    def _without_session(self, card: Card) -> str:
        if card.at is None:
            return ""
        if card.state in UNKNOWN:  # a car may have come since
            return self.tr("No session when last heard")
        return self.tr("No car plugged in")

    def show_curve(self, points: Points, range_s: tuple[float, float], colour: str) -> None:
        """Show the last minutes."""
        self._spark.show_points(points, range_s, colour)

    def set_small(self, small: bool) -> None:
        """Leave out currents, driver and curve, where there are many stations."""
        if self.property("small") == ("true" if small else "false"):
            return
        for part in (*self._lines, self._spark):
            part.setVisible(not small)
        self.setProperty("small", "true" if small else "false")
        restyle(self._power)

    def set_chosen(self, chosen: bool) -> None:
        """Mark the station that the plot shows alone."""
        if self.property("chosen") != ("true" if chosen else "false"):
            self.setProperty("chosen", "true" if chosen else "false")
            restyle(self)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.chosen.emit(self.station)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.chosen.emit(self.station)
        else:
            super().keyPressEvent(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(220, super().minimumSizeHint().height())

    def _currents(self, card: Card) -> str:
        if all(current is None for current in card.currents_a):
            return self.tr("Currents not measured")
        read = "  ".join(
            f"L{number} {texts.amps(current)}"
            for number, current in enumerate(card.currents_a, 1)
            if current is not None
        )
        return self.tr("{currents} A").format(currents=read)

    def _last_heard(self, card: Card) -> str:
        if card.at is None:
            return self.tr("Waiting for the first reading")
        return self.tr("Last heard at {time}").format(time=texts.clock_time(card.at, self._zone))

    def _since_when(self, began: datetime, now: datetime) -> str:
        time = self._began(began, now)
        if self.property("small") == "true":
            return self.tr("since {time}").format(time=time)
        return self.tr("since {time} ({duration})").format(
            time=time, duration=texts.duration(now - began)
        )

    def _began(self, began: datetime, now: datetime) -> str:
        same_day = began.astimezone(self._zone).date() == now.astimezone(self._zone).date()
        time = texts.clock_time(began, self._zone)
        return time if same_day else f"{texts.day(began, self._zone)} {time}"


def _set(owner: QLabel, text: str) -> None:
    if owner.text() != text:
        owner.setText(text)
