from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import Qt

from evdesk.gui.models.rows import Column, RowsModel, SortedRows
from evdesk.gui.widgets.table import RowsTable


@dataclass(frozen=True)
class Car:
    name: str
    wh: int | None


CARS = (Car("Zoe", 40_000), Car("e-Golf", None), Car("Ioniq", 72_000), Car("ID.3", 9_000))
COLUMNS: tuple[Column[Car], ...] = (
    Column("Name", lambda car: car.name),
    Column("kWh", lambda car: str(car.wh), sort_key=lambda car: car.wh, numeric=True),
)


@pytest.fixture
def model(qapp):
    made = RowsModel(COLUMNS, lambda car: car.name)
    made.replace(CARS)
    return made


def names(proxy):
    return [proxy.index(row, 0).data() for row in range(proxy.rowCount())]


def test_the_model_keeps_what_qt_demands(model, qtmodeltester):
    qtmodeltester.check(model)


def test_the_sorted_model_keeps_what_qt_demands(model, qtmodeltester):
    qtmodeltester.check(SortedRows(model))


def test_numbers_are_sorted_as_numbers_and_what_is_missing_is_last_either_way(model):
    proxy = SortedRows(model)
    proxy.sort(1, Qt.SortOrder.AscendingOrder)
    assert names(proxy) == ["ID.3", "Zoe", "Ioniq", "e-Golf"]
    proxy.sort(1, Qt.SortOrder.DescendingOrder)
    assert names(proxy) == ["Ioniq", "Zoe", "ID.3", "e-Golf"]


def test_every_searched_word_must_occur_somewhere(model):
    proxy = SortedRows(model)
    proxy.search("i 000")
    assert sorted(names(proxy)) == ["ID.3", "Ioniq"]
    proxy.search("i 72000")
    assert names(proxy) == ["Ioniq"]
    proxy.search("")
    assert len(names(proxy)) == 4


def test_the_same_rows_with_other_figures_change_only_where_they_changed(model, qtbot):
    changed = [*CARS[:2], replace(CARS[2], wh=73_000), CARS[3]]
    with qtbot.assertNotEmitted(model.modelReset), qtbot.waitSignal(model.dataChanged) as signal:
        model.replace(changed)
    assert signal.args[0].row() == 2


def test_other_rows_reset_the_model(model, qtbot):
    with qtbot.waitSignal(model.modelReset):
        model.replace(CARS[1:])
    assert model.rowCount() == 3


def test_a_selection_survives_a_refresh(model, theme, qtbot):
    table = RowsTable(model, theme)
    qtbot.addWidget(table)
    table.select_key("Ioniq")
    model.replace((Car("Born", 58_000), *CARS))
    assert [car.name for car in table.selected()] == ["Ioniq"]


def test_kwh_are_right_aligned(model):
    alignment = model.index(0, 1).data(Qt.ItemDataRole.TextAlignmentRole)
    assert alignment & Qt.AlignmentFlag.AlignRight
