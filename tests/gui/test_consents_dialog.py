"""What drivers agree to: seen at a glance, recorded and withdrawn in a few clicks."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from evdesk.bootstrap.sites import open_site
from evdesk.bootstrap.window import desk_of
from evdesk.domain.consents import ConsentState, Method
from evdesk.domain.errors import UserError
from evdesk.domain.purposes import EMAIL, HISTORY, LOCATION, SHARING, VIN
from evdesk.domain.site import Role
from evdesk.gui.dialogs.consent import METHODS, RecordConsent, WithdrawConsent
from evdesk.gui.main_window import PAGES
from evdesk.storage.site_folder import create_site
from tests.fakes.depot import Depot
from tests.fakes.desk import stub_desk
from tests.fakes.keys import make_cheap
from tests.services.desk import ISSUER, KIM, OWNER, PASSWORD, SITE

WAIT_MS = 30_000
MOST_CLICKS = 5


@pytest.fixture
def planted(desk):
    desk.consents.plant()
    return desk


@pytest.fixture
def page(open_window, planted, depot, qtbot):
    found = open_window(planted).open("drivers")
    qtbot.waitUntil(lambda: found.model.rowCount() == 4)
    select(found, depot.drivers[0].id, qtbot)
    return found


def select(page, driver, qtbot):
    with qtbot.waitSignal(page.panel.drawn, timeout=WAIT_MS):
        page.table.select_key(driver)


def row_of(page, purpose):
    names = {row.name.text(): row for row in page.panel.rows}
    optional = page.context.desk.consents.optional
    return names[next(one.text("en").name for one in optional if one.id == purpose)]


def ask(page, purpose, qtbot) -> RecordConsent:
    row_of(page, purpose).answer.click()
    dialog = page.panel.dialog
    assert isinstance(dialog, RecordConsent)
    qtbot.waitUntil(lambda: bool(dialog.text.toPlainText()))
    return dialog


class Mouse:
    """A person who only clicks; ``clicks`` are what on."""

    def __init__(self, qtbot) -> None:
        self.qtbot = qtbot
        self.clicks: list[str] = []

    def click(self, part: QWidget, name: str = "") -> None:
        self.qtbot.waitUntil(part.isEnabled, timeout=WAIT_MS)
        assert part.isVisible()
        self.clicks.append(name or getattr(part, "text", str)())
        self.qtbot.mouseClick(part, Qt.MouseButton.LeftButton, pos=part.rect().center())

    def choose(self, radio) -> None:
        """Click on the words of a choice: its middle may be empty."""
        self.clicks.append(radio.text())
        at = radio.rect().center()
        at.setX(8)
        self.qtbot.mouseClick(radio, Qt.MouseButton.LeftButton, pos=at)

    def click_row(self, table, key: str) -> None:
        number = next(n for n, row in enumerate(table.shown()) if row.driver.id == key)
        place = table.visualRect(table.sorted.index(number, 0)).center()
        self.clicks.append(f"row {key}")
        self.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)


def go_to(window, driver, mouse: Mouse, qtbot):
    """Click from the start page to a driver's consents."""
    number = list(PAGES).index("drivers")
    mouse.click(window.navigation.entry(number), "Drivers")
    page = window.stack.currentWidget()
    qtbot.waitUntil(lambda: page.model.rowCount() > 0, timeout=WAIT_MS)
    with qtbot.waitSignal(page.panel.drawn, timeout=WAIT_MS):
        mouse.click_row(page.table, driver)
    return page


def test_five_clicks_lead_from_the_start_page_to_a_consent(open_window, planted, depot, qtbot):
    window, mouse, driver = open_window(planted), Mouse(qtbot), depot.drivers[1].id
    window.open("live")
    page = go_to(window, driver, mouse, qtbot)
    row = row_of(page, VIN)
    mouse.click(row.answer)
    dialog = page.panel.dialog
    qtbot.waitUntil(dialog.ok.isEnabled)
    mouse.choose(dialog.methods.button(METHODS.index(Method.PAPER)))
    with qtbot.waitSignal(page.told):
        mouse.click(dialog.ok)
    assert mouse.clicks == ["Drivers", f"row {driver}", "Record …", "On paper", "They agree"]
    assert len(mouse.clicks) <= MOST_CLICKS
    assert planted.consents.standing(driver)[0].decision.allowed


