import xml.etree.ElementTree as ET

import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

from evdesk.settings import shipped

FOLDER = shipped("resources") / "icons"
ICONS = sorted(file for file in FOLDER.glob("*.svg") if file.stem != "evdesk")
NAMES = [
    "live",
    "sessions",
    "invoices",
    "meters",
    "drivers",
    "tariffs",
    "settings",
    "audit",
    "consent",
    "add",
    "remove",
    "refresh",
    "print",
    "save",
    "export",
    "search",
    "play",
    "stop",
    "zoom-fit",
    "pause",
    "plug",
    "bolt",
    "warning",
    "error",
    "ok",
    "info",
    "lock",
    "sun",
    "moon",
    "chevron-left",
    "chevron-right",
    "chevron-down",
    "calendar",
    "user",
    "close",
]


def test_every_icon_the_window_asks_for_is_there():
    assert set(NAMES) <= {file.stem for file in ICONS}
    assert (FOLDER / "evdesk.svg").is_file()


@pytest.mark.parametrize("file", ICONS, ids=lambda file: file.stem)
def test_an_icon_follows_the_set(file):
    root = ET.fromstring(file.read_text("utf-8"))

    assert root.get("viewBox") == "0 0 24 24"
    assert root.get("stroke") == "currentColor"
    assert root.get("stroke-width") == "1.75"
    assert root.get("stroke-linecap") == root.get("stroke-linejoin") == "round"
    assert root.get("fill") == "none"
    assert all(
        not child.attrib.keys() & {"stroke", "fill", "style"}
        for child in root.iter()
        if child is not root
    )


@pytest.mark.parametrize("file", [*ICONS, FOLDER / "evdesk.svg"], ids=lambda file: file.stem)
@pytest.mark.parametrize("size", [16, 24])
def test_an_icon_draws_something_and_not_over_its_edge(file, size, qapp):
    image = QImage(size + 4, size + 4, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(file)).render(painter, QRectF(2, 2, size, size))
    painter.end()

    alphas = {
        (x, y): image.pixelColor(x, y).alpha() for x in range(size + 4) for y in range(size + 4)
    }
    edge = [alpha for (x, y), alpha in alphas.items() if {x, y} & {0, 1, size + 2, size + 3}]

    assert sum(alphas.values()) > 255 * size // 2
    assert max(edge) == 0
