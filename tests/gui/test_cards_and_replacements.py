"""A driver's cards, and a meter that was replaced."""

import pytest
from PySide6.QtCore import QDate, QDateTime, Qt, QTime
from PySide6.QtWidgets import QLineEdit

from evdesk.domain.cards import CardEnd
from evdesk.gui.dialogs.cards import DriverCards
from evdesk.gui.dialogs.replace_meter import ReplaceMeter, watt_hours
from evdesk.services.replacing import Told


@pytest.fixture
def context(open_window):
    return open_window().context


def test_a_card_is_given_by_typing_its_number_and_pressing_enter(qtbot, context) -> None:
    driver = context.desk.drivers.all()[0]
    dialog = DriverCards(context, driver)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.number.setText("04A2F31B")
    qtbot.keyClick(dialog.number, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 1)
    assert [card.driver for card in context.desk.cards.all()] == [driver.id]
    assert dialog.number.text() == ""
    assert dialog.isVisible()


def test_an_empty_number_is_refused_in_place(qtbot, context) -> None:
    dialog = DriverCards(context, context.desk.drivers.all()[0])
    qtbot.addWidget(dialog)
    dialog.give()
    assert "Type the number" in dialog.error.text()
    assert context.desk.cards.all() == []


def test_a_lost_card_is_nobody_s_and_cannot_be_lost_again(qtbot, context) -> None:
    driver = context.desk.drivers.all()[0]
    context.desk.cards.add(driver.id, "04A2F31B")
    dialog = DriverCards(context, driver)
    qtbot.addWidget(dialog)
    qtbot.waitUntil(lambda: dialog.model.rowCount() == 1)
    dialog.table.selectRow(0)
    assert dialog.lost.isEnabled()
    dialog.lost.click()
    qtbot.waitUntil(lambda: context.desk.cards.all()[0].end is CardEnd.LOST)
    qtbot.waitUntil(lambda: not dialog.lost.isEnabled())


def test_a_replacement_keeps_both_registers_in_watt_hours(qtbot, context) -> None:
    dialog = ReplaceMeter(context, context.desk.meters.rows()[0])  # deletes itself
    dialog.submit()
    assert "Both registers are needed" in dialog.error.text()
    dialog.final.setText("8 123,456")
    dialog.first.setText("0.012")
    dialog.serial.setText("4711")
    with qtbot.waitSignal(dialog.replaced):
        dialog.submit()
    (kept,) = context.desk.replacements.told
    assert kept[1] == Told(8_123_456, 12, "4711", "")


def test_what_is_no_register_is_framed_in_red(qtbot) -> None:
    for text in ("", "abc", "-1", "NaN"):
        field = QLineEdit(text)
        qtbot.addWidget(field)
        assert watt_hours(field) is None
        assert field.property("wrong") == "true"


def test_a_replacement_of_another_moment_is_kept_in_utc(qtbot, context) -> None:
    dialog = ReplaceMeter(context, context.desk.meters.rows()[0])
    qtbot.addWidget(dialog)
    assert dialog.at() is None
    dialog.when.setDateTime(QDateTime(QDate(2026, 3, 2), QTime(9, 30)))
    at = dialog.at()
    assert at is not None
    assert at.astimezone(context.zone).strftime("%Y-%m-%d %H:%M") == "2026-03-02 09:30"
