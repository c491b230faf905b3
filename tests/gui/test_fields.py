"""Fields take what people type and remember where people save."""

from pathlib import Path

import pytest

from evdesk.gui.preferences import Preferences
from evdesk.gui.widgets.fields import Chooser

PEOPLE = (("D-1", "Hanna Krüger"), ("D-2", "Marta Nowak"), ("D-3", "Hanno Berg"))


@pytest.fixture
def chooser(qtbot):
    made = Chooser("Driver", searchable=True)
    qtbot.addWidget(made)
    made.offer(PEOPLE)
    return made


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("marta nowak", "D-2"), ("nowak", "D-2"), ("Krü", "D-1"), ("hann", None), ("", None),
     ("nobody", None)],
)  # fmt: skip
def test_a_part_that_only_one_entry_has_is_enough(chooser, typed, meant):
    chooser.setEditText(typed)
    assert chooser.value() == meant


def test_what_a_part_means_is_written_out(chooser):
    chooser.setEditText("berg")
    chooser.lineEdit().editingFinished.emit()
    assert chooser.currentText() == "Hanno Berg"
    assert chooser.value() == "D-3"


def test_files_are_saved_where_the_last_one_was(settings, tmp_path):
    preferences = Preferences(settings)
    assert Path(preferences.folder()).is_dir()
    preferences.set_folder(str(tmp_path))
    assert preferences.folder() == str(tmp_path)
    preferences.set_folder(str(tmp_path / "unplugged"))
    assert Path(preferences.folder()).is_dir()
