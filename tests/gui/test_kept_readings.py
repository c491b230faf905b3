from dataclasses import replace

import pytest

from evdesk.gui.dialogs.archive import ArchiveDialog
from tests.fakes.desk import StubLive


@pytest.fixture
def dialog(open_window, desk, qtbot):
    page = open_window(desk).open("meters")
    page.kept.click()
    qtbot.waitUntil(lambda: page.findChild(ArchiveDialog) is not None)
    return page.findChild(ArchiveDialog)


def test_what_is_kept_is_said_and_for_how_long(dialog):
    assert dialog.days.text() == "90 days"
    assert "920,000 of them" in dialog._text.text()
    assert "2.4 MB" in dialog._text.text()


@pytest.mark.parametrize(("shown", "days", "text"), [(0, None, "for ever"), (400, 400, "400 days")])
def test_for_how_long_is_set(dialog, depot, qtbot, shown, days, text):
    dialog.days.setValue(shown)
    assert dialog.days.text() == text
    with qtbot.waitSignal(dialog.saved):
        dialog.submit()
    assert depot.thin_after_days == days


class Thinned(StubLive):
    """All but the last hour is thinned out."""

    def curves_between(self, stations, from_at, to_at, points):
        curves = super().curves_between(stations, from_at, to_at, points)
        until_s = self.depot.now.timestamp() - 3_600
        return {key: replace(curve, thinned_until_s=until_s) for key, curve in curves.items()}


def test_a_plot_marks_what_is_thinned_out_while_it_is_seen(open_window, desk, depot, qtbot):
    live = Thinned(depot, desk.collector)
    page = open_window(replace(desk, live=live)).open("live")
    qtbot.waitUntil(lambda: bool(page.panel._points))
    page.panel.set_span(21_600)
    qtbot.waitUntil(page.panel.chart.thinned.visible)
    page.panel.set_span(900)
    qtbot.waitUntil(lambda: not page.panel.chart.thinned.visible())
