from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTime
from PySide6.QtWidgets import QLabel

from evdesk.domain.backups import ScheduleState
from evdesk.domain.errors import UserError, WrongKey
from evdesk.domain.site import Role
from evdesk.gui.dialogs.restore import AGREE, CHOOSE, DONE, RestoreDialog
from evdesk.services.restoring import NO_PERSONS
from tests.fakes.backups import DAMAGED, FOLDER, StubRestores, backup
from tests.fakes.desk import stub_desk


@pytest.fixture
def page(open_window, qtbot):
    found = open_window().open("backups")
    qtbot.waitSignal(found.drawn).wait()
    return found


def test_how_things_stand_is_seen_at_a_glance(page):
    assert page.last.value() == "Mon 23 Nov  03:00"
    assert page.proven.value() == "Not yet"
    assert page.daily.value() == "Not set up"
    assert page.where.text_in_full() == f"In {FOLDER}"
    assert page.table.selected()[0].found.backup == backup()


def test_a_backup_is_made_where_one_says_and_proven_at_once(page, qtbot):
    page.add_new()
    assert page.dialog.folder.text() == str(FOLDER)
    page.dialog.folder.set_text("/media/other")
    with qtbot.waitSignal(page.work.ended):
        page.dialog.ok.click()
    assert page.context.desk.backups.asked == [Path("/media/other")]
    assert page.work.banner.text().startswith("Proven by restoring it")
    qtbot.waitUntil(lambda: page.proven.value() == "Yes")
    assert page.make.isEnabled()


def test_a_backup_without_a_folder_is_asked_about_again(page):
    page.add_new()
    page.dialog.folder.set_text(" ")
    page.dialog.ok.click()
    assert page.dialog.error.isVisible()
    page.dialog.reject()


def test_a_backup_that_does_not_hold_says_what_is_wrong(page, qtbot):
    page.context.desk.backups.problem = DAMAGED
    with qtbot.waitSignal(page.work.ended):
        page.verify.click()
    assert page.work.banner.property("tone") == "danger"
    assert "Page 812 of the backup is not what was written." in page.work.banner.text()
    page.work.close_card.click()
    assert not page.work.isVisible()


def test_a_check_proves_the_backup_that_is_selected(page, qtbot):
    with qtbot.waitSignal(page.work.ended):
        page.verify.click()
    qtbot.waitUntil(lambda: page.proven.value() == "Yes")


def test_a_backup_from_before_a_new_key_asks_for_its_own_password(page, qtbot):
    backups = page.context.desk.backups
    backups.password_of_then = b"of then"
    page.verify.click()
    qtbot.waitUntil(lambda: getattr(page, "older", None) is not None)
    asked = page.older
    assert "2026-11-20" in " ".join(one.text() for one in asked.findChildren(QLabel))
    asked.ok.click()
    assert asked.error.isVisible()
    asked.password.setText("not it")
    page.older = None
    asked.ok.click()
    qtbot.waitUntil(lambda: page.older is not None)
    page.older.password.setText("of then")
    with qtbot.waitSignal(page.work.ended):
        page.older.ok.click()
    assert page.work.banner.text().startswith("Proven by restoring it")
    assert page.work.banner.text().endswith("Checked with its own password.")


def test_an_empty_page_offers_a_backup_once(page, qtbot):
    with qtbot.waitSignal(page.drawn):
        page.show_folder("/media/empty")
    assert page.first.isVisible()
    assert not page.make.isVisible()


def test_the_schedule_warns_of_the_disk_of_the_site(page, qtbot):
    page.schedule.click()
    form = page.form
    assert not form.same_disk.isVisible()
    form.folder.set_text(str(page.context.desk.backups.own_folder()))
    qtbot.waitUntil(form.same_disk.isVisible)
    form.on.setChecked(False)
    qtbot.waitUntil(form.same_disk.isHidden)
    form.reject()


def test_the_schedule_is_asked_for_and_shown(page, qtbot):
    page.schedule.click()
    form = page.form
    form.at.setTime(QTime(2, 30))
    form.days.setValue(60)
    with qtbot.waitSignal(form.saved):
        form.ok.click()
    assert page.context.desk.backups.when.state is ScheduleState.ON
    qtbot.waitUntil(lambda: page.daily.value() == "Daily, 02:30")


def test_daily_backups_can_be_turned_off(page, qtbot):
    page.schedule.click()
    page.form.on.setChecked(False)
    assert not page.form.folder.isEnabled()
    with qtbot.waitSignal(page.form.saved):
        page.form.ok.click()
    qtbot.waitUntil(lambda: page.daily.value() == "Off")


def test_another_folder_is_shown_and_may_be_empty(page, qtbot):
    with qtbot.waitSignal(page.drawn):
        page.show_folder("/media/empty")
    assert page.empty.isVisible()
    assert page.where.text_in_full() == "In /media/empty"


