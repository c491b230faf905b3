"""Live: every station now, and the charging rate over time."""

from datetime import datetime, timedelta

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

from evdesk.domain.instants import midnight
from evdesk.domain.meters import StationId
from evdesk.domain.sessions import Session
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.models.points import EMPTY, Points, all_points
from evdesk.gui.pulse import Snapshot
from evdesk.gui.widgets.card_grid import CardGrid
from evdesk.gui.widgets.empty import EmptyState
from evdesk.gui.widgets.figures import Figure
from evdesk.gui.widgets.page import Page
from evdesk.gui.widgets.parts import button, row
from evdesk.gui.widgets.rate_panel import RatePanel
from evdesk.gui.widgets.station_card import StationCard
from evdesk.services.live import UNKNOWN, Card, StationState

MANY_STATIONS = 8
FULL_CARD_PX = 162  # with the gap below; where they do not fit, smaller ones are shown
LEAST_PLOT_PX = 240
LEAST_HEADED_PX = 880  # in less the buttons of the plot need the room of its heading
SPARK = timedelta(minutes=15)
SPARK_POINTS = 60
SLOW_EVERY = timedelta(seconds=10)


class LivePage(Page):
    """Cards above, plot below; a card that is chosen is shown alone in the plot."""

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self.setAccessibleName(self.tr("Live"))
        self.cards: dict[StationId, StationCard] = {}
        self._slow_at: datetime | None = None
        self._split_by_hand = False
        self.charging = Figure(self.tr("Charging now"))
        self.power = Figure(self.tr("Power now"), self.tr("kW"))
        self.energy = Figure(self.tr("Energy of today's sessions"), self.tr("kWh"))
        self.sessions = Figure(self.tr("Sessions today"))
        self.grid = CardGrid()
        self.panel = RatePanel(context)
        self.go = button(self.tr("Add the first meter"), self._on_go, "primary")
        self.empty = EmptyState(
            context.theme,
            "meters",
            self.tr("No station yet"),
            self.tr(
                "Add the first meter or charger on the Meters page, then start the collector: "
                "its station appears here and its readings are kept."
            ),
            self.go,
        )
        self._arrange()
        self.grid.laid_out.connect(self._share_height)
        self.panel.chosen.connect(self._mark_card)
        self.panel.failed.connect(self.failed)
        self.panel.drawn.connect(self.drawn)

    def _arrange(self) -> None:
        self.figures = QWidget()
        figures = row(self.charging, self.power, self.energy, self.sessions, gap=12)
        self.figures.setLayout(figures)
        self.split = QSplitter(Qt.Orientation.Vertical)
        self.split.addWidget(self.grid)
        self.split.addWidget(self.panel)
        self.split.setStretchFactor(0, 0)
        self.split.setStretchFactor(1, 1)
        self.split.setCollapsible(0, False)
        self.split.setCollapsible(1, False)
        self.split.setHandleWidth(16)
        self.split.splitterMoved.connect(self._on_split_by_hand)
        self.panel.setMinimumHeight(LEAST_PLOT_PX)
        self.body.addWidget(self.figures)
        self.body.addWidget(self.split, 1)
        self.body.addWidget(self.empty, 1)
        self.empty.hide()

    def refresh(self) -> None:
        """Read everything again."""
        self._slow_at = None
        self.context.pulse.hurry()
        if self.context.pulse.last is not None:
            self.on_beat(self.context.pulse.last)
        self.panel.fetch()

    def on_beat(self, snapshot: Snapshot) -> None:
        """Show what was committed."""
        overview = snapshot.overview
        self._show_cards(overview.cards, overview.at)
        self._show_now(overview.cards)
        self.panel.tick([card.station for card in overview.cards], overview.at)
        if self._slow_at is None or not timedelta() <= overview.at - self._slow_at < SLOW_EVERY:
            self._slow_at = overview.at
            self._read_slow(overview.at)

    def focus_search(self) -> None:
        """Nothing is searched here: the plot takes the keys."""
        self.panel.chart.setFocus()

    # -- cards ----------------------------------------------------------------------------------

    def _show_cards(self, cards: tuple[Card, ...], now: datetime) -> None:
        stations = [card.station.id for card in cards]
        others = stations != list(self.cards)
        if others:
            self._make_cards(stations)
        if others:
            self._share_height()  # small cards tell less
        for card in cards:
            self.cards[card.station.id].show_card(card, now)
        if others:
            self._share_height()
        self.empty.setVisible(not cards)
        self.figures.setVisible(bool(cards))
        self.split.setVisible(bool(cards))
        if not cards:
            self.drawn.emit()

    def _on_go(self) -> None:
        self.page_wanted.emit("meters")

    def _make_cards(self, stations: list[StationId]) -> None:
        for old in self.cards.values():
            old.setParent(None)
            old.deleteLater()
        context = self.context
        self.cards = {s: StationCard(s, context.theme, context.zone) for s in stations}
        for card in self.cards.values():
            card.chosen.connect(self.panel.toggle)
        self.grid.set_cards(list(self.cards.values()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.panel.heading.setVisible(self.width() >= LEAST_HEADED_PX)
        self._share_height()

    def _share_height(self) -> None:
        """Give the cards whole lines, at most 55 % of the height; the plot gets the rest."""
        height = self.split.height() - self.split.handleWidth()
        most = min(self.split.height() * 11 // 20, height - self.panel.minimumHeight())
        full = self.grid.lines_in_full() * FULL_CARD_PX
        small = len(self.cards) > MANY_STATIONS or full > self.split.height() * 11 // 20
        for card in self.cards.values():
            card.set_small(small)
        self.grid.set_small(small)
        if not self._split_by_hand:
            cards = self.grid.height_within(most)
            self.split.setSizes([cards, height - cards])

    def _on_split_by_hand(self) -> None:
        self._split_by_hand = True

    def _mark_card(self, chosen: object) -> None:
        for station, card in self.cards.items():
            card.set_chosen(station == chosen)

    # -- figures --------------------------------------------------------------------------------

    def _show_now(self, cards: tuple[Card, ...]) -> None:
        answering = [card for card in cards if card.state not in UNKNOWN]
        charging = sum(card.state is StationState.CHARGING for card in cards)
        known = [card.power_w for card in answering if card.power_w is not None]
        self.charging.set_value(str(charging), self.tr("of {count}").format(count=len(cards)))
        unit = self.tr("kW")
        if len(known) < len(cards):
            unit = self.tr("kW from {known} of {count}").format(known=len(known), count=len(cards))
        self.power.set_value(texts.kilowatts(sum(known)) if known else texts.NONE, unit)

    def _read_slow(self, now: datetime) -> None:
        """Read what need not be new twice a second: today's sessions and the small curves."""
        today = midnight(now.astimezone(self.context.zone).date(), self.context.site.tz)
        live, stations = self.context.desk.live, self.panel.stations()
        self.context.tasks.run(
            lambda: (
                live.sessions_today(today),
                all_points(live.curves_between(stations, now - SPARK, now, SPARK_POINTS)),
                now,
            ),
            self._show_slow,
            self.failed.emit,
        )

    def _show_slow(self, read: tuple[list[Session], dict[StationId, Points], datetime]) -> None:
        sessions, curves, now = read
        energies = [s.energy_wh for s in sessions if s.energy_wh is not None]
        self.energy.set_value(texts.kwh(sum(energies), 1))
        self.sessions.set_value(str(len(sessions)))
        range_s = ((now - SPARK).timestamp(), now.timestamp())
        for number, (station, card) in enumerate(self.cards.items()):
            colour = self.context.theme.series(number)
            card.show_curve(curves.get(station, EMPTY), range_s, colour)
