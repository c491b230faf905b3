"""In a small window nothing is cut through, nothing that matters is out of sight."""

import pytest
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QPushButton

from evdesk.gui.models.rows import Column
from evdesk.gui.widgets.calm_table import shared_widths
from tests.fakes.depot import Depot
from tests.fakes.desk import stub_desk

SMALL, LEAST, LARGE = (1100, 700), (1000, 640), (1440, 900)


def column(width, least=0, spare=0):
    return Column("", str, width=width, least=least, spare=spare)


def shown(table):
    header = table.horizontalHeader()
    return [
        c.title for n, c in enumerate(table.rows_model.columns) if not header.isSectionHidden(n)
    ]


@pytest.fixture
def page(open_window, qtbot):
    def open_it(name, size, desk=None):
        window = open_window(desk)
        window.resize(*size)
        found = window.open(name)
        if name == "live":
            qtbot.waitUntil(lambda: bool(found.panel._points) and not found.panel._fetching)
        else:
            qtbot.waitSignal(found.drawn).wait()
        return found

    return open_it


@pytest.mark.parametrize("size", [SMALL, LEAST, LARGE])
@pytest.mark.parametrize("stations", [1, 6, 9, 24])
def test_cards_are_never_cut_through(page, size, stations):
    grid = page("live", size, stub_desk(Depot(stations))).grid
    foot = grid.viewport().height()
    edges = [(c.y(), c.y() + c.height()) for c in grid._cards]
    assert not [edge for edge in edges if edge[0] < foot < edge[1]]
    assert edges[0][1] <= foot


def test_a_small_window_has_room_for_six_stations(page):
    grid = page("live", SMALL).grid
    assert grid.verticalScrollBar().maximum() == 0


@pytest.mark.parametrize("size", [SMALL, LEAST])
@pytest.mark.parametrize(
    "name", ["sessions", "reconcile", "meters", "drivers", "faults", "tariffs"]
)
def test_no_column_is_half_out_of_sight(page, name, size, qtbot):
    found = page(name, size)
    table = found.devices.table if name == "meters" else found.table
    bar = table.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() == 0, timeout=2_000)
    if table.sorted.rowCount():
        table.selectRow(0)  # the panel beside it takes its room
    qtbot.waitUntil(lambda: bar.maximum() == 0, timeout=2_000)


def test_a_wide_window_shows_every_column(page):
    for name in ("sessions", "reconcile", "meters", "faults"):
        found = page(name, LARGE)
        table = found.devices.table if name == "meters" else found.table
        assert shown(table) == [c.title for c in table.rows_model.columns]


def test_sessions_have_the_whole_width_until_one_is_chosen(page):
    found = page("sessions", SMALL)
    assert found.panel.isHidden()
    assert shown(found.table)[-1] == "Remarks"
    found.table.selectRow(0)
    assert found.panel.isVisible()
    assert shown(found.table)[:4] == ["State", "Plugged in", "Station", "Energy, kWh"]
    found.table.clearSelection()
    assert found.panel.isHidden()


@pytest.mark.parametrize("name", ["live", "meters", "sessions", "drivers", "faults"])
def test_no_button_is_narrower_than_its_words(page, name):
    found = page(name, LEAST)
    cut = [
        part.text()
        for part in found.findChildren(QPushButton)
        if part.isVisible()
        and part.width() < QFontMetrics(part.font()).horizontalAdvance(part.text()) + 12
    ]
    assert not cut


def test_columns_share_what_is_over_and_what_is_missing():
    columns = [column(100), column(100, least=60), column(0)]
    assert shared_widths(columns, 308) == [100, 100, 108]
    assert shared_widths(columns, 328) == [100, 110, 108]
    assert shared_widths(columns, 288) == [100, 80, 108]
    assert shared_widths(columns, 100) == [100, 60, 108]


def test_spare_columns_go_the_highest_number_first():
    columns = [column(100), column(100, spare=1), column(100, spare=2)]
    assert shared_widths(columns, 300) == [100, 100, 100]
    assert shared_widths(columns, 299) == [100, 100, 0]
    assert shared_widths(columns, 150) == [100, 0, 0]


def test_a_message_moves_nothing_on_the_page(page):
    found = page("sessions", SMALL)
    before = found.table.mapTo(found.window(), found.table.rect().topLeft()), found.table.size()
    found.told.emit("3 sessions saved.")
    notice = found.window().notice
    assert notice.isVisible()
    assert (
        found.table.mapTo(found.window(), found.table.rect().topLeft()),
        found.table.size(),
    ) == before
    assert found.window().stack.geometry().contains(notice.geometry())
    found.window().resize(*LARGE)
    assert found.window().stack.geometry().contains(notice.geometry())


def test_a_silent_station_is_not_said_to_be_free(page):
    cards = {c._name.text_in_full(): c for c in page("live", SMALL).cards.values()}
    assert cards["Visitors right"]._since.text_in_full() == "No session when last heard"
    assert cards["Yard 2"]._since.text_in_full() == "No car plugged in"
