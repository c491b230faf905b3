"""The charging rate of all stations: spans, follow, zoom, and what the pointer reads off."""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QPushButton, QWidget

from evdesk.domain.meters import Station
from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.models.points import EMPTY, Points, all_points, total
from evdesk.gui.widgets.chart import Chart, Series
from evdesk.gui.widgets.legend import Legend
from evdesk.gui.widgets.parts import button, column, give_icon, label, row

TOTAL = "total"
DASHES_PX = (0, 7, 3)  # told apart where the colours repeat
MARGIN = 0.5  # of a chosen range is fetched on either side, so that panning shows something
Fetched = dict[Hashable, Points]

ZOOM = 1.5  # one press of a zoom button


class RatePanel(QFrame):
    """``chosen`` tells which station is shown alone, None for all."""

    chosen = Signal(object)
    failed = Signal(object)
    drawn = Signal()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "surface")
        self._context = context
        self._stations: tuple[Station, ...] = ()
        self._points: Fetched = {}
        self._alone: Hashable | None = None
        self._span_s = 3600.0
        self._now_s = 0.0
        self._shown_to_s = 0.0
        self._fetching = False
        self.chart = Chart(context.zone, context.theme, context.tasks)
        self.legend = Legend(context.theme)
        self.follow = button(self.tr("Follow live"), self._on_follow, "toggle")
        self.total = button(self.tr("Total"), self._show, "toggle")
        self.fit = button("", self.fit_span, "quiet", self.tr("Show the whole span again (Home)"))
        closer, wider = partial(self.chart.zoom, 1 / ZOOM), partial(self.chart.zoom, ZOOM)
        self.zoom_in = button("", closer, "quiet", self.tr("Zoom in (+ or mouse wheel)"))
        self.zoom_out = button("", wider, "quiet", self.tr("Zoom out (− or wheel)"))
        self.spans = QButtonGroup(self)
        self.heading = label(self.tr("Charging rate"), "heading")
        self._arrange()
        self._connect()
        self.repaint_icons()

    def _arrange(self) -> None:
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.setToolTip(self.tr("Keep the newest readings at the right edge"))
        self.total.setCheckable(True)
        self.total.setToolTip(self.tr("Add the sum of all stations, where every meter answered"))
        for part, name in (
            (self.fit, self.tr("Zoom to fit")),
            (self.zoom_in, self.tr("Zoom in")),
            (self.zoom_out, self.tr("Zoom out")),
        ):
            part.setAccessibleName(name)
            part.setFixedWidth(36)
        self.heading.setContentsMargins(0, 0, 16, 0)
        tools = row(
            self.heading, self._span_buttons(), 0,
            self.total, self.follow, self.zoom_out, self.zoom_in, self.fit,
        )  # fmt: skip
        zone = label(self.tr("Times are local: {zone}").format(zone=self._context.site.tz), "small")
        zone.setContentsMargins(52, 0, 0, 0)
        plot = row(column(self.chart, zone, gap=2), self.legend, gap=8)
        plot.setStretch(0, 1)
        box = column(tools, plot, gap=8)
        box.setStretch(1, 1)
        box.setContentsMargins(16, 12, 8, 10)
        self.setLayout(box)

    def _span_buttons(self) -> QHBoxLayout:
        spans = (
            (300, self.tr("5 min")), (900, self.tr("15 min")), (3_600, self.tr("1 h")),
            (21_600, self.tr("6 h")), (86_400, self.tr("24 h")), (259_200, self.tr("3 d")),
            (604_800, self.tr("7 d")),
        )  # fmt: skip
        made = row(gap=0)
        for number, (span_s, text) in enumerate(spans):
            part = QPushButton(text)
            part.setCheckable(True)
            part.setChecked(span_s == self._span_s)
            part.setProperty("kind", "segment")
            place = {0: "first", len(spans) - 1: "last"}.get(number, "")
            part.setProperty("place", place)
            part.setAccessibleName(self.tr("Show the last {span}").format(span=text))
            self.spans.addButton(part, span_s)
            made.addWidget(part)
        return made

    def _connect(self) -> None:
        self.spans.idClicked.connect(self.set_span)
        self.chart.moved.connect(self._on_moved)
        self.chart.hovered.connect(self._read_off)
        self.chart.drawn.connect(self.drawn)
        self.chart.fit_wanted.connect(self.fit_span)
        self.legend.chosen.connect(self.toggle)
        self._context.theme.changed.connect(self.repaint_icons)

    def repaint_icons(self) -> None:
        """Draw icons and curves in the theme's colours."""
        theme = self._context.theme
        give_icon(self.fit, theme, "zoom-fit")
        give_icon(self.zoom_in, theme, "add")
        give_icon(self.zoom_out, theme, "minus")
        self._show()

    # -- what is shown --------------------------------------------------------------------------

    def stations(self) -> tuple[Station, ...]:
        """Return whose curves are shown."""
        return self._stations

    def tick(self, stations: Sequence[Station], now: datetime) -> None:
        """Take in the stations and the time; fetch once the plot would move by a pixel."""
        changed = tuple(stations) != self._stations
        self._stations, self._now_s = tuple(stations), now.timestamp()
        step_s = self._span_s / self.chart.width_px()
        if changed or (self.follow.isChecked() and self._now_s - self._shown_to_s >= step_s):
            self.fetch()

    def set_span(self, span_s: int) -> None:
        """Show the last so many seconds."""
        self._span_s = float(span_s)
        self.spans.button(span_s).setChecked(True)
        self.follow.setChecked(True)
        self.fetch()

    def fit_span(self) -> None:
        """Show the whole chosen span again, up to now."""
        self.follow.setChecked(True)
        self.fetch()

    def toggle(self, key: Hashable) -> None:
        """Show one curve alone, or all again."""
        self._alone = None if self._alone == key else key
        self.legend.mark(self._alone)
        self.chosen.emit(self._alone)
        self._show()

    def fetch(self) -> None:
        """Read the curves of what is seen, at the resolution of the screen."""
        if self._fetching or not self._stations:
            return
        self._fetching = True
        seen = self._seen_s()
        margin_s = 0.0 if self.follow.isChecked() else (seen[1] - seen[0]) * MARGIN
        from_at, to_at = (
            datetime.fromtimestamp(at_s, UTC) for at_s in (seen[0] - margin_s, seen[1] + margin_s)
        )
        wider = 1 + 2 * margin_s / (seen[1] - seen[0])
        points = round(2 * self.chart.width_px() * wider)
        live, stations = self._context.desk.live, self._stations
        until = to_at + timedelta(milliseconds=1)
        self._context.tasks.run(
            lambda: dict(all_points(live.curves_between(stations, from_at, until, points))),
            partial(self._on_fetched, seen),
            self._on_failed,
        )

    def _seen_s(self) -> tuple[float, float]:
        if self.follow.isChecked():
            return self._now_s - self._span_s, self._now_s
        return self.chart.range_s()

    def _on_fetched(self, seen: tuple[float, float], points: Fetched) -> None:
        self._fetching = False
        self._points = points
        self._shown_to_s = seen[1]
        if self._seen_s() != seen and not self.follow.isChecked():
            self.fetch()  # somebody has moved on meanwhile
        self._show(seen if self.follow.isChecked() else None)

    def _on_failed(self, error: Exception) -> None:
        self._fetching = False
        self.failed.emit(error)

    def _show(self, range_s: object = None) -> None:
        shown = self._series()
        self.legend.set_rows([(series, name) for series, name in shown])
        drawn = [s for s, _ in shown if self._alone in {None, s.key}]
        if self.total.isChecked():
            from_s, to_s = self.chart.range_s() if not isinstance(range_s, tuple) else range_s
            curves = [self._points[s.id] for s in self._stations if s.id in self._points]
            self._points[TOTAL] = total(curves, from_s, to_s, self.chart.width_px())
        self.chart.show_curves(drawn, self._points, range_s if isinstance(range_s, tuple) else None)
        self._read_off(self.chart.pointer_s)

    def _series(self) -> list[tuple[Series, str]]:
        theme = self._context.theme
        colours = len(theme.palette.series)
        shown = [
            (
                Series(
                    station.id,
                    theme.series(number),
                    dash_px=DASHES_PX[number // colours % len(DASHES_PX)],
                    fill_alpha=0.1 if self._alone == station.id else 0.0,
                ),
                station.name,
            )
            for number, station in enumerate(self._stations)
        ]
        if self.total.isChecked():
            shown.insert(0, (Series(TOTAL, theme.palette.text, width_px=2.4), self.tr("Total")))
        return shown

    def _read_off(self, at_s: float | None) -> None:
        zone = self._context.zone
        if at_s is None:
            title = self.tr("Newest, kW")
            values = {key: _newest(points) for key, points in self._points.items()}
        else:
            at = datetime.fromtimestamp(at_s, UTC)
            title = self.tr("{time}, kW").format(time=texts.stamp(at, zone, with_seconds=True))
            values = {key: self.chart.value_at(key, at_s) for key in self._points}
        shown = {
            key: texts.NONE if kw is None else texts.number(kw, 2) for key, kw in values.items()
        }
        self.legend.set_values(title, shown)

    # -- moving ---------------------------------------------------------------------------------

    def _on_follow(self) -> None:
        if self.follow.isChecked():
            self.fetch()

    def _on_moved(self) -> None:
        self.follow.setChecked(False)
        self.fetch()


def _newest(points: Points) -> float | None:
    if points is EMPTY or not len(points.at_s):
        return None
    newest = float(points.kw[-1])
    return None if newest != newest else newest  # noqa: PLR0124 - a NaN is a gap