def test_five_clicks_lead_from_the_start_page_to_a_withdrawal(open_window, planted, depot, qtbot):
    window, mouse, driver = open_window(planted), Mouse(qtbot), depot.drivers[0].id
    window.open("live")
    page = go_to(window, driver, mouse, qtbot)
    mouse.click(row_of(page, HISTORY).withdraw)
    dialog = page.panel.dialog
    mouse.choose(dialog.methods.button(METHODS.index(Method.PHONE)))
    with qtbot.waitSignal(page.told):
        mouse.click(dialog.ok)
    assert mouse.clicks == ["Drivers", f"row {driver}", "Withdraw …", "By phone", "They withdraw"]
    assert len(mouse.clicks) <= MOST_CLICKS
    assert planted.consents.events[-1].state is ConsentState.WITHDRAWN


def test_the_table_says_how_much_each_driver_agrees_to_and_who_has_to_renew(page, depot):
    shown = {row.driver.id: (row.agreed, row.due, row.purposes) for row in page.table.shown()}
    assert shown[depot.drivers[0].id] == (1, 1, 6)
    assert shown[depot.drivers[1].id] == (0, 0, 6)
    assert page.panel.summary.text() == "1 of 6 purposes agreed to"


def test_every_purpose_is_said_in_plain_words(page):
    said = {row.name.text(): row.state.text() for row in page.panel.rows}
    assert said == {
        "Recognising your car (VIN)": "To be renewed",
        "Your charging history": "Agreed",
        "Where you charged": "Not asked",
        "Statistics about your charging": "Not asked",
        "E-mail beyond invoices": "Refused",
        "Sharing with your employer or fleet": "Thinks about it",
    }
    assert row_of(page, HISTORY).since.text() == (
        "since 7 May 2026 · until 23 Nov 2029\nnotice 1.0 · on paper"
    )
    assert "The notice has changed" in row_of(page, VIN).meaning.text()
    assert not row_of(page, LOCATION).since.isVisible()


def test_what_can_be_done_follows_from_how_it_stands(page):
    can = {
        purpose: (row_of(page, purpose).answer.text(), row_of(page, purpose).withdraw.isVisible())
        for purpose in (VIN, HISTORY, LOCATION, EMAIL, SHARING)
    }
    assert can == {
        VIN: ("Renew …", True), HISTORY: ("Renew …", True), LOCATION: ("Record …", False),
        EMAIL: ("Record …", False), SHARING: ("Record …", False),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "state"),
    [
        ("ok", ConsentState.GIVEN),
        ("refused", ConsentState.REFUSED),
        ("deferred", ConsentState.DEFERRED),
    ],
)
def test_an_answer_is_recorded_with_the_asking_and_the_notice_that_was_shown(
    page, planted, qtbot, part, state
):
    dialog = ask(page, EMAIL, qtbot)
    assert "E-Mail" in dialog.text.toPlainText()  # in the driver's language
    assert dialog.about.text() == "Notice 1.0 (de)"
    dialog.choose(Method.PHONE)
    with qtbot.waitSignal(page.told):
        getattr(dialog, part).click()
    (entry,) = planted.consents.entries
    assert (entry.state, entry.method, str(entry.notice)) == (state, Method.PHONE, "1.0")
    assert [e.state for e in planted.consents.events[-2:]] == [ConsentState.REQUESTED, state]


def test_who_agrees_already_can_agree_anew_and_nothing_else(page, planted, qtbot):
    dialog = ask(page, VIN, qtbot)
    assert dialog.ok.text() == "They agree anew"
    assert not dialog.refused.isVisible()
    dialog.choose(Method.PAPER)
    with qtbot.waitSignal(page.panel.drawn):
        dialog.ok.click()
    assert row_of(page, VIN).state.text() == "Agreed"
    qtbot.waitUntil(lambda: page.table.selected()[0].agreed == 2)
    assert page.table.selected()[0].due == 0


