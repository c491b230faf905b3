"""Charging rate over time: pan, zoom, follow, read off; curves are drawn off the GUI thread."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from evdesk.gui.models.points import EMPTY, Points, nice_top
from evdesk.gui.tasks import Lane, Tasks
from evdesk.gui.theme import Theme
from evdesk.gui.widgets.power_axis import PowerAxis
from evdesk.gui.widgets.raster import Frame, Stroke, draw
from evdesk.gui.widgets.thinned_mark import ThinnedMark
from evdesk.gui.widgets.time_axis import DAY_S, TimeAxis

SHORTEST_S, LONGEST_S = 10, 45 * DAY_S
SETTLED_MS = 150
BREATH_MS = 40  # between two pictures, while they are outdated as soon as they are drawn
PAN, ZOOM = 0.2, 1.5


@dataclass(frozen=True, slots=True)
class Series:
    """How one curve looks."""

    key: Hashable
    colour: str
    width_px: float = 1.6
    dash_px: int = 0
    fill_alpha: float = 0.0


@dataclass(frozen=True, slots=True)
class Picture:
    """Finished curves, and the part of the plot they belong to."""

    pixels: NDArray[np.uint8]
    frame: Frame
    device_pixels: float


class CurveLayer(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is untyped
    """Shows the last picture where it belongs, stretched until a sharper one comes."""

    def __init__(self) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._image = QImage()

    def show_picture(self, picture: Picture) -> None:
        """Show another picture."""
        self.prepareGeometryChange()
        height, width, _ = picture.pixels.shape
        self._picture = picture  # the image borrows its memory
        self._image = QImage(
            picture.pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
        )
        self.update()

    def boundingRect(self) -> QRectF:
        if self._picture is None:
            return QRectF()
        frame = self._picture.frame
        return QRectF(frame.x_from, 0, frame.x_to - frame.x_from, frame.y_to)

    def viewTransformChanged(self) -> None:
        self.update()

    def paint(self, painter: QPainter, option: object, widget: QWidget | None = None) -> None:
        if self._picture is None:
            return
        target = painter.worldTransform().mapRect(self.boundingRect())
        painter.save()
        painter.setWorldMatrixEnabled(False)
        ratio = self._picture.device_pixels
        exact = QRectF(target.topLeft(), self._image.size() / ratio)
        near = abs(exact.width() - target.width()) < 1 and abs(exact.height() - target.height()) < 1
        if near:
            corner = QPointF(round(target.x() * ratio) / ratio, round(target.y() * ratio) / ratio)
            target = QRectF(corner, exact.size())
        painter.drawImage(target, self._image, QRectF(self._image.rect()))
        painter.restore()


class Chart(QWidget):
    """The plot. ``moved`` tells which range a person chose, ``hovered`` where the pointer is."""

    moved = Signal(float, float)
    hovered = Signal(object)
    drawn = Signal()
    fit_wanted = Signal()

    def __init__(
        self, zone: ZoneInfo, theme: Theme, tasks: Tasks, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme, self._tasks = theme, tasks
        self._series: tuple[Series, ...] = ()
        self._points: dict[Hashable, Points] = {}
        self._range = (0.0, 3600.0)
        self._drawing = self._stale = self._moving_self = False
        self.pointer_s: float | None = None
        self._plot = pg.PlotWidget(axisItems={"bottom": TimeAxis(zone), "left": PowerAxis()})
        self._layer = CurveLayer()
        self._crosshair = pg.InfiniteLine(angle=90, movable=False)
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(SETTLED_MS)
        self._settled.timeout.connect(self._tell_range)
        self._breath = QTimer(self)
        self._breath.setSingleShot(True)
        self._breath.setInterval(BREATH_MS)
        self._breath.timeout.connect(self._draw)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._plot)
        self._arrange()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._plot.setFocusProxy(self)
        theme.changed.connect(self.repaint_colours)
        self.repaint_colours()

    def _arrange(self) -> None:
        item = self._plot.getPlotItem()
        item.hideButtons()
        item.setMenuEnabled(False)
        item.showGrid(x=False, y=True, alpha=1.0)
        item.getAxis("left").setLabel(self.tr("kW"))
        item.getAxis("left").setWidth(52)
        view = item.getViewBox()
        view.setMouseEnabled(x=True, y=False)
        view.disableAutoRange()
        view.setLimits(minXRange=SHORTEST_S, maxXRange=LONGEST_S)
        view.setDefaultPadding(0)
        view.addItem(self._layer, ignoreBounds=True)
        view.addItem(self._crosshair, ignoreBounds=True)
        self._crosshair.hide()
        self.thinned = ThinnedMark(view)
        view.sigRangeChangedManually.connect(self._on_moved_by_hand)
        view.sigResized.connect(self._on_resized)
        self._plot.scene().sigMouseMoved.connect(self._on_pointer)
        self._plot.viewport().installEventFilter(self)
        self._view = view

    # -- what is shown --------------------------------------------------------------------------

    def show_curves(
        self,
        series: Sequence[Series],
        points: Mapping[Hashable, Points],
        range_s: tuple[float, float] | None = None,
    ) -> None:
        """Show curves, and with ``range_s`` another part of the time axis."""
        self._series, self._points = tuple(series), dict(points)
        if range_s is not None:
            self._range = range_s
        self._draw()

    def range_s(self) -> tuple[float, float]:
        """Return the part of the time axis that is seen."""
        return self._range

    def width_px(self) -> int:
        """Return how many pixels the time axis has."""
        return max(int(self._view.width() * self.devicePixelRatioF()), 100)

    def value_at(self, key: Hashable, at_s: float) -> float | None:
        """Return what is read off a curve in kW, None in a gap."""
        points = self._points.get(key, EMPTY)
        return points.value_at(at_s) if len(points.at_s) else None

    def repaint_colours(self) -> None:
        """Take the theme's colours."""
        palette = self._theme.palette
        self._plot.setBackground(palette.surface)
        self._crosshair.setPen(pg.mkPen(palette.muted, width=1))
        self.thinned.repaint(palette)
        font = QFont(self.font())
        font.setPointSizeF(9)
        for name in ("left", "bottom"):
            axis = self._plot.getPlotItem().getAxis(name)
            axis.setPen(pg.mkPen(palette.border))
            axis.setTextPen(pg.mkPen(palette.muted))
            axis.setTickPen(pg.mkPen(palette.grid))
            axis.setZValue(-1)  # its grid lies under the curves
            axis.setStyle(tickFont=font, tickLength=0, tickTextOffset=8)
        self._draw()

    # -- drawing --------------------------------------------------------------------------------

    def _draw(self) -> None:
        """Have the curves drawn; while that goes on, remember that it is stale already."""
        if self._drawing or self._breath.isActive():
            self._stale = True
            return
        self._drawing, self._stale = True, False
        curves = [(each, self._points.get(each.key, EMPTY)) for each in self._series]
        thinned = [p.thinned_until_s for _, p in curves if p.thinned_until_s is not None]
        self.thinned.show(max(thinned, default=None), self._range[0])
        ratio, range_s = self.devicePixelRatioF(), self._range
        size = (round(self._view.width() * ratio), round(self._view.height() * ratio))
        self._tasks.run(
            lambda: _picture(curves, range_s, size, ratio), self._show, lane=Lane.PICTURES
        )

    def _show(self, picture: Picture) -> None:
        self._drawing = False
        self._layer.show_picture(picture)
        if not self._stale:  # a view that has moved on stays where it is
            frame = picture.frame
            self._moving_self = True
            self._view.setRange(
                xRange=(frame.x_from, frame.x_to), yRange=(0, frame.y_to), padding=0
            )
            self._moving_self = False
            self.drawn.emit()
        else:
            self._breath.start()

    # -- moving ---------------------------------------------------------------------------------

    def pan(self, part: float) -> None:
        """Move by a part of what is seen."""
        from_s, to_s = self._range
        self._move(from_s + part * (to_s - from_s), to_s + part * (to_s - from_s))

    def zoom(self, factor: float) -> None:
        """Show ``factor`` times as much time, around the middle."""
        from_s, to_s = self._range
        half_s = min(max((to_s - from_s) * factor, SHORTEST_S), LONGEST_S) / 2
        middle_s = (from_s + to_s) / 2
        self._move(middle_s - half_s, middle_s + half_s)

    def _move(self, from_s: float, to_s: float) -> None:
        self._view.setXRange(from_s, to_s, padding=0)
        self._on_moved_by_hand()

    def _on_moved_by_hand(self, *_: object) -> None:
        (from_s, to_s), _y = self._view.viewRange()
        self._range = (from_s, to_s)
        self._settled.start()
        self._draw()

    def _tell_range(self) -> None:
        self.moved.emit(*self._range)

    def _on_resized(self, *_: object) -> None:
        self._draw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        match event.key():
            case keys.Key_Left:
                self.pan(-PAN)
            case keys.Key_Right:
                self.pan(PAN)
            case keys.Key_Plus | keys.Key_Equal | keys.Key_Up:
                self.zoom(1 / ZOOM)
            case keys.Key_Minus | keys.Key_Down:
                self.zoom(ZOOM)
            case keys.Key_Home | keys.Key_0:
                self.fit_wanted.emit()
            case _:
                super().keyPressEvent(event)

    # -- reading off ----------------------------------------------------------------------------

    def _on_pointer(self, position: QPointF) -> None:
        inside = self._view.sceneBoundingRect().contains(position)
        self._point_at(self._view.mapSceneToView(position).x() if inside else None)

    def eventFilter(self, watched: object, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Leave:
            self._point_at(None)
        return False

    def _point_at(self, at_s: float | None) -> None:
        self.pointer_s = at_s
        self._crosshair.setVisible(at_s is not None)
        if at_s is not None:
            self._crosshair.setValue(at_s)
        self.hovered.emit(at_s)


def _picture(
    curves: list[tuple[Series, Points]],
    range_s: tuple[float, float],
    size_px: tuple[int, int],
    ratio: float,
) -> Picture:
    """In the worker: draw curves, the axis of kW as high as what is seen of them."""
    highest = max((points.highest(*range_s) for _, points in curves), default=0.0)
    frame = Frame(*range_s, nice_top(highest), max(size_px[0], 1), max(size_px[1], 1))
    strokes = [_stroke(series, points, ratio) for series, points in curves]
    return Picture(draw(strokes, frame), frame, ratio)


def _stroke(series: Series, points: Points, ratio: float) -> Stroke:
    colour = QColor(series.colour)
    return Stroke(
        x=points.at_s,
        y=points.kw,
        rgb=(colour.red(), colour.green(), colour.blue()),
        width_px=series.width_px * ratio,
        dash_px=round(series.dash_px * ratio),
        fill_alpha=series.fill_alpha,
    )