def test_restoring_is_asked_before_the_window_closes_for_it(page, qtbot):
    page.restore.click()
    page.question.buttons["stay"].click()
    page.restore.click()
    with qtbot.waitSignal(page.window().restore_wanted) as wanted:
        page.question.buttons["go"].click()
    assert wanted.args == [str(backup().file)]


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {"make", "schedule", "verify", "restore"}),
        (Role.STAFF, {"make", "verify"}),
        (Role.AUDITOR, {"verify"}),
    ],
)
def test_each_role_sees_what_it_may_do(open_window, qtbot, role, may):
    page = open_window(stub_desk(role=role)).open("backups")
    qtbot.waitSignal(page.drawn).wait()
    parts = ("make", "schedule", "verify", "restore")
    assert {name for name in parts if getattr(page, name).isEnabled()} == may


# -- restoring ------------------------------------------------------------------------------------


@pytest.fixture
def restoring(tasks, theme, qtbot, tmp_path):
    def open_it(restores):
        dialog = RestoreDialog(restores, tmp_path / "site", tasks, theme, str(backup().file))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
        qtbot.addWidget(dialog)
        dialog.show()
        return dialog

    return open_it


def step(dialog, qtbot, number):
    dialog.ok.click()
    qtbot.waitUntil(lambda: dialog.pages.currentIndex() == number)


def test_a_restore_is_shown_before_it_is_agreed_to(restoring, qtbot):
    restores = StubRestores()
    dialog = restoring(restores)
    dialog.password.setText("correct horse battery")
    step(dialog, qtbot, AGREE)
    said = dialog.words.text()
    assert "37 sessions and 2 invoices of the present site are not in it." in said
    assert "kept in a folder beside it" in said
    assert restores.done == []
    assert not dialog.ok.isEnabled()
    dialog.agree.setChecked(True)
    step(dialog, qtbot, DONE)
    assert len(restores.done) == 1
    assert "site-before" in dialog.outcome.text()
    with qtbot.waitSignal(dialog.restored):
        dialog.ok.click()


def test_a_new_pc_has_nothing_to_agree_to(restoring, qtbot):
    restores = StubRestores()
    restores.replaces = False
    dialog = restoring(restores)
    dialog.password.setText("correct horse battery")
    dialog.last_invoice.setText("2026-00031")
    step(dialog, qtbot, AGREE)
    assert not dialog.agree.isVisible()
    step(dialog, qtbot, DONE)
    assert restores.done[0].last_invoices == {"2026": 31}


@pytest.mark.parametrize(
    ("part", "text", "sentence"),
    [
        ("file", "", "Choose the backup."),
        ("password", "", "Type a password of an owner."),
        ("last_invoice", "31", "Write the number as it is on the invoice, like 2026-00017."),
    ],
)
def test_what_is_missing_is_said(restoring, part, text, sentence):
    dialog = restoring(StubRestores())
    dialog.password.setText("correct horse battery")
    field = getattr(dialog, part)
    (field.set_text if part == "file" else field.setText)(text)
    dialog.ok.click()
    assert dialog.error.text() == sentence
    assert dialog.pages.currentIndex() == CHOOSE


def test_a_wrong_password_changes_nothing(restoring, qtbot):
    restores = StubRestores(lambda _wish: WrongKey("The password does not open the backup."))
    dialog = restoring(restores)
    dialog.password.setText("guess")
    dialog.ok.click()
    qtbot.waitUntil(dialog.error.isVisible)
    assert dialog.pages.currentIndex() == CHOOSE
    assert restores.done == []


def test_missing_keys_of_persons_are_accepted_in_so_many_words_only(restoring, qtbot):
    def refuse(wish):
        return None if wish.without_persons else UserError(NO_PERSONS, file=wish.file)

    dialog = restoring(StubRestores(refuse))
    dialog.password.setText("correct horse battery")
    assert not dialog.no_persons.isVisible()
    dialog.ok.click()
    qtbot.waitUntil(dialog.no_persons.isVisible)
    dialog.no_persons.setChecked(True)
    step(dialog, qtbot, AGREE)


def test_a_restore_can_be_left_before_it_is_agreed_to(restoring, qtbot):
    restores = StubRestores()
    dialog = restoring(restores)
    dialog.password.setText("correct horse battery")
    step(dialog, qtbot, AGREE)
    with qtbot.waitSignal(dialog.rejected):
        dialog.cancel.click()
    assert restores.done == []


def test_a_desk_without_a_schedule_says_so(open_window, qtbot):
    desk = stub_desk()
    desk.backups.when = replace(desk.backups.when, state=ScheduleState.OFF)
    page = open_window(desk).open("backups")
    qtbot.waitSignal(page.drawn).wait()
    assert page.daily.value() == "Off"