def test_no_answer_is_chosen_beforehand_and_enter_gives_none(page, planted, qtbot):
    dialog = ask(page, LOCATION, qtbot)
    assert dialog.methods.checkedId() == -1
    assert not [p for p in dialog.findChildren(QPushButton) if p.isDefault()]
    dialog.choose(Method.PAPER)
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    qtbot.keyClick(dialog.evidence.line, Qt.Key.Key_Return)
    assert dialog.isVisible()
    assert planted.consents.entries == []


def test_an_answer_is_that_of_the_driver_whose_rows_are_on_the_screen(page, planted, depot, qtbot):
    first, other = depot.drivers[0].id, depot.drivers[1]
    page.panel.show_driver(other)  # and before it is read:
    row_of(page, EMAIL).answer.click()
    dialog = page.panel.dialog
    qtbot.waitUntil(dialog.ok.isEnabled)
    dialog.choose(Method.PAPER)
    with qtbot.waitSignal(page.told):
        dialog.ok.click()
    assert [entry.person for entry in planted.consents.entries] == [first]


def test_how_the_answer_came_has_to_be_said(page, planted, qtbot):
    dialog = ask(page, LOCATION, qtbot)
    dialog.ok.click()
    assert dialog.error.text().startswith("Say how the answer came")
    assert planted.consents.entries == []


def test_a_ready_made_notice_is_said_to_be_one_and_to_be_checked(page, qtbot):
    dialog = ask(page, LOCATION, qtbot)
    assert dialog.hint.isVisible()
    dialog.choose(Method.PAPER)
    with qtbot.waitSignal(page.told) as signal:
        dialog.ok.click()
    assert "taken over as version 1.0" in signal.args[0]


def test_without_a_notice_and_an_issuer_nothing_can_be_answered(page, planted, qtbot):
    planted.billing.seller = None
    dialog = ask(page, LOCATION, qtbot)
    assert "Who bills" in dialog.error.text()
    assert not any(part.isEnabled() for part in dialog.answers)


def test_nothing_can_be_answered_where_the_notice_cannot_be_read(page, planted, qtbot):
    def broken(*_):
        raise UserError("The notice is gone.")

    planted.notices.current = broken
    row_of(page, LOCATION).answer.click()
    dialog = page.panel.dialog
    qtbot.waitUntil(dialog.error.isVisible)
    assert not any(part.isEnabled() for part in dialog.answers)


def test_a_scan_is_kept_with_the_answer(page, planted, qtbot, tmp_path):
    scan = tmp_path / "Signed.PDF"
    scan.write_bytes(b"%PDF signed")
    dialog = ask(page, EMAIL, qtbot)
    drop(dialog.evidence.line, scan)
    assert Path(dialog.evidence.text()) == scan
    dialog.choose(Method.PAPER)
    with qtbot.waitSignal(page.told):
        dialog.ok.click()
    evidence = planted.consents.entries[0].evidence
    assert (evidence.media_type, evidence.content) == ("application/pdf", b"%PDF signed")


