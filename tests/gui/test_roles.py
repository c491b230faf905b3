"""Whoever is here sees what they may not do before they try it."""

import pytest
from PySide6.QtWidgets import QPushButton

from evdesk.domain.permissions import Action, allows
from evdesk.domain.site import Role
from evdesk.gui.main_window import PAGES
from evdesk.gui.rights import Rights, role_name, role_text, who_may
from tests.fakes.depot import Depot
from tests.fakes.desk import stub_desk


@pytest.fixture
def window_of(open_window):
    return lambda role, depot=None: open_window(stub_desk(depot, role=role))


def page_of(window, name, qtbot):
    page = window.open(name)
    qtbot.waitSignal(page.drawn).wait()
    return page


def test_the_header_says_who_is_here(window_of):
    said = window_of(Role.AUDITOR).header.account.toolTip()
    assert said == "Your account: Hanna Krüger · Auditor"


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("name", "part", "action"),
    [
        ("drivers", "add", Action.CHANGE_DRIVERS),
        ("drivers", "edit", Action.CHANGE_DRIVERS),
        ("drivers", "retire", Action.CHANGE_DRIVERS),
        ("invoices", "new", Action.BILL),
        ("invoices", "issuer", Action.CHANGE_SETTINGS),
        ("tariffs", "new", Action.CHANGE_TARIFFS),
        ("tariffs", "load", Action.CHANGE_TARIFFS),
        ("meters", "kept", Action.CHANGE_SETTINGS),
        ("meters", "devices.add", Action.CHANGE_DEVICES),
        ("meters", "devices.probe", Action.CHANGE_DEVICES),
        ("meters", "devices.remove", Action.CHANGE_DEVICES),
        ("meters", "stations.retire", Action.CHANGE_DEVICES),
        ("meters", "stations.driver", Action.CHANGE_DRIVERS),
        ("sessions", "assign", Action.DECIDE_SESSIONS),
        ("sessions", "decisions.correct", Action.DECIDE_SESSIONS),
        ("faults", "panel.acknowledge", Action.ACKNOWLEDGE_FAULTS),
    ],
)
def test_a_button_is_there_for_those_who_may_and_says_to_others_who_may(
    window_of, qtbot, role, name, part, action
):
    page = page_of(window_of(role), name, qtbot)
    owner = page
    for step in part.split("."):
        table = getattr(owner, "table", None)
        if table is not None and table.sorted.rowCount():
            table.selectRow(0)
        owner = getattr(owner, step)
    assert isinstance(owner, QPushButton)
    if allows(role, action):
        assert owner.toolTip() != who_may(action)
    else:
        assert not owner.isEnabled()
        assert owner.toolTip() == who_may(action)


def test_a_guarded_button_stays_as_it_is_whatever_its_page_does(qtbot):
    part = QPushButton("Add")
    qtbot.addWidget(part)
    Rights(Role.AUDITOR).guard(part, Action.CHANGE_DEVICES)
    part.setEnabled(True)
    part.setToolTip("Add a meter")
    assert not part.isEnabled()
    assert part.toolTip() == "Only an owner can do this."


@pytest.mark.parametrize("name", ["drivers", "invoices", "meters", "tariffs"])
def test_keys_open_no_form_that_would_be_refused(window_of, qtbot, name):
    window = window_of(Role.AUDITOR)
    page = page_of(window, name, qtbot)
    page.add_new()
    assert window.notice.text().startswith("Only an owner")
    assert not [w for w in page.findChildren(QPushButton) if w.window() is not window]


def test_who_may_do_what_is_said_of_every_action():
    for action in Action:
        if not all(allows(role, action) for role in Role):
            assert who_may(action).startswith("Only an owner")
    assert [role_name(role) for role in Role] == ["Owner", "Staff", "Auditor"]
    assert len({role_text(role) for role in Role}) == len(Role)


def test_an_auditor_sees_pseudonyms_and_a_name_only_with_a_reason(window_of, qtbot):
    window = window_of(Role.AUDITOR)
    page = page_of(window, "drivers", qtbot)
    driver = window.context.desk.drivers.depot.drivers[0]
    assert driver.party.name not in [row.driver.party.name for row in page.table.shown()]
    page.table.select_key(driver.id)
    page.reveal.click()
    dialog = page.dialog
    dialog.ok.click()
    assert dialog.error.isVisible()
    assert window.context.desk.drivers.revealed == []
    dialog.reason.setText("compare invoice and contract")
    with qtbot.waitSignal(dialog.revealed):
        dialog.ok.click()
    said = [part.text() for part in dialog.person.findChildren(type(dialog._heading))]
    assert driver.party.name in said
    assert window.context.desk.drivers.revealed == [(driver.id, "compare invoice and contract")]
    dialog.ok.click()
    assert driver.party.name not in [row.driver.party.name for row in page.table.shown()]


def test_those_who_see_names_have_nothing_to_reveal(window_of, qtbot):
    page = page_of(window_of(Role.STAFF), "drivers", qtbot)
    page.table.selectRow(0)
    assert not page.reveal.isVisible()
    assert page.edit.isEnabled()


def test_an_auditor_sees_an_invoice_only_with_a_reason(window_of, qtbot):
    depot = Depot()
    window = window_of(Role.AUDITOR, depot)
    billing = window.context.desk.billing
    driver = next(s.driver for s in depot.sessions if s.driver)
    billing.issue(billing.draft(driver, "2026-11").invoice.id)
    page = page_of(window, "invoices", qtbot)
    panel = page.panel
    assert panel.hidden.isVisible()
    assert not panel.print.isEnabled()
    panel.reveal.click()
    panel.dialog.reason.setText("sample of the audit")
    with qtbot.waitSignal(panel.drawn):
        panel.dialog.ok.click()
    assert panel.view.isVisible()
    assert panel.print.isEnabled()
    assert [reason for _, reason in billing.revealed] == ["sample of the audit"]


@pytest.mark.parametrize("role", Role)
def test_every_page_opens_for_every_role(window_of, qtbot, role):
    window = window_of(role)
    for number, name in enumerate(PAGES):
        if window.navigation.entry(number).isEnabled():
            page_of(window, name, qtbot)
    assert not window.notice.isVisible()
