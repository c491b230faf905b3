from operator import attrgetter
from threading import Event

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtPdf import QPdfDocument
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QLabel

from evdesk.domain.errors import StorageError, UserError
from evdesk.gui.app import Program
from evdesk.gui.dialogs.first_run import FirstRunDialog
from evdesk.gui.dialogs.unlock import UnlockDialog
from evdesk.gui.widgets.site_form import SiteForm
from evdesk.services.passwords import WEAK
from tests.fakes.desk import StubFirstRun

PASSWORD = "correct horse battery"


@pytest.fixture
def first_run(desk):
    return StubFirstRun(desk)


@pytest.fixture
def welcome(first_run, tasks, theme, qtbot, tmp_path):
    dialog = FirstRunDialog(first_run, tmp_path, tasks, theme)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.fixture
def unlock(first_run, tasks, theme, qtbot, tmp_path):
    dialog = UnlockDialog(first_run, tmp_path, tasks, theme)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def fill(form):
    form.name.setText("Depot Nordhafen")
    form.owner.setText("Hanna")
    form.secret.password.setText(PASSWORD)
    form.secret.again.setText(PASSWORD)
    form.zone.choose("Europe/Berlin")
    form.country.choose("DE")
    form.language.choose("de")


def test_a_site_is_created_and_the_code_is_shown_once(welcome, first_run, desk, qtbot):
    welcome.new.click()
    fill(welcome.fields)
    welcome.make.click()
    qtbot.waitUntil(welcome.code.isVisible)
    assert first_run.created == ("Depot Nordhafen", "Hanna", "Europe/Berlin", "EUR", "DE", "de")
    assert welcome.code.code.text().startswith("7KQ2M9XF")
    assert not welcome.finish.isEnabled()
    welcome.reject()
    assert welcome.isVisible()
    welcome.code.check.setChecked(True)
    with qtbot.waitSignal(welcome.opened) as signal:
        welcome.finish.click()
    assert signal.args[0] is desk


def test_the_code_can_be_copied_and_printed(welcome, qtbot, tmp_path):
    welcome.code.show_code("7KQ2M9XF-4T8WBC1P", "Depot Nordhafen")
    welcome.code.copy.click()
    assert QGuiApplication.clipboard().text() == "7KQ2M9XF-4T8WBC1P"
    printer = QPrinter()
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "code.pdf"))
    welcome.code.paint(printer)
    paper = QPdfDocument()
    paper.load(str(tmp_path / "code.pdf"))
    assert "7KQ2M9XF-4T8WBC1P" in paper.getAllText(0).text()
    paper.close()


def test_the_demo_is_one_click(welcome, desk, qtbot):
    with qtbot.waitSignal(welcome.opened) as signal:
        welcome.demo.click()
    assert signal.args[0] is desk


def test_what_cannot_be_created_is_a_sentence(welcome, first_run, qtbot):
    def create(*_):
        raise StorageError("{folder} is on a network share.", folder="X:")

    first_run.create = create
    welcome.show_form()
    fill(welcome.fields)
    welcome.make.click()
    qtbot.waitUntil(welcome.error.isVisible)
    assert welcome.error.text() == "X: is on a network share."
    assert welcome.make.isEnabled()


def test_the_form_is_locked_while_the_site_is_created(welcome, first_run, qtbot):
    go_on, create = Event(), first_run.create
    first_run.create = lambda *answers: go_on.wait(10) and create(*answers)
    welcome.show_form()
    fill(welcome.fields)
    welcome.make.click()
    assert not welcome.fields.isEnabled()
    welcome.reject()
    assert welcome.isVisible()
    go_on.set()
    qtbot.waitUntil(welcome.code.isVisible)


def test_a_password_that_is_refused_is_marked(welcome, first_run, qtbot):
    def create(*_):
        raise UserError(WEAK, advice="This is a very common password.")

    first_run.create = create
    welcome.show_form()
    fill(welcome.fields)
    welcome.make.click()
    qtbot.waitUntil(welcome.error.isVisible)
    assert "very common" in welcome.error.text()
    assert welcome.fields.secret.password.property("wrong") == "true"
    assert welcome.fields.isEnabled()


def test_a_common_password_is_told_while_it_is_typed(welcome, qtbot):
    welcome.show_form()
    welcome.fields.secret.password.setText("password1")
    qtbot.waitUntil(lambda: "common" in welcome.fields.secret.advice.text())
    assert welcome.fields.secret.advice.isVisible()
    assert welcome.fields.secret.strength.value() == 1


