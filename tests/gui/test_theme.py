from itertools import combinations

import pytest
from PySide6.QtGui import QColor, QPalette

from evdesk.gui.theme import DARK, LIGHT, Theme, Tone, tone_colours


def luminance(colour):
    channels = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    parts = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_texts_can_be_read_wcag_aa(palette):
    for ground in (palette.window, palette.surface, palette.raised):
        for text in (palette.text, palette.muted, palette.accent, palette.danger):
            assert contrast(text, ground) >= 4.5, (text, ground)
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    for tone in Tone:
        assert contrast(*tone_colours(palette, tone)) >= 4.5, tone


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_curves_stand_out_and_apart(palette):
    for colour in palette.series:
        assert contrast(colour, palette.surface) >= 3, colour
    for one, other in combinations(palette.series, 2):
        a, b = QColor(one), QColor(other)
        apart = abs(a.red() - b.red()) + abs(a.green() - b.green()) + abs(a.blue() - b.blue())
        assert apart > 50, (one, other)


def test_switching_paints_everything_anew(theme, qapp, qtbot):
    with qtbot.waitSignal(theme.changed):
        theme.choose("dark")
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    assert DARK.accent in qapp.styleSheet()
    assert theme.toggle() == "light"
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)


def test_a_missing_drawing_is_no_trouble(qapp, tmp_path):
    theme = Theme(qapp, tmp_path)
    assert not theme.icon("meters").isNull()
    theme.setParent(None)


def test_no_colour_is_written_outside_of_the_palette():
    from pathlib import Path

    import evdesk.gui

    folder = Path(evdesk.gui.__file__).parent
    loose = [
        path.name
        for path in folder.rglob("*.py")
        if path.name not in {"theme.py", "sparkline.py"} and '"#' in path.read_text("utf-8")
    ]
    assert loose == []
