from dataclasses import replace

import pytest
from PySide6.QtCore import Qt

from evdesk.domain.errors import StorageError
from evdesk.gui.dialogs.explain import ExplainMonth
from evdesk.gui.main_window import PAGES
from evdesk.gui.texts import NONE
from evdesk.gui.theme import Tone
from tests.fakes.desk import empty_depot, stub_desk


@pytest.fixture
def window(open_window, desk):
    return open_window(desk)


@pytest.fixture
def page(window, qtbot):
    found = window.open("reconcile")
    qtbot.waitUntil(lambda: found.model.rowCount() > 0)
    return found


def row_of(page, name):
    return next(n for n, row in enumerate(page.table.shown()) if row.name == name)


def show(page, name):
    page.table.clearSelection()
    page.table.selectRow(row_of(page, name))


def words(panel):
    from PySide6.QtWidgets import QLabel, QPushButton

    parts = [*panel.findChildren(QLabel), *panel.findChildren(QPushButton)]
    return " | ".join(part.text() for part in parts if part.isVisibleTo(panel))


def test_the_month_is_shown_meter_by_meter_with_its_sums(page):
    assert page.model.rowCount() == 6
    account = page.table.shown()[row_of(page, "Workshop")].account
    assert account.rest_wh == 0
    assert page.figures["delta"].value() == "4,455.1"
    assert page.figures["left"].value() == "2.340"
    assert page.until.text() == "So far, until 23 Nov 2026  10:42"
    assert not page.progress.isVisible()


def test_what_is_left_to_explain_is_said_and_selected(page, qtbot):
    assert "Yard 2, Visitors left" in page.verdict.text()
    assert page.verdict.property("tone") == Tone.WARNING.value
    assert [row.name for row in page.table.selected()] == ["Yard 2"]
    assert page.panel.explain.isVisible()
    qtbot.waitUntil(lambda: "Show session" in words(page.panel))


def test_two_corrections_that_cancel_are_explained_one_by_one(open_window, desk, qtbot):
    desk.months.cancelling = True
    page = open_window(desk).open("reconcile")
    qtbot.waitUntil(lambda: page.model.rowCount() > 0)
    assert "Something is left to explain at Yard 2" in page.verdict.text()
    assert [row.name for row in page.table.selected()] == ["Yard 2"]
    assert page.figures["left"].value() == "2.840"
    assert page.panel.state.text() == "+0.500 −0.500 kWh"
    explain(page, qtbot, 500, "0.500", "Explained; −0.500 kWh are left.")
    qtbot.waitUntil(lambda: page.table.selected()[0].explained_wh == 500)
    assert page.panel.state.text() == "−0.500 kWh"
    explain(page, qtbot, None, "0.500", "Explained. Nothing is left at Yard 2.")
    qtbot.waitUntil(lambda: page.panel.state.text() == "Adds up")
    assert not page.panel.explain.isVisible()
    assert "Yard 2" not in page.verdict.text()
    assert [one.wh for one in desk.months.explained] == [500, -500]


def explain(page, qtbot, preset, amount, told):
    """Explain what the dialog offers; it asks what is meant where ``preset`` is one of two."""
    page.panel.ask_reason()
    dialog = page.panel.findChildren(ExplainMonth)[-1]
    assert dialog.side.isVisible() == (preset is not None)
    assert preset is None or dialog.side.value() == preset
    assert dialog.amount.text() == amount
    dialog.reason.setText("free of charge")
    with qtbot.waitSignal(page.told) as said:
        dialog.submit()
    assert said.args[0] == told


def test_either_of_two_amounts_can_be_explained_first(open_window, desk, qtbot):
    desk.months.cancelling = True
    page = open_window(desk).open("reconcile")
    qtbot.waitUntil(lambda: page.model.rowCount() > 0)
    page.panel.ask_reason()
    dialog = page.panel.findChild(ExplainMonth)
    assert "counted at Yard 2 that nothing accounts for" in dialog._text.text()
    dialog.side.choose(-500)
    assert "claimed at Yard 2 that its register did not count" in dialog._text.text()
    dialog.amount.setText("0.2")
    dialog.reason.setText("free of charge")
    with qtbot.waitSignal(page.told) as told:
        dialog.submit()
    assert told.args[0] == "Explained; +0.500 −0.300 kWh are left."
    assert [one.wh for one in desk.months.explained] == [-200]


def test_a_month_that_adds_up_says_so(open_window, desk, qtbot):
    desk.months.clear = True
    page = open_window(desk).open("reconcile")
    qtbot.waitUntil(lambda: page.model.rowCount() > 0)
    assert page.verdict.text().startswith("Everything is accounted for")
    assert page.verdict.property("tone") == Tone.POSITIVE.value
    assert "A register began anew" in page.verdict.text()
    show(page, "Yard 1")
    assert not page.panel.explain.isVisible()
    qtbot.waitUntil(lambda: "Counted while nobody read the meter." in words(page.panel))


