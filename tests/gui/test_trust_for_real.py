"""The window over a real, encrypted site: roles, the log, a new key, a backup restored."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evdesk.bootstrap.backing_up import restore_service
from evdesk.bootstrap.sites import Opened, open_site, open_with_key
from evdesk.bootstrap.window import desk_of
from evdesk.domain.site import Actor, Party, Role
from evdesk.gui.dialogs.accounts import AccountsDialog
from evdesk.gui.dialogs.restore import AGREE, DONE, RestoreDialog
from evdesk.gui.main_window import PAGES
from evdesk.services.permitting import DENIED
from evdesk.storage.site_folder import create_site
from tests.fakes.keys import make_cheap
from tests.services.desk import OWNER, PASSWORD, SITE

WAIT_MS = 30_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "site"
    create_site(made, SITE, OWNER, PASSWORD)
    return made


@pytest.fixture
def opened(folder: Path) -> Iterator[Opened]:
    make_cheap(folder, PASSWORD)
    site = open_site(folder, PASSWORD)
    yield site
    site.services.store.close()


@pytest.mark.parametrize("role", Role)
def test_no_role_runs_into_a_refusal_by_looking_around(folder, open_window, qtbot, role):
    site = open_with_key(folder, make_cheap(folder, PASSWORD), Actor(OWNER.id, role))
    window = open_window(desk_of(site))
    for number, name in enumerate(PAGES):
        if window.navigation.entry(number).isEnabled():
            page = window.open(name)
            if name != "live":
                qtbot.waitSignal(page.drawn, timeout=WAIT_MS).wait()
    for _ in range(2):
        with qtbot.waitSignal(window.context.pulse.beat, timeout=WAIT_MS):
            window.context.pulse.hurry()
    qtbot.waitUntil(lambda: not window.alarms._attending, timeout=WAIT_MS)
    with site.services.store.read() as unit:
        told = [entry.action for entry in unit.audit.entries(1_000)]
    window.shut()
    site.services.store.close()
    assert DENIED not in told


def test_a_real_log_is_shown_proven_and_checked(opened, open_window, qtbot):
    opened.services.drivers.add(Party("Erika Muster"))
    page = open_window(desk_of(opened)).open("audit")
    qtbot.waitSignal(page.drawn, timeout=WAIT_MS).wait()
    assert page.timeline.rows.rows()[0].action == "driver.added"
    with qtbot.waitSignal(page.card.verified, timeout=WAIT_MS):
        page.verify.click()
    assert page.card.banner.text().startswith("The log is intact")
    page.show_number(0)
    qtbot.waitUntil(lambda: page.panel.title.text() == "Log begun", timeout=WAIT_MS)
    assert page.panel.proof.text() == "Proven"


@pytest.mark.slow
def test_a_real_site_gets_a_new_key_while_its_window_is_open(opened, folder, open_window, qtbot):
    window = open_window(desk_of(opened))
    window.account.accounts.trigger()
    dialog = window.account.dialog
    assert isinstance(dialog, AccountsDialog)
    before = opened.data_key.reveal()
    dialog.ways.new_key.click()
    with qtbot.waitSignal(dialog.told, timeout=WAIT_MS):
        question = dialog.rotation.question
        assert question is not None
        question.buttons["rotate"].click()
    assert opened.data_key.reveal() != before
    with qtbot.waitSignal(window.context.pulse.beat, timeout=WAIT_MS):
        window.context.pulse.hurry()
    again = open_site(folder, PASSWORD)
    assert again.data_key.reveal() == opened.data_key.reveal()
    again.services.store.close()


@pytest.mark.slow
def test_a_real_site_comes_back_from_a_backup_made_in_the_window(
    opened, folder, open_window, tasks, theme, qtbot, tmp_path
):
    opened.services.drivers.add(Party("Erika Muster"))
    window = open_window(desk_of(opened))
    page = window.open("backups")
    qtbot.waitSignal(page.drawn, timeout=WAIT_MS).wait()
    page.add_new()
    target = tmp_path / "disk"
    target.mkdir()
    page.dialog.folder.set_text(str(target))
    with qtbot.waitSignal(page.work.ended, timeout=WAIT_MS):
        page.dialog.ok.click()
    assert page.work.banner.text().startswith("Proven by restoring it")
    (file,) = target.glob("evdesk-*.zip")
    opened.services.drivers.add(Party("Came Later"))
    window.release()
    opened.services.store.close()
    dialog = RestoreDialog(restore_service(), folder, tasks, theme, str(file))
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.password.setText(PASSWORD.reveal().decode())
    dialog.ok.click()
    qtbot.waitUntil(lambda: dialog.pages.currentIndex() == AGREE, timeout=WAIT_MS)
    dialog.agree.setChecked(True)
    dialog.ok.click()
    qtbot.waitUntil(lambda: dialog.pages.currentIndex() == DONE, timeout=WAIT_MS)
    assert "kept in" in dialog.outcome.text()
    again = open_site(folder, PASSWORD)
    assert [driver.party.name for driver in again.services.drivers.all()] == ["Erika Muster"]
    again.services.store.close()
