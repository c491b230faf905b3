import pytest

from evdesk.domain.errors import UserError
from evdesk.domain.site import Role, SlotKind
from tests.fakes.accounts import CODE
from tests.fakes.desk import stub_desk

GOOD = "tulip anchor velvet ninety"


@pytest.fixture
def dialog_of(open_window, qtbot):
    def open_it(role=Role.OWNER):
        window = open_window(stub_desk(role=role))
        window.account.accounts.trigger()
        dialog = window.account.dialog
        qtbot.waitUntil(lambda: len(dialog.model.rows()) == 3)
        return dialog

    return open_it


@pytest.fixture
def dialog(dialog_of):
    return dialog_of()


def desk_of(dialog):
    return dialog._context.desk


def choose(dialog, name):
    account = next(r.account for r in dialog.model.rows() if r.account.name == name)
    dialog.table.select_key(account.id)


def type_twice(form, password):
    form.secret.password.setText(password)
    form.secret.again.setText(password)


def cells(dialog):
    model = dialog.table.model()
    return [[model.index(r, c).data() for c in range(3)] for r in range(model.rowCount())]


def test_accounts_are_listed_with_what_opens_them(dialog):
    assert ["Hanna Krüger (you)", "Owner", "password"] in cells(dialog)
    assert ["Marta Nowak", "Auditor", "password"] in cells(dialog)


def test_an_account_is_added_with_a_role_that_is_explained(dialog, qtbot):
    dialog.add.click()
    form = dialog.form_open
    form.role.choose(Role.AUDITOR)
    assert form.about.text().startswith("Reads everything and changes nothing.")
    form.name.setText("Erik")
    form.secret.password.setText(GOOD)
    form.ok.click()
    assert form.error.text() == "The two passwords differ."
    form.secret.again.setText(GOOD)
    with qtbot.waitSignal(form.saved):
        form.ok.click()
    assert desk_of(dialog).accounts.passwords == {"Erik": GOOD.encode()}
    qtbot.waitUntil(lambda: ["Erik", "Auditor", "password"] in cells(dialog))


def test_what_the_service_refuses_is_said_in_the_form(dialog, qtbot):
    dialog.add.click()
    form = dialog.form_open
    form.name.setText("Deniz Aydin")
    type_twice(form, GOOD)
    form.ok.click()
    qtbot.waitUntil(form.error.isVisible)
    assert form.error.text() == "There is an account Deniz Aydin already."
    assert form.ok.isEnabled()


def test_somebody_elses_password_is_set(dialog, qtbot):
    choose(dialog, "Deniz Aydin")
    dialog.password.click()
    form = dialog.form_of_password
    assert form.windowTitle() == "New password for Deniz Aydin"
    type_twice(form, GOOD)
    with qtbot.waitSignal(form.saved):
        form.ok.click()
    assert desk_of(dialog).accounts.passwords == {"Deniz Aydin": GOOD.encode()}


def test_who_is_removed_opens_nothing_and_a_new_key_is_offered(dialog, qtbot):
    choose(dialog, "Deniz Aydin")
    dialog.remove.click()
    dialog.question.buttons["remove"].click()
    qtbot.waitUntil(lambda: len(dialog.model.rows()) == 2)
    qtbot.waitUntil(lambda: dialog.rotation.question is not None)
    with qtbot.waitSignal(dialog.told):
        dialog.rotation.question.buttons["rotate"].click()
    assert desk_of(dialog).keys.rotated == 1
    assert not dialog.rotation.isVisible()
    assert dialog.ok.isEnabled()


def test_a_new_key_may_be_declined(dialog, qtbot):
    dialog.ways.new_key.click()
    dialog.rotation.question.buttons["keep"].click()
    assert desk_of(dialog).keys.rotated == 0


def test_a_new_recovery_code_is_shown_once_and_has_to_be_written_down(dialog, qtbot):
    dialog.ways.new_code.click()
    dialog.ways.question.buttons["go"].click()
    qtbot.waitUntil(lambda: hasattr(dialog, "sheet"))
    sheet = dialog.sheet
    assert sheet.sheet.code.text() == CODE
    sheet.reject()
    assert sheet.isVisible()
    assert not sheet.ok.isEnabled()
    sheet.sheet.check.setChecked(True)
    sheet.ok.click()
    qtbot.waitUntil(lambda: "22 Nov 2026" in dialog.ways.recovery.text())


def test_the_keyring_is_an_opt_in_and_says_why_it_cannot_be_used(dialog, qtbot):
    keys = desk_of(dialog).keys
    dialog.ways.keyring.click()
    qtbot.waitUntil(
        lambda: ["Hanna Krüger (you)", "Owner", "password, this PC's keyring"] in cells(dialog)
    )
    dialog.ways.keyring.click()
    mine = keys.accounts.slots
    qtbot.waitUntil(lambda: SlotKind.KEYRING not in mine["A-HANNA000"])
    keys.refusal = UserError("This computer has no keyring that evdesk can use.")
    dialog.ways.keyring.click()
    qtbot.waitUntil(dialog.error.isVisible)
    assert "no keyring" in dialog.error.text()
    qtbot.waitUntil(lambda: not dialog.ways.keyring.isChecked())


def test_the_service_slot_says_its_price_first(dialog, qtbot):
    keys = desk_of(dialog).keys
    dialog.ways.service.click()
    assert "whoever takes the PC can open" in dialog.ways.question.words.text()
    dialog.ways.question.buttons["keep"].click()
    qtbot.waitUntil(lambda: not dialog.ways.service.isChecked())
    assert keys.service_since is None
    dialog.ways.service.click()
    dialog.ways.question.buttons["go"].click()
    qtbot.waitUntil(lambda: keys.service_since is not None)
    dialog.ways.service.click()
    qtbot.waitUntil(lambda: keys.service_since is None)


@pytest.mark.parametrize("role", [Role.STAFF, Role.AUDITOR])
def test_others_see_who_opens_the_site_and_change_their_own(dialog_of, role):
    dialog = dialog_of(role)
    ways = dialog.ways
    for part in (dialog.add, dialog.password, dialog.remove, ways.new_code, ways.service):
        assert not part.isEnabled()
        assert part.toolTip() == "Only an owner can do this."
    assert ways.keyring.isEnabled()


def test_everybody_changes_their_own_password(open_window, qtbot):
    window = open_window(stub_desk(role=Role.STAFF))
    window.account.password.trigger()
    form = window.account.dialog
    type_twice(form, GOOD)
    form.ok.click()
    assert form.error.text().startswith("Your password so far is asked for")
    form.current.setText("what it was")
    with qtbot.waitSignal(form.saved):
        form.ok.click()
    assert window.context.desk.accounts.passwords == {"Deniz Aydin": GOOD.encode()}
    assert window.notice.text().startswith("Your new password holds")