def drop(line, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    entering = QDragEnterEvent(
        QPoint(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(line, entering)
    assert entering.isAccepted()
    event = QDropEvent(
        QPointF(5, 5), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(line, event)


@pytest.mark.parametrize(("name", "said"), [("a.exe", "Evidence is one of"), ("a.pdf", "be read")])
def test_evidence_that_cannot_be_kept_is_said_in_the_form(
    page, planted, qtbot, tmp_path, name, said
):
    dialog = ask(page, EMAIL, qtbot)
    dialog.evidence.set_text(str(tmp_path / name))
    dialog.choose(Method.PAPER)
    dialog.ok.click()
    qtbot.waitUntil(dialog.error.isVisible)
    assert said in dialog.error.text()
    assert dialog.ok.isEnabled()
    assert planted.consents.entries == []


def test_a_receipt_is_saved_as_pdf(page, planted, depot, qtbot, tmp_path):
    page.panel.receipt.click()
    file = tmp_path / "receipt.pdf"
    with qtbot.waitSignal(page.told):
        page.panel.files.save(str(file))
    page.panel.files.dialog.reject()
    assert file.read_bytes().startswith(b"%PDF")
    assert planted.consents.receipts == [(depot.drivers[0].id, "pdf")]


def test_who_was_asked_nothing_has_no_receipt(page, depot, qtbot):
    select(page, depot.drivers[1].id, qtbot)
    assert not page.panel.receipt.isEnabled()
    assert "nothing to confirm" in page.panel.receipt.toolTip()


def test_a_purpose_that_is_switched_off_is_asked_of_nobody(page, planted, depot, qtbot):
    planted.consents.optional = [
        replace(one, enabled=one.id != LOCATION) for one in planted.consents.optional
    ]
    select(page, depot.drivers[1].id, qtbot)
    assert row_of(page, LOCATION).state.text() == "Switched off"
    assert not row_of(page, LOCATION).answer.isVisible()


@pytest.mark.parametrize("role", Role)
def test_staff_and_owners_record_and_auditors_read_pseudonyms(open_window, qtbot, role):
    desk = stub_desk(depot := Depot(), role=role)
    desk.consents.plant()
    page = open_window(desk).open("drivers")
    qtbot.waitUntil(lambda: page.model.rowCount() == 4)
    driver = depot.drivers[0]
    select(page, driver.id, qtbot)
    parts = [page.panel.receipt]
    for row in page.panel.rows:
        parts += [part for part in (row.answer, row.withdraw) if not part.isHidden()]
    if role is Role.AUDITOR:
        assert page.panel.title.text() == f"Consents of {driver.id}"
        assert not [part for part in parts if part.isEnabled()]
        assert {part.toolTip() for part in parts} == {
            "Only an owner or a staff account can do this."
        }
    else:
        assert page.panel.title.text() == f"Consents of {driver.party.name}"
        assert all(part.isEnabled() for part in parts)


# -- a real site -----------------------------------------------------------------------------------


def test_a_consent_is_recorded_withdrawn_and_confirmed_on_a_real_site(open_window, qtbot, tmp_path):
    folder = tmp_path / "site"
    create_site(folder, SITE, OWNER, PASSWORD)
    make_cheap(folder, PASSWORD)
    site = open_site(folder, PASSWORD)
    site.services.billing.set_issuer(ISSUER)
    kim = site.services.drivers.add(KIM).id
    window, mouse = open_window(desk_of(site)), Mouse(qtbot)
    page = go_to(window, kim, mouse, qtbot)
    page.panel.rows[0].answer.click()
    dialog = page.panel.dialog
    qtbot.waitUntil(dialog.ok.isEnabled, timeout=WAIT_MS)
    assert ISSUER.name in dialog.text.toPlainText()
    dialog.choose(Method.PAPER)
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF signed on paper")
    dialog.evidence.set_text(str(scan))
    with qtbot.waitSignal(page.panel.drawn, timeout=WAIT_MS):
        dialog.ok.click()
    assert site.services.consents.check(kim, VIN).allowed
    (_, given) = site.services.consents.log(kim)
    assert given.evidence is not None
    assert site.services.consents.evidence(given.evidence).content == scan.read_bytes()
    assert page.panel.rows[0].state.text() == "Agreed"
    qtbot.waitUntil(lambda: page.table.selected()[0].agreed == 1, timeout=WAIT_MS)

    page.panel.rows[0].withdraw.click()
    assert isinstance(page.panel.dialog, WithdrawConsent)
    page.panel.dialog.choose(Method.PHONE)
    with qtbot.waitSignal(page.panel.drawn, timeout=WAIT_MS):
        page.panel.dialog.ok.click()
    assert not site.services.consents.check(kim, VIN).allowed
    qtbot.waitUntil(lambda: page.panel.rows[0].state.text() == "Withdrawn", timeout=WAIT_MS)

    page.panel.ask_receipt()
    with qtbot.waitSignal(page.panel.files.saved, timeout=WAIT_MS):
        page.panel.files.save(str(tmp_path / "receipt.pdf"))
    page.panel.files.dialog.reject()
    assert (tmp_path / "receipt.pdf").read_bytes().startswith(b"%PDF-")
    window.shut()
    site.services.store.close()
