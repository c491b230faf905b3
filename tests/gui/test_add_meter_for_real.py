"""Adding a meter in the window of a real site, from a simulated device behind a real socket."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evdesk.bootstrap.sites import Opened, open_with_key
from evdesk.bootstrap.window import desk_of
from evdesk.devices.simulator.scenario import Scenario
from evdesk.domain.site import Actor
from evdesk.gui.dialogs.add_meter import AddMeter
from evdesk.storage.site_folder import create_site
from tests.devices.looking import HALF_HOUR_MS, charging
from tests.fakes.keys import make_cheap
from tests.fakes.link import depot_link
from tests.fakes.served import served
from tests.services.desk import OWNER, PASSWORD, SITE

WAIT_MS = 30_000


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    folder = tmp_path / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    site = open_with_key(folder, make_cheap(folder, PASSWORD), Actor(OWNER.id, OWNER.role))
    yield site
    site.services.store.close()


@pytest.mark.slow
def test_a_real_device_is_searched_checked_and_added(opened, open_window, qtbot):
    link = depot_link(Scenario((charging("goe-gemini", serial=176193),)), HALF_HOUR_MS)
    with served(link.ask) as url:
        page = open_window(desk_of(opened)).open("meters")
        page.add_new()
        dialog = page.findChild(AddMeter)
        dialog.link.network.host.setText(url)
        dialog.go_on()
        qtbot.waitUntil(lambda: dialog.pages.currentIndex() == 1, timeout=WAIT_MS)
        dialog.go_on()  # searches
        search = dialog.device
        qtbot.waitUntil(lambda: search.status.text() == "1 device found.", timeout=WAIT_MS)
        assert search.found.profile().id == "goe-gemini"
        dialog.go_on()
        qtbot.waitUntil(dialog.check.verdict.isVisible, timeout=WAIT_MS)
        assert "all of them plausible" in dialog.check.verdict.text()
        dialog.check.display.number.setText("5005.5")
        assert dialog.check.display.said.text() == "The register agrees with the display."
        assert dialog.check.choices.decided.text() == "The device says: Word order: high word first"
        assert not dialog.check.choices.choosers["word_order"].isVisible()
        dialog.go_on()
        assert dialog.name.label.serial.text() == "176193"
        dialog.name.name.setText("Box")
        with qtbot.waitSignal(page.told, timeout=WAIT_MS) as signal:
            dialog.go_on()
    assert signal.args[0].startswith("Box is added and answers.")
    (row,) = opened.services.meters.rows()
    assert (row.meter.name, row.meter.profile, row.meter.unit) == ("Box", "goe-gemini", 1)
    assert row.meter.serial == "176193"
    assert [station.station.name for station in opened.services.stations.rows()] == ["Box"]