def test_the_code_is_shown_in_two_lines_and_copied_in_one(welcome):
    code = "7KQ2M-9XF4T-8WBC1-P0000-11111-22222-33333"
    welcome.code.show_code(code, "Depot")
    assert welcome.code.code.text().split("\n") == [code[:24], code[24:]]
    welcome.code.copy.click()
    assert QGuiApplication.clipboard().text() == code


@pytest.fixture
def form(qtbot, tasks):
    made = SiteForm(tasks, QLocale("de_DE"), "Europe/Vienna")
    qtbot.addWidget(made)
    return made


def test_the_form_knows_what_the_pc_knows(form):
    assert form.zone.value() == "Europe/Vienna"
    assert form.country.value() == "AT"
    assert form.currency.value() == "EUR"
    assert form.language.value() == "de"


def test_two_passwords_that_differ_are_refused(form):
    fill(form)
    form.secret.again.setText("something else")
    assert form.answers() == "The two passwords differ."
    assert form.name.property("wrong") == "false"
    assert form.secret.again.property("wrong") == "true"


@pytest.mark.parametrize("missing", ["name", "owner", "secret.password"])
def test_what_is_missing_is_said(form, missing):
    fill(form)
    attrgetter(missing)(form).clear()
    assert isinstance(form.answers(), str)


def test_a_zone_that_is_none_is_refused(form):
    fill(form)
    form.zone.setEditText("Europe/Nowhere")
    assert form.answers() == "Choose time zone and country from the lists."


def test_a_password_is_rated_while_it_is_typed_and_names_make_it_no_better(form, qtbot):
    secret = form.secret
    assert secret.strength.value() == 0
    secret.password.setText("password1")
    qtbot.waitUntil(lambda: "Too easy to guess" in secret.advice.text())
    assert secret.strength.value() == 1
    secret.password.setText("tulip anchor velvet ninety")
    qtbot.waitUntil(lambda: secret.advice.text().startswith("Very good"))
    assert secret.strength.value() == 4
    form.name.setText("Depot Nordhafen")
    secret.password.setText("DepotNordhafen")
    qtbot.waitUntil(lambda: "too easy" in secret.advice.text().lower())
    secret.password.clear()
    assert secret.strength.value() == 0


def test_it_is_said_at_set_up_that_nothing_opens_a_site_without_password_and_code(form):
    said = " ".join(part.text() for part in form.findChildren(QLabel))
    assert "nothing opens the site: there is no other way in" in said


def test_a_wrong_password_is_said_and_the_right_one_opens(unlock, desk, qtbot):
    unlock.submit()
    assert unlock.error.text() == "Type the password."
    unlock.password.setText("wrong")
    unlock.submit()
    qtbot.waitUntil(lambda: "does not open" in unlock.error.text())
    assert unlock.ok.isEnabled()
    unlock.password.setText(PASSWORD)
    with qtbot.waitSignal(unlock.opened) as signal:
        unlock.submit()
    assert signal.args[0] is desk


@pytest.fixture
def begin(qapp, desk, tmp_path):
    made = []

    def begin_it(known):
        program = Program(qapp, StubFirstRun(desk, known), tmp_path)
        made.append(program)
        program.begin(None)
        return program

    yield begin_it
    for program in made:
        if program.window is not None:
            program.window.shut()
            program.window.deleteLater()
        program.end()
        program.deleteLater()


@pytest.mark.parametrize(("known", "kind"), [(True, UnlockDialog), (False, FirstRunDialog)])
def test_the_program_begins_with_what_is_there(begin, qapp, qtbot, known, kind):
    program = begin(known)
    qtbot.waitUntil(lambda: program.dialog is not None)
    assert isinstance(program.dialog, kind)
    assert not qapp.quitOnLastWindowClosed()  # the dialog closes before there is a window
    with qtbot.waitSignal(program.opened):
        program.dialog.demo.click()
    qtbot.waitUntil(lambda: program.window.page() is not None)
    assert qapp.quitOnLastWindowClosed()


def test_a_site_that_cannot_be_looked_at_is_a_sentence_and_the_end(begin, qtbot, first_run):
    program = begin(True)
    qtbot.waitUntil(lambda: program.dialog is not None)
    program._on_failed(StorageError("The disk is full."))
    assert "The disk is full." in program.dialog.words.text()
    program.dialog.close()


def test_every_field_that_is_wrong_is_marked_and_said(form):
    form.owner.setText("Hanna")
    form.secret.password.setText("one thing")
    form.secret.again.setText("another")
    form.zone.setCurrentText("")
    form.zone.setCurrentIndex(-1)
    said = form.answers().split("\n")
    assert said[:2] == ["The site needs a name and an owner.", "The two passwords differ."]
    marked = [form.name, form.secret.again]
    assert [part.property("wrong") for part in marked] == ["true", "true"]
    assert form.owner.property("wrong") == "false"