def test_a_meter_whose_readings_are_damaged_has_a_row_that_says_so(open_window, desk, qtbot):
    desk.months.damaged = "Yard 1"
    page = open_window(desk).open("reconcile")
    qtbot.waitUntil(lambda: page.model.rowCount() > 0)
    assert page.verdict.property("tone") == Tone.DANGER.value
    assert page.verdict.text().startswith("Yard 1 cannot be counted")
    assert "left to explain at Yard 2" in page.verdict.text()
    assert [row.name for row in page.table.selected()] == ["Yard 1"]
    damaged = page.table.selected()[0]
    assert {column.text(damaged) for column in page.model.columns[1:]} == {NONE}
    assert page.figures["delta"].value() != NONE
    qtbot.waitUntil(lambda: "readings of meter Yard 1 are damaged" in words(page.panel))
    assert not page.panel.explain.isVisible()
    assert not page.panel.read.isVisible()
    assert page.panel.state.text() == "Damaged"
    for column in range(page.model.columnCount()):
        page.table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    show(page, "Yard 2")
    qtbot.waitUntil(page.panel.read.isVisible)


def test_a_reset_is_shown_as_a_gap_with_something_unknown(page, qtbot):
    show(page, "Visitors right")
    qtbot.waitUntil(lambda: "What it counted since its last read is lost." in words(page.panel))


def test_a_remainder_is_explained_with_a_reason(page, desk, qtbot):
    page.panel.ask_reason()
    dialog = page.panel.findChild(ExplainMonth)
    assert dialog.amount.text() == "0.500"
    dialog.amount.setText("0.0005")
    dialog.submit()
    assert "three decimals" in dialog.error.text()
    dialog.amount.setText("0.2")
    dialog.submit()
    qtbot.waitUntil(lambda: "Say why" in dialog.error.text())
    dialog.reason.setText("free of charge")
    with qtbot.waitSignal(page.told) as told:
        dialog.submit()
    assert told.args[0] == "Explained; −0.300 kWh are left."
    assert [(one.wh, one.reason) for one in desk.months.explained] == [(-200, "free of charge")]
    qtbot.waitUntil(lambda: page.table.selected()[0].explained_wh == -200)
    qtbot.waitUntil(lambda: "free of charge (Ada Petersen" in words(page.panel))


def test_another_month_is_counted_when_it_is_chosen(page, desk, qtbot):
    assert not page.month.later.isEnabled()
    page.month.earlier.click()
    qtbot.waitUntil(lambda: page.empty.isVisible() and desk.months.asked[-1] == "2026-10")
    qtbot.waitUntil(lambda: page.empty.heading() == "Nothing was counted in October 2026")
    assert not page.export.isEnabled()
    page.month.later.click()
    qtbot.waitUntil(lambda: page.counted.isVisible() and page.month.month() == "2026-11")


def test_a_month_chosen_while_another_is_counted_is_counted_next(page, desk, qtbot):
    for _ in range(3):
        page.month.earlier.click()
    qtbot.waitUntil(lambda: page._counting is None)
    assert desk.months.asked[-1] == page.month.month() == "2026-08"
    assert len(desk.months.asked) <= 4


def test_a_beat_counts_nothing_anew(page, desk, qtbot):
    before = len(desk.months.asked)
    desk.live.commit()
    page.context.pulse.hurry()
    with qtbot.waitSignal(page.context.pulse.beat):
        pass
    assert len(desk.months.asked) == before


def test_a_site_without_meters_says_what_to_do(open_window, qtbot):
    page = open_window(stub_desk(empty_depot())).open("reconcile")
    qtbot.waitUntil(lambda: page.empty.isVisible() and not page.progress.isVisible())
    assert page.empty.heading() == "Nothing was counted in November 2026"


def test_a_failure_is_said_and_the_month_can_be_counted_again(page, desk, qtbot):
    month = desk.months.month
    desk.months.month = fail
    with qtbot.waitSignal(page.failed):
        page.refresh()
    assert page.empty.heading() == "This month was not counted"
    desk.months.month = month
    page.again.click()
    qtbot.waitUntil(page.counted.isVisible)


def fail(*_):
    raise StorageError("The disk is full.")


def test_the_session_in_question_is_shown_on_its_own_page(window, page, depot, qtbot):
    wanted = page.table.selected()[0].account.rests[0].session
    page.panel.session_wanted.emit(wanted)
    sessions = window.page()
    assert window.navigation._group.checkedId() == PAGES.index("sessions")
    qtbot.waitUntil(lambda: [s.id for s in sessions.table.selected()] == [wanted])
    qtbot.waitUntil(sessions.panel.detail.isVisible)


def test_the_month_is_exported(page, qtbot, tmp_path):
    page.ask_file()
    out = tmp_path / "november.csv"
    with qtbot.waitSignal(page.told) as told:
        page.files.save(str(out))
    page.files.dialog.close()
    assert str(out) in told.args[0]
    assert "Yard 2;-500" in out.read_text()


def test_sessions_in_review_are_counted_in_the_navigation(window, depot, qtbot):
    badge = window.navigation._badges[PAGES.index("sessions")]
    assert badge.text() == "10"
    depot.sessions = [replace(s, state="closed") for s in depot.sessions]
    window.context.pulse.hurry()
    qtbot.waitUntil(lambda: not badge.isVisible())
