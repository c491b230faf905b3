from datetime import timedelta

import numpy as np
import pytest

from evdesk.services.live import StationState
from tests.fakes.depot import Depot
from tests.fakes.desk import stub_desk


@pytest.fixture
def page(open_window, desk, qtbot):
    found = open_window(desk).open("live")
    qtbot.waitUntil(lambda: bool(found.panel._points) and not found.panel._fetching)
    return found


def card(page, number):
    return page.cards[page.context.pulse.last.overview.cards[number].station.id]


def wait_for_fetch(page, qtbot):
    qtbot.waitUntil(lambda: not page.panel._fetching)


def test_a_card_tells_state_power_currents_and_session(page):
    shown = card(page, 0)
    assert shown._state.text() == "Charging"
    assert shown._power.text() == "10.75"
    assert shown._amps.text_in_full().startswith("L1 15.6")
    assert shown._energy.text() == "17.401 kWh"
    assert shown._since.text_in_full() == "since 08:41 (2 h 01 min)"
    assert shown._driver.text_in_full() == "Marta Nowak"


def test_a_silent_meter_shows_a_dash_and_not_zero(page):
    assert card(page, 4)._power.text() == "–"
    assert card(page, 4)._state.text() == "No answer"
    assert page.power._unit.text() == "kW from 5 of 6"


def test_figures_are_those_of_today_in_the_zone_of_the_site(page, qtbot):
    qtbot.waitUntil(lambda: page.sessions.value() != "–")
    assert page.charging.value() == "4"
    assert page.sessions.value() == "11"


def test_what_is_committed_appears(page, desk, qtbot):
    desk.live.states[page.context.pulse.last.overview.cards[0].station.id] = StationState.FAULT
    desk.live.commit()
    qtbot.waitUntil(lambda: card(page, 0)._state.text() == "Fault")


def test_following_keeps_the_newest_reading_at_the_right_edge(page, desk, qtbot):
    before = page.panel.chart.range_s()
    desk.live.commit(60)
    qtbot.waitUntil(lambda: page.panel.chart.range_s()[1] == pytest.approx(before[1] + 60))


def test_panning_stops_following_and_fit_brings_it_back(page, qtbot):
    chart = page.panel.chart
    before = chart.range_s()
    with qtbot.waitSignal(chart.moved):
        chart.pan(-0.5)
    assert not page.panel.follow.isChecked()
    assert chart.range_s()[0] == pytest.approx(before[0] - 1800)
    wait_for_fetch(page, qtbot)
    page.panel.fit.click()
    wait_for_fetch(page, qtbot)
    assert page.panel.follow.isChecked()
    assert chart.range_s() == pytest.approx(before)


def test_a_zoomed_range_is_fetched_at_the_resolution_of_the_screen(page, desk, qtbot):
    asked = []
    answer = desk.live.curves_between

    def curves_between(stations, from_at, to_at, points):
        asked.append((to_at - from_at, points))
        return answer(stations, from_at, to_at, points)

    desk.live.curves_between = curves_between
    with qtbot.waitSignal(page.panel.chart.moved):
        page.panel.chart.zoom(0.1)
    wait_for_fetch(page, qtbot)
    span, points = asked[-1]
    assert span.total_seconds() == pytest.approx(2 * 360, abs=1)  # half a screen on either side
    assert points == pytest.approx(4 * page.panel.chart.width_px(), abs=2)


def test_spans_reach_from_five_minutes_to_seven_days(page, qtbot):
    for button in page.panel.spans.buttons():
        button.click()
        wait_for_fetch(page, qtbot)
        from_s, to_s = page.panel.chart.range_s()
        assert to_s - from_s == page.panel.spans.checkedId()
        assert to_s == page.context.pulse.now().timestamp()


def test_a_card_or_a_legend_row_shows_one_station_alone(page):
    first, second = list(page.cards)[:2]
    card(page, 0).chosen.emit(first)
    assert [s.key for s in page.panel.chart._series] == [first]
    assert page.cards[first].property("chosen") == "true"
    page.panel.legend.chosen.emit(second)
    assert [s.key for s in page.panel.chart._series] == [second]
    page.panel.legend.chosen.emit(second)
    assert len(page.panel.chart._series) == 6


def test_the_pointer_reads_off_every_station(page):
    at_s = page.panel.chart.range_s()[1] - 1800
    page.panel.chart._point_at(at_s)
    values = page.panel.legend.values()
    assert float(values["Yard 1"]) == pytest.approx(10.78, abs=0.05)
    assert page.panel.legend._title.text_in_full() == "23 Nov 2026  10:12:17, kW"
    assert page.panel.chart._crosshair.isVisible()
    page.panel.chart._point_at(None)
    assert page.panel.legend._title.text_in_full() == "Newest, kW"


def test_a_gap_in_the_readings_is_a_gap_in_the_plot(page, desk, qtbot):
    page.panel.set_span(21_600)
    wait_for_fetch(page, qtbot)
    station = next(k for k, p in page.panel._points.items() if np.isnan(p.kw).any())
    page.panel.toggle(station)
    with qtbot.waitSignal(page.panel.chart.drawn):
        page.panel.chart._draw()
    points = page.panel._points[station]
    picture = page.panel.chart._layer._picture
    from_s, to_s = page.panel.chart.range_s()
    gap_s = float(points.at_s[np.isnan(points.kw)].mean())
    middle = round((gap_s - from_s) / (to_s - from_s) * picture.frame.width_px)
    columns = picture.pixels[..., 3].max(axis=0)
    assert columns[middle] == 0
    assert (columns > 0).sum() > picture.frame.width_px // 2


def test_the_total_can_be_added(page, qtbot):
    page.panel.total.click()
    assert page.panel.chart._series[0].key == "total"
    assert "Total" in page.panel.legend.values()


def test_keys_move_the_plot(page, qtbot):
    from PySide6.QtCore import Qt

    chart = page.panel.chart
    before = chart.range_s()
    qtbot.keyClick(chart, Qt.Key.Key_Plus)
    assert chart.range_s()[1] - chart.range_s()[0] == pytest.approx(2400)
    qtbot.keyClick(chart, Qt.Key.Key_Left)
    assert chart.range_s()[0] == pytest.approx(before[0] + 600 - 480)
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    assert page.panel.follow.isChecked()
    wait_for_fetch(page, qtbot)


def test_many_stations_have_small_cards_and_curves_that_differ(open_window, qtbot):
    page = open_window(stub_desk(Depot(24))).open("live")
    qtbot.waitUntil(lambda: len(page.cards) == 24 and bool(page.panel._points))
    looks = {(s.colour, s.dash_px) for s in page.panel.chart._series}
    assert len(looks) == 24
    assert all(shown.property("small") == "true" for shown in page.cards.values())


def test_a_clock_that_was_set_back_is_no_trouble(page, desk, depot, qtbot):
    depot.now -= timedelta(hours=1)
    with qtbot.waitSignal(page.context.pulse.beat):
        desk.live.commit(0)
