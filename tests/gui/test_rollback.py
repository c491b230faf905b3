"""A log that is not the one that was anchored is said on every page, and explained by an owner."""

from dataclasses import replace

import pytest

from evdesk.domain.notes import Head, Rollback
from evdesk.domain.site import Role
from tests.fakes.audit import StubAudit
from tests.fakes.desk import stub_desk

SHORTER = Rollback(Head(4_812, b"a" * 32), Head(4_790, b"b" * 32))


@pytest.fixture
def window_of(open_window):
    def open_it(role=Role.OWNER, told=SHORTER):
        audit = StubAudit(told=told)
        return open_window(replace(stub_desk(role=role), audit=audit)), audit

    return open_it


def test_every_page_says_that_nothing_can_be_changed(window_of, qtbot):
    window, _ = window_of()
    qtbot.waitUntil(window.rollback.isVisible)
    said = window.rollback.banner.text()
    assert "this PC knew 4,812 entries, 4,790 are here" in said
    assert "Nothing can be changed until an owner says why" in said
    window.open("drivers")
    assert window.rollback.isVisible()


def test_an_owner_explains_it_with_a_reason(window_of, qtbot):
    window, audit = window_of()
    qtbot.waitUntil(window.rollback.isVisible)
    window.rollback.explain.click()
    dialog = window.rollback.dialog
    dialog.ok.click()
    assert dialog.error.isVisible()
    dialog.reason.setText("disk failed, folder copied back")
    with qtbot.waitSignal(dialog.explained):
        dialog.ok.click()
    assert audit.reasons == ["disk failed, folder copied back"]
    assert not window.rollback.isVisible()


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR])
def test_others_read_it_and_see_who_may_explain(window_of, qtbot, role):
    window, _ = window_of(role)
    qtbot.waitUntil(window.rollback.isVisible)
    assert not window.rollback.explain.isEnabled()
    assert window.rollback.explain.toolTip() == "Only an owner can do this."


def test_a_log_that_is_whole_takes_no_room(window_of, qtbot):
    window, _ = window_of(told=None)
    with qtbot.waitSignal(window.context.pulse.beat):
        window.context.pulse.hurry()
    assert not window.rollback.isVisible()
