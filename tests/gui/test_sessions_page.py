from dataclasses import replace

import pytest

from evdesk.domain.sessions import SessionState
from evdesk.gui.dialogs.assign_driver import AssignDriver
from evdesk.gui.dialogs.review import CorrectSession, EndSession, ReleaseSession


@pytest.fixture
def page(open_window, desk, qtbot):
    found = open_window(desk).open("sessions")
    qtbot.waitUntil(lambda: found.model.rowCount() > 0)
    return found


def shown(page, column):
    proxy = page.table.sorted
    return [proxy.index(row, column).data() for row in range(proxy.rowCount())]


def wait_for_read(page, qtbot):
    qtbot.waitUntil(lambda: not page._found.runs)


def test_sessions_are_listed_newest_first_in_local_time(page):
    assert page.model.rowCount() == 157
    assert shown(page, 1)[:2] == ["Mon 23 Nov  09:52", "Mon 23 Nov  08:49"]
    assert page.count.text().startswith("157 sessions, 4,432.215 kWh")


def test_energy_is_sorted_as_a_number(page):
    page.table.sortByColumn(3, page.table.horizontalHeader().sortIndicatorOrder())
    energies = [float(text.replace(",", "")) for text in shown(page, 3)]
    assert energies == sorted(energies, reverse=True)


def test_searching_narrows_what_is_shown_and_counted(page):
    page.filters.search.setText("truck nowak")
    assert 0 < page.table.sorted.rowCount() < 157
    assert set(shown(page, 2)) == {"Truck bay"}
    assert set(shown(page, 4)) == {"Marta Nowak"}
    assert page.count.text().startswith(f"{page.table.sorted.rowCount()} sessions")


def test_filters_ask_the_service(page, qtbot):
    page.filters.state.choose(SessionState.REVIEW)
    assert page.filters.wanted().state is SessionState.REVIEW
    wait_for_read(page, qtbot)
    qtbot.waitUntil(lambda: 0 < page.model.rowCount() < 157)
    assert {row.state for row in page.model.rows()} == {SessionState.REVIEW}
    page.filters.station.setCurrentIndex(2)
    qtbot.waitUntil(lambda: {row.station for row in page.model.rows()} == {"Yard 2"})
    page.filters.clear.click()
    qtbot.waitUntil(lambda: page.model.rowCount() == 157)


def test_a_period_is_of_local_days(page, qtbot):
    page.filters.period.choose("today")
    qtbot.waitUntil(lambda: page.model.rowCount() == 11)
    page.filters.period.choose("own")
    wait_for_read(page, qtbot)
    assert page.filters.first.isVisible()
    assert page.filters.days()[0].day == 1


def test_nothing_found_says_what_to_do(page, qtbot):
    page.filters.period.choose("before")
    qtbot.waitUntil(page.empty.isVisible)
    assert page.empty.heading() == "No session matches"


def test_a_flag_explains_itself(page):
    from PySide6.QtCore import Qt

    row = next(n for n, s in enumerate(page.model.rows()) if s.figures.flags)
    index = page.model.index(row, 6)
    assert index.data()
    assert ": " in index.data(Qt.ItemDataRole.ToolTipRole)


def test_the_selected_session_shows_both_registers_with_their_raw_words(page, qtbot):
    page.table.selectRow(4)
    qtbot.waitUntil(page.panel.detail.isVisible)
    texts = [
        page.panel.registers.itemAt(n).widget().text() for n in range(page.panel.registers.count())
    ]
    figures = page.table.selected()[0].figures
    assert f"{figures.start.wh / 1000:,.3f}" in texts
    assert f"{figures.end.wh / 1000:,.3f}" in texts
    raw = figures.start.raw.hex()
    assert f"{raw[:4]} {raw[4:]}" in texts
    assert "24-31" in page.panel.meter.text()
    assert page.panel.log.count() >= 4


def test_sessions_are_assigned_to_a_driver(page, desk, depot, qtbot):
    page.table.selectRow(0)
    page.table.selectionModel().select(
        page.table.sorted.index(1, 0),
        page.table.selectionModel().SelectionFlag.Select
        | page.table.selectionModel().SelectionFlag.Rows,
    )
    chosen = {session.id for session in page.table.selected()}
    page.ask_driver()
    dialog = page.findChild(AssignDriver)
    qtbot.waitUntil(dialog.ok.isEnabled)
    dialog.submit()
    assert dialog.error.text() == "Choose a driver from the list."
    dialog.driver.setCurrentIndex(1)
    with qtbot.waitSignal(page.told) as signal:
        dialog.submit()
    assert signal.args[0] == "2 sessions assigned to Förde Logistik GmbH."
    drivers = {s.driver for s in depot.sessions if s.id in chosen}
    assert drivers == {depot.drivers[3].id}


def test_a_billed_session_cannot_be_assigned(page, desk, depot, qtbot):
    first = depot.sessions[0]
    depot.sessions[0] = replace(first, invoice="2026-00001")
    page.refresh()
    qtbot.waitUntil(lambda: shown(page, 0)[0] == "Billed")
    page.table.selectRow(0)
    assert not page.assign.isEnabled()


@pytest.mark.parametrize("suffix", [".xlsx", ".csv", ".json"])
def test_the_sessions_of_the_filters_are_exported(page, qtbot, tmp_path, suffix):
    page.ask_file()
    out = tmp_path / f"sessions{suffix}"
    with qtbot.waitSignal(page.told) as signal:
        page.files.save(str(out))
    page.files.dialog.close()
    assert len(out.read_text().splitlines()) == 157
    assert str(out) in signal.args[0]


def test_a_file_that_cannot_be_written_is_a_sentence(page, qtbot, tmp_path):
    page.ask_file()
    page.files.dialog.close()
    with qtbot.waitSignal(page.failed) as signal:
        page.files.save(str(tmp_path))
    assert "cannot be written" in str(signal.args[0])


def choose(page, state, qtbot):
    """Select the first session of a state and wait until its buttons are there."""
    row = next(n for n, s in enumerate(page.table.shown()) if s.state is state)
    page.table.clearSelection()
    page.table.selectRow(row)
    qtbot.waitUntil(page.panel.detail.isVisible)
    return page.table.selected()[0]


def offered(page):
    parts = page.decisions
    return [
        part.text() for part in (parts.release, parts.correct, parts.end) if not part.isHidden()
    ]


def test_what_can_be_decided_depends_on_the_state(page, depot, qtbot):
    choose(page, SessionState.REVIEW, qtbot)
    assert offered(page) == ["Release …", "Correct …"]
    closed = choose(page, SessionState.CLOSED, qtbot)
    assert offered(page) == ["Correct …"]
    choose(page, SessionState.OPEN, qtbot)
    assert offered(page) == ["End now …"]
    depot.sessions = [
        replace(one, invoice="2026-00001") if one is closed else one for one in depot.sessions
    ]
    page.refresh()
    qtbot.waitUntil(lambda: "Billed" in shown(page, 0))
    page.table.clearSelection()
    page.table.select_key(closed.id)
    assert offered(page) == []


def test_a_correction_is_shown_beside_what_was_measured(page, desk, qtbot):
    session = choose(page, SessionState.REVIEW, qtbot)
    page.decisions.ask_correct()
    dialog = page.decisions.findChild(CorrectSession)
    assert dialog.start.text() == f"{session.figures.start.wh / 1000:.3f}"
    dialog.start.setText("100")
    dialog.end_field.setText("99")
    assert not dialog.ok.isEnabled()
    dialog.end_field.setText("112.3455")
    assert not dialog.ok.isEnabled()
    dialog.end_field.setText("112.345")
    assert dialog.energy.text().startswith("12.345 kWh; measured: ")
    dialog.submit()
    qtbot.waitUntil(lambda: "Say why" in dialog.error.text())
    dialog.reason.setText("read off the display")
    with qtbot.waitSignal(page.told) as told:
        dialog.submit()
    assert told.args[0] == "Corrected to 12.345 kWh. It stays in review until you release it."
    qtbot.waitUntil(lambda: page.table.selected()[0].energy_wh == 12_345)
    qtbot.waitUntil(page.panel.decisions.isVisible)
    row = next(row for row in page.model.rows() if row.id == session.id)
    assert page.model.columns[-1].chips(row)[0].text == "Corrected"


def test_a_digit_too_many_is_asked_about_once(page, qtbot):
    choose(page, SessionState.CLOSED, qtbot)
    page.decisions.ask_correct()
    dialog = page.decisions.findChild(CorrectSession)
    dialog.start.setText("100")
    dialog.end_field.setText("11234.5")
    dialog.reason.setText("read off the display")
    dialog.submit()
    qtbot.waitUntil(lambda: "a digit too many" in dialog.error.text())
    assert dialog.ok.text() == "Correct all the same"
    dialog.end_field.setText("11234.6")
    assert (dialog.ok.text(), dialog.error.text()) == ("Correct", "")
    dialog.submit()
    qtbot.waitUntil(lambda: dialog.ok.text() == "Correct all the same")
    with qtbot.waitSignal(page.told) as told:
        dialog.submit()
    assert told.args[0].startswith("Corrected to 11,134.6")


def test_a_session_is_released_and_another_is_ended(page, depot, qtbot):
    session = choose(page, SessionState.REVIEW, qtbot)
    page.decisions.ask_release()
    dialog = page.decisions.findChild(ReleaseSession)
    dialog.reason.setText("looked at it")
    with qtbot.waitSignal(page.told):
        dialog.submit()
    found = next(one for one in depot.sessions if one.id == session.id)
    assert found.state is SessionState.CLOSED
    qtbot.waitUntil(lambda: page.table.selected()[0].state is SessionState.CLOSED)
    session = choose(page, SessionState.OPEN, qtbot)
    page.decisions.ask_end()
    dialog = page.decisions.findChild(EndSession)
    dialog.reason.setText("burnt down")
    with qtbot.waitSignal(page.told):
        dialog.submit()
    assert depot.decisions[session.id][0].reason == "burnt down"
